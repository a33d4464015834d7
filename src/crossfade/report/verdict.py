"""The one sentence at the top of every report."""

import msgspec

from crossfade.report.documents import Documents
from crossfade.report.story import RunStory
from crossfade.report.words import count, people
from crossfade.verification.verification import Verification


class Verdict(msgspec.Struct, frozen=True):
    """`tone`: good, warn, bad or open. `sentence`: the answer; `rest`: what a reader should know beside it."""

    tone: str
    sentence: str
    rest: str = ""


def verdict(documents: Documents) -> Verdict:
    """From the latest document backwards: the proof, the run, the plan, the findings."""
    story, proof = documents.story, documents.verification
    if proof is not None and (story is None or story.over or not proof.equivalent()):
        return _proven(proof, story) if proof.equivalent() else _broken(proof, story)
    if story is not None:
        return _under_way(story, len(documents.plan.hosts) if documents.plan else len(story.hosts))
    return _planned(documents) if documents.plan is not None else _found(documents)


def _proven(proof: Verification, story: RunStory | None) -> Verdict:
    moved = sum(1 for check in proof.hosts if check.session_host)
    sentence = (
        f"Everybody opens exactly what they opened before: {people(proof.people)}, nobody lost and nobody gained "
        f"anything, {moved:,} of {count(len(proof.hosts), 'host')} moved."
    )
    odd = _oddities(proof)
    return Verdict("warn" if odd else "good", sentence, f"To look at: {odd}." if odd else "")


def _oddities(proof: Verification) -> str:
    parts = {
        "host": len(proof.sick()),
        "setting that differs": len(proof.different()),
    }
    words = [count(number, noun, _MANY[noun]) for noun, number in parts.items() if number]
    return " and ".join(words)


_MANY = {"host": "hosts", "setting that differs": "settings that differ"}


def _broken(proof: Verification, story: RunStory | None) -> Verdict:
    if story is not None and not story.over:
        sentence = "The migration is under way, and not everybody can open everything on the new service yet."
        return Verdict("open", sentence, _faults(proof))
    return Verdict("bad", "Not everybody opens exactly what they opened before.", _faults(proof))


def _faults(proof: Verification) -> str:
    wrong = sum(1 for check in proof.hosts if check.wrong)
    parts = [
        f"{count(len(proof.lost), 'right')} lost by {people(len({one.person for one in proof.lost}))}"
        * bool(proof.lost),
        f"{count(len(proof.gained), 'right')} gained by {people(len({one.person for one in proof.gained}))}"
        * bool(proof.gained),
        f"{count(len(proof.swapped), 'personal desktop')} swapped" * bool(proof.swapped),
        f"{count(wrong, 'host')} in the wrong place" * bool(wrong),
        f"{count(len(proof.unexplained), 'thing')} that could not be judged" * bool(proof.unexplained),
    ]
    return ", ".join(part for part in parts if part) + "."


def _under_way(story: RunStory, hosts: int) -> Verdict:
    moved = f"{len(story.moved):,} of {count(hosts, 'host')} moved"
    if story.over:
        return Verdict("warn", f"The migration is finished, {moved}; it has not been verified yet.")
    if story.rolled_back:
        return Verdict("warn", "The migration was rolled back: people work on classic, as before.", story.reason)
    if story.state in ("failed", "holding", "frozen"):
        return Verdict("bad", f"The migration holds, {moved}.", story.reason)
    return Verdict("open", f"The migration is {story.state.replace('_', ' ')}, {moved}.", story.reason)


def _planned(documents: Documents) -> Verdict:
    plan = documents.plan
    assert plan is not None, "asked only when there is one"
    cohort = {person for group in plan.access for person in group.people}
    told = f"{count(len(plan.hosts), 'host')} in {count(len(plan.waves), 'wave')}, {people(len(cohort))}"
    return Verdict("open", f"The plan is ready: {told}. Nothing has been written yet.")


def _found(documents: Documents) -> Verdict:
    inventory, findings = documents.inventory, documents.findings
    blockers = len(findings.blockers()) if findings else 0
    told = f"{count(len(inventory.pools), 'host pool')} and {count(len(inventory.hosts), 'host')} were found."
    if findings is None:
        return Verdict("open", f"{told} Nothing has been assessed or planned yet.")
    if blockers:
        return Verdict("warn", f"{told} {count(blockers, 'finding')} must be mended before there can be a plan.")
    return Verdict("open", f"{told} Nothing stands in the way of a plan.")
