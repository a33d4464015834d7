"""Raw answers of ARM and Graph -> one TargetSnapshot: sorted, relevant, ids and types in their declared casing.."""

from collections.abc import Iterable, Iterator
from typing import Any

from crossfade.inventory.candidates import candidates_of
from crossfade.inventory.target import Count, TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, LOG_READER_ROLE, fold, last_name
from crossfade.model.provenance import Gap
from crossfade.model.rights import POWERFUL_ROLES, opens, powers, role_of
from crossfade.model.sign_in import SignInPolicy, policy_of
from crossfade.model.target import (
    ArmObject,
    DirectoryGroup,
    Identity,
    Permission,
    RoleDefinition,
    RoleGrant,
    VirtualMachine,
)
from crossfade.sources.target_records import PROVIDERS, Rows, TargetReading, Wanted

_DESKTOP_PROVIDER, _ = PROVIDERS
_SPELLINGS = {
    word.casefold(): word
    for word in (
        "subscriptions",
        "resourceGroups",
        "providers",
        "Microsoft.DesktopVirtualization",
        "Microsoft.Compute",
        "Microsoft.Resources",
        "hostPools",
        "applicationGroups",
        "applications",
        "desktops",
        "workspaces",
        "sessionHosts",
        "userSessions",
        "scalingPlans",
        "virtualMachines",
        "Microsoft.Insights",
        "diagnosticSettings",
    )
}
"""ARM answers with segments in lower case (facts/arm-service 2.4); these are the declared ones."""

DESKTOP_ROLES = frozenset(
    {
        DESKTOP_USER_ROLE,
        "082f0a83-3be5-4ba1-904c-961cca79b387",
        "49a72310-ab8d-41df-bbb0-79b649203868",
        "e307426c-f9b6-4e81-87de-d99efb3c32bc",
        "ceadfde2-b300-400a-ab7b-6143895aa822",
        "86240b0e-9422-4c43-887b-b61143f32ba8",
        "aebf23d0-b568-4e86-b8f9-fe83a2c6ab55",
        "21efdde3-836f-432b-bf3d-3e8e734d4b2b",
        "0fa44ee9-7a7d-466b-9bb2-2bf446b1204d",
        "2ad6aaab-ead9-4eaa-8ac5-da422f562408",
        "ea4bfff8-7fb4-485a-aadd-d4129a0ffaa6",
        "489581de-a3bd-480d-9518-53dea7416b33",
        "40c5ff49-9181-41f8-ae61-143b0e78555e",
    }
)
"""Roles of the desktop service (facts/arm-service 5.1). Others matter only on desktop objects themselves."""

APPLICATION_GROUPS_LIMIT = 500
"""Per tenant; may have been raised by a support request (facts/arm-service 10)."""

_LOGS = "/microsoft.operationalinsights/workspaces/"
_POWERS = frozenset({"running", "deallocated", "stopped", "starting"})


def assemble_target(reading: TargetReading, wanted: Wanted, *, made_at: str) -> TargetSnapshot:
    """The snapshot of what was read for `wanted`."""
    objects = sorted(_unique(map(_object, reading.objects)), key=lambda item: fold(item.id))
    groups = _groups(reading)
    gaps = {*reading.gaps, *_nameless(groups)}
    return TargetSnapshot(
        made_at=made_at,
        origins=reading.origins,
        tenant_id=reading.tenant_id,
        caller=reading.caller,
        subscriptions=sorted(reading.subscriptions, key=fold),
        providers={one: _states(found) for one, found in sorted(reading.providers.items())},
        locations=_locations(reading),
        objects=objects,
        grants=_grants(reading),
        powerful=_powerful(reading),
        log_readers=_log_readers(reading),
        roles=_roles(reading),
        permissions=_permissions(reading),
        sign_in_policies=_policies(reading),
        machines=_machines(reading, wanted, objects),
        identities=_identities(reading),
        directory_groups=groups,
        candidates=candidates_of(reading),
        addresses={fold(old): now for old, now in sorted(reading.addresses.items())},
        principals={one: name for one, name in sorted(reading.principals.items()) if name},
        counts=_counts(reading, objects),
        gaps=sorted(gaps, key=lambda gap: (fold(gap.subject), gap.what, gap.why)),
    )


# ---------------------------------------------------------------- resources


def declared(resource_id: str) -> str:
    """An id with its type segments as the provider declares them; names keep their casing."""
    parts = resource_id.strip("/").split("/")
    named = [_SPELLINGS.get(part.casefold(), part) if _is_type(parts, at) else part for at, part in enumerate(parts)]
    return "/" + "/".join(named)


def _is_type(parts: list[str], at: int) -> bool:
    """Types stand before names; a provider's namespace stands between, and shifts what follows by none."""
    return at % 2 == 0 or (at > 0 and parts[at - 1].casefold() == "providers")


