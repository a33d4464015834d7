"""People: they come, work, disconnect, sign out, complain, and try again.

Each has one event under way for what they do next by habit, and at most one for trying again. Nothing of it is kept
but counts, and records of what they suffer:

| Record | Data | Meaning |
|---|---|---|
| `refused_sign_in` | user, upn, resource, service, cause | one path said no, by `broker.CAUSES` or `feed_missing` |
| `profile_locked` | user, upn, resource, service | besides, when another session held the profile |
| `no_path` | user, upn, resource | nothing worked: the beginning of a time without a working path |
| `path_back` | user, upn, minutes | its end |
| `gave_up` | user, upn, resource | patience ran out; they come back at their next turn |
| `session_lost`, `message` | see `sessions` | |
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from avdtwin import broker, clients, habits, sessions
from avdtwin.habits import ARRIVE, BACK, LEAVE, LUNCH, Act
from avdtwin.state import Machine, Person, Session, User
from avdtwin.world import World, on

FEED_MISSING = "feed_missing"
SERIES_S = 900.0
_DAYS_AHEAD = 10


class Path(msgspec.Struct, frozen=True):
    """One way to a resource that the person's client shows."""

    service: str
    connect: Callable[[], Session]


# ---------------------------------------------------------------- beginning


def start(world: World) -> None:
    """Have everybody begin: the sessions that they would have by now are open, nothing is counted yet."""
    present: list[tuple[Act, Person, Act]] = []
    for person in world.state.people.values():
        for resource in person.resources:
            clients.titles_of(world, resource)
        present += _present(world, person)
        _schedule_next(world, person, world.now)
    for arrived, person, last in sorted(present, key=lambda entry: (entry[0].at, entry[1].user)):
        _settle_in(world, person, arrived, last)
    for person in world.state.people.values():
        person.sign_ins, person.no_path_since = 0, None
    world.state.tallies.clear()
    world.state.records.clear()
    _count_sessions(world)
    world.schedule(0.0, "people-sample")


def _present(world: World, person: Person) -> list[tuple[Act, Person, Act]]:
    """(arrival, person, last act before now) for who is at work now."""
    acts = habits.acts_of(world.state.seed, person, habits.day_of(person, world.now))
    past = [act for act in acts if act.at <= world.now]
    if not past or past[-1].what == LEAVE or not person.resources:
        return []
    arrived = next(act for act in reversed(past) if act.what == ARRIVE)
    return [(arrived, person, past[-1])]


def _settle_in(world: World, person: Person, arrived: Act, last: Act) -> None:
    """Open the session that a person has had since they arrived."""
    _sign_in(world, person, _resource_of(person, arrived))
    for session in sessions.of_user(world, person.user):
        session.created_at = arrived.at
        if last.what == LUNCH:
            sessions.disconnect(world, session)


# ---------------------------------------------------------------- habits


@on("people-act")
def _act(world: World, at: float, user: str, day: int, step: int) -> None:
    person = world.state.people[user]
    acts = habits.acts_of(world.state.seed, person, day)
    if step < len(acts):
        person.attempt += 1
        _ACTS[acts[step].what](world, person, acts[step])
    _schedule_step(world, person, day, step + 1)


def _schedule_next(world: World, person: Person, after: float) -> None:
    """The person's next act after a moment."""
    day = habits.day_of(person, after)
    acts = habits.acts_of(world.state.seed, person, day)
    step = next((step for step, act in enumerate(acts) if act.at > after), len(acts))
    _schedule_step(world, person, day, step)


def _schedule_step(world: World, person: Person, day: int, step: int) -> None:
    if not person.simulated:
        return
    for later in range(day, day + _DAYS_AHEAD):
        acts = habits.acts_of(world.state.seed, person, later)
        if step < len(acts):
            world.schedule_at(acts[step].at, "people-act", user=person.user, day=later, step=step)
            return
        step = 0


def _arrive(world: World, person: Person, act: Act) -> None:
    if person.resources:
        clients.look(world, person)
        _try(world, person, _resource_of(person, act), world.now + float(world.setting("patience_s")))


def _lunch(world: World, person: Person, act: Act) -> None:
    for session in _active(world, person):
        sessions.disconnect(world, session)


def _leave(world: World, person: Person, act: Act) -> None:
    for session in _active(world, person):
        if _draw(world, person, "leave") < person.leaves_session_open:
            sessions.disconnect(world, session)
        else:
            sessions.end(world, session, "signed_out")


_ACTS: dict[str, Callable[[World, Person, Act], None]] = {
    ARRIVE: _arrive,
    LUNCH: _lunch,
    BACK: _arrive,
    LEAVE: _leave,
}


def _resource_of(person: Person, act: Act) -> str:
    """What the person opens in this stay of the day: their resources in turn."""
    return person.resources[act.stay % len(person.resources)]


