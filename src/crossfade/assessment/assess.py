"""Inventory (and target) -> findings: every rule asked, and for each pool the way to move it. Pure."""

from crossfade.assessment.advice import advise
from crossfade.assessment.findings import Finding, Findings, Severity
from crossfade.assessment.rules import RULES
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.growth import Growth
from crossfade.model.ids import fold
from crossfade.model.modes import CROSSFADE, RESTORE

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def assess(inventory: Inventory, target: TargetSnapshot | None, growth: Growth, *, made_at: str) -> Findings:
    """What stands in the way of a migration, what to look at, and advice by pool.

    Without a target the rules that need one find nothing: assess again once `target.json` is there.
    """
    found = [finding for rule in RULES for finding in rule.check(inventory, target)]
    inputs = {"inventory": inventory.design_digest()}
    if target is not None:
        inputs["target"] = target.design_digest()
    return Findings(
        made_at=made_at,
        inputs=inputs,
        mode=mode_of(inventory),
        findings=sorted(_once(found), key=_order),
        advice=advise(inventory, growth),
    )


def mode_of(inventory: Inventory) -> str:
    """`crossfade` when the classic service answered, `restore` when there are only exports and remains (design 2)."""
    sources = {origin.source for origin in inventory.origins}
    return RESTORE if sources and "live" not in sources else CROSSFADE


def _order(finding: Finding) -> tuple[int, str, str]:
    return (_RANK[finding.severity], finding.rule, fold(finding.subject))


def _once(findings: list[Finding]) -> list[Finding]:
    """Two findings of one rule about one subject have one id: people accept by id, so the graver one counts."""
    best: dict[str, Finding] = {}
    for finding in findings:
        known = best.get(fold(finding.id))
        if known is None or _RANK[finding.severity] < _RANK[known.severity]:
            best[fold(finding.id)] = finding
    return list(best.values())