def _object(row: dict[str, Any]) -> ArmObject:
    properties = row.get("properties") or {}
    return ArmObject(
        id=declared(str(row.get("id", ""))),
        type="/".join(_SPELLINGS.get(part.casefold(), part) for part in str(row.get("type", "")).split("/")),
        name=last_name(str(row.get("name") or row.get("id", ""))),
        location=_short(row["location"]) if row.get("location") else None,
        tags={str(name): str(value) for name, value in sorted((row.get("tags") or {}).items())},
        properties={name: value for name, value in sorted(properties.items()) if value is not None},
    )


def _unique(objects: Iterable[ArmObject]) -> list[ArmObject]:
    return list({fold(item.id): item for item in objects}.values())


def _states(providers: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: str(found.get("registrationState") or "unknown") for name, found in sorted(providers.items())}


def _locations(reading: TargetReading) -> list[str]:
    """Where host pools may live, as short names; providers list them by their display names."""
    shorts = {_short(str(row.get("displayName", ""))): str(row["name"]) for row in reading.places if row.get("name")}
    found = set()
    for providers in reading.providers.values():
        for kind in providers.get(_DESKTOP_PROVIDER, {}).get("resourceTypes") or []:
            if str(kind.get("resourceType", "")).casefold() == "hostpools":
                found |= {shorts.get(_short(place), _short(place)) for place in kind.get("locations") or []}
    return sorted(found)


def _short(location: str) -> str:
    """`West Europe` -> `westeurope`."""
    return location.replace(" ", "").casefold()


# ---------------------------------------------------------------- rights


def _grants(reading: TargetReading) -> list[RoleGrant]:
    """Grants of the desktop service's roles anywhere, of whatever publishes, and of any role on its objects; each once,
    inherited ones too."""
    wanted = DESKTOP_ROLES | {role.id for role in _definitions(reading).values() if opens(role, role.id)}
    found = {}
    for grant in _every_grant(reading):
        on_object = f"/{_DESKTOP_PROVIDER.casefold()}/" in f"{grant.scope.casefold()}/"
        if grant.role in wanted or on_object:
            found[fold(grant.id)] = grant
    return [found[key] for key in sorted(found)]


def _powerful(reading: TargetReading) -> list[RoleGrant]:
    definitions = _definitions(reading)
    strong = {one for one in {*definitions, *POWERFUL_ROLES} if powers(definitions.get(one), one)}
    above = (grant for grant in _every_grant(reading) if grant.role in strong and _is_above(grant.scope))
    found = {fold(grant.id): grant for grant in above}
    return [found[key] for key in sorted(found)]


def _log_readers(reading: TargetReading) -> list[RoleGrant]:
    every = (*_every_grant(reading), *map(_grant, reading.log_grants))
    on_one = (grant for grant in every if _LOGS in fold(grant.scope) and grant.role == LOG_READER_ROLE)
    found = {fold(grant.id): grant for grant in on_one}
    return [found[key] for key in sorted(found)]


def _every_grant(reading: TargetReading) -> Iterator[RoleGrant]:
    return (_grant(row) for rows in reading.grants.values() for row in rows)


def _definitions(reading: TargetReading) -> dict[str, RoleDefinition]:
    return {role.id: role for rows in reading.roles.values() for role in map(role_of, rows)}


def _roles(reading: TargetReading) -> list[RoleDefinition]:
    """Those that are held by somebody who matters here."""
    held = {grant.role for grant in (*_grants(reading), *_powerful(reading))}
    return sorted((role for role in _definitions(reading).values() if role.id in held), key=lambda role: role.id)


def _is_above(scope: str) -> bool:
    """A subscription, a resource group or what is above them; not an object of some service."""
    return "/providers/" not in scope.casefold().replace("/providers/microsoft.management/", "/")


def _grant(row: dict[str, Any]) -> RoleGrant:
    properties = row.get("properties") or {}
    return RoleGrant(
        id=str(row.get("id", "")),
        scope=declared(str(properties.get("scope") or "/")),
        role=last_name(str(properties.get("roleDefinitionId", ""))).casefold(),
        principal_id=str(properties.get("principalId", "")).casefold(),
        principal_type=str(properties.get("principalType") or "Unknown"),
        condition=properties.get("condition") or None,
    )


def _policies(reading: TargetReading) -> list[SignInPolicy] | None:
    if reading.policies is None:
        return None
    return sorted(map(policy_of, reading.policies), key=lambda policy: policy.id)


def _permissions(reading: TargetReading) -> list[Permission]:
    return [
        Permission(scope=declared(scope), actions=_texts(row, "actions"), not_actions=_texts(row, "notActions"))
        for scope, rows in sorted(reading.permissions.items(), key=lambda item: fold(item[0]))
        for row in rows
    ]


def _texts(row: dict[str, Any], name: str) -> list[str]:
    return [str(text) for text in row.get(name) or []]


def _counts(reading: TargetReading, objects: list[ArmObject]) -> list[Count]:
    groups = [item for item in objects if item.type == f"{_DESKTOP_PROVIDER}/applicationGroups"]
    counts = [
        Count(
            what="role_assignments",
            scope=subscription,
            used=int(found.get("roleAssignmentsCurrentCount") or 0),
            limit=int(found.get("roleAssignmentsLimit") or 0),
        )
        for subscription, found in sorted(reading.quotas.items())
    ]
    return [
        *counts,
        Count(what="application_groups", scope="tenant", used=len(groups), limit=APPLICATION_GROUPS_LIMIT),
    ]


