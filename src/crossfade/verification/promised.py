"""What a plan promises: who will open what, how, and with which wave. For `who` and `what`, no part of the proof."""

from collections.abc import Iterator

from crossfade.model.ids import fold, last_name, parent_key
from crossfade.plan.operations import AddMember, CreateDirectoryGroup
from crossfade.plan.plan import GroupAccess, Plan
from crossfade.verification.access import Path
from crossfade.verification.before import Before

UNDECIDED = "nothing, until somebody says who this is (`crossfade identities`)"


class Promised:
    """The access of one plan, in the resources of the classic side that it was made of."""

    def __init__(self, plan: Plan, before: Before) -> None:
        self._before = before
        self._groups = {fold(group.source): group for group in plan.access}
        self._names = {one.mail_nickname: one for one in plan.operations if isinstance(one, CreateDirectoryGroup)}
        self._missing = {
            key: {fold(upn): why for upn, why in group.missing.items()} for key, group in self._groups.items()
        }
        self._members: dict[str, set[str]] = {name: set() for name in self._names}
        for one in plan.operations:
            if isinstance(one, AddMember):
                self._members[one.subject.removeprefix("group:")].add(fold(one.member))
        self._renamed = plan.renamed
        self._directly = {fold(pool.source) for pool in plan.pools if pool.personal and not pool.late}
        self._desks = {(fold(move.source_pool), fold(move.assigned_user or "")) for move in plan.hosts}
        self._waves: dict[tuple[str, str], str] = {}
        for wave in plan.waves:
            for pool in {parent_key(fold(host)) for host in wave.hosts}:
                for person in wave.cohort:
                    self._waves.setdefault((pool, person), wave.id)

    def today(self, person: str) -> str:
        """The name under which the plan knows somebody."""
        return self._renamed.get(fold(person), person)

    def paths_of(self, person: str) -> Iterator[Path]:
        """Everything that a person (folded UPN) will have a right to, or keeps a place for."""
        for key, group in self._groups.items():
            for resource, shown in self._before.shown(key):
                found = self._path(group, person, resource, shown)
                if found:
                    yield found

    def paths_to(self, resource: str) -> Iterator[Path]:
        """Everybody who will have a right to a resource (folded key)."""
        group = self._groups.get(parent_key(resource))
        for key, shown in self._before.shown(parent_key(resource)):
            if group is not None and fold(key) == resource:
                for person in sorted({*group.people, *map(fold, group.missing)}):
                    found = self._path(group, person, key, shown)
                    if found:
                        yield found

    def _path(self, group: GroupAccess, person: str, resource: str, shown: bool) -> Path | None:
        missing = self._missing[fold(group.source)]
        label = self._before.people.label(person)
        if person in missing:
            return Path(person=label, resource=resource, opens=False, how=f"{UNDECIDED}: {missing[person]}")
        if person not in group.people:
            return None
        how = f"{self._way(group, group.people[person])}{self._when(group, person)}"
        hindrance = self._hindrance(group, person, shown)
        return Path(person=label, resource=resource, opens=not hindrance, how=how + hindrance)

    def _hindrance(self, group: GroupAccess, person: str, shown: bool) -> str:
        """What will stand in the way of somebody who has the right; empty for nothing."""
        pool = parent_key(fold(group.source))
        if not shown:
            return ", but hidden from the feed"
        if pool in self._directly and (pool, person) not in self._desks:
            return ", but no desktop is assigned to them and the pool assigns directly"
        return ""

    def _way(self, group: GroupAccess, object_id: str) -> str:
        target = last_name(group.target)
        for nickname in [*group.existing, *([group.directory_group] if group.directory_group else [])]:
            made = self._names.get(nickname)
            if made is not None and fold(object_id) in self._members[nickname]:
                kind = "existing" if nickname in group.existing else "new"
                return f"assigned to {target} through the {kind} group {made.display_name}"
        return f"assigned to {target} by name"

    def _when(self, group: GroupAccess, person: str) -> str:
        wave = self._waves.get((parent_key(fold(group.source)), person))
        return f", with {wave}" if wave else ""
