"""Rights before the first write: at the subscription, and at the groups of VMs that are in another one."""

from __future__ import annotations

import msgspec
import pytest
from builders import SUB, Estate, plan_of

from crossfade.model.provenance import Gap
from crossfade.model.rights import MACHINES, POWER
from crossfade.model.target import Permission
from crossfade.plan import preflight
from crossfade.plan.plan import Plan

OTHER = "99999999-0000-0000-0000-999999999999"
GROUP = f"/subscriptions/{OTHER}/resourceGroups/rg-vms"
ALL_HERE = Permission(scope=f"/subscriptions/{SUB}", actions=["*"])


def planned(*, off: bool = False) -> Plan:
    """One of two hosts has its VM in another subscription."""
    estate = Estate()
    estate.pool("Office", hosts=2, people=2)
    plan = plan_of(estate)
    here, there = plan.hosts
    there = msgspec.structs.replace(there, vm=there.vm.replace(SUB, OTHER), start=off)
    return msgspec.structs.replace(plan, hosts=[here, there])


def judged(plan: Plan, *permissions: Permission, gaps: list[Gap] | None = None) -> list[tuple[str, str]]:
    target = Estate().target(permissions=[ALL_HERE, *permissions], gaps=gaps or [])
    return [(problem.where, problem.what) for problem in preflight.rights(plan, target)]


def test_nothing_is_asked_where_no_vm_is() -> None:
    estate = Estate()
    estate.pool("Office", hosts=2, people=2)
    assert preflight.needed_for_machines(plan_of(estate)) == {}


def test_no_rights_at_the_vms_of_another_subscription() -> None:
    problems = judged(planned())
    assert {where for where, _ in problems} == {GROUP}
    assert len(problems) == len(MACHINES)
    assert any("may not run the move script on the VMs" in what for _, what in problems)


@pytest.mark.parametrize("casing", [str, str.lower, str.upper])
def test_rights_at_their_resource_group_are_enough(casing: type[str]) -> None:
    assert judged(planned(off=True), Permission(scope=casing(GROUP), actions=["Microsoft.Compute/*"])) == []


def test_whoever_starts_a_vm_needs_the_right_to() -> None:
    mine = Permission(scope=GROUP, actions=list(MACHINES))
    assert judged(planned(), mine) == []
    assert [what for _, what in judged(planned(off=True), mine)] == [
        f"the caller operator@contoso.com may not {what}." for what in POWER.values()
    ]


def test_rights_that_could_not_be_read_are_a_doubt_and_not_a_lack() -> None:
    subject = f"the caller's permissions at {GROUP.lower()}"
    [(where, what)] = judged(
        planned(), gaps=[Gap(subject=subject, what="unread", why="403 AuthorizationFailed", mend="")]
    )
    assert (where, what) == (GROUP, "what operator@contoso.com may do there could not be read: 403 AuthorizationFailed")
