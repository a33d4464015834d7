"""What kind of classic object a record is, by the properties it has, and the names that make its key.

Names of properties are compared without case: cmdlets write PascalCase, REST camelCase (facts/classic-service 3.5).
"""

from collections.abc import Collection
from functools import lru_cache

from crossfade.sources.records import SHAPES, Kind

_PARENTS = ("TenantGroupName", "TenantName", "HostPoolName", "AppGroupName")

KEY_NAMES: dict[Kind, tuple[str, ...]] = {
    Kind.TENANT: _PARENTS[:2],
    Kind.POOL: _PARENTS[:3],
    Kind.GROUP: _PARENTS,
    Kind.DESKTOP: _PARENTS,
    Kind.APP: (*_PARENTS, "RemoteAppName"),
    Kind.ASSIGNMENT: _PARENTS,
    Kind.HOST: (*_PARENTS[:3], "SessionHostName"),
    Kind.SESSION: (*_PARENTS[:3], "SessionHostName", "SessionId"),
    Kind.REGISTRATION: _PARENTS[:3],
    Kind.TENANT_GROUP: _PARENTS[:1],
}
"""Properties whose values make the key, outermost first. Kinds that are not here have none."""

REQUIRED: dict[Kind, tuple[str, ...]] = KEY_NAMES | {
    Kind.ASSIGNMENT: (*_PARENTS, "UserPrincipalName"),
    Kind.SESSION: (*KEY_NAMES[Kind.SESSION], "UserPrincipalName"),
    Kind.ROLE: ("Scope", "RoleDefinitionName"),
}
"""Properties without which a record says nothing."""


def _row(kind: Kind, *names: str) -> tuple[Kind, frozenset[str]]:
    return kind, frozenset(name.casefold() for name in names)


_WHOLE = (
    _row(Kind.ROLE, "RoleAssignmentId", "RoleDefinitionName"),
    _row(Kind.ROLE_DEFINITION, "RoleDefinitionName", "Actions"),
    _row(Kind.ROLE_DEFINITION, "RoleDefinitionName", "IsCustom"),
    _row(Kind.ACTIVITY, "ActivityId", "ActivityType"),
    _row(Kind.HOST, "SessionHostName", "AllowNewSession"),
    _row(Kind.SESSION, "SessionId"),
    _row(Kind.APP, "RemoteAppName"),
    _row(Kind.DESKTOP, "RemoteDesktopName"),
    _row(Kind.ASSIGNMENT, "UserPrincipalName", "AppGroupName"),
    _row(Kind.GROUP, "AppGroupName", "ResourceType"),
    _row(Kind.START_MENU_APP, "AppGroupName", "AppAlias"),
    _row(Kind.POOL, "HostPoolName", "LoadBalancerType"),
    _row(Kind.POOL, "HostPoolName", "Persistent"),
    _row(Kind.REGISTRATION, "Token"),
    _row(Kind.ROLE, "RoleDefinitionName", "Scope"),
    _row(Kind.TENANT, "AadTenantId", "TenantName"),
    _row(Kind.CONTEXT, "DeploymentUrl"),
)
_CUT = (
    _row(Kind.SESSION, "SessionState"),
    _row(Kind.HOST, "SessionHostName"),
    _row(Kind.HOST, "AllowNewSession"),
    _row(Kind.HOST, "LastHeartBeat"),
    _row(Kind.APP, "CommandLineSetting"),
    _row(Kind.APP, "FilePath"),
    _row(Kind.ROLE, "RoleDefinitionName"),
    _row(Kind.ROLE, "RoleAssignmentId"),
    _row(Kind.ASSIGNMENT, "UserPrincipalName"),
    _row(Kind.GROUP, "ResourceType"),
    _row(Kind.GROUP, "AppGroupName"),
    _row(Kind.POOL, "LoadBalancerType"),
    _row(Kind.POOL, "CustomRdpProperty"),
    _row(Kind.REGISTRATION, "HostPoolName", "ExpirationTime"),
    _row(Kind.POOL, "HostPoolName"),
    _row(Kind.TENANT, "AadTenantId"),
    _row(Kind.TENANT, "TenantName"),
    _row(Kind.TENANT_GROUP, "TenantGroupName"),
)
"""What tells the kind of a record that Select-Object, or somebody's editor, has cut: its missing names get reported."""


def recognise(names: Collection[str]) -> Kind | None:
    """The kind of a record with properties of these names, or None."""
    return _recognised(tuple(names))


@lru_cache(maxsize=SHAPES)
def _recognised(names: tuple[str, ...]) -> Kind | None:
    folded = {name.casefold() for name in names}
    return next((kind for kind, wanted in _WHOLE + _CUT if wanted <= folded), None)