def _active(world: World, person: Person) -> list[Session]:
    return [session for session in sessions.of_user(world, person.user) if session.state == "Active"]


# ---------------------------------------------------------------- signing in


@on("people-try")
def _again(world: World, at: float, user: str, resource: str, until: float, attempt: int) -> None:
    """Another go; by now they have asked somebody, who told them of the new feed."""
    person = world.state.people[user]
    if person.attempt == attempt:
        clients.look(world, person, told=True)
        _try(world, person, resource, until)


def _try(world: World, person: Person, resource: str, until: float) -> None:
    if _sign_in(world, person, resource):
        return
    wait = _bounded(world, person, "retry", "retry_s")
    if world.now + wait > until:
        world.record("gave_up", user=person.user, upn=person.upn, resource=resource)
        return
    _schedule_try(world, person, resource, wait, until)


def _schedule_try(world: World, person: Person, resource: str, wait: float, until: float) -> None:
    world.schedule(wait, "people-try", user=person.user, resource=resource, until=until, attempt=person.attempt)


def _sign_in(world: World, person: Person, resource: str) -> bool:
    """Try every path that the client shows, in the order this person would; whether one worked."""
    found = paths(world, person, resource)
    if not found:
        _refused(world, person, resource, "", FEED_MISSING)
    for path in found:
        try:
            session = path.connect()
        except broker.Refusal as refusal:
            _refused(world, person, resource, path.service, refusal.cause)
        else:
            _signed_in(world, person, session)
            return True
    if person.no_path_since is None:
        person.no_path_since = world.now
        world.record("no_path", user=person.user, upn=person.upn, resource=resource)
    return False


def paths(world: World, person: Person, resource: str) -> list[Path]:
    """The ways to a resource that this person's client shows, first the one they would take."""
    user = world.state.directory.users[person.user]
    old = _classic_path(world, person, user, resource)
    new = _arm_path(world, person, user, resource) if person.sees_arm_since is not None else None
    if old is None or new is None:
        return [path for path in (old, new) if path is not None]
    return [new, old] if _new_first(world, person, resource) else [old, new]


def _classic_path(world: World, person: Person, user: User, resource: str) -> Path | None:
    group = clients.shown_by_classic(world, person, resource)
    if group is None:
        return None
    pool_key = clients.split(resource)[0]
    return Path("classic", lambda: broker.connect_classic(world, user, pool_key, group, client=person.client))


def _arm_path(world: World, person: Person, user: User, resource: str) -> Path | None:
    group = clients.shown_by_arm(world, person, resource)
    if group is None:
        return None
    return Path("arm", lambda: broker.connect_arm(world, user, group, client=person.client))


def _new_first(world: World, person: Person, resource: str) -> bool:
    """Where their session of this pool is, they go back to it; else they choose."""
    pool_key = clients.split(resource)[0]
    own = list(sessions.of_user(world, person.user))
    if any(session.service == "classic" and session.pool == pool_key for session in own):
        return False
    return any(session.service == "arm" for session in own) or clients.prefers_new(world, person)


def _signed_in(world: World, person: Person, session: Session) -> None:
    person.sign_ins += 1
    if session.service == "arm":
        person.arm_sign_ins += 1
    world.count(f"sign_ins_{session.service}")
    world.note("sign_in", user=person.user, upn=person.upn, service=session.service, session=session.key)
    if person.no_path_since is not None:
        minutes = (world.now - person.no_path_since) / 60.0
        world.record("path_back", user=person.user, upn=person.upn, minutes=minutes)
        world.count("minutes_without_path", minutes)
        person.no_path_since = None
    _count_sessions(world)


def _refused(world: World, person: Person, resource: str, service: str, cause: str) -> None:
    data: dict[str, Any] = {"user": person.user, "upn": person.upn, "resource": resource, "service": service}
    if cause == broker.PROFILE_LOCKED:
        world.record("profile_locked", **data)
    world.record("refused_sign_in", cause=cause, **data)
    world.count(f"refused|{cause}")


# ---------------------------------------------------------------- what others do to them


def _hear(world: World, session: Session) -> None:
    """An administrator's message: most do as they are told, after finishing a sentence."""
    person = world.state.people.get(session.user)
    if person is None or not person.simulated or _draw(world, person, "heed") >= world.setting("heed_chance"):
        return
    wait = _bounded(world, person, "heed", "heed_s")
    world.schedule(wait, "people-heed", user=person.user, session=session.key, attempt=person.attempt)


@on("people-heed")
def _heed(world: World, at: float, user: str, session: str, attempt: int) -> None:
    """Sign out as told, then sign in again and go on."""
    person = world.state.people[user]
    found = world.state.sessions.get(session)
    if found is None or found.state != "Active" or person.attempt != attempt:
        return
    sessions.end(world, found, "signed_out")
    clients.look(world, person, told=True)
    _come_back(world, person, found)


