"""Who is who: the UPNs that classic lists and the object ids that Azure grants to, brought together."""

from collections.abc import Iterable, Mapping

import msgspec

from crossfade.model.ids import fold
from crossfade.model.target import Identity

GONE = "gone"
UNKNOWN = "unknown"
PRESENT = "present"


class Standing(msgspec.Struct, frozen=True):
    """Whether a person can sign in at all: present, gone (left or disabled), or unknown; and why."""

    state: str
    why: str = ""


_PRESENT = Standing(PRESENT)
_STATES = {
    "found": lambda identity: _PRESENT,
    "missing": lambda identity: Standing(GONE, identity.why or "is not in the directory any more"),
    "disabled": lambda identity: Standing(GONE, identity.why or "their account is disabled"),
}


class People:
    """An index over identities.

    `identities` None: nobody was looked up, and all count as present. `known_ids`: folded UPN -> object id from the
    plan, so that a person who left since, or cannot be read now, is not taken for a stranger. A name that is another
    object's now, since its person was deleted and made anew, does not lend the new one what the old one holds.
    """

    def __init__(self, identities: Iterable[Identity] | None, known_ids: Mapping[str, str] | None = None) -> None:
        self._looked_up = identities is not None
        self._identities = {fold(identity.upn): identity for identity in identities or ()}
        self._labels = {key: identity.upn for key, identity in self._identities.items()}
        self._upns: dict[str, dict[str, None]] = {}
        for key, identity in self._identities.items():
            if identity.object_id:
                self._upns.setdefault(fold(identity.object_id), {})[key] = None
        for upn, object_id in (known_ids or {}).items():
            now = self._identities.get(fold(upn))
            if now is None or fold(now.object_id or object_id) == fold(object_id):
                self._upns.setdefault(fold(object_id), {})[fold(upn)] = None
        self._standing: dict[str, Standing] = {}

    def standing(self, person: str) -> Standing:
        """Of a folded UPN. One whom nobody looked up, though others were, is unknown."""
        found = self._standing.get(person)
        if found is None:
            found = self._standing[person] = self._judge(person)
        return found

    def _judge(self, person: str) -> Standing:
        identity = self._identities.get(person)
        if identity is None:
            missing = self._looked_up and not person.startswith("object ")
            return Standing(UNKNOWN, "was not looked up in the directory") if missing else _PRESENT
        judge = _STATES.get(identity.state)
        if judge is not None:
            return judge(identity)
        return Standing(UNKNOWN, identity.why or f"is {identity.state} in the directory")

    def of(self, object_id: str) -> Iterable[str]:
        """The persons of an object id: their UPNs, or `object <id>` for somebody whom nobody knows."""
        return self._upns.get(fold(object_id)) or (f"object {fold(object_id)}",)

    def knows(self, object_id: str) -> bool:
        return fold(object_id) in self._upns

    def is_known(self, person: str) -> bool:
        """Whether the directory told of a folded UPN: that it is there, or that it is gone."""
        return person in self._identities and self.standing(person).state != UNKNOWN

    def call(self, upn: str) -> None:
        """Remember how a UPN is spelled."""
        self._labels.setdefault(fold(upn), upn)

    def label(self, person: str) -> str:
        """A person as they are spelled."""
        return self._labels.get(person, person)
