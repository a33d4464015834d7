"""Small inventories and targets by hand, for tests of the planner and of the rules: short to write, whole to read."""

from __future__ import annotations

from typing import Any

import msgspec

from crossfade.assessment.findings import Findings
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import Count, TargetSnapshot
from crossfade.model.classic import (
    AppGroup,
    Assignment,
    Desktop,
    GroupKind,
    HostPool,
    LoadBalancer,
    RemoteApp,
    SessionHost,
    Tenant,
)
from crossfade.model.ids import fold, last_name, parent_key, stable_id
from crossfade.model.target import ArmObject, Identity, Permission, VirtualMachine
from crossfade.plan.intent import Azure, Intent
from crossfade.plan.operations import Action, GrantRole, PatchHostPool, PatchResource, PutResource, ReferenceGroup
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan

SUB = "11111111-2222-3333-4444-555555555555"
DIRECTORY = "99999999-8888-7777-6666-555555555555"
TENANT = "Default Tenant Group/Contoso"
TODAY = "2026-06-01"
DAG = "Desktop Application Group"


def vm_id(name: str, group: str = "rg-vms") -> str:
    return f"/subscriptions/{SUB}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"


class Estate:
    """Collects classic objects; `inventory()` sorts them as a discovery would."""

    def __init__(self, tenant: str = TENANT, **members: Any) -> None:
        self.tenants = [Tenant(key=tenant, aad_tenant_id=DIRECTORY, **members)]
        self.pools: list[HostPool] = []
        self.groups: list[AppGroup] = []
        self.desktops: list[Desktop] = []
        self.apps: list[RemoteApp] = []
        self.assignments: list[Assignment] = []
        self.hosts: list[SessionHost] = []
        self.machines: list[VirtualMachine] = []
        self.roles: list[Any] = []
        self.gaps: list[Any] = []

    def pool(
        self, name: str = "Office", *, hosts: int = 3, people: int = 4, tenant: str = TENANT, **members: Any
    ) -> str:
        """A pool with its desktop group, `hosts` hosts on VMs of their own, and `people` in the desktop group."""
        key = f"{tenant}/{name}"
        members.setdefault("max_session_limit", 999_999 if members.get("personal") else 10)
        if members.get("personal"):
            members.setdefault("load_balancer", LoadBalancer.PERSISTENT)
        self.pools.append(HostPool(key=key, **members))
        self.group(key, DAG, kind=GroupKind.DESKTOP, people=[f"{name.lower()}{n}@contoso.com" for n in range(people)])
        prefix = "" if tenant == TENANT else last_name(tenant).lower()
        for number in range(hosts):
            self.host(key, f"{prefix}{name.lower().replace(' ', '')}-{number}")
        return key

    def group(
        self,
        pool: str,
        name: str,
        *,
        kind: GroupKind = GroupKind.REMOTE_APP,
        people: list[str] | None = None,
        **members: Any,
    ) -> str:
        key = f"{pool}/{name}"
        self.groups.append(AppGroup(key=key, kind=kind, **members))
        if kind is GroupKind.DESKTOP:
            self.desktops.append(Desktop(key=key))
        self.assignments += [Assignment(key=key, upn=upn) for upn in people or []]
        return key

    def app(self, group: str, name: str, **members: Any) -> str:
        members.setdefault("file_path", rf"C:\Apps\{name}.exe")
        self.apps.append(RemoteApp(key=f"{group}/{name}", **members))
        return f"{group}/{name}"

    def host(self, pool: str, label: str, *, power: str = "running", vm: bool = True, **members: Any) -> str:
        members = {"status": "Available", "sessions": 0, "azure_resource_id": vm_id(label), **members}
        self.hosts.append(SessionHost(key=f"{pool}/{label}.corp.contoso.com", **members))
        if vm:
            self.machines.append(VirtualMachine(id=vm_id(label), name=label, computer_name=label, power=power))
        return self.hosts[-1].key

    def change(self, key: str, **members: Any) -> None:
        """Replace members of the object of a key, wherever it is."""
        for name in ("tenants", "pools", "groups", "desktops", "apps", "hosts"):
            items = getattr(self, name)
            items[:] = [
                msgspec.structs.replace(item, **members) if _takes(item, key, members) else item for item in items
            ]

    def inventory(self) -> Inventory:
        def ordered(items: list[Any]) -> list[Any]:
            return sorted(items, key=lambda item: (fold(item.key), fold(getattr(item, "upn", ""))))

        names = ("tenants", "pools", "groups", "desktops", "apps", "assignments", "hosts", "roles")
        lists = {name: ordered(getattr(self, name)) for name in names}
        return Inventory(made_at="2026-05-31T10:00:00Z", gaps=list(self.gaps), **lists)

    def target(self, **members: Any) -> TargetSnapshot:
        """The ARM side before anything was made: everybody is found, the caller may do everything."""
        upns = {fold(item.upn): item.upn for item in self.assignments}
        upns |= {fold(host.assigned_user): host.assigned_user for host in self.hosts if host.assigned_user}
        members.setdefault("identities", [identity(upn) for _, upn in sorted(upns.items())])
        members.setdefault("machines", sorted(self.machines, key=lambda machine: fold(machine.id)))
        return empty_target(**members)


