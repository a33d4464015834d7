"""A tiny estate, and an ARM side laid beside it by hand: no route is called here."""

from __future__ import annotations

from typing import Any

import pytest

from avdtwin import agents, estate
from avdtwin.clock import ManualClock
from avdtwin.state import ClassicHostPool, Machine, Resource, RoleAssignment, User
from avdtwin.world import World

DV_USER = "1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63"
POOL_KEY = "default tenant group/tiny/office pool"


class Twin:
    """The world with short names for what the tests do to it."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world = world
        self.clock = clock
        self.subscription = f"/subscriptions/{next(iter(world.state.arm.subscriptions.values())).id}"
        self.group = f"{self.subscription}/resourceGroups/rg-avd"
        self._workspace = self.put("workspaces/ws", applicationGroupReferences=[])

    # -- time and records

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.world.settle()

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [record.data for record in self.world.state.records if record.kind == kind]

    # -- classic

    @property
    def pool(self) -> ClassicHostPool:
        return self.world.state.classic.groups["default tenant group"].tenants["tiny"].pools["office pool"]

    @property
    def machines(self) -> list[Machine]:
        return list(self.world.state.machines.values())

    def users(self, group: str = "desktop application group") -> list[User]:
        upns = self.world.state.directory.upns
        return [self.world.state.directory.users[upns[upn]] for upn in self.pool.groups[group].users]

    # -- ARM

    def put(self, path: str, **properties: Any) -> Resource:
        """`hostPools/p`, `applicationGroups/g`, `hostPools/p/sessionHosts/h`, … with these properties."""
        parts = path.split("/")
        kind = "/".join(parts[::2])
        full = f"{self.group}/providers/Microsoft.DesktopVirtualization/{path}"
        resource = Resource(
            id=full, type=f"Microsoft.DesktopVirtualization/{kind}", name="/".join(parts[1::2]), properties=properties
        )
        self.world.state.arm.resources[full.lower()] = resource
        return resource

    def host_pool(self, name: str = "Office Pool", **properties: Any) -> Resource:
        given = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "maxSessionLimit": 10}
        return self.put(f"hostPools/{name}", **(given | {"preferredAppGroupType": "Desktop"} | properties))

    def application_group(self, pool: Resource, name: str, kind: str = "Desktop", *, listed: bool = True) -> Resource:
        group = self.put(f"applicationGroups/{name}", applicationGroupType=kind, hostPoolArmPath=pool.id.lower())
        if kind == "Desktop":
            self.put(f"applicationGroups/{name}/desktops/SessionDesktop", friendlyName="Office Desktop")
        if listed:
            self._workspace.properties["applicationGroupReferences"].append(group.id)
        return group

    def application(self, group: Resource, name: str, **properties: Any) -> Resource:
        return self.put(f"applicationGroups/{group.name}/applications/{name}", **properties)

    def assign(self, principal_id: str, scope: str, *, effective_at: float = 0.0, role: str = DV_USER) -> str:
        name = self.world.guid("test|assignment")
        full = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        self.world.state.arm.role_assignments[full.lower()] = RoleAssignment(
            id=full,
            name=name,
            scope=scope,
            role_definition_id=f"{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            principal_id=principal_id,
            principal_type="Group" if principal_id in self.world.state.directory.groups else "User",
            created_at=0.0,
            effective_at=effective_at,
        )
        return full.lower()

    def move(self, machine: Machine, pool: Resource, **properties: Any) -> Resource:
        """Register a machine with an ARM pool; it takes people three minutes later."""
        agents.leave(self.world, machine)
        agents.connect(self.world, machine, "arm", pool.id.lower(), machine.fqdn)
        host = self.put(f"hostPools/{pool.name}/sessionHosts/{machine.fqdn}", allowNewSession=True, **properties)
        host.vm = machine.vm
        self.wait(180)
        return host


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(estate.DEMO_START)


@pytest.fixture
def twin(clock: ManualClock) -> Twin:
    """The tiny estate, nobody at work."""
    return Twin(estate.build("tiny", 1, clock, people=False), clock)


@pytest.fixture
def busy(clock: ManualClock) -> Twin:
    """The tiny estate with its people at work."""
    return Twin(estate.build("tiny", 1, clock), clock)
