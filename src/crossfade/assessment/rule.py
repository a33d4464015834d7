"""What a rule is: one question about an estate, its severity, and how its findings are written."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from crossfade.assessment.findings import Finding, Severity
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot

Check = Callable[[Inventory, TargetSnapshot | None], Iterable[Finding]]
"""Pure. Without a target a rule that needs one finds nothing."""
NAMED = 5


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`id` in lower case with dashes, the same for ever; `about` is one sentence for lists of rules."""

    id: str
    severity: Severity
    about: str
    check: Check


def finding(
    rule: str,
    severity: Severity,
    subject: str,
    *,
    what: str,
    why: str,
    mend: str,
    evidence: dict[str, Any] | None = None,
) -> Finding:
    """A finding whose id is made of its rule and subject."""
    return Finding(
        id=f"{rule}:{subject}",
        rule=rule,
        severity=severity,
        subject=subject,
        what=what,
        why=why,
        mend=mend,
        evidence=evidence or {},
    )


def some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    found = list(names)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more
