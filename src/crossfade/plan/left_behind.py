"""What is not carried of everything that belongs to a migrated pool, and of the tenants."""

from collections.abc import Iterable

from crossfade.inventory.inventory import Inventory
from crossfade.model.classic import SessionHost
from crossfade.model.ids import fold, parent_key
from crossfade.plan import diagnostics, mapping, single_sign_on
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout
from crossfade.plan.plan import NotCarried


def left_behind(inventory: Inventory, layout: Layout, intent: Intent, tenant_id: str) -> list[NotCarried]:
    """What is not carried of everything that belongs to a migrated pool, and of the tenants."""
    pools = {fold(pool.key) for pool in layout.pools}
    groups = {fold(group.key) for group in layout.groups}
    desktops = [item for item in inventory.desktops if fold(item.key) in groups]
    apps = [item for item in inventory.apps if fold(item.key) in layout.app_ids]
    people = [item for item in inventory.assignments if fold(item.key) in groups]
    hosts = [item for item in inventory.hosts if fold(parent_key(item.key)) in pools]
    objects = [
        *inventory.tenant_groups,
        *inventory.tenants,
        *layout.pools,
        *layout.groups,
        *desktops,
        *apps,
        *people,
        *hosts,
    ]
    signed = {tenant.key for tenant in inventory.tenants if single_sign_on.properties(tenant, intent)}
    left = [
        row
        for row in mapping.not_carried(objects)
        if row.subject not in signed or row.property not in single_sign_on.PROPERTIES
    ]
    left = [diagnostics.replaced(row, intent) for row in left]
    left += _replaced(layout, intent) + _opened(hosts, intent) + _elsewhere(inventory, tenant_id)
    return left + mapping.roles_left(inventory.roles)


def _replaced(layout: Layout, intent: Intent) -> list[NotCarried]:
    """Values of classic that the operator has replaced."""
    why = "the operator's choice takes its place: [pools] load_balancer in crossfade.toml"
    return [
        NotCarried(subject=pool.key, property="load_balancer", value=pool.load_balancer, why=why)
        for pool in layout.pools
        if intent.pool(pool.key).load_balancer and not pool.personal
    ]


def _opened(hosts: Iterable[SessionHost], intent: Intent) -> list[NotCarried]:
    """Drained hosts that the operator has opened."""
    why = "the operator's choice: [pools] open_drained in crossfade.toml"
    return [
        NotCarried(subject=host.key, property="allow_new_session", value=False, why=why)
        for host in hosts
        if not host.allow_new_session and intent.pool(parent_key(host.key)).open_drained
    ]


def _elsewhere(inventory: Inventory, tenant_id: str) -> list[NotCarried]:
    """Tenants of another directory than the target's: the rule other-directory blocks them unless somebody answers."""
    why = "the target's directory is another one: people of this directory cannot be assigned there"
    return [
        NotCarried(subject=tenant.key, property="aad_tenant_id", value=tenant.aad_tenant_id, why=why)
        for tenant in inventory.tenants
        if tenant_id and tenant.aad_tenant_id and fold(tenant.aad_tenant_id) != fold(tenant_id)
    ]
