"""`crossfade assess`: every rule over the documents of a folder."""

from pathlib import Path

import msgspec

from crossfade.assessment.assess import assess as find
from crossfade.assessment.findings import Findings, Severity
from crossfade.clock import Clock, iso
from crossfade.commands.workspace import FINDINGS, INTENT, INVENTORY, TARGET, Workspace
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.growth import Growth
from crossfade.plan.intent_reader import read_intent


class Assessed(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `with_target`: whether the rules that look at the target could."""

    findings: Findings
    path: str
    with_target: bool

    @property
    def counts(self) -> dict[str, int]:
        """Severity -> how many; every severity is there."""
        found = [finding.severity for finding in self.findings.findings]
        return {str(severity): found.count(severity) for severity in Severity}

    @property
    def exit_code(self) -> int:
        """2 when something needs a decision: a blocker, or a warning."""
        return 2 if self.counts["blocker"] or self.counts["warning"] else 0


def assess(workspace: Workspace, clock: Clock) -> Assessed:
    """Write findings.json from inventory.json, and target.json and the growth of crossfade.toml where they are there.

    Raises InputError for a document that is missing or wrong.
    """
    inventory = workspace.read(INVENTORY, Inventory)
    target = workspace.read(TARGET, TargetSnapshot) if workspace.has(TARGET) else None
    findings = find(inventory, target, _growth(workspace), made_at=iso(clock.now()))
    path: Path = workspace.write(FINDINGS, findings)
    return Assessed(findings=findings, path=str(path), with_target=target is not None)


def _growth(workspace: Workspace) -> Growth:
    if not workspace.has(INTENT):
        return Growth()
    return read_intent(workspace.read_bytes(INTENT), place=str(workspace.path(INTENT))).growth
