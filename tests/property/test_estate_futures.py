"""Over generated estates: a world read back from its snapshot has the same future, and seeds replay exactly."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from avdtwin import agents, broker, estate, feed, people, sessions
from avdtwin.clock import ManualClock
from avdtwin.world import World

DAY_S = 86_400.0
seeds = st.integers(0, 10_000)


def built(number: int, seed: int) -> tuple[World, ManualClock]:
    clock = ManualClock(estate.DEMO_START)
    return estate.build(f"small-{number}", seed, clock), clock


@settings(max_examples=15)
@given(seeds, seeds)
def test_the_same_seed_gives_the_same_bytes(number: int, seed: int) -> None:
    (one, clock), (two, other) = built(number, seed), built(number, seed)
    clock.advance(DAY_S)
    other.advance(DAY_S)
    one.settle()
    two.settle()
    assert one.snapshot() == two.snapshot()


@settings(max_examples=25)
@given(seeds, seeds, st.floats(0.0, 2 * DAY_S))
def test_a_world_read_back_has_the_same_future(number: int, seed: int, moment: float) -> None:
    world, clock = built(number, seed)
    clock.advance(moment)
    world.settle()
    _trouble(world)
    again = World.restore(world.snapshot(), ManualClock(clock.now()))
    for one in (world, again):
        assert isinstance(one.clock, ManualClock)
        one.clock.advance(DAY_S)
        one.settle()
    assert world.snapshot() == again.snapshot()


def _trouble(world: World) -> None:
    """Something for people to be busy with: a silent host, a drained one, messages, a desktop that is taken away."""
    for number, machine in enumerate(world.state.machines.values()):
        if number % 3 == 0:
            agents.leave(world, machine)
    for session in list(world.state.sessions.values())[::2]:
        sessions.message(world, session, "Maintenance", "Please sign out.")
    for group in world.state.classic.groups.values():
        for tenant in group.tenants.values():
            for pool in list(tenant.pools.values())[1:]:
                next(iter(pool.groups.values())).users.clear()


@settings(max_examples=20)
@given(seeds, seeds)
def test_undisturbed_days_refuse_nobody_and_stay_within_the_limits(number: int, seed: int) -> None:
    world, clock = built(number, seed)
    for _ in range(8):
        clock.advance(DAY_S / 8)
        world.settle()
        _check_hosts(world)
    assert people.tally(world)["sessions_lost_without_notice"] == 0
    causes = set(people.tally(world)["refused_by_cause"])
    assert causes <= {broker.NO_HOST_AVAILABLE}, causes


def _check_hosts(world: World) -> None:
    """Limits hold; sessions live only on machines of their pool; a profile is held once; nobody has a stranger's PC."""
    held: set[tuple[str, str]] = set()
    for session in world.state.sessions.values():
        machine = world.state.machines[session.machine]
        assert machine.power == "running"
        assert machine.agent.pool == session.pool
        pool = broker.classic_pool(world, session.pool)
        assert pool is not None
        assert sessions.count_on(world, machine.vm) <= pool.max_session_limit
        if machine.profile_share:
            assert (session.user, machine.profile_share) not in held
            held.add((session.user, machine.profile_share))
        if pool.persistent:
            (record,) = [host for host in pool.hosts.values() if host.vm == machine.vm]
            assert (record.assigned_user or "").lower() == session.upn.lower()


@settings(max_examples=30)
@given(seeds)
def test_what_people_want_is_what_their_feed_shows(number: int) -> None:
    world, _ = built(number, 1)
    feeds = feed.feeds(world)
    for person in world.state.people.values():
        if person.simulated:
            shown = {(entry.pool, entry.group, entry.item) for entry in feeds[person.user][0]}
            wanted = {tuple(resource.lower().rsplit("/", 2)) for resource in person.resources}
            assert wanted <= shown
