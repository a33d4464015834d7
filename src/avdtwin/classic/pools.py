"""Host pools and the rules of their type (facts/classic-service 1.5)."""

from typing import Any
from uuid import UUID, uuid5

from avdtwin.classic import access, fields, places
from avdtwin.classic.app_groups import default_group
from avdtwin.classic.errors import refusal
from avdtwin.classic.fields import Field
from avdtwin.classic.limits import refuse_above
from avdtwin.classic.paging import Order, drop, page_of, put
from avdtwin.classic.places import Path
from avdtwin.classic.routes import POOL, POOLS, created, deleted, route
from avdtwin.state import ClassicHostPool
from avdtwin.wire import Request, Response
from avdtwin.world import World

ORDER = Order("HostPoolName", "HostPoolIncorrectSortField")
BREADTH_FIRST, DEPTH_FIRST, PERSISTENT = 0, 1, 2
AUTOMATIC, DIRECT = 1, 2
MOST_SESSIONS = 999_999
_OBJECT_IDS = UUID("5a0aa725-4958-4b0c-80a9-34562e23f3b7")

_LOAD_BALANCERS = {"BreadthFirst": BREADTH_FIRST, "DepthFirst": DEPTH_FIRST, "Persistent": PERSISTENT}


def _rdp_properties(world: World, member: str, value: Any) -> str | None:
    """`name:type:value;…`, stored with a final semicolon; empty text resets all."""
    found = fields.text(world, member, value) or ""
    entries = [entry for entry in found.split(";") if entry.strip()]
    for entry in entries:
        parts = entry.split(":", 2)
        if len(parts) != 3 or not parts[0].strip() or parts[1].strip().lower() not in ("i", "s", "b"):
            raise refusal(world, "HostPoolIncorrectFormatCustomRdpProperties", f"'{entry}' is not name:type:value.")
    return found if not found or found.endswith(";") else found + ";"


def _session_limit(world: World, member: str, value: Any) -> int:
    limit = fields.whole(world, member, value)
    if limit > MOST_SESSIONS:
        raise refusal(world, "SessionLimitTooHigh", f"{member} is at most {MOST_SESSIONS}.")
    if limit < 1:
        raise refusal(world, "SessionHostMaxSessionZero", f"{member} is at least 1.")
    return limit


FIELDS = (
    fields.FRIENDLY_NAME,
    fields.DESCRIPTION,
    Field("persistent", "persistent", fields.flag),
    Field("customRdpProperty", "custom_rdp_property", _rdp_properties),
    Field("maxSessionLimit", "max_session_limit", _session_limit),
    Field(
        "loadBalancerType",
        "load_balancer_type",
        fields.choice(_LOAD_BALANCERS, "UnsupportedCombinationOfLoadBalancerAndPoolType"),
    ),
    Field("validationEnv", "validation_env", fields.flag),
    Field("ring", "ring", fields.whole),
    Field(
        "assignmentType",
        "assignment_type",
        fields.choice({"Automatic": AUTOMATIC, "Direct": DIRECT}, "UnsupportedUpdateForPDAssignmentType"),
    ),
)


def row(names: dict[str, str], pool: ClassicHostPool) -> dict[str, Any]:
    """`names` are those of the tenant and its group."""
    return {
        "tenantName": names["tenantName"],
        "tenantGroupName": names["tenantGroupName"],
        "hostPoolName": pool.name,
        "friendlyName": pool.friendly_name,
        "description": pool.description,
        "persistent": pool.persistent,
        "customRdpProperty": pool.custom_rdp_property,
        "maxSessionLimit": pool.max_session_limit,
        "loadBalancerType": pool.load_balancer_type,
        "validationEnv": pool.validation_env,
        "ring": pool.ring,
        "assignmentType": pool.assignment_type,
    }


@route("GET", POOLS)
def list_pools(world: World, request: Request, tenant_group: str, tenant: str) -> Response:
    path = (tenant_group, tenant)
    visible = access.filter_for(world, request, access.READ, path)
    names = places.names(world, path)
    return page_of(world, request, places.tenant(world, path).pools, ORDER, lambda pool: row(names, pool), visible)


@route("GET", POOL)
def get_pool(world: World, request: Request, tenant_group: str, tenant: str, pool: str) -> Response:
    path = (tenant_group, tenant, pool)
    access.require(world, request, access.READ, path)
    return Response(body=row(places.names(world, path), places.pool(world, path)))


