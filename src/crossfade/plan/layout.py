"""Where every classic object goes: ARM ids, locations and tags, decided once and used by the rest of the plan.

A name is what the operator said, else what an earlier plan has made for the same classic object (its tag tells), else
the template filled and shaped. Names that can be used as they are come first, so that an object added later, whose
name must be rewritten, never takes the name of one that had it.
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import AppGroup, GroupKind, HostPool, RemoteApp, Tenant
from crossfade.model.ids import arm_id, fold, group_id, last_name, parent_key
from crossfade.plan.intent import Intent
from crossfade.plan.mapping import SOURCE_TAG
from crossfade.plan.names import APPLICATION_LIMIT, OBJECT_LIMIT, Names, fill, is_exact, shape_resource_group, with_mark
from crossfade.plan.plan import NameMapping

TAG_VALUE_LIMIT = 256
Item = TypeVar("Item")


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

    def words(self, pool_key: str) -> dict[str, str]:
        """What templates are filled with for a pool that is migrated."""
        tenant = last_name(parent_key(pool_key))
        return {"tenant": tenant, "pool": last_name(pool_key), "location": self.location_of[fold(pool_key)]}


def lay_out(inventory: Inventory, target: TargetSnapshot, intent: Intent) -> tuple[Layout, list[Problem]]:
    """The layout, and what in the intent stands against one."""
    pools = [pool for pool in inventory.pools if not intent.pool(pool.key).skip]
    kept = {fold(pool.key): pool for pool in pools}
    groups = [group for group in inventory.groups if fold(parent_key(group.key)) in kept]
    layout = Layout(pools=pools, groups=groups, tenants=list(inventory.tenants))
    given = _Given(target, intent)
    homes = {fold(pool.key): _home(layout, pool, intent) for pool in pools}
    for pool, wanted in _exact_first((pool, _pool_name(layout, pool, intent)) for pool in pools):
        _place_pool(layout, given, pool, homes[fold(pool.key)], wanted, intent)
    for pool in pools:
        _place_workspace(layout, given, pool, homes[fold(pool.key)], intent)
    for group, wanted in _exact_first((group, _group_name(layout, group, intent)) for group in groups):
        _place_group(layout, given, kept[fold(parent_key(group.key))], group, wanted)
    for app, wanted in _exact_first(((app, last_name(app.key)) for app in inventory.apps), APPLICATION_LIMIT):
        _place_app(layout, given, app, wanted)
    return layout, _missing(intent, inventory, target)


def tags_for(key: str, intent: Intent) -> dict[str, str]:
    """The operator's tags and the classic key that an object came from."""
    return {**intent.tags, SOURCE_TAG: source_tag(key)}


def source_tag(key: str) -> str:
    """The key, as long as a tag may be: what is longer ends in letters that only this key has."""
    return key if len(key) <= TAG_VALUE_LIMIT else with_mark(key, key, TAG_VALUE_LIMIT)


class _Given:
    """Gives names, in the order of precedence that this module states."""

    def __init__(self, target: TargetSnapshot, intent: Intent) -> None:
        self._names = Names()
        self._said = {fold(key): name for key, name in intent.rename.items()}
        self._said |= {fold(key): pool.name for key, pool in intent.pools.items() if pool.name}
        self._made: dict[tuple[str, str], str] = {}
        for item in target.objects:
            source = item.tags.get(SOURCE_TAG)
            if source:
                self._made[_scope(item.id), _identity(source, item.location)] = item.name
                self._names.keep(item.name, scope=_scope(item.id), source=_identity(source, item.location))

    def name(self, scope: str, wanted: str, key: str, *, limit: int = OBJECT_LIMIT, location: str = "") -> list[str]:
        """[name, why it is not the wanted text]. `scope`: folded id of what holds it, with the type."""
        said = self._said.get(fold(key))
        if said is None:
            made = self._made.get((scope, _identity(source_tag(key), location)))
            if made is not None:
                return [made, "" if made == wanted else "an earlier plan has made it under this name"]
        source = _identity(source_tag(key), location)
        name, why = self._names.give(said or wanted, scope=scope, source=source, limit=limit)
        return [name, why or ("the operator's choice" if said and said != wanted else "")]


