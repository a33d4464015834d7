"""Effective access: who may open what on one side, in the words that both sides share.

A resource is what a person sees in their feed: a desktop or a RemoteApp. Its key is the classic one (`tenant group/
tenant/pool/group/item`), also on the target where the plan maps it; what classic never had keeps its ARM id. A person
is a folded UPN; somebody whose UPN nobody knows is `object <id>`.
"""

import msgspec

from crossfade.model.ids import fold
from crossfade.verification.verification import Unexplained

ANYWHERE = frozenset({""})
"""The place of what may be opened on whichever host the broker chooses."""

DESKTOP = "Desktop"
REMOTE_APP = "RemoteApp"

Places = frozenset[str]
"""Folded resource ids of the VMs that are a person's own (a host's folded name where no VM is known), or ANYWHERE."""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """`key` as it is spelled; `kind` Desktop or RemoteApp."""

    key: str
    kind: str


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """How a person comes to a resource, or what stands in the way of one they hold a right to. `how`: in words."""

    person: str
    resource: str
    opens: bool
    how: str


class Access(msgspec.Struct, kw_only=True):
    """One side at one moment. Keys are folded resource keys and folded persons; sets of people may be shared.

    `places` holds personal desktops only: resource -> person -> their places. `unjudged`: what could not be told.
    """

    resources: dict[str, Resource] = {}
    people: dict[str, frozenset[str]] = {}
    places: dict[str, dict[str, Places]] = {}
    unjudged: list[Unexplained] = []

    def put(self, resource: Resource, people: frozenset[str]) -> None:
        """Who may open a resource on whichever host."""
        key = fold(resource.key)
        self.resources[key] = resource
        self.people[key] = people

    def put_personal(self, resource: Resource, places: dict[str, Places]) -> None:
        """Who may open a personal desktop, each on their own."""
        self.put(resource, frozenset(places))
        self.places[fold(resource.key)] = places

    def pairs(self) -> int:
        return sum(map(len, self.people.values()))

    def of(self, person: str) -> dict[str, Places]:
        """Resource -> places of one person (folded)."""
        return {key: self.place(key, person) for key, people in self.people.items() if person in people}

    def place(self, resource: str, person: str) -> Places:
        """Where somebody who may open a resource does so."""
        return self.places.get(resource, {}).get(person, ANYWHERE)

    def everybody(self) -> set[str]:
        """Whoever may open anything."""
        found: set[str] = set()
        for people in {id(people): people for people in self.people.values()}.values():
            found |= people
        return found