@route("POST", POOL)
def create_pool(world: World, request: Request, tenant_group: str, tenant: str, pool: str) -> Response:
    path = (tenant_group, tenant, pool)
    access.require(world, request, access.WRITE, path[:2])
    pools = places.tenant(world, path).pools
    body = fields.read_under(world, request, path)
    if pool.lower() in pools:
        raise refusal(world, "HostPoolAlreadyExists")
    refuse_above(world, "classic_pools_limit", len(pools), "MaxHostPoolsLimitPerTenantReached")
    values = _consistent(world, fields.changes(world, body, FIELDS, creating=True))
    made = ClassicHostPool(name=fields.new_name(world, pool), **values)
    group = default_group()
    made.groups[group.name.lower()] = group
    put(world, pools, made.name.lower(), made)
    return created(world, row(places.names(world, path[:2]), made))


def _consistent(world: World, values: dict[str, Any]) -> dict[str, Any]:
    """What a new pool is made of: pooled with BreadthFirst or personal with Persistent, nothing else."""
    personal = values.get("persistent", False)
    fitting = PERSISTENT if personal else BREADTH_FIRST
    if values.setdefault("load_balancer_type", fitting) != fitting:
        raise refusal(world, "UnsupportedCombinationOfLoadBalancerAndPoolType")
    if personal:
        values.setdefault("assignment_type", AUTOMATIC)
    elif "assignment_type" in values:
        raise refusal(world, "UnsupportedAssignmentTypeUpdateForSharedDesktopPool")
    if "ring" in values and not world.setting("classic_ring_changeable"):
        raise refusal(world, "HostPoolRingUpdateNotAdmin")
    return values


@route("PATCH", POOL)
def change_pool(world: World, request: Request, tenant_group: str, tenant: str, pool: str) -> Response:
    path = (tenant_group, tenant, pool)
    access.require(world, request, access.WRITE, path)
    found = places.pool(world, path)
    body = fields.read_under(world, request, path)
    values = fields.changes(world, body, FIELDS)
    for attribute, value in values.items():
        if value != getattr(found, attribute):
            _refuse_change(world, found, attribute, value)
    fields.apply(found, values)
    return Response(body=row(places.names(world, path), found))


def _refuse_change(world: World, pool: ClassicHostPool, attribute: str, value: Any) -> None:
    """Raise the refusal of a change that the pool's type forbids. Sending what is already so is no change.

    | attribute | personal | pooled |
    |---|---|---|
    | persistent | 2031 | 2031 |
    | load balancer | 2029 | 2031 to Persistent |
    | session limit | 2028 | |
    | assignment type | | 2033 |
    """
    personal = {
        "persistent": "UnsupportedUpdateForHostPoolType",
        "load_balancer_type": "LoadBalancerCannotBeChangedForPersonalDesktoptHostPool",
        "max_session_limit": "MaxSessionLimitCannotBeChangedForPersonalDesktopHostPool",
    }
    pooled = {
        "persistent": "UnsupportedUpdateForHostPoolType",
        "load_balancer_type": "UnsupportedUpdateForHostPoolType" if value == PERSISTENT else None,
        "assignment_type": "UnsupportedAssignmentTypeUpdateForSharedDesktopPool",
    }
    code = (personal if pool.persistent else pooled).get(attribute)
    if attribute == "ring" and not world.setting("classic_ring_changeable"):
        code = "HostPoolRingUpdateNotAdmin"
    if code is not None:
        raise refusal(world, code)


@route("DELETE", POOL)
def remove_pool(world: World, request: Request, tenant_group: str, tenant: str, pool: str) -> Response:
    """Session hosts block it first, then app groups, the default one too (1.16). A registration info does not."""
    path = (tenant_group, tenant, pool)
    access.require(world, request, access.WRITE, path)
    found = places.pool(world, path)
    if found.hosts:
        raise refusal(world, "HostPoolCannotBeRemovedHasSessionHosts")
    if found.groups:
        raise refusal(world, "HostPoolCannotBeRemovedHasApplicationGroups")
    access.drop_below(world, path)
    drop(world, places.tenant(world, path).pools, found.name.lower())
    return deleted(world)


# ---------------------------------------------------------------- object ids


def object_id(key: str) -> str:
    """The id of a pool that its registration tokens carry (`EndpointPoolId`); no route shows it."""
    return str(uuid5(_OBJECT_IDS, key.lower()))


def key_of_object_id(world: World, wanted: str) -> str | None:
    """Key of the pool with this id, while it exists."""
    index = world.derived.setdefault("classic-pools", {})
    assert isinstance(index, dict)
    if wanted.lower() not in index:
        index.update((object_id(key), key) for key in _keys(world))
    key = index.get(wanted.lower())
    return key if key is not None and places.by_pool_key(world, key) is not None else None


def _keys(world: World) -> list[str]:
    paths: list[Path] = [
        (group.name, tenant.name, pool.name)
        for group in world.state.classic.groups.values()
        for tenant in group.tenants.values()
        for pool in tenant.pools.values()
    ]
    return [places.pool_key(path) for path in paths]
