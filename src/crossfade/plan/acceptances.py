"""Who answers for which finding, by name and until a day."""

from crossfade.assessment.findings import Findings
from crossfade.errors import Problem
from crossfade.model.ids import fold
from crossfade.plan.intent import Intent
from crossfade.plan.plan import Answered

PREFLIGHT = ("conditional-access:", "classic:")
"""Findings that are judged before the first write."""


def open_blockers(findings: Findings, intent: Intent, today: str) -> list[Problem]:
    """Blockers that nobody answers for; those of a pool that is left out stop nobody."""
    accepted = {fold(item.finding): item for item in intent.accepted}
    skipped = tuple(f"{fold(key)}/" for key, pool in intent.pools.items() if pool.skip)
    problems = []
    for finding in findings.blockers():
        answer = accepted.get(fold(finding.id))
        place = fold(str(finding.evidence.get("of") or finding.subject))
        if skipped and f"{place}/".startswith(skipped):
            continue
        if answer is None:
            problems.append(Problem(finding.subject, f"{finding.what} {finding.why}", finding.mend))
        elif answer.until < today:
            what = f"the acceptance of {finding.id} by {answer.by} ran out on {answer.until}."
            problems.append(Problem("crossfade.toml [[accepted]]", what, "Mend the finding or accept it anew."))
    return problems


def in_force(intent: Intent, today: str) -> list[str]:
    """Ids of the findings that somebody answers for today."""
    return sorted(item.finding for item in intent.accepted if item.until >= today)


def answered(intent: Intent, today: str) -> list[Answered]:
    """The same with who answers, why, and until when."""
    kept = sorted((item for item in intent.accepted if item.until >= today), key=lambda item: item.finding)
    return [Answered(finding=one.finding, by=one.by, reason=one.reason, until=one.until) for one in kept]


def unused(findings: Findings, intent: Intent) -> list[str]:
    """Acceptances that answer nothing: misspelled, or mended by now. Those of preflight are judged there."""
    known = {fold(finding.id) for finding in findings.findings}
    names = [item.finding for item in intent.accepted if fold(item.finding) not in known]
    return [f"Accepted is {name}, which assessment did not find." for name in names if not name.startswith(PREFLIGHT)]
