"""Windows sessions on machines: opened by a broker, messaged, disconnected, signed out or lost.

A session belongs to the machine; the service whose broker made it lists it. Everything that ends a session goes through
`end`, which keeps the record of who lost what, why, and whether they were told.
"""

from collections.abc import Callable, Iterator

from avdtwin import faults
from avdtwin.index import Index, index_of
from avdtwin.state import Machine, Session
from avdtwin.world import World, on

NOTICE_S = 60.0
"""A message at least this long before the end counts as notice."""

Listener = Callable[[World, Session], None]
hears: list[Listener] = []
"""Told of a message that somebody sees."""
loses: list[Listener] = []
"""Told of a session that was taken from somebody who was using it."""
leaves: list[Listener] = []
"""Told of a client that goes from a session, whether or not the session stays."""


def of_machine(world: World, vm: str) -> list[Session]:
    """Sessions on a machine, by session id."""
    return sorted(_index(world).items(f"vm|{vm}"), key=lambda s: s.id)


def of_pool(world: World, service: str, pool: str) -> list[Session]:
    """Sessions that a service's broker made in one pool (pool key as in `Agent.pool`), by machine and session id."""
    return sorted(_index(world).items(f"pool|{service}|{pool}"), key=lambda s: (s.machine, s.id))


def of_user(world: World, user: str) -> Iterator[Session]:
    return iter(_index(world).items(f"user|{user}"))


def keys_of_pool(world: World, service: str, pool: str) -> list[str]:
    """Keys of the sessions of a pool, sorted as text; the list belongs to the index."""
    return _index(world).keys(f"pool|{service}|{pool}")


def version_of_pool(world: World, service: str, pool: str) -> tuple[int, int]:
    """Differs from an earlier one whenever sessions of a pool may have begun or ended since."""
    return _index(world).version(f"pool|{service}|{pool}")


def _index(world: World) -> Index[Session]:
    return index_of(world, "sessions", world.state.sessions, _buckets_of)


def _buckets_of(key: str, session: Session) -> tuple[str, str, str]:
    return f"vm|{session.machine}", f"pool|{session.service}|{session.pool}", f"user|{session.user}"


def count_on(world: World, vm: str) -> int:
    """How many sessions a machine holds, those of either service."""
    return len(_index(world).keys(f"vm|{vm}"))


def counter(world: World) -> Callable[[str], int]:
    """`count_on` for many machines at one moment."""
    count = _index(world).counter()
    return lambda vm: count(f"vm|{vm}")


def count_in_pool(world: World, service: str, pool: str) -> int:
    """How many sessions a service's broker made in a pool."""
    return len(keys_of_pool(world, service, pool))


def counts(world: World) -> dict[str, int]:
    """Sessions by machine key, those of either service."""
    found: dict[str, int] = {}
    for session in world.state.sessions.values():
        found[session.machine] = found.get(session.machine, 0) + 1
    return found


def find(world: World, vm: str, session_id: int) -> Session | None:
    return world.state.sessions.get(f"{vm}#{session_id}")


def open_session(
    world: World, machine: Machine, *, service: str, pool: str, user: str, upn: str, application_type: str, client: str
) -> Session:
    """A new active session; the caller has chosen the machine and checked that it may be used."""
    session_id = machine.next_session_id
    machine.next_session_id += 1
    session = Session(
        key=f"{machine.vm}#{session_id}",
        machine=machine.vm,
        id=session_id,
        service=service,
        pool=pool,
        user=user,
        upn=upn,
        application_type=application_type,
        created_at=world.now,
        client=client,
    )
    session.never_ends = faults.holds(world, "session_never_ends", machine)
    world.state.sessions[session.key] = session
    world.note("session_opened", session=session.key, user=user, service=service, pool=pool)
    return session


def reconnect(world: World, session: Session, *, service: str, pool: str, client: str) -> None:
    """Its user is back, through the broker of this pool; a machine may have changed its pool with sessions on."""
    if session.state == "Active":
        _leave(world, session)
    if (session.service, session.pool) != (service, pool):
        if world.state.sessions.pop(session.key, None) is not None:
            _index(world).remove(session.key)
        session.service, session.pool = service, pool
        world.state.sessions[session.key] = session
    session.state = "Active"
    session.disconnected_at = None
    session.client = client
    world.note("session_resumed", session=session.key, user=session.user, service=service, pool=pool)


def disconnect(world: World, session: Session) -> None:
    """The client goes, the session stays."""
    if session.state != "Disconnected":
        _leave(world, session)
        session.state = "Disconnected"
        session.disconnected_at = world.now
        if not session.never_ends:
            limit = float(world.setting("disconnected_limit_s"))
            world.schedule(limit, "session-idle", session=session.key, since=world.now)


def _leave(world: World, session: Session) -> None:
    for listener in leaves:
        listener(world, session)


@on("session-idle")
def _idle(world: World, at: float, session: str, since: float) -> None:
    """The usual policy: a session disconnected for so long is ended."""
    found = world.state.sessions.get(session)
    if found is not None and found.disconnected_at == since:
        end(world, found, "idle")


def message(world: World, session: Session, title: str, body: str) -> None:
    """An administrator's message box in the session."""
    if session.warned_at is None:
        session.warned_at = world.now
    world.record("message", session=session.key, user=session.user, state=session.state, title=title, body=body)
    if session.state == "Active":
        for listener in hears:
            listener(world, session)


def unlist(world: World, session: Session) -> None:
    """The service forgets the session; on the machine it goes on, and its profile stays locked. What the classic
    service does when a session host is removed by force (facts/classic-service 1.7).
    """
    if world.state.sessions.pop(session.key, None) is not None:
        _index(world).remove(session.key)
    session.pool = ""
    world.state.sessions[session.key] = session
    world.record("session_unlisted", session=session.key, user=session.user, service=session.service)


def end(world: World, session: Session, cause: str) -> None:
    """End a session. Causes: `signed_out` (by its user) and `idle` are nobody's loss; `logged_off` (by an
    administrator), `restart`, `power_off` and `agent_removed` are a loss, with or without notice.
    A session that never ends is only disconnected by its user and by time.
    """
    if session.never_ends and cause in ("signed_out", "idle"):
        disconnect(world, session)
        return
    if session.state == "Active":
        _leave(world, session)
    if world.state.sessions.pop(session.key, None) is not None:
        _index(world).remove(session.key)
    if cause in ("signed_out", "idle"):
        world.note("session_ended", session=session.key, user=session.user, cause=cause)
        return
    warned = session.warned_at is not None and world.now - session.warned_at >= NOTICE_S
    world.record(
        "session_lost",
        session=session.key,
        user=session.user,
        cause=cause,
        state=session.state,
        noticed=warned,
        service=session.service,
    )
    world.count(f"sessions_lost_{'with' if warned else 'without'}_notice")
    if session.state == "Active":
        for listener in loses:
            listener(world, session)


def end_all(world: World, vm: str, cause: str) -> None:
    """End every session of a machine, as a restart does."""
    for session in of_machine(world, vm):
        end(world, session, cause)
