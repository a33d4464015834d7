"""What the tests of the way back share: the target as it stands, and one rollback."""

from __future__ import annotations

from typing import Any

import msgspec
from stage import Stage

from crossfade.app import durable_engine, in_process_engine
from crossfade.commands.apply import Hook
from crossfade.commands.rollback import ROLLBACK_ENGINE, RolledBack, rollback

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
