"""The world: one state, moved along by due events, the same way for the same seed.

Nothing runs in the background. Whoever looks at the world first calls `settle()`, which plays every event that is due
by now, in order of time; so a snapshot at any moment holds everything that is still to come.
"""

import gc
import hashlib
import heapq
import mmap
from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import msgspec

from avdtwin.clock import Clock
from avdtwin.settings import DEFAULTS, problem
from avdtwin.state import VERSION, Directory, DueEvent, Record, WorldState

EventHandler = Callable[..., None]
_HANDLERS: dict[str, EventHandler] = {}

PLAYERS = (
    "avdtwin.agent_reports",
    "avdtwin.agent_updates",
    "avdtwin.agents",
    "avdtwin.arm.providers",
    "avdtwin.arm.resource_groups",
    "avdtwin.compute.scripts",
    "avdtwin.mishaps",
    "avdtwin.people",
    "avdtwin.sessions",
    "avdtwin.windows",
)
"""The modules that play events. A snapshot may hold any of theirs, and a fresh process may not have them yet."""


def _have_players() -> None:
    for module in PLAYERS:
        import_module(module)


def on(kind: str) -> Callable[[EventHandler], EventHandler]:
    """Register the function that plays events of this kind: `f(world, at, **args)`; `at` is when it was due."""

    def register(handler: EventHandler) -> EventHandler:
        assert kind not in _HANDLERS, f"two handlers for event {kind}"
        _HANDLERS[kind] = handler
        return handler

    return register


class World:
    """State, clock and the rules that move one by the other. Not thread-safe: one event loop owns it."""

    def __init__(self, state: WorldState, clock: Clock) -> None:
        self.state = state
        self.clock = clock
        heapq.heapify(self._queue)
        self._settling = False
        self.skew_s = 0.0
        """How far the clock of the service that answers just now is ahead of the world's."""
        self.watchers: list[Callable[[World, Record], None]] = []
        """Told of every record; not part of a snapshot."""
        self.derived: dict[str, object] = {}
        """What can be made anew from the state at any time, such as indices; not part of a snapshot."""

    @classmethod
    def empty(cls, clock: Clock, *, tenant_id: str, seed: int = 0, domain: str = "contoso.com") -> "World":
        """A world with one directory and nothing in it."""
        state = WorldState(directory=Directory(tenant_id=tenant_id, domain=domain), seed=seed, now=clock.now())
        return cls(state, clock)

    @property
    def _queue(self) -> list[DueEvent]:
        return self.state.events

    # -- time

    @property
    def now(self) -> float:
        """The moment up to which the world has been settled; inside an event, the moment it was due."""
        return self.state.now

    def settle(self) -> None:
        """Play every event due by the clock's now, in order. Harmless when called from inside an event."""
        if not self._settling:
            self.settle_until(max(self.clock.now(), self.state.now))

    def settle_until(self, moment: float) -> None:
        """Play every event due by `moment` and end there."""
        assert not self._settling, "settling inside an event"
        self._settling = True
        try:
            while self._queue and self._queue[0].due <= moment:
                event = heapq.heappop(self._queue)
                self.state.now = max(self.state.now, event.due)
                _HANDLERS[event.kind](self, event.due, **event.args)
            self.state.now = max(self.state.now, moment)
        finally:
            self._settling = False

    def schedule(self, delay_s: float, kind: str, **args: Any) -> None:
        """Have `kind` played `delay_s` seconds from now. Arguments must be plain data: they go into snapshots."""
        self.schedule_at(self.state.now + delay_s, kind, **args)

    def schedule_at(self, due: float, kind: str, **args: Any) -> None:
        if kind not in _HANDLERS:
            _have_players()
        assert kind in _HANDLERS, f"nobody plays event {kind}"
        self.state.next_seq += 1
        event = DueEvent(due=max(due, self.state.now), seq=self.state.next_seq, kind=kind, args=args)
        heapq.heappush(self._queue, event)

    def next_due(self) -> float | None:
        """When the next event is due, or None."""
        return self._queue[0].due if self._queue else None

    # -- chance

    def chance(self, stream: str) -> float:
        """The next number in [0, 1) of a named stream. Streams do not disturb each other and survive a snapshot."""
        count = self.state.draws.get(stream, 0)
        self.state.draws[stream] = count + 1
        digest = hashlib.blake2b(f"{self.state.seed}|{stream}|{count}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def between(self, stream: str, bounds: tuple[float, float] | list[float]) -> float:
        """A uniform draw between two bounds, from the named stream."""
        low, high = bounds
        return float(low + (high - low) * self.chance(stream))

    def guid(self, stream: str) -> str:
        """A GUID from the named stream: the same for the same seed and history."""
        count = self.state.draws.get(stream, 0)
        self.state.draws[stream] = count + 1
        text = hashlib.blake2b(f"{self.state.seed}|{stream}|{count}|guid".encode(), digest_size=16).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    # -- rules and history

    def setting(self, name: str) -> Any:
        """The value of a tunable rule: this run's own, else the default."""
        return self.state.settings.get(name, DEFAULTS[name])

    def record(self, kind: str, /, **data: Any) -> Record:
        """Note that something happened to somebody or something, now."""
        entry = Record(at=self.state.now, kind=kind, data=data)
        self.state.records.append(entry)
        for watcher in self.watchers:
            watcher(self, entry)
        return entry

    def count(self, name: str, by: float = 1) -> None:
        """Add to a tally."""
        self.state.tallies[name] = self.state.tallies.get(name, 0.0) + by

    def note(self, kind: str, /, **data: Any) -> None:
        """Something ordinary happened: counted, told to the watchers, not kept."""
        self.count(kind)
        if self.watchers:
            entry = Record(at=self.state.now, kind=kind, data=data)
            for watcher in self.watchers:
                watcher(self, entry)

    def count_call(self, service: str, method: str, status: int) -> None:
        key = f"{service} {method} {status}"
        self.state.calls[key] = self.state.calls.get(key, 0) + 1

    # -- snapshots

    def snapshot(self) -> bytes:
        """The whole state as JSON bytes."""
        self.state.events.sort(key=lambda event: (event.due, event.seq))
        return msgspec.json.encode(self.state)

    def adopt(self, state: WorldState) -> None:
        """Become another state, in place: whoever holds this world goes on with it."""
        self.state = state
        self.derived.clear()
        heapq.heapify(self._queue)

    def save(self, path: Path) -> None:
        """Write the snapshot to a file, part by part, so that its text is never held as a whole."""
        self.state.events.sort(key=lambda event: (event.due, event.seq))
        with path.open("wb") as file:
            for at, name in enumerate(WorldState.__struct_fields__):
                file.write(b"{" if at == 0 else b",")
                file.write(msgspec.json.encode(name) + b":")
                file.write(msgspec.json.encode(getattr(self.state, name)))
            file.write(b"}")

    @classmethod
    def restore(cls, data: "bytes | mmap.mmap", clock: Clock) -> "World":
        """A world from `snapshot()`. Raises msgspec.DecodeError, which a ValidationError is too, when
        the bytes are no snapshot.
        """
        _have_players()
        return cls(state_of(data), clock)

    @classmethod
    def load(cls, path: Path, clock: Clock) -> "World":
        """A world from a file that `save` wrote. Its text is never held as a whole: the file is mapped, and what has
        been read of it is given back to the system part by part.
        """
        if path.stat().st_size == 0:
            return cls.restore(b"", clock)
        with path.open("rb") as file:
            return cls.restore(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), clock)


