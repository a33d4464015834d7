"""Where things are: tenant group, tenant, host pool, app group, found by their names without case.

A path is a tuple of names from the top: `(tenant group, tenant, pool, app group)`, as short as needed. What is missing
is told topmost first (facts/classic-service 2.14).
"""

from typing import Any

from avdtwin.classic.errors import refusal
from avdtwin.state import AppGroup, ClassicHostPool, ClassicTenant, ClassicTenantGroup
from avdtwin.world import World

DEFAULT_GROUP = "Default Tenant Group"
Path = tuple[str, ...]

_LEVELS = (
    ("groups", "TenantGroupNotFound", "tenantGroupName"),
    ("tenants", "TenantNotFound", "tenantName"),
    ("pools", "HostPoolNotFound", "hostPoolName"),
    ("groups", "AppGroupNotFound", "appGroupName"),
)
"""Level -> the parent's collection, the code when the name is not in it, the member that carries the name."""


def tenant_groups(world: World) -> dict[str, ClassicTenantGroup]:
    """All tenant groups; the default one always exists (1.3)."""
    groups = world.state.classic.groups
    if DEFAULT_GROUP.lower() not in groups:
        groups[DEFAULT_GROUP.lower()] = ClassicTenantGroup(name=DEFAULT_GROUP)
    return groups


def walk(world: World, path: Path) -> list[Any]:
    """The objects along a path. Raises the 404 of the first that is missing."""
    tenant_groups(world)
    found: list[Any] = [world.state.classic]
    for name, (collection, missing, _) in zip(path, _LEVELS, strict=False):
        child = getattr(found[-1], collection).get(name.lower())
        if child is None:
            raise refusal(world, missing, f"{missing}: '{name}'.")
        found.append(child)
    return found[1:]


def tenant_group(world: World, path: Path) -> ClassicTenantGroup:
    found: ClassicTenantGroup = walk(world, path[:1])[0]
    return found


def tenant(world: World, path: Path) -> ClassicTenant:
    found: ClassicTenant = walk(world, path[:2])[1]
    return found


def pool(world: World, path: Path) -> ClassicHostPool:
    found: ClassicHostPool = walk(world, path[:3])[2]
    return found


def app_group(world: World, path: Path) -> AppGroup:
    found: AppGroup = walk(world, path[:4])[3]
    return found


def names(world: World, path: Path) -> dict[str, str]:
    """The key names along a path as members of an answer, in the casing they were created with."""
    return {level[2]: place.name for level, place in zip(_LEVELS, walk(world, path), strict=False)}


def given_names(path: Path) -> dict[str, str]:
    """The same members with the names as the caller wrote them in the URL."""
    return {level[2]: name for level, name in zip(_LEVELS, path, strict=False)}


def pool_key(path: Path) -> str:
    """How agents and sessions name a pool: `tenant group/tenant/pool`, lower-cased."""
    return "/".join(path[:3]).lower()


def by_pool_key(world: World, key: str) -> ClassicHostPool | None:
    """The pool of a key, if it is still there."""
    try:
        group, tenant_name, pool_name = key.split("/")
        return world.state.classic.groups[group].tenants[tenant_name].pools[pool_name]
    except (KeyError, ValueError):
        return None
