"""Session hosts that run and are not Available: a move would not cure them, and they hold no seats."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.assessment.rules.vm_off import machines_off
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, last_name

ID = "host-unwell"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    off = {fold(host.key) for host, _ in machines_off(inventory, target)}
    for host in inventory.hosts:
        if host.status in (None, "Available") or fold(host.key) in off:
            continue
        yield finding(
            ID,
            Severity.WARNING,
            host.key,
            what=f"{last_name(host.key)} is {host.status}, last heard {host.last_heartbeat or 'never'}.",
            why="It carries nobody now; staging may fail on it, and then it is left alone and named.",
            mend="Mend it before the run, remove its record, or let the failure budget take it.",
            evidence={
                "status": host.status,
                "last_heartbeat": host.last_heartbeat,
                "failed_checks": _failed(host.health),
            },
        )


def _failed(health: dict[str, str]) -> list[str]:
    return sorted(name for name, outcome in health.items() if "fail" in outcome.casefold())


RULE = Rule(id=ID, severity=Severity.WARNING, about="A session host is not Available.", check=check)
