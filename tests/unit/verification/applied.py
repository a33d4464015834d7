"""A small estate, its plan, and the target as it is when that plan has been carried out: all by hand, no service."""

from __future__ import annotations

from typing import Any

import msgspec

from crossfade.assessment.findings import Findings
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import (
    AppGroup,
    Assignment,
    AssignmentType,
    Desktop,
    GroupKind,
    HostPool,
    LoadBalancer,
    RemoteApp,
    SessionHost,
    Tenant,
)
from crossfade.model.ids import fold, stable_id
from crossfade.model.target import ArmObject, DirectoryGroup, Identity, RoleGrant, VirtualMachine
from crossfade.plan.intent import Access, Azure, Intent
from crossfade.plan.operations import (
    AddMember,
    CreateDirectoryGroup,
    GrantRole,
    PatchHostPool,
    PatchResource,
    PutResource,
    ReferenceGroup,
)
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
TENANT = "Default Tenant Group/contoso"
OFFICE, OWN = f"{TENANT}/Office", f"{TENANT}/Own"
DESKTOP = "Desktop Application Group"
NOW = "2026-06-08T12:00:00.000Z"
ANN, BOB, CAT, DAN, EVE = (f"{name}@contoso.com" for name in ("ann", "bob", "cat", "dan", "eve"))


