"""scaling-automation: classic scaling scripts may still run."""

from __future__ import annotations

import msgspec
from asking import asked, without_target
from builders import TENANT, Estate

from crossfade.assessment.rules.scaling_automation import RULE
from crossfade.model.classic import RoleAssignment

ROBOT = RoleAssignment(key=TENANT, role="RDS Contributor", app_id="app-1", object_type="ServicePrincipal")


def office(*, asleep: int) -> Estate:
    estate = Estate()
    pool = estate.pool("Office", hosts=2)
    for number in range(asleep):
        estate.host(pool, f"asleep-{number}", power="deallocated", status="Shutdown", allow_new_session=False)
    return estate


def test_holds_where_a_service_principal_may_and_hosts_are_off() -> None:
    estate = office(asleep=3)
    estate.roles.append(ROBOT)
    (found,) = asked(RULE, estate)
    assert len(found.evidence["off"]) == 3
    assert found.evidence["service_principals"] == ["app-1"]


def test_holds_where_a_tag_tells() -> None:
    estate = office(asleep=1)
    estate.machines[-1] = msgspec.structs.replace(estate.machines[-1], tags={"WVD-Maintenance": "true"})
    assert asked(RULE, estate)[0].evidence["tags"] == ["WVD-Maintenance"]


def test_does_not_hold() -> None:
    assert asked(RULE, office(asleep=3)) == []
    estate = office(asleep=0)
    estate.roles.append(ROBOT)
    assert asked(RULE, estate) == without_target(RULE, estate) == []
    elsewhere = office(asleep=2)
    elsewhere.roles.append(msgspec.structs.replace(ROBOT, key="Default Tenant Group/Cont"))
    assert asked(RULE, elsewhere) == []
