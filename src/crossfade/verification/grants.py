"""Who holds the right to use an application group: grants on it and above it, to people and to directory groups."""

from collections.abc import Iterable, Iterator

import msgspec

from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, fold, last_name
from crossfade.model.rights import opens
from crossfade.model.target import DirectoryGroup, RoleGrant
from crossfade.verification.people import People
from crossfade.verification.verification import Unexplained

_NOBODY = frozenset({"serviceprincipal", "device", "msi"})
"""Types of principals that open no desktop."""
_ABOVE = "providers/microsoft.management/"
"""Scopes of management groups: what ARM lists for a subscription is above it."""


class Held(msgspec.Struct, frozen=True):
    """One grant with the persons it reaches. `doubt`: why that cannot be told for sure."""

    grant: RoleGrant
    people: frozenset[str]
    through: str
    """The directory group's name, or empty for a grant to the person."""
    doubt: str = ""

    def how(self) -> str:
        place = _words(self.grant.scope)
        return f"through directory group {self.through}, granted on {place}" if self.through else f"granted on {place}"


class Grants:
    """An index over a snapshot's grants of the roles that publish, by folded scope."""

    def __init__(self, target: TargetSnapshot, people: People) -> None:
        self._people = people
        self._groups = {fold(group.id): group for group in target.directory_groups}
        self._at: dict[str, list[Held]] = {}
        using = {DESKTOP_USER_ROLE, *(role.id for role in target.roles if opens(role, role.id))}
        for grant in target.grants:
            if fold(grant.role) in using:
                self._at.setdefault(fold(grant.scope), []).append(self._held(grant))
        self._far_above = [scope for scope in self._at if scope.startswith(_ABOVE)]
        self._people_on: dict[str, frozenset[str]] = {}

    def on(self, resource_id: str) -> list[Held]:
        """Grants on a resource and inherited by it."""
        scopes = [*_scopes_over(fold(resource_id)), *self._far_above]
        return [held for scope in scopes for held in self._at.get(scope, ())]

    def people_on(self, resource_id: str) -> frozenset[str]:
        """Persons (folded) who hold the right on a resource."""
        key = fold(resource_id)
        found = self._people_on.get(key)
        if found is None:
            found = self._people_on[key] = frozenset().union(*(held.people for held in self.on(resource_id)))
        return found

    def doubts(self, resource_ids: Iterable[str]) -> list[Unexplained]:
        """Grants that bear on any of these resources and could not be judged; each once."""
        found = {held.grant.id: held for each in resource_ids for held in self.on(each) if held.doubt}
        return [
            Unexplained(subject=f"grant {last_name(held.grant.id)} on {_words(held.grant.scope)}", why=held.doubt)
            for _, held in sorted(found.items())
        ]

    def _held(self, grant: RoleGrant) -> Held:
        kind, principal = fold(grant.principal_type), fold(grant.principal_id)
        group = self._groups.get(principal)
        doubt = f"it has a condition that is not judged: {grant.condition}" if grant.condition else ""
        if group is not None:
            name = group.display_name or group.id
            return Held(grant, frozenset(self._persons(self._members(group))), name, doubt)
        if kind in _NOBODY:
            return Held(grant, frozenset(), "")
        if kind == "user" or self._people.knows(principal):
            return Held(grant, frozenset(self._persons((principal,))), "", doubt)
        return Held(grant, frozenset(), "", f"the people behind {grant.principal_type} {principal} could not be read")

    def _persons(self, object_ids: Iterable[str]) -> Iterator[str]:
        return (person for one in object_ids for person in self._people.of(one))

    def _members(self, group: DirectoryGroup) -> set[str]:
        """Object ids of the users in a group, at any depth; cycles are harmless."""
        found: set[str] = set()
        waiting, seen = [group], {fold(group.id)}
        while waiting:
            for member in map(fold, waiting.pop().members):
                inner = self._groups.get(member)
                if inner is None:
                    found.add(member)
                elif member not in seen:
                    seen.add(member)
                    waiting.append(inner)
        return found


def _scopes_over(resource: str) -> list[str]:
    """The root, which is empty, and every prefix of a folded id down to itself."""
    parts = resource.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts) + 1)]


_SCOPES = {
    "applicationgroups": "application group",
    "resourcegroups": "resource group",
    "subscriptions": "subscription",
    "managementgroups": "management group",
}


def _words(scope: str) -> str:
    """`application group x`, `resource group y`, `subscription z`, for a reader."""
    kind, _, name = scope.strip("/").rpartition("/")
    if not kind:
        return "everything (root scope)"
    kind = last_name(kind)
    return f"{_SCOPES.get(kind.casefold(), kind)} {name}"
