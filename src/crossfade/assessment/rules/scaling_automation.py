"""Signs that classic scaling scripts still run: they would re-open drained hosts and stop moved ones (design 10).

Signs: hosts of one pool that are off and others that run, a maintenance tag, a service principal with RDS Contributor
(facts/classic-service 4, 5.5). Only the operator knows; preflight asks again.
"""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding, some
from crossfade.assessment.rules.vm_off import machines_off
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, last_name, parent_key

ID = "scaling-automation"
ROLES = frozenset({"rds contributor", "rds owner"})


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    robots = [role for role in inventory.roles if role.app_id or role.object_type == "ServicePrincipal"]
    robots = [role for role in robots if role.role.casefold() in ROLES]
    off: dict[str, list[str]] = {}
    tags: dict[str, set[str]] = {}
    for host, machine in machines_off(inventory, target):
        off.setdefault(fold(parent_key(host.key)), []).append(last_name(host.key))
        tags.setdefault(fold(parent_key(host.key)), set()).update(_telling(machine.tags))
    for pool in inventory.pools:
        key = fold(pool.key)
        count = sum(1 for host in inventory.hosts if fold(parent_key(host.key)) == key)
        mine = [role for role in robots if f"{key}/".startswith(f"{fold(role.key)}/" if role.key else "")]
        asleep = off.get(key, [])
        if pool.personal or not (tags.get(key) or (mine and 0 < len(asleep) < count)):
            continue
        yield finding(
            ID,
            Severity.WARNING,
            pool.key,
            what=f"{len(asleep)} of {count} hosts are off ({some(asleep)}), and something may manage them.",
            why="Scaling scripts open hosts that are being drained and stop hosts that have moved.",
            mend="Switch the scaling of this pool off for the time of the run. [scaling] in crossfade.toml makes a "
            "scaling plan of what the script is told.",
            evidence={
                "off": asleep,
                "tags": sorted(tags.get(key, ())),
                "service_principals": sorted(
                    {role.display_name or role.app_id or role.object_id or "" for role in mine}
                ),
            },
        )


def _telling(tags: dict[str, str]) -> set[str]:
    return {name for name in tags if any(word in name.casefold() for word in ("scal", "maintenance"))}


RULE = Rule(id=ID, severity=Severity.WARNING, about="Classic scaling automation may still run.", check=check)
