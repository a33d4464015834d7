"""Whether lists of workspaces stay as a run has written them, whoever else writes them."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scenario"))

from stage import Stage, pooled, spec_of

from crossfade.app import in_process_engine
from crossfade.cloud.services import Services
from crossfade.errors import Conflict
from crossfade.execution.chains import FRAME, JOINT, chain_of, setup_chains
from crossfade.execution.context import Context
from crossfade.execution.control import NoControl
from crossfade.execution.engine import Outcome, Workflow
from crossfade.execution.journal import Journal
from crossfade.execution.run import enter, make_context, worked_on
from crossfade.execution.shown import Shown
from crossfade.execution.workflows.objects import write
from crossfade.execution.workflows.showing import BACK, GONE, LOST, SETTLE_S, TRIES, keep_shown, keep_withdrawn
from crossfade.execution.workflows.undo import as_data, everything, undo_each
from crossfade.model.ids import fold
from crossfade.plan.operations import ReferenceGroup

SPEC = spec_of(pooled(groups=()), name="lists")
Work = Callable[[Context, Workflow, Services], Awaitable[None]]


class Lists:
    """A pool, its group and the workspace that lists it: what a run makes before its first wave."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage.of(SPEC, folder)
        self.plan = self.stage.make_plan()
        (self.reference,) = [one for one in self.plan.operations if isinstance(one, ReferenceGroup)]

    def listed(self) -> list[str]:
        (workspace,) = self.stage.of_type("workspaces")
        return list(workspace.properties["applicationGroupReferences"])

    def overwrite(self, groups: list[str]) -> None:
        """As another writer does, with what it had read before."""
        (workspace,) = self.stage.of_type("workspaces")
        workspace.properties["applicationGroupReferences"] = groups

    def overwrite_behind(self, groups: list[str], *, after_s: float, times: int = 1) -> None:
        """Have another writer overwrite the list so long after a write, before it is read again."""
        path, now = self.reference.subject.casefold(), self.stage.rehearsal.clock.now
        written_at: list[datetime] = []

        def tap(scope: dict[str, Any]) -> None:
            nonlocal times
            if scope["path"].casefold() != path:
                return
            if scope["method"] == "PATCH":
                written_at[:] = [now()]
            elif times and written_at and now() >= written_at[0] + timedelta(seconds=after_s):
                self.overwrite(groups)
                written_at.clear()
                times -= 1

        self.stage.taps.append(tap)

    def adopted(self) -> Shown:
        """What the run shows if the group was there before."""
        group = fold(self.reference.group)
        return Shown(one for one in self.plan.operations if fold(one.subject) != group)

    def run(self, work: Work) -> Outcome:
        """`work` in a workflow of a run that has written its objects."""
        clock = self.stage.rehearsal.clock

        async def inside(services: Services) -> Outcome:
            with Journal.open(self.stage.workspace.journal, clock) as journal:
                context = make_context(self.plan, "digest", journal, clock, services, NoControl())
                enter(context)

                async def body(port: Workflow, args: dict[str, Any]) -> dict[str, Any]:
                    await _written(context, port)
                    await work(context, port, services)
                    return {}

                return await worked_on(context, in_process_engine(clock), {"work": body}, "work", "work", {})

        return self.stage.with_services(inside)

    def told(self, kind: str) -> list[tuple[str, str]]:
        """The attempts at an operation of this kind, as the journal tells them: what follows its id, and the reason."""
        begun = [event for event in self.stage.events("step") if event.to_state == "begun"]
        mine = [event for event in begun if event.subject.startswith(f"{JOINT}/{kind}:")]
        return [(event.subject.partition(" (")[2].rstrip(")"), event.reason) for event in mine]


async def _written(context: Context, port: Workflow) -> None:
    chains = setup_chains(context.plan)
    pools = {chain_of(pool): names for pool, names in chains.pools.items()}
    for subject, names in {FRAME: chains.frame, **pools, JOINT: chains.joint}.items():
        for name in names:
            await write(context, port, context.steps(port, subject), name)


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


def test_a_write_that_does_not_hold_is_no_write(lists: Lists) -> None:
    """Overwritten before it was seen: told as a failure, which is tried again."""

    async def work(context: Context, port: Workflow, services: Services) -> None:
        handler, written = context.handlers.references, lists.listed()
        lists.overwrite_behind(written, after_s=0)
        with pytest.raises(Conflict, match=r"lists .* though that was taken out"):
            await handler.undo(lists.reference)
        assert await handler.undo(lists.reference) == {"withdrawn": True}
        lists.overwrite_behind([], after_s=0)
        with pytest.raises(Conflict, match=r"does not list .* though that was written"):
            await handler.apply(lists.reference)
        assert await handler.apply(lists.reference) == {"group": lists.reference.group}
        assert lists.listed() == written

    lists.run(work).raise_if_failed()


def test_an_entry_is_looked_at_again_when_other_writers_must_have_written(lists: Lists) -> None:
    """Half a minute after it was written it is overwritten: a look at once would have found it."""

    async def work(context: Context, port: Workflow, services: Services) -> None:
        begun = context.clock.now()
        await keep_shown(context, port)
        assert (context.clock.now() - begun).total_seconds() >= 2 * SETTLE_S - 1, "seen a while after each write"
        assert lists.listed() == [lists.reference.group]

    lists.overwrite_behind([], after_s=30)
    lists.run(work).raise_if_failed()
    assert lists.told("reference-group") == [("", lists.reference.reason), ("undone", LOST), ("again 2", LOST)]


def test_a_workspace_that_another_rollback_has_removed_is_made_again(lists: Lists) -> None:
    async def work(context: Context, port: Workflow, services: Services) -> None:
        await services.arm.delete(lists.reference.subject)
        await keep_shown(context, port)

    lists.run(work).raise_if_failed()
    assert lists.listed() == [lists.reference.group]
    attempts = lists.told("put-resource")
    assert attempts[-2:] == [("undone", GONE), ("again 2", GONE)]
    assert lists.told("reference-group")[-1] == ("again 2", LOST)


def test_whoever_takes_it_out_again_and_again_is_told_of(lists: Lists) -> None:
    async def work(context: Context, port: Workflow, services: Services) -> None:
        await keep_shown(context, port)

    lists.overwrite_behind([], after_s=30, times=TRIES + 1)
    error = lists.run(work).error
    assert error is not None
    assert (error["code"], lists.reference.subject in error["what"]) == ("step-failed", True)
    assert [name for name, _ in lists.told("reference-group")][-1] == f"again {TRIES + 1}"


def test_what_was_taken_out_of_a_list_stays_out(lists: Lists) -> None:
    """The group was there before the run and stays behind it: nothing else would take its entry out again."""

    async def work(context: Context, port: Workflow, services: Services) -> None:
        context.shown = lists.adopted()
        await keep_withdrawn(context, port)
        assert lists.listed() == written, "what this run has not taken back stays"
        mine = [effect for effect in everything(context) if effect.operation == lists.reference.id]
        await undo_each(context, port, as_data(mine), whole=True)
        assert lists.listed() == []
        lists.overwrite(written)
        await keep_withdrawn(context, port)

    written = [lists.reference.group]
    lists.run(work).raise_if_failed()
    assert lists.listed() == []
    assert lists.told("reference-group")[-2:] == [("undone) (undone", BACK), ("undone) (again 2", BACK)]
