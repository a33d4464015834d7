"""host-vm-unmatched: a session host has no VM, or several."""

from __future__ import annotations

import pytest
from asking import asked, without_target
from builders import Estate, vm_id

from crossfade.assessment.findings import Severity
from crossfade.assessment.rules.host_vm_unmatched import RULE
from crossfade.model.target import VirtualMachine
from crossfade.plan.machines import Machines

MACHINES = [
    VirtualMachine(id=vm_id("vm1"), name="vm1", vm_id="id-1"),
    VirtualMachine(id=vm_id("vm10"), name="vm10"),
    VirtualMachine(id=vm_id("a"), name="a", computer_name="twin"),
    VirtualMachine(id=vm_id("b"), name="b", computer_name="TWIN"),
]
CASES = {
    "by id": ({"azure_resource_id": vm_id("VM1")}, "x", True),
    "by id, of another VM now": ({"azure_resource_id": vm_id("vm1"), "azure_vm_id": "id-9"}, "x", False),
    "by id, VM id not read": ({"azure_resource_id": vm_id("vm10"), "azure_vm_id": "id-9"}, "x", True),
    "moved to another group": ({"azure_resource_id": vm_id("old"), "azure_vm_id": "ID-1"}, "x", True),
    "gone": ({"azure_resource_id": vm_id("old")}, "vm1", False),
    "by VM id": ({"azure_resource_id": None, "azure_vm_id": "id-1"}, "x", True),
    "by another VM id": ({"azure_resource_id": None, "azure_vm_id": "id-9"}, "vm1", False),
    "by name": ({"azure_resource_id": None}, "VM1", True),
    "by likeness": ({"azure_resource_id": None}, "vm", False),
    "two of one name": ({"azure_resource_id": None}, "twin", False),
}


@pytest.mark.parametrize("case", CASES)
def test_holds_exactly_where_the_planner_leaves_a_host_behind(case: str) -> None:
    members, label, matched = CASES[case]
    estate = Estate()
    pool = estate.pool("Office", hosts=0)
    estate.host(pool, label, vm=False, **members)
    found = asked(RULE, estate, estate.target(machines=MACHINES))
    assert (found == []) is matched
    assert (Machines(MACHINES).find(estate.hosts[0])[0] is not None) is matched


def test_somebody_s_desktop_is_a_blocker() -> None:
    estate = Estate()
    pool = estate.pool("Own", hosts=0, personal=True)
    estate.host(pool, "lost-1", vm=False, assigned_user="kim@contoso.com")
    estate.host(pool, "lost-2", vm=False)
    assert [found.severity for found in asked(RULE, estate)] == [Severity.BLOCKER, Severity.WARNING]


def test_does_not_hold_without_a_target() -> None:
    estate = Estate()
    estate.host(estate.pool("Office"), "lost", vm=False)
    assert without_target(RULE, estate) == []
