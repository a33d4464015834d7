"""What must hold before an operation may act: one table, from kind to what is done first, and who must have arrived.

Told from the plan and the run's journal alone, before the service is asked anything, so that it costs no call: the
service is the judge of what is there at the moment of a write. What is adopted is not written, and waits for nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Protocol

from crossfade.errors import NotReady
from crossfade.execution.transitions import ARRIVED, OUT_OF_SERVICE
from crossfade.model.ids import fold
from crossfade.plan.operations import (
    AddMember,
    CreateDirectoryGroup,
    GrantRole,
    Operation,
    PatchHostPool,
    PatchResource,
    PutResource,
    ReferenceGroup,
    RegisterProvider,
    RetractAssignment,
    SendLogs,
    SetIcon,
    SnapshotDisk,
)
from crossfade.plan.plan import GroupAccess, Plan


class Progress(Protocol):
    """What a run has done so far."""

    def is_done(self, operation_id: str) -> bool: ...

    def host_state(self, host: str) -> str: ...


class Preconditions:
    """Of the operations of one plan."""

    def __init__(self, plan: Plan) -> None:
        makers = (RegisterProvider, PutResource, CreateDirectoryGroup)
        self._makers = {fold(one.subject): one.id for one in plan.operations if isinstance(one, makers)}
        self._plan = plan
        self._groups = {op.subject: op for op in plan.operations if isinstance(op, CreateDirectoryGroup)}
        self._access = {fold(group.source): group for group in plan.access}
        self._all_of = dict(_all_of(plan))
        self._hosts_of: dict[str, list[str]] = {}
        for move in plan.hosts:
            self._hosts_of.setdefault(fold(move.target_pool), []).append(move.source)
        self._table: dict[type[Operation], Callable[[Any], Iterable[str]]] = {
            RegisterProvider: lambda _: (),
            CreateDirectoryGroup: lambda _: (),
            PutResource: lambda one: self._made(*_above(one.subject), *_named(one.body.get("properties", {}))),
            PatchResource: lambda one: self._made(one.subject, *_above(one.subject)),
            PatchHostPool: lambda one: self._made(one.subject),
            ReferenceGroup: lambda one: self._made(one.subject, one.group),
            SendLogs: lambda one: self._made(one.resource),
            SetIcon: lambda one: self._made(one.subject),
            SnapshotDisk: lambda _: (),
            GrantRole: lambda one: self._made(one.scope, one.principal),
            AddMember: lambda one: self._made(one.subject),
            RetractAssignment: self._publishing,
        }

    def needs(self, operation: Operation) -> list[str]:
        """Ids of the operations of the plan that are done before this one, each once."""
        return list(dict.fromkeys(self._table[type(operation)](operation)))

    def unmet(self, operation: Operation, progress: Progress) -> list[str]:
        """What does not hold yet, in words; empty when it may act."""
        return [
            *(f"{need} is not done" for need in self.needs(operation) if not progress.is_done(need)),
            *self._not_arrived(operation, progress),
        ]

    def check(self, operation: Operation, progress: Progress) -> None:
        """Raises NotReady."""
        unmet = self.unmet(operation, progress)
        if unmet:
            raise NotReady(
                f"{operation.id} is not carried out.",
                f"{'; '.join(unmet)}.",
                "Nothing was written. See `crossfade status` for what stands before it, mend that, "
                "then `crossfade resume`.",
            )

    @cached_property
    def _given(self) -> dict[tuple[str, str], str]:
        """Only who is taken out of classic is looked up here: made when somebody is."""
        return dict(_given(self._plan))

    # -- rows of the table

    def _made(self, *subjects: str) -> Iterator[str]:
        """The operations of the plan that make these; what is there without us needs none."""
        found = (self._makers.get(fold(subject)) for subject in subjects)
        return (maker for maker in found if maker is not None)

    def _publishing(self, operation: RetractAssignment) -> Iterator[str]:
        """What gives a person on the target what they are taken out of in classic."""
        group = self._access.get(fold(operation.group))
        person = group.people.get(fold(operation.upn)) if group is not None else None
        if group is None or person is None:
            return
        for scope, principal in [(group.target, person), *self._through(group, person)]:
            if found := self._given.get((fold(scope), fold(principal))):
                yield found

    def _through(self, group: GroupAccess, person: str) -> Iterator[tuple[str, str]]:
        """A person's places in the directory groups of an app group, and what those are granted."""
        for nickname in (group.directory_group, *group.existing):
            subject = f"group:{nickname}"
            if (fold(subject), fold(person)) in self._given:
                yield subject, person
                yield group.target, subject
                yield group.target, self._groups[subject].prior_id or subject

    def _not_arrived(self, operation: Operation, progress: Progress) -> Iterator[str]:
        """Hosts that must accept sessions on the target: all of a pool for what comes last, that of a personal
        desktop's person, and any for an icon, which is read from one. A disk is copied once nobody works on it."""
        hosts = self._all_of.get(operation.id, [])
        away = [host for host in hosts if progress.host_state(host) not in ARRIVED]
        yield from (f"{host} has not arrived on the target" for host in away)
        if isinstance(operation, SnapshotDisk):
            state = progress.host_state(operation.host)
            yield from () if state in OUT_OF_SERVICE else (f"{operation.host} is {state} and may be in use",)
        if isinstance(operation, SetIcon):
            mine = self._hosts_of.get(fold(operation.pool), [])
            if not any(progress.host_state(host) in ARRIVED for host in mine):
                yield f"no host of {operation.pool} has arrived on the target"


def _given(plan: Plan) -> Iterator[tuple[tuple[str, str], str]]:
    """(scope, principal) and (group, member), folded -> the operation that gives it."""
    for one in plan.operations:
        if isinstance(one, GrantRole):
            yield (fold(one.scope), fold(one.principal)), one.id
        elif isinstance(one, AddMember):
            yield (fold(one.subject), fold(one.member)), one.id


def _all_of(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    """Operation -> hosts that must all have arrived before it."""
    hosts: dict[str, list[str]] = {}
    for move in plan.hosts:
        hosts.setdefault(fold(move.source_pool), []).append(move.source)
    for pool in plan.pools:
        yield from ((name, hosts.get(fold(pool.source), [])) for name in pool.late)
    for wave in plan.waves:
        for host, names in wave.publish_by_host.items():
            yield from ((name, [host]) for name in names)


def _above(subject: str) -> Iterator[str]:
    """What an ARM id lies in: provider, resource group, parents."""
    parts = subject.split("/")
    if "providers" in parts:
        yield "/".join([*parts[:3], "providers", parts[parts.index("providers") + 1]])
    yield from ("/".join(parts[:end]) for end in range(5, len(parts), 2))


def _named(properties: dict[str, Any]) -> Iterator[str]:
    """The host pools that an object names: an application group its one, a scaling plan many."""
    for one in (properties, *properties.get("hostPoolReferences", [])):
        if pool := one.get("hostPoolArmPath"):
            yield pool
