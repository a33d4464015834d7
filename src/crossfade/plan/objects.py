"""The operations that make the objects, in the order in which they must be written, adopting what is already there."""

from collections.abc import Iterable, Iterator
from typing import Any

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import Desktop, HostPool
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import ArmObject
from crossfade.plan import mapping, scaling, single_sign_on
from crossfade.plan.balancing import balancer
from crossfade.plan.compare import differences, same_value
from crossfade.plan.diagnostics import send_logs
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout, tags_for
from crossfade.plan.mapping import GROUP_MARK, SOURCE_TAG
from crossfade.plan.operations import (
    Action,
    AnyOperation,
    PatchHostPool,
    PatchResource,
    PutResource,
    ReferenceGroup,
    RegisterProvider,
    SetIcon,
)
from crossfade.plan.plan import GroupAccess
from crossfade.plan.preferred import Held, held_by_pool, preferred, told, undecided

PROVIDER = "Microsoft.DesktopVirtualization"
NEEDED_PROVIDERS = (PROVIDER, "Microsoft.Compute")
DESKTOP_NAME = "SessionDesktop"
ICON = ("iconPath", "iconIndex")
START_NEEDS = (
    "Start VM on connect: the application Azure Virtual Desktop (9cdead84-a844-4324-93f2-b2e6bb768d07) needs the role "
    "Desktop Virtualization Power On Contributor at the subscription of the VMs; a plan does not grant it."
)
"""Source: facts/arm-service 5.2."""
LATE = "personalDesktopAssignmentType"
FIXED = frozenset({"hostPoolType", "applicationGroupType", "hostPoolArmPath"})
"""Properties that the service never changes (facts/arm-service 1.3, 1.4)."""