def state_of(data: bytes | mmap.mmap) -> WorldState:
    """The state of a snapshot, decoded part by part, so that of a mapped file only what is being read is in memory.
    Raises msgspec.DecodeError, which a ValidationError is too, when the bytes are no snapshot, or one of a newer
    version, or when it holds an event or a setting that this version cannot play or have.
    """
    collects = gc.isenabled()
    gc.disable()  # it would look through millions of new objects, again and again, and find nothing
    try:
        return _decoded(data)
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error
    finally:
        if collects:
            gc.enable()


def _decoded(data: bytes | mmap.mmap) -> WorldState:
    parts = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    known = {field.name: field for field in msgspec.structs.fields(WorldState)}
    missing = [field.name for field in known.values() if field.required and field.name not in parts]
    if missing:
        raise msgspec.ValidationError(f"Object missing required field `{missing[0]}`")
    _require_version(parts.get("version"))
    given = {}
    for name, raw in parts.items():
        if name in known:
            _let_go(data)
            given[name] = msgspec.json.decode(raw, type=known[name].type)
    _let_go(data)
    state = WorldState(**given)
    _require_playable(state)
    return state


def _require_version(raw: msgspec.Raw | None) -> None:
    """Before anything else is read: a newer snapshot may hold anything."""
    version = msgspec.json.decode(raw, type=int) if raw is not None else VERSION
    if version > VERSION:
        text = f"it is of version {version}, and this twin reads up to {VERSION}: take the avdtwin that wrote it"
        raise msgspec.ValidationError(text)


def _require_playable(state: WorldState) -> None:
    """Everything that would only be found out later, when half of it has happened."""
    _have_players()
    checked: set[tuple[str, ...]] = set()
    for event in state.events:
        form = (event.kind, *event.args)
        if form not in checked:
            _require_event(event)
            checked.add(form)
    for name, value in state.settings.items():
        wrong = problem(name, value)
        if wrong is not None:
            raise msgspec.ValidationError(wrong)


def _require_event(event: DueEvent) -> None:
    handler = _HANDLERS.get(event.kind)
    if handler is None:
        raise msgspec.ValidationError(f"nobody plays the event '{event.kind}' that is due at {event.due}")
    try:
        signature(handler).bind(None, event.due, **event.args)
    except TypeError as error:
        raise msgspec.ValidationError(f"the event '{event.kind}' that is due at {event.due}: {error}") from error


def _let_go(data: bytes | mmap.mmap) -> None:
    """Tell the system that what was read of a mapped file need not stay in memory."""
    if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)
