"""Our clients in front of the twin, in-process, everything under virtual time, signed in as a service principal."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from _furnished import APP_ID, APP_OBJECT_ID, SECRET, furnish
from _inprocess import START, SUBSCRIPTION, TENANT, make_world

from avdtwin.asgi import TwinApp
from avdtwin.clock import BorrowedClock
from avdtwin.state import ClassicHostPool, ClassicRoleAssignment, ClassicTenant, ClassicTenantGroup
from crossfade.clock import SimulatedClock
from crossfade.cloud.clouds import custom
from crossfade.cloud.credentials import SignIn
from crossfade.cloud.retry import RetryDetails
from crossfade.cloud.services import Services
from crossfade.cloud.transport import AsgiTransport

T = TypeVar("T")
ORIGIN = "https://twin.test"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
TENANT_KEY = "Default Tenant Group/contoso"
POOL_KEY = f"{TENANT_KEY}/Office Pool"


class Bench:
    """A furnished world with a classic tenant and one pool; `run(work)` gives the services to a coroutine."""

    def __init__(self, **settings: Any) -> None:
        self.clock = SimulatedClock(datetime.fromtimestamp(START, UTC))
        self.world = furnish(make_world(**settings))
        self.world.clock = BorrowedClock(self.clock.timestamp, self.clock.sleep)
        self.app: Any = TwinApp(self.world)
        self.told: list[RetryDetails] = []
        _classic(self.world)

    def services(self, secret: str = SECRET) -> Services:
        return Services(
            custom(ORIGIN),
            SignIn(choice="service-principal", tenant_id=TENANT, client_id=APP_ID),
            AsgiTransport(self.app, self.clock),
            self.clock,
            random.Random(1),
            hook=self.told.append,
            environ={"CROSSFADE_CLIENT_SECRET": secret},
        )

    def run(self, work: Callable[[Services], Awaitable[T]], **options: Any) -> T:
        async def main() -> T:
            async with self.services(**options) as services:
                return await work(services)

        try:
            return self.clock.run(main())
        finally:
            self.clock.close()


def _classic(world: Any) -> None:
    tenant = ClassicTenant(name="contoso", aad_tenant_id=TENANT)
    tenant.pools["office pool"] = ClassicHostPool(name="Office Pool")
    group = ClassicTenantGroup(name="Default Tenant Group", tenants={"contoso": tenant})
    world.state.classic.groups["default tenant group"] = group
    world.state.classic.role_assignments["owner"] = ClassicRoleAssignment(
        id="owner",
        scope="/Default Tenant Group",
        role="RDS Owner",
        object_id=APP_OBJECT_ID,
        object_type="ServicePrincipal",
        app_id=APP_ID,
    )
