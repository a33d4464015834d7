"""Where every classic object goes: ARM ids, locations and tags, decided once and used by the rest of the plan."""

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.model.classic import AppGroup, GroupKind, HostPool, Tenant
from crossfade.model.ids import arm_id, fold, group_id, last_name, parent_key
from crossfade.plan.intent import Intent
from crossfade.plan.mapping import SOURCE_TAG
from crossfade.plan.names import APPLICATION_LIMIT, Names, fill, shape_resource_group
from crossfade.plan.plan import NameMapping

TAG_VALUE_LIMIT = 256


class Layout(msgspec.Struct, kw_only=True):
    """Folded classic keys -> ARM ids. `pools` and `groups` are those that are migrated, in order of their keys."""

    pools: list[HostPool]
    groups: list[AppGroup]
    tenants: list[Tenant]
    resource_groups: dict[str, str] = {}
    """Resource group id -> location."""
    workspaces: dict[str, tuple[str, Tenant]] = {}
    """Workspace id -> (location, tenant)."""
    pool_ids: dict[str, str] = {}
    group_ids: dict[str, str] = {}
    app_ids: dict[str, str] = {}
    workspace_of: dict[str, str] = {}
    """Folded pool key -> workspace id."""
    location_of: dict[str, str] = {}
    """Folded pool key -> location."""
    names: list[NameMapping] = []

    def groups_of(self, pool: HostPool) -> list[AppGroup]:
        return [group for group in self.groups if fold(parent_key(group.key)) == fold(pool.key)]


def lay_out(inventory: Inventory, intent: Intent) -> tuple[Layout, list[Problem]]:
    """The layout, and what in the intent stands against one."""
    problems = _missing(intent, inventory)
    pools = [pool for pool in inventory.pools if not intent.pool(pool.key).skip]
    kept = {fold(pool.key) for pool in pools}
    groups = [group for group in inventory.groups if fold(parent_key(group.key)) in kept]
    layout = Layout(pools=pools, groups=groups, tenants=list(inventory.tenants))
    names = Names()
    for pool in pools:
        _place_pool(layout, names, pool, intent)
    for pool in pools:
        for group in layout.groups_of(pool):
            _place_group(layout, names, pool, group, intent)
    for app in inventory.apps:
        _place_app(layout, names, app.key)
    return layout, problems


def tags_for(key: str, intent: Intent) -> dict[str, str]:
    """The operator's tags and the classic key that an object came from."""
    return {**intent.tags, SOURCE_TAG: key[:TAG_VALUE_LIMIT]}


def _place_pool(layout: Layout, names: Names, pool: HostPool, intent: Intent) -> None:
    own = intent.pool(pool.key)
    tenant_key = parent_key(pool.key)
    words = {"tenant": last_name(tenant_key), "pool": last_name(pool.key)}
    location = (own.location or intent.azure.location).replace(" ", "").casefold()
    resource_group = shape_resource_group(
        fill(own.resource_group or intent.azure.resource_group, location=location, **words)
    )
    group = group_id(intent.azure.subscription, resource_group)
    layout.resource_groups.setdefault(group, location)
    name, why = names.give(own.name or fill(intent.names.host_pool, **words), scope=f"{group}/pools", source=pool.key)
    resource = arm_id(intent.azure.subscription, resource_group, "hostPools", name)
    layout.pool_ids[fold(pool.key)] = resource
    layout.location_of[fold(pool.key)] = location
    layout.names.append(NameMapping(source=pool.key, target=resource, changed=why))
    _place_workspace(layout, names, pool, intent, resource_group, location)


def _place_workspace(
    layout: Layout, names: Names, pool: HostPool, intent: Intent, resource_group: str, location: str
) -> None:
    """One workspace per tenant and location; it lives in the resource group of the first pool there."""
    tenant = _tenant(layout, parent_key(pool.key))
    for resource, (place, owner) in layout.workspaces.items():
        if place == location and fold(owner.key) == fold(tenant.key):
            layout.workspace_of[fold(pool.key)] = resource
            return
    others = [place for place, owner in layout.workspaces.values() if fold(owner.key) == fold(tenant.key)]
    wanted = fill(intent.names.workspace, tenant=last_name(tenant.key), location=location)
    wanted = f"{wanted}-{location}" if others else wanted
    name, why = names.give(wanted, scope=f"{resource_group}/workspaces", source=f"{tenant.key}@{location}")
    resource = arm_id(intent.azure.subscription, resource_group, "workspaces", name)
    layout.workspaces[resource] = (location, tenant)
    layout.workspace_of[fold(pool.key)] = resource
    layout.names.append(NameMapping(source=tenant.key, target=resource, changed=why))


def _tenant(layout: Layout, key: str) -> Tenant:
    return next((tenant for tenant in layout.tenants if fold(tenant.key) == fold(key)), Tenant(key=key))


def _place_group(layout: Layout, names: Names, pool: HostPool, group: AppGroup, intent: Intent) -> None:
    template = intent.names.desktop_group if group.kind is GroupKind.DESKTOP else intent.names.remote_app_group
    tenant = last_name(parent_key(pool.key))
    wanted = fill(template, tenant=tenant, pool=last_name(pool.key), group=last_name(group.key))
    prefix, _, _ = layout.pool_ids[fold(pool.key)].partition("/providers/")
    name, why = names.give(wanted, scope=f"{prefix}/groups", source=group.key)
    resource_group = prefix.rsplit("/", 1)[-1]
    resource = arm_id(intent.azure.subscription, resource_group, "applicationGroups", name)
    layout.group_ids[fold(group.key)] = resource
    layout.names.append(NameMapping(source=group.key, target=resource, changed=why or _told(wanted, group.key)))


def _told(wanted: str, key: str) -> str:
    return "" if wanted == last_name(key) else "every pool has a group of this name, so the pool's name is added"


def _place_app(layout: Layout, names: Names, key: str) -> None:
    group = layout.group_ids.get(fold(parent_key(key)))
    if group is None:
        return
    name, why = names.give(last_name(key), scope=group, source=key, limit=APPLICATION_LIMIT)
    layout.app_ids[fold(key)] = f"{group}/applications/{name}"
    layout.names.append(NameMapping(source=key, target=layout.app_ids[fold(key)], changed=why))


def _missing(intent: Intent, inventory: Inventory) -> list[Problem]:
    azure = intent.azure
    wanted = {"subscription": azure.subscription, "location": azure.location}
    problems = [
        Problem("crossfade.toml [azure]", f"{name} is not set.", f"Set azure.{name}.")
        for name, value in wanted.items()
        if not value
    ]
    known = {fold(pool.key) for pool in inventory.pools}
    problems += [
        Problem(f'crossfade.toml [pools."{key}"]', "names a pool that the inventory does not hold.", "Correct the key.")
        for key in intent.pools
        if fold(key) not in known
    ]
    return problems
