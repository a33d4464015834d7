"""What a classic scaling script did for a pool, as a scaling plan of the new service. Pure.

Script parameters are read by nobody: they lie in a schedule of the operator's own, who copies them into `[scaling]`.
The script knows peak and off-peak; a plan has four phases (facts/arm-service 1.12). Peak begins with an hour of ramp-up
and is followed by an hour of ramp-down, which do what the script did in the phase that they belong to.

The plan is made switched off for its pool: it would stop hosts on their way. It is switched on after the pool's last
host, and only where the operator said so.
"""

import math
from collections.abc import Iterator
from typing import Any

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import HostPool
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import ArmObject
from crossfade.plan.balancing import balancer
from crossfade.plan.intent import WEEK, Intent, Scaling, minutes_of
from crossfade.plan.layout import Layout, tags_for

TYPE = "Microsoft.DesktopVirtualization/scalingPlans"
REFERENCES = "hostPoolReferences"
UNLIMITED = 999_999
FULL_PCT = 90
"""The script starts another host at nine tenths of MaxSessionLimit in any case."""
NEEDS = (
    "Scaling plans: the application Azure Virtual Desktop (9cdead84-a844-4324-93f2-b2e6bb768d07) needs the role "
    "Desktop Virtualization Power On Off Contributor at the subscription of the VMs; a plan does not grant it."
)
"""Source: facts/arm-service 5.2."""
PHASE_MINUTES = 60
LAST_MINUTE = 24 * 60 - 1


def scaling_of(pool: HostPool, intent: Intent) -> Scaling | None:
    return next((one for key, one in intent.scaling.items() if fold(key) == fold(pool.key)), None)


def plan_id(pool_id: str) -> str:
    """Beside the pool, under its name."""
    home, _, name = pool_id.rpartition("/")
    return f"{parent_key(home)}/scalingPlans/{name}"


def bodies(layout: Layout, inventory: Inventory, intent: Intent) -> Iterator[tuple[HostPool, str, dict[str, Any]]]:
    """Pool, id and body of each scaling plan, in the order of the pools."""
    for pool in layout.pools:
        said = scaling_of(pool, intent)
        if said is not None and not _wrong(pool, said, inventory):
            pool_id = layout.pool_ids[fold(pool.key)]
            properties = {
                "timeZone": said.time_zone,
                "hostPoolType": "Pooled",
                "exclusionTag": said.exclusion_tag,
                "friendlyName": pool.friendly_name or last_name(pool.key),
                "description": "From the classic scaling script",
                "schedules": [_schedule(pool, said, _hosts(pool, inventory), balancer(pool, intent.pool(pool.key)))],
                REFERENCES: references(pool_id, enabled=False),
            }
            body = {"location": layout.location_of[fold(pool.key)], "tags": tags_for(pool.key, intent)}
            yield pool, plan_id(pool_id), {**body, "properties": properties}


def references(pool_id: str, *, enabled: bool) -> list[dict[str, Any]]:
    return [{"hostPoolArmPath": pool_id, "scalingPlanEnabled": enabled}]


def _schedule(pool: HostPool, said: Scaling, hosts: int, balancing: str) -> dict[str, Any]:
    least = math.ceil(100 * min(said.minimum_hosts, hosts) / hosts)
    full = _threshold(pool, said)
    begin, end = minutes_of(said.begin_peak), minutes_of(said.end_peak)
    return {
        "name": "classic",
        "daysOfWeek": list(said.days or WEEK),
        "rampUpStartTime": _time(begin),
        "rampUpLoadBalancingAlgorithm": balancing,
        "rampUpMinimumHostsPct": least,
        "rampUpCapacityThresholdPct": full,
        "peakStartTime": _time(begin + PHASE_MINUTES),
        "peakLoadBalancingAlgorithm": balancing,
        "rampDownStartTime": _time(end),
        "rampDownLoadBalancingAlgorithm": balancing,
        "rampDownMinimumHostsPct": least,
        "rampDownCapacityThresholdPct": full,
        "rampDownForceLogoffUsers": said.force_log_off_seconds > 0,
        "rampDownStopHostsWhen": "ZeroSessions",
        "rampDownWaitTimeMinutes": math.ceil(said.force_log_off_seconds / 60),
        "rampDownNotificationMessage": " ".join(text for text in (said.message_title, said.message_body) if text),
        "offPeakStartTime": _time(min(end + PHASE_MINUTES, LAST_MINUTE)),
        "offPeakLoadBalancingAlgorithm": balancing,
    }


