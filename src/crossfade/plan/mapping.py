"""Classic objects -> bodies of ARM objects, property by property, and what has no counterpart.

Tables: facts/classic-service 8.3, facts/arm-service 14. Nothing is dropped silently: a property is in a body, or in the
`NotCarried` list with its value.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from crossfade.model import rdp
from crossfade.model.classic import (
    AppGroup,
    AssignmentType,
    ClassicObject,
    Desktop,
    GroupKind,
    HostPool,
    LoadBalancer,
    RemoteApp,
    RoleAssignment,
    Tenant,
)
from crossfade.plan.plan import NotCarried

SOURCE_TAG = "crossfade-source"
GROUP_MARK = "made for the migration"
"""Value of the tag on a resource group: it may hold the objects of several tenants."""


def host_pool(
    pool: HostPool, *, location: str, tags: dict[str, str], preferred: str, chosen: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Body of a host pool. A personal one is made Direct; Automatic comes after its last host (design 7, 10).
    `chosen`: properties that the operator decides beside or instead of those of classic."""
    properties: dict[str, Any] = {
        "hostPoolType": "Personal" if pool.personal else "Pooled",
        "loadBalancerType": "Persistent" if pool.personal else str(pool.load_balancer),
        "preferredAppGroupType": preferred,
        "customRdpProperty": rdp.parse(pool.custom_rdp_property).text(),
        "friendlyName": pool.friendly_name,
        "description": pool.description,
        "validationEnvironment": pool.validation,
    }
    if pool.personal:
        properties["personalDesktopAssignmentType"] = "Direct"
    if pool.max_session_limit is not None:
        properties["maxSessionLimit"] = pool.max_session_limit
    if pool.ring is not None:
        properties["ring"] = pool.ring
    return {"location": location, "tags": tags, "properties": without_nulls({**properties, **(chosen or {})})}


def late_assignment(pool: HostPool) -> dict[str, Any] | None:
    """The patch after a personal pool's last host, or None: classic's null means Automatic (facts/classic 8.3)."""
    if not pool.personal or pool.assignment is AssignmentType.DIRECT:
        return None
    return {"properties": {"personalDesktopAssignmentType": "Automatic"}}


def application_group(
    group: AppGroup, *, location: str, tags: dict[str, str], pool_id: str, hidden: bool = False
) -> dict[str, Any]:
    """`hidden`: classic keeps the group's one desktop out of the feed; here the group itself can be."""
    properties = {
        "applicationGroupType": str(group.kind),
        "hostPoolArmPath": pool_id,
        "friendlyName": group.friendly_name,
        "description": group.description,
        "showInFeed": False if hidden else None,
    }
    return {"location": location, "tags": tags, "properties": without_nulls(properties)}


def application(app: RemoteApp, name: str) -> dict[str, Any]:
    properties = {
        "friendlyName": app.friendly_name or name,
        "description": app.description,
        "filePath": app.file_path,
        "iconPath": app.icon_path or app.file_path,
        "iconIndex": app.icon_index or 0,
        "commandLineSetting": str(app.command_line_setting),
        "commandLineArguments": app.required_command_line,
        "showInPortal": app.show_in_web_feed is not False,
        "applicationType": "InBuilt",
    }
    return {"properties": without_nulls(properties)}


def desktop(item: Desktop) -> dict[str, Any]:
    """Patch for `desktops/SessionDesktop`; empty when classic shows its default."""
    wanted = without_nulls({"friendlyName": item.friendly_name, "description": item.description})
    return {"properties": wanted} if wanted else {}


def workspace(tenant: Tenant, *, location: str, tags: dict[str, str]) -> dict[str, Any]:
    properties = without_nulls({"friendlyName": tenant.friendly_name, "description": tenant.description})
    return {"location": location, "tags": tags, "properties": properties}


