"""A classic service to make calls against, in-process and by hand: no client of anybody's stands between."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

from avdtwin import agents, directory, sessions, tokens, windows
from avdtwin.asgi import TwinApp
from avdtwin.classic import hosts
from avdtwin.clock import ManualClock, parse_iso
from avdtwin.state import (
    ClassicHost,
    ClassicRoleAssignment,
    ClassicTenant,
    ClassicTenantGroup,
    Group,
    Machine,
    ServicePrincipal,
    Session,
    User,
)
from avdtwin.wire import Request, Response, parse_query
from avdtwin.world import World

ORIGIN = "https://rdbroker.wvd.microsoft.com"
BASE = "/RdsManagement/V1"
GROUP = "Default Tenant Group"
TENANT = "contoso"
NAMES = {"tenantGroupName": GROUP, "tenantName": TENANT}
TENANT_URL = "/TenantGroups/Default%20Tenant%20Group/Tenants/contoso"
DIRECTORY = "3f2b6c1e-0d4a-4c57-9a55-0b6f5f6d2a11"
SUBSCRIPTION = "7c1d9f7e-2a7b-4a16-8f3f-9d2c5c1f7b02"
RESOURCE = "https://mrs-prod.ame.gbl/mrs-RDInfra-prod"
START = parse_iso("2020-05-01T06:00:00Z")

PEOPLE = {
    name: f"{number:08d}-0000-4000-a000-000000000000"
    for number, name in enumerate(("admin", "reader", "amy", "bob", "cal", "nobody"), start=1)
}
AUTOMATION = "99999999-0000-4000-a000-000000000000"
AUTOMATION_APP = "88888888-0000-4000-a000-000000000000"
DESK_GROUP = "77777777-0000-4000-a000-000000000000"


class Desk:
    """A world, somebody to call it as, and short words for long URLs. `admin` owns the deployment."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(START)
        self.world = World.empty(self.clock, tenant_id=DIRECTORY)
        self.world.state.settings |= {"latency_s": (0.0, 0.0), **settings}
        self.app = TwinApp(self.world)
        for name, object_id in PEOPLE.items():
            user = User(id=object_id, upn=f"{name}@contoso.com", display_name=name.title())
            directory.add_user(self.world, user)
        principal = ServicePrincipal(id=AUTOMATION, app_id=AUTOMATION_APP, display_name="automation")
        self.world.state.directory.service_principals[AUTOMATION] = principal
        self.world.state.directory.groups[DESK_GROUP] = Group(id=DESK_GROUP, display_name="Service Desk")
        self.grant("RDS Owner", "/", "admin")
        self.tenant = ClassicTenant(name=TENANT, aad_tenant_id=DIRECTORY)
        self.world.state.classic.groups[GROUP.lower()] = ClassicTenantGroup(name=GROUP, tenants={TENANT: self.tenant})
        self.pool_path = f"{TENANT_URL}/HostPools/Office%20Pool"

    # -- calls

    def set(self, **settings: Any) -> None:
        self.world.state.settings |= settings

    def grant(self, role: str, scope: str, who: str) -> None:
        assignment = ClassicRoleAssignment(
            id=self.world.guid("desk"),
            scope=scope,
            role=role,
            object_id=PEOPLE.get(who, who),
            object_type="Group" if who == DESK_GROUP else "User",
            sign_in_name=f"{who}@contoso.com",
            display_name=who.title(),
        )
        self.world.state.classic.role_assignments[assignment.id] = assignment

    def token(self, who: str, audience: str = RESOURCE) -> str:
        self.world.settle()
        upn = f"{who}@contoso.com" if who in PEOPLE else None
        app_id = None if upn else AUTOMATION_APP
        object_id = PEOPLE.get(who, AUTOMATION)
        return tokens.issue_access(self.world, object_id=object_id, app_id=app_id, upn=upn, audience=audience)

    def send(self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Response:
        """One call of a raw path with query, without a token of its own."""
        path, _, query = url.partition("?")
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(
            method=method, path=path, query=parse_query(query), headers=headers or {}, body=content, origin=ORIGIN
        )
        return asyncio.run(self.app.answer(request))

    def call(self, method: str, url: str, body: Any = None, *, who: str = "admin") -> Response:
        """One call below the management base, with a token."""
        return self.send(method, BASE + url, body, {"authorization": f"Bearer {self.token(who)}"})

    def get(self, url: str, *, who: str = "admin") -> Any:
        """The body of a GET that must succeed."""
        answer = self.call("GET", url, who=who)
        assert answer.status == 200, answer.body
        return json.loads(json.dumps(answer.body))

    def code(self, method: str, url: str, body: Any = None, *, who: str = "admin") -> tuple[int, str]:
        """Status and code of a call that must be refused."""
        answer = self.call(method, url, body, who=who)
        assert isinstance(answer.body, dict), answer
        return answer.status, answer.body["error"]["code"]

    # -- things

    def pool(self, name: str = "Office Pool", *, personal: bool = False) -> str:
        """Create a pool; returns its URL."""
        url = f"{TENANT_URL}/HostPools/{quote(name)}"
        body = NAMES | {"hostPoolName": name, "persistent": personal, "loadBalancerType": 2 if personal else 0}
        assert self.call("POST", url, body).status == 201
        return url

    def pool_key(self, name: str = "Office Pool") -> str:
        return f"{GROUP}/{TENANT}/{name}".lower()

    def host(self, name: str = "off-0", *, pool: str = "Office Pool") -> ClassicHost:
        """A running VM whose agent has been in a pool for an hour."""
        key = self.pool_key(pool)
        registration = windows.Registration(service="classic", pool=key)
        machine = windows.build(
            self.world,
            resource_id=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-off/providers/Microsoft.Compute/"
            f"virtualMachines/{name}",
            computer_name=name,
            fqdn=f"{name}.corp.contoso.com",
            registration=registration,
        )
        return hosts.register(self.world, machine, key)

    def machine(self, host: ClassicHost) -> Machine:
        assert host.vm is not None
        return self.world.state.machines[host.vm]

    def session(self, host: ClassicHost, who: str = "amy", *, pool: str = "Office Pool") -> Session:
        return sessions.open_session(
            self.world,
            self.machine(host),
            service="classic",
            pool=self.pool_key(pool),
            user=PEOPLE.get(who, who),
            upn=f"{who}@contoso.com",
            application_type="Desktop",
            client="new",
        )

    def silence(self, host: ClassicHost) -> None:
        """The agent stops."""
        agents.leave(self.world, self.machine(host))