def vm(name: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-vms/providers/Microsoft.Compute/virtualMachines/{name}"


def object_id(upn: str) -> str:
    return stable_id("person", upn.casefold())


def inventory(**changed: Any) -> Inventory:
    """A pool with a desktop (ann, bob) and apps (cat; gone, who left), and personal desktops of dan and eve."""
    documents = {
        "made_at": NOW,
        "tenants": [Tenant(key=TENANT, friendly_name="Contoso", sso_adfs_authority="https://sts.contoso.com/adfs")],
        "pools": [
            HostPool(key=OFFICE, max_session_limit=10, custom_rdp_property="audiomode:i:0;"),
            HostPool(key=OWN, personal=True, load_balancer=LoadBalancer.PERSISTENT, assignment=AssignmentType.DIRECT),
        ],
        "groups": [
            AppGroup(key=f"{OFFICE}/{DESKTOP}", kind=GroupKind.DESKTOP),
            AppGroup(key=f"{OFFICE}/Apps", kind=GroupKind.REMOTE_APP),
            AppGroup(key=f"{OWN}/{DESKTOP}", kind=GroupKind.DESKTOP),
        ],
        "desktops": [
            Desktop(key=f"{OFFICE}/{DESKTOP}", friendly_name="Office Desktop"),
            Desktop(key=f"{OWN}/{DESKTOP}"),
        ],
        "apps": [
            RemoteApp(key=f"{OFFICE}/Apps/Excel", file_path="C:\\Office\\EXCEL.EXE", icon_index=0),
            RemoteApp(key=f"{OFFICE}/Apps/Hidden", file_path="C:\\hidden.exe", show_in_web_feed=False),
        ],
        "assignments": [
            Assignment(key=f"{OFFICE}/{DESKTOP}", upn=ANN),
            Assignment(key=f"{OFFICE}/{DESKTOP}", upn="Bob@Contoso.com"),
            Assignment(key=f"{OFFICE}/Apps", upn=CAT),
            Assignment(key=f"{OFFICE}/Apps", upn="gone@contoso.com"),
            Assignment(key=f"{OWN}/{DESKTOP}", upn=DAN),
            Assignment(key=f"{OWN}/{DESKTOP}", upn=EVE),
        ],
        "hosts": [
            *(host(OFFICE, f"off-{number}") for number in range(1, 5)),
            host(OWN, "own-1", assigned_user=DAN),
            host(OWN, "own-10", assigned_user=EVE.upper()),
        ],
    }
    return Inventory(**(documents | changed))


def host(pool: str, name: str, **more: Any) -> SessionHost:
    return SessionHost(key=f"{pool}/{name}.contoso.com", azure_resource_id=vm(name), status="Available", **more)


def snapshot(found: Inventory, **changed: Any) -> TargetSnapshot:
    """The target before anything was written."""
    names = [host.key.rsplit("/", 1)[-1].partition(".")[0] for host in found.hosts]
    people = sorted({fold(item.upn) for item in found.assignments})
    documents = {
        "made_at": NOW,
        "tenant_id": "22222222-2222-4222-8222-222222222222",
        "subscriptions": [SUBSCRIPTION],
        "machines": [VirtualMachine(id=vm(name), name=name, computer_name=name, power="running") for name in names],
        "identities": [identity(upn) for upn in people],
    }
    return TargetSnapshot(**(documents | changed))


def identity(upn: str) -> Identity:
    if upn.startswith("gone"):
        return Identity(upn=upn, state="missing", why="left in 2021")
    return Identity(upn=upn, object_id=object_id(upn))


def plan_of(found: Inventory, target: TargetSnapshot, **intent: Any) -> Plan:
    azure = Azure(tenant_id=target.tenant_id, subscription=SUBSCRIPTION, location="westeurope")
    return make_plan(found, target, Findings(), Intent(azure=azure, **intent), today="2026-06-08")


def grouped(found: Inventory, target: TargetSnapshot) -> Plan:
    """A plan that publishes everything through directory groups."""
    return plan_of(found, target, access=Access(direct_threshold=0))


# ---------------------------------------------------------------- as if applied


def applied(plan: Plan, target: TargetSnapshot) -> TargetSnapshot:
    """The target after a run of this plan in which nothing went wrong."""
    made = _Applied(target)
    for operation in plan.operations:
        made.write(operation)
    for move in plan.hosts:
        made.register(move.target_pool, move.host_name, move.vm, move.assigned_user)
    return msgspec.structs.replace(
        target,
        objects=[ArmObject(**item) for _, item in sorted(made.objects.items())],
        grants=made.grants,
        directory_groups=[
            DirectoryGroup(id=f"id-of-{nickname}", display_name=name, members=sorted(made.members[nickname]))
            for nickname, name in made.groups.items()
        ],
    )


class _Applied:
    def __init__(self, target: TargetSnapshot) -> None:
        self.objects: dict[str, dict[str, Any]] = {fold(item.id): msgspec.to_builtins(item) for item in target.objects}
        self.grants = list(target.grants)
        self.groups: dict[str, str] = {}
        self.members: dict[str, set[str]] = {}

    def write(self, operation: Any) -> None:
        write = {
            PutResource: self._put,
            PatchResource: self._patch,
            PatchHostPool: self._patch,
            ReferenceGroup: self._reference,
            CreateDirectoryGroup: self._group,
            GrantRole: self._grant,
            AddMember: self._member,
        }.get(type(operation))
        if write is not None:
            write(operation)

    def _put(self, operation: PutResource) -> None:
        self._object(operation.subject, operation.type, operation.body)

    def _object(self, subject: str, kind: str, body: dict[str, Any]) -> None:
        self.objects[fold(subject)] = {
            "id": subject,
            "type": kind,
            "name": subject.rsplit("/", 1)[-1],
            "location": body.get("location"),
            "tags": body.get("tags") or {},
            "properties": dict(body.get("properties") or {}),
        }

    def _patch(self, operation: PatchResource | PatchHostPool) -> None:
        if fold(operation.subject) not in self.objects:
            self._object(operation.subject, "Microsoft.DesktopVirtualization/applicationGroups/desktops", {})
        self.objects[fold(operation.subject)]["properties"] |= operation.body["properties"]

    def _reference(self, operation: ReferenceGroup) -> None:
        properties = self.objects[fold(operation.subject)]["properties"]
        properties["applicationGroupReferences"] = [*properties.get("applicationGroupReferences", []), operation.group]

    def _group(self, operation: CreateDirectoryGroup) -> None:
        self.groups[operation.mail_nickname] = operation.display_name
        self.members[operation.mail_nickname] = set()

    def _grant(self, operation: GrantRole) -> None:
        nickname = operation.principal.removeprefix("group:")
        principal = operation.principal if nickname == operation.principal else f"id-of-{nickname}"
        self.grants.append(
            RoleGrant(
                id=operation.subject,
                scope=operation.scope,
                role=operation.role,
                principal_id=principal,
                principal_type=operation.principal_type,
            )
        )

    def _member(self, operation: AddMember) -> None:
        self.members[operation.subject.removeprefix("group:")].add(operation.member)

    def register(self, pool: str, name: str, machine: str, person: str | None) -> None:
        properties = {
            "resourceId": machine,
            "status": "Available",
            "lastHeartBeat": NOW,
            "allowNewSession": True,
            "assignedUser": person,
        }
        kind = "Microsoft.DesktopVirtualization/hostPools/sessionHosts"
        self._object(f"{pool}/sessionHosts/{name}", kind, {"properties": properties})
