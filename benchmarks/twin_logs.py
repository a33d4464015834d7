"""What the twin's logs cost: a day of 2,000 people on 100 hosts of Azure Virtual Desktop, without and with diagnostic
settings for everything, assigned through a group and one by one; and how long the shipped queries take over all that.

    PYTHONPATH=src .venv/bin/python benchmarks/twin_logs.py

The bounds: nothing is written without a setting, 10 s for the day with logs, 2 s for a query. Seconds are of the
processor, since the two days are compared.
"""

import time

from avdtwin import agent_reports, agents, estate, kql, people
from avdtwin.arm import log_workspaces, roles, session_hosts, store
from avdtwin.clock import ManualClock
from avdtwin.logs import tables
from avdtwin.state import Group, Resource, RoleAssignment
from avdtwin.world import World
from crossfade.report import queries
from twin_people import CROWD

DAY_S, DAY_BOUND_S, QUERY_BOUND_S = 86_400.0, 10.0, 2.0
AVD = "Microsoft.DesktopVirtualization"
CUSTOMER_ID = "0f000000-0000-4000-a000-000000000001"
EVERYBODY = "0f000000-0000-4000-a000-000000000002"


def put(world: World, path: str, **properties: object) -> Resource:
    provider, kind, name = path.rsplit("/", 3)[1:]
    return store.add(world, Resource(id=path, type=f"{provider}/{kind}", name=name, properties=properties))


def moved(world: World, *, one_by_one: bool) -> list[Resource]:
    """Every host in a pool of the new service, its desktop published to everybody; the pools."""
    head = f"/subscriptions/{next(iter(world.state.arm.subscriptions))}/resourceGroups/rg-wvd/providers/{AVD}"
    members = dict.fromkeys(world.state.people, 0.0)
    world.state.directory.groups[EVERYBODY] = Group(id=EVERYBODY, display_name="Everybody", members=members)
    made: dict[str, Resource] = {}
    for name in sorted({(machine.agent.pool or "").rpartition("/")[2] for machine in world.state.machines.values()}):
        own = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "maxSessionLimit": 20, "objectId": name}
        pool = made[name] = put(world, f"{head}/hostPools/pool{len(made)}", **own, friendlyName=name)
        given = {"applicationGroupType": "Desktop", "hostPoolArmPath": pool.id}
        desk = put(world, f"{head}/applicationGroups/desk{len(made)}", **given)
        put(world, f"{head}/workspaces/feed{len(made)}", applicationGroupReferences=[desk.id])
        for principal in world.state.people if one_by_one else (EVERYBODY,):
            _publish(world, desk, principal)
    for machine in world.state.machines.values():
        pool = made[(machine.agent.pool or "").rpartition("/")[2]]
        agents.leave(world, machine)
        session_hosts.register(world, machine, pool.id.lower())
        agents.connect(world, machine, "arm", pool.id.lower(), machine.fqdn)
    return list(made.values())


def _publish(world: World, desk: Resource, principal: str) -> None:
    role = roles.BY_NAME["desktop virtualization user"].id
    full = f"{desk.id}/providers/Microsoft.Authorization/roleAssignments/{principal}"
    world.state.arm.role_assignments[full.lower()] = RoleAssignment(
        id=full,
        name=principal,
        scope=desk.id,
        role_definition_id=role,
        principal_id=principal,
        principal_type="Group" if principal == EVERYBODY else "User",
        created_at=0.0,
        effective_at=0.0,
    )


def day(*, logged: bool, one_by_one: bool = False) -> tuple[float, World]:
    """Seconds that a virtual day takes."""
    clock = ManualClock(estate.DEMO_START)
    world = estate.build(CROWD, 1, clock)
    pools = moved(world, one_by_one=one_by_one)
    if logged:
        group = pools[0].id.partition("/providers/")[0]
        logs = put(world, f"{group}/providers/{log_workspaces.TYPE}/logs", customerId=CUSTOMER_ID)
        for pool in pools:
            sent = {"workspaceId": logs.id, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}
            put(world, f"{pool.id}/providers/Microsoft.Insights/diagnosticSettings/all", **sent)
        agent_reports.begin(world)
    began = time.process_time()
    clock.advance(DAY_S)
    world.settle()
    return time.process_time() - began, world


if __name__ == "__main__":
    without, world = day(logged=False)
    assert not world.state.logs
    took, world = day(logged=True)
    rows = world.state.logs[CUSTOMER_ID]
    found = people.tally(world)["sign_ins_arm"]
    print(f"{found} sign-ins in a day: {without:.2f} s without logs, {took:.2f} s with {len(rows):,} rows")
    assert took < DAY_BOUND_S
    each, _ = day(logged=True, one_by_one=True)
    print(f"the same, everybody assigned by themselves: {each:.2f} s")
    assert each < DAY_BOUND_S
    workspaces = list(log_workspaces.all_of(world))
    for query in queries.shipped():
        if query.name == "still-on-classic":
            continue
        began = time.process_time()
        answer = kql.run(query.text, lambda name: tables.find(world, workspaces, name, (None, None)), now=world.now)
        lasted = time.process_time() - began
        print(f"{query.name}: {lasted:.2f} s, {len(answer.rows)} rows")
        assert lasted < QUERY_BOUND_S
