"""Ask one rule about an estate."""

from __future__ import annotations

from builders import Estate

from crossfade.assessment.findings import Finding
from crossfade.assessment.rule import Rule
from crossfade.inventory.target import TargetSnapshot


def asked(rule: Rule, estate: Estate, target: TargetSnapshot | None = None) -> list[Finding]:
    """Findings against the estate's own empty target, or another."""
    return list(rule.check(estate.inventory(), estate.target() if target is None else target))


def without_target(rule: Rule, estate: Estate) -> list[Finding]:
    return list(rule.check(estate.inventory(), None))
