"""What the tests of the way back share: the target as it stands, and one rollback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from stage import Stage

from avdtwin import sessions
from avdtwin.state import Session
from crossfade.app import durable_engine, in_process_engine
from crossfade.commands.apply import Applied, Hook, apply
from crossfade.commands.rollback import ROLLBACK_ENGINE, RolledBack, rollback
from crossfade.commands.workspace import JOURNAL
from crossfade.execution.commands import answer_to, give

PASSING = ("timestamp", "createdat", "lastmodifiedat", "updatedon", "createdon")


def target_of(stage: Stage) -> dict[str, Any]:
    """Everything that Azure holds: resources, groups of them, role assignments, directory groups; without times and
    provider registration."""
    stage.world.settle()
    state = msgspec.to_builtins(stage.world.state)
    arm = state["arm"]
    return {
        "resources": _still(arm["resources"]),
        "grants": sorted(map(repr, _still(arm["role_assignments"]).items())),
        "subscriptions": {name: _still(without_providers(one)) for name, one in arm["subscriptions"].items()},
        "groups": _still(state["directory"]["groups"]),
    }


def without_providers(subscription: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in subscription.items() if "provider" not in name.lower()}


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _still(each) for key, each in value.items() if key.lower() not in PASSING}
    return [_still(each) for each in value] if isinstance(value, list) else value


def classic_of(stage: Stage) -> dict[str, Any]:
    """Who is assigned in classic, and which hosts take people there."""
    pools = {
        name: pool
        for group in stage.world.state.classic.groups.values()
        for tenant in group.tenants.values()
        for name, pool in tenant.pools.items()
    }
    people = {(name, group): sorted(one.users) for name, pool in pools.items() for group, one in pool.groups.items()}
    hosts = {(name, host): one.allow_new_session for name, pool in pools.items() for host, one in pool.hosts.items()}
    return {"people": people, "hosts": hosts}


def take_back(
    stage: Stage, of: str = "run", engine: str = "inprocess", *, hook: Hook | None = None, dry_run: bool = False
) -> RolledBack:
    clock, store = stage.rehearsal.clock, stage.workspace.path(ROLLBACK_ENGINE)
    make = in_process_engine(clock) if engine == "inprocess" else durable_engine(clock, store)
    options: dict[str, Any] = {"hook": hook} if hook else {}
    return stage.with_services(
        lambda services: rollback(
            stage.workspace, services, clock, make, of=of, dry_run=dry_run, synchronous="NORMAL", **options
        )
    )


def say(stage: Stage, verb: str, subject: str = "", **args: Any) -> int:
    """A word for the run, from another terminal."""
    path = stage.workspace.journal
    return give(path, stage.rehearsal.clock, verb, actor="olivia", subject=subject, args=args)


def answer(stage: Stage, command: int) -> tuple[str, str]:
    """What became of a word: state and text."""
    found = answer_to(stage.workspace.journal, command)
    assert found is not None
    return found.state, found.answer


def somebody_of(stage: Stage, pool: str) -> str:
    """UPN of somebody whom the plan gives a pool (its name)."""
    groups = (group for group in stage.plan.access if f"/{pool}/" in group.source.casefold())
    return next(person for group in groups for person in sorted(group.people))


def sign_out_later(stage: Stage, session: Session, after_s: float) -> None:
    """Its user signs out by themselves, some time from now."""
    due = stage.world.now + after_s

    def tap(scope: dict[str, Any]) -> None:
        if stage.world.now >= due and session.key in stage.world.state.sessions:
            sessions.end(stage.world, session, "signed_out")

    stage.taps.append(tap)


def apply_while(stage: Stage, script: Callable[[], Coroutine[Any, Any, None]]) -> Applied:
    """Carry the plan out while somebody at another terminal does something."""
    clock = stage.rehearsal.clock

    async def work(services: Any) -> Applied:
        other = asyncio.ensure_future(script())
        done = await apply(stage.workspace, services, clock, in_process_engine(clock), synchronous="NORMAL")
        await other
        return done

    return stage.with_services(work)


async def wait_until(stage: Stage, holds: Callable[[], bool], *, every_s: float = 20.0) -> None:
    """Virtual time passes until something holds, at most ten days."""
    for _ in range(int(864_000.0 / every_s)):
        if stage.workspace.has(JOURNAL) and holds():
            return
        await stage.rehearsal.clock.sleep(every_s)
    raise AssertionError("it never came")