def _takes(item: Any, key: str, members: dict[str, Any]) -> bool:
    return fold(item.key) == fold(key) and all(hasattr(item, name) for name in members)


def identity(upn: str, **members: Any) -> Identity:
    return Identity(upn=upn, **{"object_id": oid(upn), "state": "found", **members})


def oid(upn: str) -> str:
    """The object id that a person of these tests has."""
    return stable_id("person", fold(upn))


def empty_target(**members: Any) -> TargetSnapshot:
    base: dict[str, Any] = {
        "tenant_id": DIRECTORY,
        "caller": "operator@contoso.com",
        "subscriptions": [SUB],
        "providers": {SUB: {"Microsoft.DesktopVirtualization": "Registered", "Microsoft.Compute": "Registered"}},
        "locations": ["northeurope", "westeurope"],
        "permissions": [Permission(scope=f"/subscriptions/{SUB}", actions=["*"])],
        "counts": [Count(what="role_assignments", scope=SUB, used=100, limit=4000)],
    }
    return TargetSnapshot(**{**base, **members})


def intent(**members: Any) -> Intent:
    return Intent(**{"azure": Azure(subscription=SUB, location="westeurope"), **members})


def plan_of(
    estate: Estate, target: TargetSnapshot | None = None, findings: Findings | None = None, **members: Any
) -> Plan:
    return make_plan(
        estate.inventory(), target or estate.target(), findings or Findings(), intent(**members), today=TODAY
    )


def applied(plan: Plan, target: TargetSnapshot) -> TargetSnapshot:
    """The ARM side after a plan's objects and pooled grants were written; a model of the service, in a few lines."""
    objects = {fold(item.id): item for item in target.objects}
    for operation in plan.operations:
        if isinstance(operation, PutResource) and operation.action is Action.CREATE:
            objects[fold(operation.subject)] = ArmObject(
                id=operation.subject,
                type=operation.type,
                name=last_name(operation.subject),
                location=operation.body.get("location"),
                tags=operation.body.get("tags", {}),
                properties=dict(operation.body.get("properties", {})),
            )
    for operation in plan.operations:
        if isinstance(operation, PatchResource | PatchHostPool):
            _patch(objects, operation.subject, operation.body["properties"])
        elif isinstance(operation, ReferenceGroup):
            item = objects[fold(operation.subject)]
            listed = [*item.properties.get("applicationGroupReferences", []), operation.group]
            _patch(objects, operation.subject, {"applicationGroupReferences": listed})
    return msgspec.structs.replace(target, objects=sorted(objects.values(), key=lambda item: fold(item.id)))


def _patch(objects: dict[str, ArmObject], resource: str, properties: dict[str, Any]) -> None:
    item = objects.get(fold(resource))
    if item is None:
        item = ArmObject(id=resource, type=parent_key(resource), name=last_name(resource))
    objects[fold(resource)] = msgspec.structs.replace(item, properties={**item.properties, **properties})


def grants(plan: Plan) -> list[GrantRole]:
    return [operation for operation in plan.operations if isinstance(operation, GrantRole)]


def bodies(plan: Plan) -> dict[str, dict[str, Any]]:
    """Last name of an object -> its body's properties."""
    return {
        last_name(op.subject): op.body["properties"]
        for op in plan.operations
        if isinstance(op, PutResource) and "properties" in op.body
    }