def _scope(resource_id: str) -> str:
    return fold(resource_id).rsplit("/", 1)[0]


def _identity(source: str, location: str | None) -> str:
    """Workspaces of one tenant in several locations have one source: the location tells them apart."""
    is_tenant = source.count("/") == 1
    return f"{fold(source)}@{location or ''}" if is_tenant else fold(source)


def _exact_first(items: Iterable[tuple[Item, str]], limit: int = OBJECT_LIMIT) -> list[tuple[Item, str]]:
    return sorted(items, key=lambda item: not is_exact(item[1], limit))


def _pool_name(layout: Layout, pool: HostPool, intent: Intent) -> str:
    return fill(intent.names.host_pool, **layout.words(pool.key))


def _group_name(layout: Layout, group: AppGroup, intent: Intent) -> str:
    template = intent.names.desktop_group if group.kind is GroupKind.DESKTOP else intent.names.remote_app_group
    return fill(template, group=last_name(group.key), **layout.words(parent_key(group.key)))


def _home(layout: Layout, pool: HostPool, intent: Intent) -> str:
    """The id of a pool's resource group; notes its location and the pool's."""
    own = intent.pool(pool.key)
    location = (own.location or intent.azure.location).replace(" ", "").casefold()
    template = own.resource_group or intent.azure.resource_group
    layout.location_of[fold(pool.key)] = location
    name = shape_resource_group(fill(template, **layout.words(pool.key)))
    known = {fold(resource): resource for resource in layout.resource_groups}
    resource = group_id(intent.azure.subscription, name)
    resource = known.get(fold(resource), resource)
    layout.resource_groups.setdefault(resource, location)
    return resource


def _place_pool(layout: Layout, given: _Given, pool: HostPool, home: str, wanted: str, intent: Intent) -> None:
    kind = arm_id(intent.azure.subscription, last_name(home), "hostPools", "")
    name, why = given.name(fold(kind), wanted, pool.key)
    layout.pool_ids[fold(pool.key)] = f"{kind}{name}"
    layout.names.append(NameMapping(source=pool.key, target=f"{kind}{name}", changed=why))


def _place_workspace(layout: Layout, given: _Given, pool: HostPool, home: str, intent: Intent) -> None:
    """One workspace per tenant and location; it lives in the resource group of the first pool there."""
    tenant, location = _tenant(layout, parent_key(pool.key)), layout.location_of[fold(pool.key)]
    for resource, (place, owner) in layout.workspaces.items():
        if place == location and fold(owner.key) == fold(tenant.key):
            layout.workspace_of[fold(pool.key)] = resource
            return
    wanted = fill(intent.names.workspace, tenant=last_name(tenant.key), location=location)
    others = any(fold(owner.key) == fold(tenant.key) for _, owner in layout.workspaces.values())
    if others and "{location}" not in intent.names.workspace:
        wanted = f"{wanted}-{location}"
    kind = arm_id(intent.azure.subscription, last_name(home), "workspaces", "")
    name, why = given.name(fold(kind), wanted, tenant.key, location=location)
    layout.workspaces[f"{kind}{name}"] = (location, tenant)
    layout.workspace_of[fold(pool.key)] = f"{kind}{name}"
    layout.names.append(NameMapping(source=tenant.key, target=f"{kind}{name}", changed=why))


def _tenant(layout: Layout, key: str) -> Tenant:
    return next((tenant for tenant in layout.tenants if fold(tenant.key) == fold(key)), Tenant(key=key))


def _place_group(layout: Layout, given: _Given, pool: HostPool, group: AppGroup, wanted: str) -> None:
    prefix, _, _ = layout.pool_ids[fold(pool.key)].rpartition("/hostPools/")
    kind = f"{prefix}/applicationGroups/"
    name, why = given.name(fold(kind), wanted, group.key)
    layout.group_ids[fold(group.key)] = f"{kind}{name}"
    told = "" if name == last_name(group.key) else "groups of all pools meet in one place, so the pool's name is added"
    layout.names.append(NameMapping(source=group.key, target=f"{kind}{name}", changed=why or told))


