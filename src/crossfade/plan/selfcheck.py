"""Is a plan whole? The planner's own output is checked, and so is a plan that somebody edited by hand."""

from collections import Counter

from crossfade.errors import Problem
from crossfade.model.ids import fold
from crossfade.plan.operations import GrantRole
from crossfade.plan.plan import Plan

MEND = "Make the plan again with `crossfade plan`; choices belong into crossfade.toml."


def check_plan(plan: Plan) -> list[Problem]:
    """Everything that cannot be in a plan made by the planner; empty when it is whole."""
    known = {operation.id for operation in plan.operations}
    hosts = {fold(host.source) for host in plan.hosts}
    pools = {fold(pool.target) for pool in plan.pools}
    problems: list[Problem] = []

    def wrong(where: str, what: str) -> None:
        problems.append(Problem(f"plan.json: {where}", what, MEND))

    for name, count in Counter(operation.id for operation in plan.operations).items():
        if count > 1:
            wrong(f"operations {name}", f"is there {count} times.")
    named = [name for wave in plan.waves for name in wave.publish]
    named += [name for wave in plan.waves for names in wave.publish_by_host.values() for name in names]
    named += [name for wave in plan.waves for name in wave.retract]
    named += [name for wave in plan.waves for names in wave.retract_by_host.values() for name in names]
    named += [name for pool in plan.pools for name in pool.late]
    for name in named:
        if name not in known:
            wrong(f"waves: {name}", "names an operation that the plan does not hold.")
    moved = Counter(fold(host) for wave in plan.waves for host in wave.hosts)
    for host in moved:
        if host not in hosts:
            wrong(f"waves: {host}", "names a host that the plan does not move.")
    for host in sorted(hosts):
        if moved[host] != 1:
            wrong(f"hosts {host}", f"is in {moved[host]} waves, must be in one.")
    for move in plan.hosts:
        if fold(move.target_pool) not in pools:
            wrong(f"hosts {move.source}", f"goes to {move.target_pool}, which is no pool of the plan.")
        if not move.vm.casefold().startswith("/subscriptions/"):
            wrong(f"hosts {move.source}", f"has no VM resource id but {move.vm!r}.")
        if move.capacity < 1:
            wrong(f"hosts {move.source}", "has no seats.")
    for operation in plan.operations:
        if isinstance(operation, GrantRole) and operation.principal_type not in ("User", "Group", "ServicePrincipal"):
            wrong(f"operations {operation.id}", f"grants to a {operation.principal_type!r}.")
    problems += _settings(plan)
    return problems


def _settings(plan: Plan) -> list[Problem]:
    settings = plan.settings
    least = {
        "headroom": (settings.headroom, 0),
        "parallel_moves": (settings.parallel_moves, 1),
        "grace_s": (settings.grace_s, 60),
        "drain_timeout_s": (settings.drain_timeout_s, 60),
        "step_timeout_s": (settings.step_timeout_s, 60),
        "soak_s": (settings.soak_s, 0),
    }
    return [
        Problem(f"plan.json: settings.{name}", f"is {value}, must be at least {low}.", MEND)
        for name, (value, low) in least.items()
        if value < low
    ]
