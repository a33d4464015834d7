"""Assigned people whom the directory does not know, or has disabled: the former keep a named place in the plan."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold

ID = "people-gone"
DISABLED = "A disabled account keeps what it had and cannot use it."
MEND = (
    "Nothing to do for people who left. Who has another name now is named in a table: `crossfade identities --out "
    "people.csv`, fill it in, `--in people.csv`."
)


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    identities = {fold(item.upn): item for item in target.identities} if target else {}
    places: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    held = [(host.assigned_user, host.key) for host in inventory.hosts if host.assigned_user]
    for upn, place in [*((item.upn, item.key) for item in inventory.assignments), *held]:
        places.setdefault(fold(upn), []).append(place)
        spelled.setdefault(fold(upn), upn)
    for key in sorted(places):
        identity = identities.get(key)
        if identity is None or identity.state not in ("missing", "disabled"):
            continue
        missing = identity.state == "missing"
        yield finding(
            ID,
            Severity.WARNING if missing else Severity.NOTE,
            spelled[key],
            what=f"{spelled[key]} is assigned and is {'not in the directory' if missing else 'disabled there'}.",
            why=" ".join([identity.why or DISABLED, *_perhaps(key, target)]),
            mend=MEND if missing else "Nothing to do for people who left; enable the account of whoever is to work.",
            evidence={"state": identity.state, "assigned_to": sorted(set(places[key]))},
        )


def _perhaps(key: str, target: TargetSnapshot | None) -> Iterator[str]:
    maybe = target.addresses.get(key) if target else None
    if maybe:
        yield f"{maybe} has this address today: the same person, perhaps."


RULE = Rule(id=ID, severity=Severity.WARNING, about="Assigned people are gone from the directory.", check=check)
