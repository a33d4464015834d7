"""Reports as plain text: the summary of a migration, the proof."""

from collections.abc import Sequence

from crossfade.model.ids import last_name
from crossfade.report import words
from crossfade.report.documents import Documents
from crossfade.report.story import RunStory
from crossfade.report.tables import section, table
from crossfade.report.verdict import verdict
from crossfade.verification.verification import Verification

SHOWN = 20
"""Rows of a list in a summary; the document has them all."""


def summary(documents: Documents) -> str:
    """The migration on a screen or two."""
    said = verdict(documents)
    lines = [said.sentence, *([words.clean(said.rest)] if said.rest else [])]
    if documents.story is not None:
        lines += section("Waves", waves(documents.story))
        lines += section("Figures", figures(documents.story))
    if documents.verification is not None:
        lines += proof(documents.verification)
    if documents.findings is not None and documents.verification is None:
        rows = [(one.severity, one.subject, one.what) for one in documents.findings.findings]
        lines += section("Findings", _cut(table(("severity", "about", "what"), rows[:SHOWN]), len(rows)))
    return "\n".join(lines)


def waves(story: RunStory) -> list[str]:
    rows = [
        (
            wave.id,
            words.kind(wave.kind),
            wave.hosts,
            wave.people,
            words.moment(wave.began_at),
            words.lasted(wave.began_at, wave.ended_at),
            words.wave_state(wave.state),
        )
        for wave in story.waves
    ]
    return table(("wave", "what", "hosts", "people", "began (UTC)", "took", "state"), rows, right=(2, 3))


def figures(story: RunStory) -> list[str]:
    return table(("what", "figure"), [(name, _figure(value)) for name, value in story.counts.items()])


def _figure(value: int | float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


# ---------------------------------------------------------------- the proof


def verification(found: Verification) -> str:
    """The whole answer of `verify`."""
    lines = [verdict_of(found), *proof(found)]
    return "\n".join(lines)


def verdict_of(found: Verification) -> str:
    if found.passed():
        return "Proven: everybody opens exactly what they opened before."
    if found.equivalent():
        return "Proven: everybody opens exactly what they opened before. Some hosts or settings need a look."
    return "NOT PROVEN: not everybody opens exactly what they opened before."


def proof(found: Verification) -> list[str]:
    """Counts first, then every kind of difference."""
    counts = [
        ("rights before", found.pairs_before),
        ("rights now", found.pairs_after),
        ("people", found.people),
        ("lost", len(found.lost)),
        ("gained", len(found.gained)),
        ("personal desktops swapped", len(found.swapped)),
        ("could not be judged", len(found.unexplained)),
        ("hosts well", f"{len(found.hosts) - len(found.sick())} of {len(found.hosts)}"),
        ("settings that differ", len(found.different())),
        ("people never seen on the target", len(found.unseen)),
    ]
    lines = section("Who may open what", table(("", "count"), counts, right=(1,))[2:])
    for title, changed in (("Lost", found.lost), ("Gained", found.gained)):
        rows = [(one.person, words.resource(one.resource), one.why) for one in changed]
        lines += section(title, _list(("person", "resource", "why"), rows))
    swaps = [(one.person, _vm(one.before), _vm(one.after)) for one in found.swapped]
    lines += section("Personal desktops swapped", _list(("person", "had", "has"), swaps))
    lines += section(
        "Could not be judged", _list(("what", "why"), [(one.subject, one.why) for one in found.unexplained])
    )
    sick = [(words.host(one.source), one.state, "; ".join(one.problems)) for one in found.sick()]
    lines += section("Hosts to look at", _list(("host", "state", "why"), sick))
    settings = [
        (last_name(one.subject), one.property, f"{words.value(one.found)}, planned {words.value(one.wanted)}")
        for one in found.different()
    ]
    lines += section("Settings that differ", _list(("object", "property", "is"), settings))
    gone = [(one.subject, one.why) for one in found.excluded]
    return lines + section("Not counted, since they can sign in nowhere", _list(("person", "why"), gone))


def _vm(place: str | None) -> str:
    return ", ".join(last_name(one) for one in (place or "").split(", ")) or "none of their own"


def _list(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return _cut(table(head, rows[:SHOWN]), len(rows))


def _cut(lines: list[str], count: int) -> list[str]:
    return [*lines, f"… and {count - SHOWN:,} more"] if count > SHOWN else lines
