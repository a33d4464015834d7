"""What discovery could not read: facts that the plan does without."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.inventory.unread import ACCESS, unread
from crossfade.model.provenance import Gap

ID = "not-read"
LOST = "What it holds would be missing in the plan: people would lose it, and the proof could not tell."


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    """Several gaps of one subject are one finding."""
    lost = {one.gap.subject: one.of for one in unread(inventory) if one.collection in ACCESS}
    by_subject: dict[str, list[Gap]] = {}
    for gap in (*inventory.gaps, *(target.gaps if target else [])):
        by_subject.setdefault(gap.subject, []).append(gap)
    for subject in sorted(by_subject, key=str.casefold):
        gaps = by_subject[subject]
        yield finding(
            ID,
            Severity.BLOCKER if subject in lost else Severity.WARNING,
            subject,
            what=" ".join(dict.fromkeys(gap.what for gap in gaps)),
            why=" ".join(dict.fromkeys([*(gap.why for gap in gaps), *([LOST] if subject in lost else [])])),
            mend=" ".join(dict.fromkeys(gap.mend for gap in gaps)),
            evidence={"gaps": len(gaps), **({"of": lost[subject]} if subject in lost else {})},
        )


RULE = Rule(
    id=ID,
    severity=Severity.WARNING,
    about="Something could not be read, or is only assumed. A blocker where it is people, apps or hosts of classic.",
    check=check,
)