def without_nulls(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


def not_carried(items: Iterable[ClassicObject]) -> list[NotCarried]:
    """What of these objects has no place in the plan, with values; secrets are never among the values."""
    found: list[NotCarried] = []
    for item in items:
        usual = _USUAL.get(type(item).__name__, {})
        for name, why in _LEFT.get(type(item).__name__, {}).items():
            value = getattr(item, name)
            if value not in (None, "") and value != usual.get(name):
                found.append(NotCarried(subject=item.key or "/", property=name, value=value, why=why))
        found += _of_kind(item)
        found += [
            NotCarried(subject=item.key, property=name, value=value, why=_EXTRA.get(name, _UNKNOWN))
            for name, value in sorted(item.extra.items())
            if value not in (None, "") and (name, value) != ("useReverseConnect", True)
        ]
    return found


def _of_kind(item: ClassicObject) -> list[NotCarried]:
    """What of one kind is left only under some condition."""
    return _of_pool(item) if isinstance(item, HostPool) else []


def _of_pool(pool: HostPool) -> list[NotCarried]:
    found = [
        NotCarried(subject=pool.key, property="custom_rdp_property", value=fault.entry, why=fault.why)
        for fault in rdp.parse(pool.custom_rdp_property).lost()
    ]
    if not pool.personal and pool.assignment:
        found.append(NotCarried(subject=pool.key, property="assignment", value=pool.assignment, why=_POOLED))
    if pool.personal and pool.load_balancer is not LoadBalancer.PERSISTENT:
        found.append(NotCarried(subject=pool.key, property="load_balancer", value=pool.load_balancer, why=_PERSISTENT))
    return found


def roles_left(roles: Iterable[RoleAssignment]) -> list[NotCarried]:
    """Classic roles: one row each, with who holds it."""
    return [
        NotCarried(subject=role.key or "/", property="role", value=_said(role), why=_ROLE)
        for role in sorted(roles, key=lambda role: (role.key.casefold(), role.role, role.object_id or ""))
    ]


def _said(role: RoleAssignment) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(role)
    return {name: value for name, value in members.items() if name not in ("key", "origin") and value not in (None, {})}


_SSO = "single sign-on is set per host pool in the new service and its secret must be entered again into Key Vault"
_LOGS = "the new service uses diagnostic settings and other tables"
_POOLED = "only personal pools assign desktops"
_PERSISTENT = "a personal pool sends people to their own desktop: it is Persistent there"
_UNKNOWN = "this version knows no such property"
_EXTRA = {
    "folderName": "the new service has no folders in the feed",
    "fileVirtualPath": "the new service has one path for an app, and that is carried",
    "useReverseConnect": "the new service always connects in reverse",
    "id": "an internal number of classic; the tag on the new object names where it came from",
}
"""Members of other modules -> why they have no place (facts/classic-service 1.4, 1.5, 1.11; arm-service 14)."""
_ROLE = "Azure roles take the place of classic ones: see the proposals under `roles`"
_NO_GROUPS = "the new service has no tenant groups: each tenant has its own workspace"
_LEFT: dict[str, dict[str, str]] = {
    "TenantGroup": {"friendly_name": _NO_GROUPS, "description": _NO_GROUPS},
    "Tenant": {
        "sso_adfs_authority": _SSO,
        "sso_client_id": _SSO,
        "sso_secret_type": _SSO,
        "sso_secret_set": _SSO,
        "log_analytics_workspace_id": _LOGS,
        "log_analytics_key_set": _LOGS,
        "azure_subscription_id": "it was only a label; the target subscription is chosen in crossfade.toml",
    },
    "RemoteApp": {"app_alias": "the new service has no alias; the file path is what opens the app"},
    "Desktop": {
        "name": "the service gives every desktop the name SessionDesktop",
    },
}
"""Kind -> property -> why it is not carried. Every property is here, in a body, or in a move; a test holds that."""
_USUAL: dict[str, dict[str, Any]] = {
    "Desktop": {"name": "Remote Desktop"},
    "Tenant": {"sso_secret_set": False, "log_analytics_key_set": False},
}
"""Values that say nothing: every object of the kind has them."""

__all__ = [
    "GROUP_MARK",
    "SOURCE_TAG",
    "GroupKind",
    "application",
    "application_group",
    "desktop",
    "host_pool",
    "late_assignment",
    "not_carried",
    "roles_left",
    "without_nulls",
    "workspace",
]
