"""What a run has done so far for single people, from its journal: who was given the target, was seen there, and was
taken out of classic, and when."""

from collections.abc import Iterator
from typing import TypeVar

from crossfade.commands.workspace import PLAN, Workspace
from crossfade.execution.reader import JournalReader
from crossfade.execution.run import run_id_of
from crossfade.execution.seats import PEOPLE, SEEN_NOTE
from crossfade.execution.transitions import Kind
from crossfade.execution.undone import operation_of, written, wrote_nothing
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.plan.operations import AddMember, CreateDirectoryGroup, GrantRole, RetractAssignment
from crossfade.plan.plan import GroupAccess, Plan
from crossfade.verification.explain import Passage

T = TypeVar("T")
GROUP = "group:"
GIVEN, SEEN, TAKEN_OUT = "given the target", "seen there for the first time", "taken out of classic"


class Passages:
    """Of one plan's run; empty where it has not begun."""

    def __init__(self, workspace: Workspace, plan: Plan) -> None:
        self._plan = plan
        self._operations = {one.id: one for one in plan.operations}
        self._pools = {fold(pool.source): pool.source for pool in plan.pools}
        self._grants = {(fold(one.scope), fold(one.principal)): one.id for one in _all(plan, GrantRole)}
        self._members = {(one.subject.removeprefix(GROUP), fold(one.member)): one.id for one in _all(plan, AddMember)}
        self._groups = {one.mail_nickname: one.prior_id for one in _all(plan, CreateDirectoryGroup)}
        self._done: dict[str, str] = {}
        self._seen: list[tuple[str, str, str]] = []
        if workspace.has_journal():
            with JournalReader.look(workspace.journal) as reader:
                self._read(reader, run_id_of(workspace.digest(PLAN)))

    def _read(self, reader: JournalReader, run_id: str) -> None:
        """When each operation on people was done, where nobody took it back; and who was seen in which pool."""
        steps = [step for step in reader.all(Kind.STEP, parent=PEOPLE) if step.run_id == run_id]
        stands = written(steps)
        for step in steps:
            name = operation_of(step.id, PEOPLE)
            if name in stands and not wrote_nothing(step):
                self._done[name] = max(step.moved_at, self._done.get(name, ""))
        for note in reader.events(kind="note", subject=SEEN_NOTE):
            if note.run_id == run_id:
                self._seen += [(note.at, fold(pool), fold(person)) for pool, person in note.data["pairs"]]

    def out_of_classic(self, until: str) -> frozenset[tuple[str, str]]:
        """(folded group key, folded UPN) of whoever had been taken out of a classic app group by then (ISO 8601)."""
        gone = ((self._operations[name], at) for name, at in self._done.items() if name in self._operations)
        return frozenset(
            (fold(one.group), fold(one.upn)) for one, at in gone if isinstance(one, RetractAssignment) and at <= until
        )

    def of(self, person: str) -> list[Passage]:
        """One person's (folded UPN), in the order of time; what happened at one moment stands together."""
        found: dict[tuple[str, str], list[str]] = {}
        for at, what, place in sorted({*self._written(person), *self._sightings(person)}):
            found.setdefault((at[:16], what), []).append(place)
        return [Passage(at=at, what=what, places=places) for (at, what), places in found.items()]

    def _written(self, person: str) -> Iterator[tuple[str, str, str]]:
        for group in self._plan.access:
            ways = self._ways(group, fold(group.people.get(person, "")))
            given = [self._done[name] for name in ways if name in self._done]
            if given:
                yield min(given), GIVEN, _place(group.source)
        for name, at in self._done.items():
            one = self._operations.get(name)
            if isinstance(one, RetractAssignment) and fold(one.upn) == person:
                yield at, TAKEN_OUT, _place(one.group)

    def _sightings(self, person: str) -> Iterator[tuple[str, str, str]]:
        return ((at, SEEN, last_name(self._pools.get(pool, pool))) for at, pool, who in self._seen if who == person)

    def _ways(self, group: GroupAccess, object_id: str) -> Iterator[str]:
        """Ids of the operations that let somebody into an app group, however it is published."""
        yield self._grants.get((fold(group.target), object_id), "")
        yield self._members.get((group.directory_group or "", object_id), "")
        for nickname in group.existing:
            if (nickname, object_id) in self._members:
                yield self._grants.get((fold(group.target), fold(self._groups.get(nickname) or "")), "")


def _all(plan: Plan, kind: type[T]) -> list[T]:
    return [one for one in plan.operations if isinstance(one, kind)]


def _place(group: str) -> str:
    return f"{last_name(group)} of {last_name(parent_key(group))}"
