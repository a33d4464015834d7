"""What a plan depends on: of the estate all but the pools that it leaves out, of the target what it touches.

Only a change in there makes a plan stale. An estate can so be moved in parts, each by a plan of its own: what the run
of one part does to its pools, groups, people and resource groups is nothing to the others.

Some things are shared by parts: a resource group, a workspace, the registration of a provider, a grant above the
objects. One that a plan would make itself may be there meanwhile, by another part: whoever writes it looks first, and
takes it as it is or says that it is another one. In a workspace only the references to the plan's own groups count.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from crossfade.inventory.asked import computer
from crossfade.inventory.inventory import DESIGN_LISTS, Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import ClassicObject
from crossfade.model.ids import fold
from crossfade.model.target import ArmObject, Identity, RoleGrant, VirtualMachine
from crossfade.plan.operations import Action, CreateDirectoryGroup, GrantRole, PutResource, RegisterProvider
from crossfade.plan.plan import Plan

RESOURCE_GROUPS = "microsoft.resources/resourcegroups"
WORKSPACES = "microsoft.desktopvirtualization/workspaces"
REFERENCES = "applicationGroupReferences"
POOL_DEPTH = 3
"""Segments of a pool's classic key."""
Item = TypeVar("Item", bound=ClassicObject)


def digests(plan: Plan, inventory: Inventory, target: TargetSnapshot) -> dict[str, str]:
    """Of what the plan depends on, by the name of the document."""
    scope = Scope(plan)
    mine = scope.inventory(inventory)
    return {"inventory": mine.design_digest(), "target": scope.target(target, mine).design_digest()}


class Scope:
    """Cuts documents down to what a plan depends on."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._left_out = {fold(key) for key in plan.left_out}
        self._ids = {fold(name.target) for name in plan.names}
        self._pointed_at = {one for one in self._ids if "/workspaces/" not in one}
        """What points at one of these is of this plan; in a workspace there are groups of others too."""
        self._groups = {fold(access.target) for access in plan.access} | {
            one for one in self._ids if "/applicationgroups/" in one
        }
        puts = [one for one in plan.operations if isinstance(one, PutResource)]
        self._homes = {fold(one.subject) for one in puts if fold(one.type) == RESOURCE_GROUPS}
        self._made = {fold(one.subject) for one in puts if one.action is Action.CREATE}
        self._machines = {fold(move.vm) for move in plan.hosts}
        grants = (one for one in plan.operations if isinstance(one, GrantRole) and one.action is Action.CREATE)
        self._granted = {fold(one.subject) for one in grants}

    # -- the estate

    def inventory(self, inventory: Inventory) -> Inventory:
        if not self._left_out:
            return inventory
        return msgspec.structs.replace(inventory, **{name: self._kept(getattr(inventory, name)) for name in _ESTATE})

    def _kept(self, items: Iterable[Item]) -> list[Item]:
        return [item for item in items if _pool_of(item.key) not in self._left_out]

    # -- the target

    def target(self, target: TargetSnapshot, mine: Inventory) -> TargetSnapshot:
        """`mine`: the estate, cut down likewise."""
        grants = [grant for grant in target.grants if self._counts(grant)]
        holders = {fold(grant.principal_id) for grant in grants}
        names = {fold(one.display_name) for one in self._plan.operations if isinstance(one, CreateDirectoryGroup)}
        groups = [one for one in target.directory_groups if fold(one.id) in holders or fold(one.display_name) in names]
        known = holders | {fold(member) for group in groups for member in group.members}
        people = self._people(mine)
        machines = _Machines(mine, self._machines)
        pointed_at = self._pointed_at | machines.ids
        return msgspec.structs.replace(
            target,
            objects=[cut for item in target.objects if (cut := self._object(item, pointed_at)) is not None],
            grants=grants,
            directory_groups=groups,
            identities=[one for one in target.identities if _is_among(one, people, known)],
            machines=[one for one in target.machines if machines.has(one)],
            providers=self._providers(target),
        )

    def _people(self, mine: Inventory) -> set[str]:
        """Folded names under which the directory was asked for people of this plan."""
        named = (
            *(item.upn for item in mine.assignments),
            *(host.assigned_user for host in mine.hosts),
            *(role.sign_in_name for role in mine.roles),
            *self._plan.looked_up,
        )
        return {fold(name) for name in named if name}

    def _object(self, item: ArmObject, pointed_at: set[str]) -> ArmObject | None:
        folded, kind = fold(item.id), fold(item.type)
        if kind == RESOURCE_GROUPS:
            return item if folded in self._homes - self._made else None
        if kind == WORKSPACES:
            return self._workspace(item)
        mine = self._is_mine(folded) or any(text in pointed_at for text in _texts(item.properties))
        return item if mine else None

    def _workspace(self, item: ArmObject) -> ArmObject | None:
        mine = [one for one in item.properties.get(REFERENCES) or [] if fold(str(one)) in self._groups]
        if not mine and (fold(item.id) not in self._ids or fold(item.id) in self._made):
            return None
        return msgspec.structs.replace(item, properties={**item.properties, REFERENCES: mine})

    def _is_mine(self, folded: str) -> bool:
        """Whether an id is one of this plan's objects, or of what is below one."""
        while folded:
            if folded in self._ids:
                return True
            folded = folded.rpartition("/")[0]
        return False

    def _counts(self, grant: RoleGrant) -> bool:
        scope = fold(grant.scope)
        if self._is_mine(scope):
            return True
        above = scope.rstrip("/") + "/"
        reaches = "/microsoft.management/" in above or any(f"{home}/".startswith(above) for home in self._homes)
        return reaches and fold(grant.id) not in self._granted

    def _providers(self, target: TargetSnapshot) -> dict[str, dict[str, str]]:
        """Of the plan's subscription; without those that it registers itself."""
        made = {
            fold(one.subject.rpartition("/")[2])
            for one in self._plan.operations
            if isinstance(one, RegisterProvider) and one.action is not Action.NO_OP
        }
        return {
            subscription: {name: state for name, state in states.items() if fold(name) not in made}
            for subscription, states in target.providers.items()
            if fold(subscription) == fold(self._plan.subscription)
        }


_ESTATE = tuple(name for name in DESIGN_LISTS if name not in ("tenant_groups", "tenants"))


class _Machines:
    """The machines behind the hosts of an estate, by all that is known of them."""

    def __init__(self, mine: Inventory, ids: set[str]) -> None:
        self.ids = ids | {fold(host.azure_resource_id) for host in mine.hosts if host.azure_resource_id}
        self._guids = {fold(host.azure_vm_id) for host in mine.hosts if host.azure_vm_id}
        self._labels = {fold(computer(host.key)) for host in mine.hosts}

    def has(self, machine: VirtualMachine) -> bool:
        named = {fold(machine.name), fold(machine.computer_name or machine.name)}
        return fold(machine.id) in self.ids or fold(machine.vm_id or "") in self._guids or bool(named & self._labels)


def _pool_of(key: str) -> str:
    """Folded key of the pool that a classic key is in; of a tenant or above, itself."""
    return "/".join(fold(key).split("/")[:POOL_DEPTH])


def _is_among(one: Identity, people: set[str], ids: set[str]) -> bool:
    return fold(one.upn) in people or fold(one.object_id or "") in ids or fold(one.object_id or "") in people


def _texts(value: Any) -> Iterator[str]:
    """Every text in an object's properties, folded: what it points at is among them."""
    if isinstance(value, str):
        yield fold(value)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
