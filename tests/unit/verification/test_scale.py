"""The proof of a large estate takes seconds: sets by resource, not pairs one by one."""

from __future__ import annotations

import random
import time

from applied import TENANT

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import AppGroup, Assignment, GroupKind, HostPool, RemoteApp
from crossfade.model.ids import DESKTOP_USER_ROLE
from crossfade.model.target import ArmObject, DirectoryGroup, Identity, RoleGrant
from crossfade.plan.plan import GroupAccess, NameMapping, Plan, PoolPlan
from crossfade.verification.verify import verify

PROVIDER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DesktopVirtualization"
TYPE = "Microsoft.DesktopVirtualization"


def test_ten_thousand_people_and_five_hundred_groups() -> None:
    inventory, target, plan = large(people=10_000, groups=500, apps=4)
    begun = time.perf_counter()
    found = verify(plan, inventory, target, made_at="2026-06-08T12:00:00Z")
    took_s = time.perf_counter() - begun
    assert (len(found.lost), len(found.gained)) == (4, 0)
    assert found.pairs_before == found.pairs_after + 4
    assert took_s < 10


def large(*, people: int, groups: int, apps: int) -> tuple[Inventory, TargetSnapshot, Plan]:
    """Pools of ten RemoteApp groups with 200 people each, published through directory groups; one member is missing."""
    dice = random.Random(7)
    upns = [f"person{number}@contoso.com" for number in range(people)]
    ids = {upn: f"id-{upn}" for upn in upns}
    keys = [f"{TENANT}/pool {number // 10}/group {number}" for number in range(groups)]
    pools = sorted({key.rpartition("/")[0] for key in keys})
    members = {key: dice.sample(upns, 200) for key in keys}
    arm = {key: f"{PROVIDER}/applicationGroups/{key.rpartition('/')[2]}" for key in keys}
    pool_ids = {pool: f"{PROVIDER}/hostPools/{pool.rpartition('/')[2]}" for pool in pools}
    names = [NameMapping(source=key, target=arm[key]) for key in keys]
    shown = [f"{key}/app {number}" for key in keys for number in range(apps)]
    app_ids = {app: f"{arm[app.rpartition('/')[0]]}/applications/{app.rpartition('/')[2]}" for app in shown}
    inventory = Inventory(
        pools=[HostPool(key=pool) for pool in pools],
        groups=[AppGroup(key=key, kind=GroupKind.REMOTE_APP) for key in keys],
        apps=[RemoteApp(key=app, file_path="C:\\a.exe") for app in shown],
        assignments=[Assignment(key=key, upn=upn) for key in keys for upn in members[key]],
    )
    objects = [_object(pool_id, "hostPools", {"hostPoolType": "Pooled"}) for pool_id in pool_ids.values()]
    for key in keys:
        pool = pool_ids[key.rpartition("/")[0]]
        given = {"hostPoolArmPath": pool, "applicationGroupType": "RemoteApp"}
        objects.append(_object(arm[key], "applicationGroups", given))
    objects += [_object(app_ids[app], "applicationGroups/applications", {}) for app in shown]
    listed = {"applicationGroupReferences": list(arm.values())}
    objects.append(_object(f"{PROVIDER}/workspaces/w", "workspaces", listed))
    lists = {key: [ids[upn] for upn in members[key]] for key in keys}
    lists[keys[0]].pop()
    target = TargetSnapshot(
        objects=objects,
        grants=[_grant(key, arm[key]) for key in keys],
        identities=[Identity(upn=upn, object_id=ids[upn]) for upn in upns],
        directory_groups=[DirectoryGroup(id=f"g {key}", display_name=key, members=lists[key]) for key in keys],
    )
    plan = Plan(
        names=[*names, *(NameMapping(source=app, target=app_ids[app]) for app in shown)],
        pools=[_pool_plan(pool, pool_ids[pool]) for pool in pools],
        access=[GroupAccess(source=key, target=arm[key], way="directory-group") for key in keys],
    )
    return inventory, target, plan


def _object(resource: str, kind: str, properties: dict[str, object]) -> ArmObject:
    return ArmObject(id=resource, type=f"{TYPE}/{kind}", name=resource.rpartition("/")[2], properties=properties)


def _grant(key: str, scope: str) -> RoleGrant:
    return RoleGrant(
        id=f"{scope}/g", scope=scope, role=DESKTOP_USER_ROLE, principal_id=f"g {key}", principal_type="Group"
    )


def _pool_plan(source: str, target: str) -> PoolPlan:
    return PoolPlan(
        source=source, target=target, personal=False, capacity=10, host_count=1, people=1, expected_share=0.3
    )
