"""Classic objects -> bodies of ARM objects, property by property, and what has no counterpart.

Tables: facts/classic-service 8.3, facts/arm-service 14. Nothing is dropped silently: a property is in a body, or in the
`NotCarried` list with its value.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from crossfade.model.classic import (
    AppGroup,
    AssignmentType,
    ClassicObject,
    Desktop,
    GroupKind,
    HostPool,
    RemoteApp,
    RoleAssignment,
    Tenant,
)
from crossfade.plan.plan import NotCarried

SOURCE_TAG = "crossfade-source"
GROUP_MARK = "made for the migration"
"""Value of the tag on a resource group: it may hold the objects of several tenants."""


def host_pool(pool: HostPool, *, location: str, tags: dict[str, str], desktop_has_people: bool) -> dict[str, Any]:
    """Body of a host pool. A personal one is made Direct; Automatic comes after its last host (design 7, 10)."""
    properties: dict[str, Any] = {
        "hostPoolType": "Personal" if pool.personal else "Pooled",
        "loadBalancerType": "Persistent" if pool.personal else str(pool.load_balancer),
        "preferredAppGroupType": "Desktop" if desktop_has_people or pool.personal else "RailApplications",
        "customRdpProperty": pool.custom_rdp_property or "",
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
    return {"location": location, "tags": tags, "properties": without_nulls(properties)}


def late_assignment(pool: HostPool) -> dict[str, Any] | None:
    """The patch after a personal pool's last host, or None: classic's null means Automatic (facts/classic 8.3)."""
    if not pool.personal or pool.assignment is AssignmentType.DIRECT:
        return None
    return {"properties": {"personalDesktopAssignmentType": "Automatic"}}


def application_group(group: AppGroup, *, location: str, tags: dict[str, str], pool_id: str) -> dict[str, Any]:
    properties = {
        "applicationGroupType": str(group.kind),
        "hostPoolArmPath": pool_id,
        "friendlyName": group.friendly_name,
        "description": group.description,
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
            if value not in (None, "", False) and value != usual.get(name):
                found.append(NotCarried(subject=item.key or "/", property=name, value=value, why=why))
        if isinstance(item, HostPool) and not item.personal and item.assignment:
            found.append(NotCarried(subject=item.key, property="assignment", value=item.assignment, why=_POOLED))
        found += [
            NotCarried(subject=item.key, property=name, value=value, why="this version knows no such property")
            for name, value in sorted(item.extra.items())
            if value not in (None, "")
        ]
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
_ROLE = "Azure roles take the place of classic ones: see the proposals under `roles`"
_LEFT: dict[str, dict[str, str]] = {
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
        "show_in_web_feed": "the new service has no such switch for a desktop",
        "name": "the service gives every desktop the name SessionDesktop",
    },
}
"""Kind -> property -> why it is not carried. Every property is here, in a body, or in a move; a test holds that."""
_USUAL = {"Desktop": {"name": "Remote Desktop"}}
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