def _lose(world: World, session: Session) -> None:
    person = world.state.people.get(session.user)
    if person is not None and person.simulated:
        person.attempt += 1
        _come_back(world, person, session)


def _come_back(world: World, person: Person, session: Session) -> None:
    """Sign in again to what the session was for."""
    pool = session.pool
    own = [resource for resource in person.resources if clients.split(resource)[0] == pool]
    resource = (own or person.resources)[0]
    wait = _bounded(world, person, "back", "retry_s")
    _schedule_try(world, person, resource, wait, world.now + wait + float(world.setting("patience_s")))


def tell(world: World, users: Iterable[str]) -> None:
    """A mail that asks people (object ids) to set up the new feed: they do, if there is anything in it for them."""
    for user in users:
        clients.look(world, world.state.people[user], told=True)


sessions.hears.append(_hear)
sessions.loses.append(_lose)


def _draw(world: World, person: Person, what: str) -> float:
    return habits.draw(world.state.seed, person, what, world.now)


def _bounded(world: World, person: Person, what: str, setting: str) -> float:
    low, high = world.setting(setting)
    return float(low + (high - low) * _draw(world, person, what + "|wait"))


# ---------------------------------------------------------------- counting


def demand(world: World) -> dict[tuple[str, str], int]:
    """Live sessions by (service, pool key), of either service; only pools that have some."""
    found: dict[tuple[str, str], int] = {}
    for session in world.state.sessions.values():
        key = (session.service, session.pool)
        found[key] = found.get(key, 0) + 1
    return found


def _count_sessions(world: World) -> None:
    alive = float(len(world.state.sessions))
    tallies = world.state.tallies
    if alive > tallies.get("peak_sessions", 0):
        tallies["peak_sessions"] = alive


@on("people-sample")
def _sample(world: World, at: float) -> None:
    """Now and then: how many sessions live, and on how many machines somebody is at work."""
    tallies = world.state.tallies
    alive = float(len(world.state.sessions))
    moving = sum(1 for machine in world.state.machines.values() if _moving(machine))
    tallies["min_sessions"] = min(alive, tallies.get("min_sessions", alive))
    if moving:
        tallies["min_sessions_while_moving"] = min(alive, tallies.get("min_sessions_while_moving", alive))
    series = world.state.series
    if not series or at - series[-1][0] >= SERIES_S:
        arm = sum(1 for session in world.state.sessions.values() if session.service == "arm")
        series.append((at, int(alive) - arm, arm, moving))
    world.schedule(float(world.setting("sample_s")), "people-sample")


def _moving(machine: Machine) -> bool:
    """Whether a machine that could take people is registered nowhere or silent for now."""
    if machine.power in ("starting", "stopping", "deallocating"):
        return True
    if machine.power != "running" or "stack-broken" in machine.quirks:
        return False
    return machine.agent.connected_at is None


def tally(world: World) -> dict[str, Any]:
    """How people fared since `start`. Names are stable; `refused_by_cause` holds only causes that came up."""
    counted = world.state.tallies
    working = [person for person in world.state.people.values() if person.simulated and person.resources]
    by_cause = {key.partition("|")[2]: int(n) for key, n in sorted(counted.items()) if key.startswith("refused|")}
    kinds: dict[str, int] = {}
    for record in world.state.records:
        kinds[record.kind] = kinds.get(record.kind, 0) + 1
    return {
        "people": len(working),
        "people_seen_on_arm": sum(1 for person in working if person.arm_sign_ins),
        "people_showing_new_feed": sum(1 for person in working if person.sees_arm_since is not None),
        "people_without_path_now": sum(1 for person in working if person.no_path_since is not None),
        "min_sign_ins_per_person": min((person.sign_ins for person in working), default=0),
        "sign_ins": int(counted.get("sign_in", 0)),
        "sign_ins_classic": int(counted.get("sign_ins_classic", 0)),
        "sign_ins_arm": int(counted.get("sign_ins_arm", 0)),
        "sessions_resumed": int(counted.get("session_resumed", 0)),
        "refused_sign_ins": sum(by_cause.values()),
        "refused_by_cause": by_cause,
        "no_path": kinds.get("no_path", 0),
        "gave_up": kinds.get("gave_up", 0),
        "minutes_without_path": round(counted.get("minutes_without_path", 0.0), 1),
        "sessions_lost_with_notice": int(counted.get("sessions_lost_with_notice", 0)),
        "sessions_lost_without_notice": int(counted.get("sessions_lost_without_notice", 0)),
        "messages": kinds.get("message", 0),
        "sessions_now": len(world.state.sessions),
        "peak_sessions": int(counted.get("peak_sessions", 0)),
        "min_sessions": int(counted.get("min_sessions", 0)),
        "min_sessions_while_moving": _whole(counted.get("min_sessions_while_moving")),
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