# ---------------------------------------------------------------- machines


def _machines(reading: TargetReading, wanted: Wanted, objects: list[ArmObject]) -> list[VirtualMachine]:
    """The machines that may be behind a host of the estate or of a target pool, by id; all, when nobody said which."""
    powers = {fold(str(row.get("id", ""))): _power(row) for row in reading.powers}
    ids = {fold(one) for one in wanted.machines} | {fold(one) for one in _behind(objects)}
    guids = {fold(one) for one in wanted.machine_ids}
    labels = {fold(one) for one in wanted.computers}
    found = {}
    for row in reading.machines:
        machine = _machine(row, powers)
        named = {fold(machine.name), fold(machine.computer_name or machine.name)}
        relevant = fold(machine.id) in ids or fold(machine.vm_id or "") in guids or bool(named & labels)
        if relevant or not (wanted.machines or guids or labels):
            found[fold(machine.id)] = machine
    return [found[key] for key in sorted(found)]


def _behind(objects: list[ArmObject]) -> Iterator[str]:
    """Resource ids of the VMs of ARM session hosts."""
    for item in objects:
        if item.type.endswith("/sessionHosts") and item.properties.get("resourceId"):
            yield str(item.properties["resourceId"])


def _machine(row: dict[str, Any], powers: dict[str, str]) -> VirtualMachine:
    properties = row.get("properties") or {}
    found_id = declared(str(row.get("id", "")))
    return VirtualMachine(
        id=found_id,
        name=str(row.get("name") or last_name(found_id)),
        vm_id=properties.get("vmId"),
        computer_name=(properties.get("osProfile") or {}).get("computerName"),
        location=_short(row["location"]) if row.get("location") else None,
        power=powers.get(fold(found_id), _power(row)),
        agent_ready=_agent(properties),
        tags={str(name): str(value) for name, value in sorted((row.get("tags") or {}).items())},
    )


def _power(row: dict[str, Any]) -> str:
    view = (row.get("properties") or {}).get("instanceView") or {}
    codes = [str(status.get("code", "")) for status in view.get("statuses") or []]
    states = [code.partition("/")[2].casefold() for code in codes if code.casefold().startswith("powerstate/")]
    return states[0] if states and states[0] in _POWERS else "unknown"


def _agent(properties: dict[str, Any]) -> bool | None:
    agent = (properties.get("instanceView") or {}).get("vmAgent") or {}
    shown = [str(status.get("displayStatus", "")).casefold() for status in agent.get("statuses") or []]
    return "ready" in shown if shown else None


# ---------------------------------------------------------------- directory


def _identities(reading: TargetReading) -> list[Identity]:
    asked = ((_named(upn, row), row) for upn, row in reading.people.items())
    found = {fold(upn): _identity(upn, row, reading.unread) for upn, row in asked}
    for row in _rows(reading.members):
        upn = str(row.get("userPrincipalName") or "")
        if upn:
            found.setdefault(fold(upn), _identity(upn, row, {}))
    return [found[key] for key in sorted(found)]


def _rows(members: dict[str, Rows]) -> Iterator[dict[str, Any]]:
    for group in sorted(members):
        yield from members[group]


def _named(asked: str, row: dict[str, Any] | None) -> str:
    """Who was asked for by object id is known by their UPN."""
    by_id = row is not None and fold(asked) == fold(str(row.get("id", "")))
    return str(row["userPrincipalName"]) if row is not None and by_id and row.get("userPrincipalName") else asked


def _identity(upn: str, row: dict[str, Any] | None, unread: dict[str, str]) -> Identity:
    if upn in unread:
        return Identity(upn=upn, state="unread", why=unread[upn])
    if row is None:
        why = "The directory has nobody of this name: renamed, deleted, or of another directory."
        return Identity(upn=upn, state="missing", why=why)
    disabled = row.get("accountEnabled") is False
    return Identity(
        upn=upn, object_id=str(row.get("id", "")).casefold() or None, state="disabled" if disabled else "found"
    )


def _groups(reading: TargetReading) -> list[DirectoryGroup]:
    return [
        DirectoryGroup(
            id=group.casefold(),
            display_name=reading.groups.get(group, ""),
            members=sorted({str(row["id"]).casefold() for row in rows if row.get("id")}),
        )
        for group, rows in sorted(reading.members.items())
    ]


def _nameless(groups: Iterable[DirectoryGroup]) -> Iterator[Gap]:
    """A gap for each group whose name the directory does not give: it was deleted, its grants were not."""
    for group in groups:
        if not group.display_name:
            yield Gap(
                subject=f"directory group {group.id}",
                what="It holds a grant and has no name.",
                why="The group was deleted, or may not be read.",
                mend="Remove the grant if the group is gone.",
            )