def _place_app(layout: Layout, given: _Given, app: RemoteApp, wanted: str) -> None:
    group = layout.group_ids.get(fold(parent_key(app.key)))
    if group is None:
        return
    name, why = given.name(f"{fold(group)}/applications", wanted, app.key, limit=APPLICATION_LIMIT)
    layout.app_ids[fold(app.key)] = f"{group}/applications/{name}"
    layout.names.append(NameMapping(source=app.key, target=f"{group}/applications/{name}", changed=why))


def _missing(intent: Intent, inventory: Inventory, target: TargetSnapshot) -> list[Problem]:
    azure = intent.azure
    wanted = (
        ("subscription", azure.subscription, f"Write its id there: target.json was read from {_read_from(target)}."),
        ("location", azure.location, "Write a region there, for instance westeurope."),
    )
    problems = [
        Problem("crossfade.toml [azure]", f"{name} is not set.", mend) for name, value, mend in wanted if not value
    ]
    known = {fold(pool.key) for pool in inventory.pools}
    problems += [
        Problem(f'crossfade.toml [pools."{key}"]', "names a pool that the inventory does not hold.", "Correct the key.")
        for key in intent.pools
        if fold(key) not in known
    ]
    return problems + _renames(intent, inventory) + _elsewhere(intent, target) + _places(intent, target)


def _renames(intent: Intent, inventory: Inventory) -> list[Problem]:
    known = {fold(item.key) for item in (*inventory.pools, *inventory.groups, *inventory.apps, *inventory.tenants)}
    what = "names a classic object that the inventory does not hold."
    unknown = [
        Problem(f'crossfade.toml [rename] "{key}"', what, "Correct the key.")
        for key in intent.rename
        if fold(key) not in known
    ]
    twice = [
        Problem(f'crossfade.toml [rename] "{key}"', f"says {name}, and [pools] says {other}.", "Keep one of the two.")
        for key, name in intent.rename.items()
        if (other := intent.pool(key).name) not in ("", name)
    ]
    return unknown + twice


def _elsewhere(intent: Intent, target: TargetSnapshot) -> list[Problem]:
    """A snapshot of another subscription or directory says nothing: everything would seem to be missing there."""
    azure, problems = intent.azure, []
    read = {fold(one) for one in target.subscriptions}
    if azure.subscription and read and fold(azure.subscription) not in read:
        what = f"{azure.subscription} is not among the subscriptions that target.json was read from."
        mend = f"Write one that it was read from ({_read_from(target)}), or read yours: "
        mend += "`crossfade discover --target --subscription ID`."
        problems.append(Problem("crossfade.toml [azure] subscription", what, mend))
    if azure.tenant_id and target.tenant_id and fold(azure.tenant_id) != fold(target.tenant_id):
        what = f"is {azure.tenant_id}, but target.json was read from the directory {target.tenant_id}."
        mend = "Sign in to the right directory, or correct it."
        problems.append(Problem("crossfade.toml [azure] tenant_id", what, mend))
    return problems


def _read_from(target: TargetSnapshot) -> str:
    return ", ".join(target.subscriptions) or "none"


def _places(intent: Intent, target: TargetSnapshot) -> list[Problem]:
    """Locations that host pools cannot live in (facts/arm-service 1.13: LocationNotAvailableForResourceType)."""
    chosen = {"crossfade.toml [azure] location": intent.azure.location}
    chosen |= {f'crossfade.toml [pools."{key}"] location': pool.location for key, pool in intent.pools.items()}
    usable = {place.replace(" ", "").casefold() for place in target.locations}
    return [
        Problem(where, f"{place} cannot hold host pools.", f"Choose one of {', '.join(sorted(usable))}.")
        for where, place in chosen.items()
        if place and usable and place.replace(" ", "").casefold() not in usable
    ]