def _threshold(pool: HostPool, said: Scaling) -> int:
    """Per cent of MaxSessionLimit at which the script would start another host."""
    assert pool.max_session_limit, "judged before"
    share = 100 * said.sessions_per_cpu * said.cpus_per_host / pool.max_session_limit
    return max(1, min(FULL_PCT, math.floor(share)))


def _time(of_day: int) -> dict[str, int]:
    return {"hour": of_day // 60, "minute": of_day % 60}


def _hosts(pool: HostPool, inventory: Inventory) -> int:
    return sum(1 for host in inventory.hosts if fold(parent_key(host.key)) == fold(pool.key))


# ---------------------------------------------------------------- what stands against it


def problems(layout: Layout, inventory: Inventory, target: TargetSnapshot, intent: Intent) -> list[Problem]:
    """Scaling that cannot be carried, of pools that are there; and keys that name none."""
    pools = {fold(pool.key): pool for pool in layout.pools}
    found = []
    for key, said in intent.scaling.items():
        place, pool = f'crossfade.toml [scaling."{key}"]', pools.get(fold(key))
        if pool is None:
            found.append(Problem(place, "names no pool that is moved.", "Write the pool's key as in [pools]."))
            continue
        found += [Problem(place, what, mend) for what, mend in _wrong(pool, said, inventory)]
        ours = plan_id(layout.pool_ids[fold(pool.key)])
        for other in _scaled_by(target, layout.pool_ids[fold(pool.key)]):
            if fold(other.id) != fold(ours):
                mend = "Take the pool out of it, or leave it out of [scaling]."
                found.append(Problem(place, f"the scaling plan {other.name} has this pool already.", mend))
    return found


def _wrong(pool: HostPool, said: Scaling, inventory: Inventory) -> list[tuple[str, str]]:
    found = []
    if pool.personal:
        found.append(
            ("is of a personal pool, which the script refuses.", "Leave it out; start VM on connect is there.")
        )
    if not pool.max_session_limit or pool.max_session_limit >= UNLIMITED:
        why = "has no MaxSessionLimit, and a scaling plan counts the room in a pool by it."
        found.append((why, "Set a limit in classic, and discover again."))
    if not _hosts(pool, inventory):
        found.append(("is of a pool without hosts.", "Leave it out."))
    return found


def _scaled_by(target: TargetSnapshot, pool_id: str) -> list[ArmObject]:
    return [
        item
        for item in target.objects
        if item.type == TYPE
        and any(
            fold(str(one.get("hostPoolArmPath") or "")) == fold(pool_id)
            for one in item.properties.get(REFERENCES) or []
        )
    ]


def notes(layout: Layout, intent: Intent) -> list[str]:
    """What a reader of the plan should know."""
    said = [(pool, one) for pool in layout.pools if (one := scaling_of(pool, intent))]
    told = [
        f"{pool.key}: its scaling plan is made switched off; {_switched(one)}. Switch the classic script off for the "
        "time of the run: it opens drained hosts and stops hosts that have moved."
        for pool, one in said
    ]
    return [*told, *([NEEDS] if said else [])]


def _switched(said: Scaling) -> str:
    return "it is switched on after the pool's last host" if said.enable else "switch it on yourself when you want it"
