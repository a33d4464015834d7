"""On generated estates, who may open what equals the feed that the twin builds by code of its own."""

from __future__ import annotations

import pytest
from access_equality import assert_equal, documents, feed_rows
from test_feed_judges import random_side

from avdtwin.state import Resource
from avdtwin.world import World
from crossfade.app import Rehearsal


@pytest.mark.parametrize("number", range(20))
def test_every_person_on_classic(number: int) -> None:
    rehearsal = Rehearsal.of_estate(f"small-{number}", seed=number, people=False)
    inventory, target = rehearsal.clock.run(documents(rehearsal))
    assert feed_rows(rehearsal.world)[0]
    assert_equal(rehearsal.world, inventory, target)


@pytest.mark.parametrize("number", range(100, 120))
def test_every_person_on_a_random_target(number: int) -> None:
    world, _ = random_side(number)
    world.settle_until(world.now + 61)
    as_the_service_would(world)
    rehearsal = Rehearsal.of_snapshot(world.snapshot())
    inventory, target = rehearsal.clock.run(documents(rehearsal))
    assert_equal(rehearsal.world, inventory, target)


def as_the_service_would(world: World) -> None:
    """What the judge's own tests do without: resource groups, a provider, types of principals, ids of machines."""
    for subscription in world.state.arm.subscriptions.values():
        subscription.providers["microsoft.desktopvirtualization"] = "Registered"
    resources = world.state.arm.resources
    for grant in world.state.arm.role_assignments.values():
        grant.principal_type = "Group" if grant.principal_id in world.state.directory.groups else "User"
    for resource in list(resources.values()):
        if resource.type.endswith("/sessionHosts") and resource.vm:
            resource.properties["resourceId"] = resource.vm
        group = resource.id.partition("/providers/")[0]
        name = group.rpartition("/")[2]
        made = Resource(
            id=group, type="Microsoft.Resources/resourceGroups", name=name, properties={}, location="uksouth"
        )
        resources.setdefault(group.lower(), made)
