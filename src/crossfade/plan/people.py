"""Who the people of classic are today: the operator's word for those whom the directory does not know by their name.

Classic keeps the UPN of the day. Somebody renamed since, or two names of one person, is put right in crossfade.toml
[people]; whoever stays unknown keeps a named place in the plan and gets nothing.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.model.target import Identity

LEAVE_OUT = "leave out"
KNOWN = ("found", "disabled")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class WhoIsWho(msgspec.Struct, frozen=True, kw_only=True):
    """`renamed`: folded classic UPN -> the UPN of today; `left_out`: folded classic UPN -> why nothing is given."""

    renamed: dict[str, str] = {}
    left_out: dict[str, str] = {}

    def today(self, upn: str) -> str:
        return self.renamed.get(fold(upn), upn)


def who_is_who(decided: Mapping[str, str], target: TargetSnapshot) -> tuple[WhoIsWho, list[Problem]]:
    """The decisions of [people] against the directory as it was read, and what cannot be followed."""
    by_upn = {fold(identity.upn): identity for identity in target.identities}
    by_id = {fold(one.object_id): one for one in target.identities if one.object_id}
    renamed: dict[str, str] = {}
    left_out: dict[str, str] = {}
    problems: list[Problem] = []
    for old, meant in sorted(decided.items()):
        known = by_upn.get(fold(old))
        if known is not None and known.state in KNOWN:
            what = "is known to the directory under this very name: nothing is to be said of them."
            problems.append(Problem(f"[people] {old}", what, "Take the line out."))
        elif is_left_out(meant):
            left_out[fold(old)] = reason_of(meant)
        else:
            now = by_id.get(fold(meant)) if is_object_id(meant) else by_upn.get(fold(meant))
            problems += _unusable(old, meant, now)
            if now is not None:
                renamed[fold(old)] = now.upn
    return WhoIsWho(renamed=renamed, left_out=left_out), problems


def _unusable(old: str, meant: str, now: Identity | None) -> list[Problem]:
    if now is not None and now.state in KNOWN:
        return []
    what = f"is said to be {meant}, who {'was not looked up' if now is None else 'is not in the directory'}."
    mend = (
        "Run `crossfade discover --target` again: it looks up whoever is named there." if now is None else "Correct it."
    )
    return [Problem(f"[people] {old}", what, mend)]


def looked_up(decided: Mapping[str, str], owners: Iterable[str] = ()) -> list[str]:
    """The UPNs and object ids that a discovery of the target has to look up for these decisions, and for `owners` of
    new groups."""
    return sorted({meant.strip() for meant in (*decided.values(), *owners) if not is_left_out(meant)})


def is_left_out(meant: str) -> bool:
    return meant.strip().casefold().startswith(LEAVE_OUT)


def reason_of(meant: str) -> str:
    """`leave out: left in May` -> `left in May`."""
    return meant.strip()[len(LEAVE_OUT) :].strip(" :")


def is_object_id(meant: str) -> bool:
    return bool(_ID.fullmatch(meant.strip()))


def with_todays_names(inventory: Inventory, renamed: Mapping[str, str]) -> Inventory:
    """The same estate with people under their names of today: assignments and owners of personal desktops."""
    if not renamed:
        return inventory
    assignments = {
        (fold(item.key), fold(_today(item.upn, renamed))): msgspec.structs.replace(item, upn=_today(item.upn, renamed))
        for item in inventory.assignments
    }
    hosts = [
        msgspec.structs.replace(host, assigned_user=_today(host.assigned_user, renamed)) if host.assigned_user else host
        for host in inventory.hosts
    ]
    return msgspec.structs.replace(inventory, assignments=list(assignments.values()), hosts=hosts)


def _today(upn: str, renamed: Mapping[str, str]) -> str:
    return renamed.get(fold(upn), upn)


# ---------------------------------------------------------------- who is to be decided about


class Unresolved(msgspec.Struct, frozen=True, kw_only=True):
    """A placeholder: somebody whom classic lists and the directory does not know. `groups`: how many app groups and
    desktops they have there; `decided`: what crossfade.toml says of them, empty for nothing."""

    upn: str
    state: str
    why: str
    groups: int
    decided: str = ""
    maybe: str = ""
    """UPN of whoever has this name as an address today: renamed, perhaps."""


def unresolved(inventory: Inventory, target: TargetSnapshot, decided: Mapping[str, str]) -> list[Unresolved]:
    """Everybody whom the directory does not know, by UPN; those that are decided about too."""
    identities = {fold(identity.upn): identity for identity in target.identities}
    said = {fold(upn): meant for upn, meant in decided.items()}
    places: dict[str, set[str]] = {}
    spelled: dict[str, str] = {}
    for upn, key in _listed(inventory):
        places.setdefault(fold(upn), set()).add(fold(key))
        spelled[fold(upn)] = max(spelled.get(fold(upn), upn), upn)
    found = []
    for folded in sorted(places):
        identity = identities.get(folded)
        if identity is None or identity.state not in KNOWN:
            found.append(
                Unresolved(
                    upn=spelled[folded],
                    state=identity.state if identity else "unread",
                    why=identity.why if identity else "was not looked up in the directory",
                    groups=len(places[folded]),
                    decided=said.get(folded, ""),
                    maybe=target.addresses.get(folded, ""),
                )
            )
    return found


def unlisted(decided: Mapping[str, str], inventory: Inventory) -> list[str]:
    """Notes on decisions about names that classic does not list: misspelled, or gone by now."""
    known = {fold(upn) for upn, _ in _listed(inventory)}
    told = "whom classic does not list: nothing follows from it."
    return [f"[people] names {old}, {told}" for old in sorted(decided) if fold(old) not in known]


def _listed(inventory: Inventory) -> Iterable[tuple[str, str]]:
    yield from ((item.upn, item.key) for item in inventory.assignments)
    yield from ((host.assigned_user, host.key) for host in inventory.hosts if host.assigned_user)