class Objects:
    """Makes operations from desired bodies against one target snapshot."""

    def __init__(
        self,
        inventory: Inventory,
        target: TargetSnapshot,
        layout: Layout,
        intent: Intent,
        access: Iterable[GroupAccess],
    ) -> None:
        self._inventory = inventory
        self._target = target
        self._layout = layout
        self._intent = intent
        self._decisions = {fold(key): decision for key, decision in intent.conflicts.items()}
        self._present = {fold(item.id): item for item in target.objects}
        self._hidden = {fold(item.key) for item in inventory.desktops if item.show_in_web_feed is False}
        self._held = held_by_pool(access, {fold(group.key): group.kind for group in layout.groups})

    def operations(self) -> Iterator[AnyOperation]:
        """All of them, in writing order: facts/arm-service 1.16."""
        yield from self._providers()
        yield from self._resource_groups()
        yield from self._pools()
        yield from self._groups()
        yield from self._apps()
        yield from self._desktops()
        yield from self._workspaces()
        yield from self._references()
        yield from self._scaling()
        yield from self._icons()
        yield from send_logs(self._target, self._layout, self._intent)

    def _providers(self) -> Iterator[AnyOperation]:
        states = self._target.providers.get(self._intent.azure.subscription, {})
        known = {fold(name): state for name, state in states.items()}
        for namespace in NEEDED_PROVIDERS:
            state = known.get(fold(namespace), "NotRegistered")
            subject = f"/subscriptions/{self._intent.azure.subscription}/providers/{namespace}"
            registered = state == "Registered"
            yield RegisterProvider(
                id=f"register-provider:{namespace}",
                subject=subject,
                action=Action.NO_OP if registered else Action.UPDATE,
                reason="is registered" if registered else f"is {state}",
            )

    def _resource_groups(self) -> Iterator[AnyOperation]:
        for resource, location in sorted(self._layout.resource_groups.items()):
            existing = self._present.get(fold(resource))
            yield PutResource(
                id=f"put-resource:{resource}",
                subject=resource,
                type="Microsoft.Resources/resourceGroups",
                action=Action.ADOPT if existing else Action.CREATE,
                reason="exists; its location does not matter for what is in it" if existing else "holds the objects",
                body={"location": location, "tags": {**self._intent.tags, SOURCE_TAG: GROUP_MARK}},
                prior=_prior(existing),
            )

    def _pools(self) -> Iterator[AnyOperation]:
        for pool in self._layout.pools:
            body = mapping.host_pool(
                pool,
                location=self._layout.location_of[fold(pool.key)],
                tags=tags_for(pool.key, self._intent),
                preferred=self._preferred(pool),
                chosen=self._chosen(pool),
            )
            yield self._put(f"{PROVIDER}/hostPools", self._layout.pool_ids[fold(pool.key)], body, pool.key)

    def _preferred(self, pool: HostPool) -> str:
        return preferred(pool, self._held_of(pool), self._intent.pool(pool.key))

    def _held_of(self, pool: HostPool) -> Held:
        return self._held.get(fold(pool.key), Held())

    def _chosen(self, pool: HostPool) -> dict[str, Any]:
        """What the operator decides beside, or instead of, what classic has."""
        own, owner = self._intent.pool(pool.key), fold(parent_key(pool.key))
        tenant = next((one for one in self._layout.tenants if fold(one.key) == owner), None)
        found = single_sign_on.properties(tenant, self._intent) if tenant else {}
        if own.load_balancer and not pool.personal:
            found["loadBalancerType"] = balancer(pool, own)
        if own.start_vm_on_connect:
            found["startVMOnConnect"] = True
        return found

    def problems(self) -> list[Problem]:
        """What has to be decided first."""
        pools = self._layout.pools
        return [one for pool in pools for one in undecided(pool, self._held_of(pool), self._intent.pool(pool.key))]

    def notes(self) -> list[str]:
        """Consequences that a reader of the plan should know."""
        pools = self._layout.pools
        found = [told(pool, self._held_of(pool), self._intent.pool(pool.key)) for pool in pools]
        if any(self._intent.pool(pool.key).start_vm_on_connect for pool in pools):
            found.append(START_NEEDS)
        found += scaling.notes(self._layout, self._intent)
        return [note for note in found if note]

    def _groups(self) -> Iterator[AnyOperation]:
        for group in self._layout.groups:
            pool = fold(parent_key(group.key))
            body = mapping.application_group(
                group,
                location=self._layout.location_of[pool],
                tags=tags_for(group.key, self._intent),
                pool_id=self._layout.pool_ids[pool],
                hidden=fold(group.key) in self._hidden,
            )
            yield self._put(f"{PROVIDER}/applicationGroups", self._layout.group_ids[fold(group.key)], body, group.key)

    def _apps(self) -> Iterator[AnyOperation]:
        for app in self._inventory.apps:
            resource = self._layout.app_ids.get(fold(app.key))
            if resource:
                body = mapping.application(app, last_name(app.key))
                yield self._put(f"{PROVIDER}/applicationGroups/applications", resource, body, app.key)

    def _icons(self) -> Iterator[AnyOperation]:
        """Of apps that are made before their pool has a host; with one there the service reads the icon at once."""
        peopled = {
            fold(parent_key(parent_key(item.id)))
            for item in self._target.objects
            if item.type == f"{PROVIDER}/hostPools/sessionHosts"
        }
        for app in self._inventory.apps:
            resource = self._layout.app_ids.get(fold(app.key), "")
            pool = self._layout.pool_ids.get(fold(parent_key(parent_key(app.key))), "")
            if resource and fold(resource) not in self._present and fold(pool) not in peopled:
                properties = mapping.application(app, last_name(app.key))["properties"]
                yield SetIcon(
                    id=f"set-icon:{resource}",
                    subject=resource,
                    action=Action.UPDATE,
                    reason="read again once a host can show it",
                    source=app.key,
                    pool=pool,
                    made_by=f"put-resource:{resource}",
                    body={"properties": {name: properties[name] for name in ICON if name in properties}},
                )

    def _desktops(self) -> Iterator[AnyOperation]:
        """The service makes SessionDesktop with its group; only its titles are ours."""
        for item in self._inventory.desktops:
            group = self._layout.group_ids.get(fold(item.key))
            body = mapping.desktop(item)
            if group and body:
                yield self._desktop(item, f"{group}/desktops/{DESKTOP_NAME}", body)

    def _desktop(self, item: Desktop, resource: str, body: dict[str, Any]) -> PatchResource:
        existing = self._present.get(fold(resource))
        found = existing.properties if existing else {}
        changed = differences(body["properties"], found)
        return PatchResource(
            id=f"patch-resource:{resource}",
            subject=resource,
            type=f"{PROVIDER}/applicationGroups/desktops",
            source=item.key,
            action=Action.UPDATE if changed else Action.ADOPT,
            reason="gets the titles that people know" if changed else "has these titles already",
            body=body,
            prior={"properties": {name: found.get(name) for name in body["properties"]}},
        )

    def _workspaces(self) -> Iterator[AnyOperation]:
        for resource, (location, tenant) in self._layout.workspaces.items():
            body = mapping.workspace(tenant, location=location, tags=tags_for(tenant.key, self._intent))
            yield self._put(f"{PROVIDER}/workspaces", resource, body, tenant.key)

    def _references(self) -> Iterator[AnyOperation]:
        for group in self._layout.groups:
            resource = self._layout.group_ids[fold(group.key)]
            workspace = self._layout.workspace_of[fold(parent_key(group.key))]
            existing = self._present.get(fold(workspace))
            listed = existing.properties.get("applicationGroupReferences") or [] if existing else []
            inside = fold(resource) in {fold(item) for item in listed}
            yield ReferenceGroup(
                id=f"reference-group:{resource}",
                subject=workspace,
                group=resource,
                source=group.key,
                action=Action.ADOPT if inside else Action.UPDATE,
                reason="is in the workspace" if inside else "shows the group to the people who will hold it",
                prior=inside,
            )

    def _scaling(self) -> Iterator[AnyOperation]:
        for pool, resource, body in scaling.bodies(self._layout, self._inventory, self._intent):
            yield self._put(scaling.TYPE, resource, body, pool.key)

    def _switched_on(self, pool: HostPool) -> PatchResource | None:
        """The pool's scaling plan, switched on because the operator said so."""
        said = scaling.scaling_of(pool, self._intent)
        if said is None or not said.enable:
            return None
        pool_id = self._layout.pool_ids[fold(pool.key)]
        resource = scaling.plan_id(pool_id)
        wanted = scaling.references(pool_id, enabled=True)
        existing = self._present.get(fold(resource))
        found = existing.properties.get(scaling.REFERENCES) if existing else None
        done = same_value(scaling.REFERENCES, wanted, found)
        return PatchResource(
            id=f"switch-on:{resource}",
            subject=resource,
            type=scaling.TYPE,
            source=pool.key,
            action=Action.ADOPT if done else Action.UPDATE,
            reason="is switched on already" if done else "switched on after the pool's last host, as [scaling] says",
            body={"properties": {scaling.REFERENCES: wanted}},
            prior={"properties": {scaling.REFERENCES: scaling.references(pool_id, enabled=False)}},
        )

    def late(self) -> dict[str, list[AnyOperation]]:
        """Folded pool key -> what is done after its last host."""
        found: dict[str, list[AnyOperation]] = {}
        for pool in self._layout.pools:
            changes = [change for change in (self._assigned(pool), self._switched_on(pool)) if change]
            if changes:
                found[fold(pool.key)] = [*changes]
        return found

    def _assigned(self, pool: HostPool) -> PatchHostPool | None:
        """Automatic assignment of a personal pool."""
        body = mapping.late_assignment(pool)
        if body is None:
            return None
        resource = self._layout.pool_ids[fold(pool.key)]
        existing = self._present.get(fold(resource))
        done = existing is not None and existing.properties.get(LATE) == "Automatic"
        told = "classic assigns desktops automatically; switched on once every host has its person"
        return PatchHostPool(
            id=f"patch-host-pool:{resource}",
            subject=resource,
            source=pool.key,
            action=Action.ADOPT if done else Action.UPDATE,
            reason="is switched on already" if done else told,
            body=body,
            prior={"properties": {LATE: "Direct"}},
        )

    def _put(self, kind: str, resource: str, body: dict[str, Any], source: str) -> PutResource | PatchResource:
        """What exists and is to be changed is patched: a PUT would drop what it has besides, a workspace's list of
        groups for one."""
        existing = self._present.get(fold(resource))
        action, reason = self._decide(resource, body, existing)
        if action is Action.UPDATE and existing is not None:
            changed = differences(body["properties"], existing.properties)
            return PatchResource(
                id=f"patch-resource:{resource}",
                subject=resource,
                type=kind,
                source=source,
                action=action,
                reason=reason,
                body={"properties": {name: wanted for name, (wanted, _) in changed.items()}},
                prior={"properties": {name: found for name, (_, found) in changed.items()}},
                wanted=body["properties"],
            )
        return PutResource(
            id=f"put-resource:{resource}",
            subject=resource,
            type=kind,
            source=source,
            action=action,
            reason=reason,
            body=body,
            prior=_prior(existing),
        )

    def _decide(self, resource: str, body: dict[str, Any], existing: ArmObject | None) -> tuple[Action, str]:
        if existing is None:
            return Action.CREATE, "does not exist"
        place = (existing.location or "").replace(" ", "")
        if "location" in body and place and fold(place) != fold(body["location"]):
            wanted = f"wanted in {body['location']}; it cannot be moved: rename ours, or give ours that location"
            return Action.CONFLICT, f"exists in {existing.location}, {wanted}"
        changed = differences(body["properties"], existing.properties)
        for name in self._changed_by_us(body, existing):
            changed.pop(name, None)
        if not changed:
            return Action.ADOPT, "exists and matches"
        told = "; ".join(f"{name}: {found!r}, wanted {wanted!r}" for name, (wanted, found) in sorted(changed.items()))
        decision = self._decisions.get(fold(resource))
        fixed = sorted(FIXED & changed.keys())
        if fixed:
            return Action.CONFLICT, f"exists, and {', '.join(fixed)} cannot be changed: rename ours or theirs ({told})"
        if decision == "update":
            return Action.UPDATE, f"exists and differs, to be updated as decided ({told})"
        if decision == "adopt":
            return Action.ADOPT, f"exists and differs, kept as decided ({told})"
        return Action.CONFLICT, f"exists and differs ({told})"

    def _changed_by_us(self, body: dict[str, Any], existing: ArmObject) -> set[str]:
        """What an earlier run has switched on as its last act: assignment of a personal pool, a pool's scaling plan."""
        source = existing.tags.get(SOURCE_TAG)
        if source is None or source != body.get("tags", {}).get(SOURCE_TAG):
            return set()
        automatic = existing.properties.get(LATE) == "Automatic"
        plan = body["properties"].get(scaling.REFERENCES)
        on = plan and same_value(
            scaling.REFERENCES,
            [{**one, "scalingPlanEnabled": True} for one in plan],
            existing.properties.get(scaling.REFERENCES),
        )
        return ({LATE} if automatic else set()) | ({scaling.REFERENCES} if on else set())


def _prior(existing: ArmObject | None) -> dict[str, Any] | None:
    if existing is None:
        return None
    return {"location": existing.location, "tags": existing.tags, "properties": existing.properties}
