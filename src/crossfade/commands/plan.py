"""`crossfade plan`: the documents of a folder become one plan, checked before it is written."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from crossfade.assessment.findings import Findings
from crossfade.clock import Clock, iso
from crossfade.commands.workspace import FINDINGS, INTENT, INVENTORY, PLAN, TARGET, Workspace
from crossfade.errors import InputError
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.plan.diff import Change, changes, conflicts, totals
from crossfade.plan.intent import Intent
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan
from crossfade.plan.selfcheck import check_plan

Document = TypeVar("Document")


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The plan that was written, and where."""

    plan: Plan
    path: str

    @property
    def changes(self) -> list[Change]:
        return changes(self.plan)

    @property
    def conflicts(self) -> list[Change]:
        """What the operator must decide before it can be applied."""
        return conflicts(self.plan)

    @property
    def exit_code(self) -> int:
        """0 there is nothing to do; 2 changes or conflicts are pending."""
        counts = totals(self.plan)
        return 2 if self.plan.hosts or counts["create"] or counts["update"] or counts["conflict"] else 0


def plan(workspace: Workspace, clock: Clock) -> Planned:
    """Write plan.json. Raises InputError with the problems of all documents, PlanConflict when no plan holds."""
    made = make(workspace, today=iso(clock.now())[:10])
    return Planned(plan=made, path=str(workspace.path(PLAN)))


def make(workspace: Workspace, *, today: str) -> Plan:
    """The plan, written. `today`: an ISO day."""
    inventory, target, findings, intent = _documents(workspace)
    made = make_plan(inventory, target, findings, intent, today=today)
    problems = check_plan(made)
    assert not problems, f"the planner made a plan that is not whole: {'; '.join(map(str, problems))}"
    workspace.write(PLAN, made)
    return made


def _documents(workspace: Workspace) -> tuple[Inventory, TargetSnapshot, Findings, Intent]:
    """All inputs. What is wrong with several of them is told at once."""
    wrong: list[InputError] = []
    inventory = _tried(wrong, lambda: workspace.read(INVENTORY, Inventory))
    target = _tried(wrong, lambda: workspace.read(TARGET, TargetSnapshot))
    findings = _tried(wrong, lambda: workspace.read(FINDINGS, Findings))
    place = str(workspace.path(INTENT))
    intent = _tried(wrong, lambda: read_intent(workspace.read_bytes(INTENT), place=place))
    if inventory is None or target is None or findings is None or intent is None:
        what = wrong[0].what if len(wrong) == 1 else f"{len(wrong)} documents cannot be used."
        raise InputError(what, [problem for error in wrong for problem in error.problems])
    return inventory, target, findings, intent


def _tried(wrong: list[InputError], read: Callable[[], Document]) -> Document | None:
    try:
        return read()
    except InputError as error:
        wrong.append(error)
        return None
