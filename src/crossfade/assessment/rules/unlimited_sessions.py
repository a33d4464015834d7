"""Pooled pools without a session limit: the seats of the plan are then a guess."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import LoadBalancer

ID = "unlimited-sessions"
NO_REAL_LIMIT = 1_000
"""Classic's default is 999999, Microsoft's templates write 99999: no host serves a thousand people."""


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for pool in inventory.pools:
        limit = pool.max_session_limit
        if pool.personal or (limit is not None and limit < NO_REAL_LIMIT):
            continue
        depth = pool.load_balancer is LoadBalancer.DEPTH_FIRST
        yield finding(
            ID,
            Severity.WARNING,
            pool.key,
            what=f"No session limit is set ({'none read' if limit is None else limit}).",
            why="While hosts move, fewer hosts carry everybody, and nothing stops one from being overrun"
            + (": depth-first fills the first host without end." if depth else "."),
            mend="Set the number of people that a host really serves: Set-RdsHostPool -MaxSessionLimit; once "
            "classic has gone, MaxSessionLimit in the file that this was read from.",
            evidence={"max_session_limit": limit, "load_balancer": str(pool.load_balancer)},
        )


RULE = Rule(id=ID, severity=Severity.WARNING, about="A pool has no session limit.", check=check)
