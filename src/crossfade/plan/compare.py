"""Is what we want what is there? Properties compared by meaning, as the services spell them.

Quirks: facts/arm-service 1.3, 1.5, 2.4 (casing of ids and enums, null against "", order of RDP entries).
"""

from collections.abc import Callable
from typing import Any

from crossfade.model import rdp

Same = Callable[[Any, Any], bool]


def _same_folded(a: Any, b: Any) -> bool:
    return str(a or "").casefold() == str(b or "").casefold()


def _same_ids(a: Any, b: Any) -> bool:
    return sorted(str(x).strip("/").casefold() for x in a or []) == sorted(
        str(x).strip("/").casefold() for x in b or []
    )


def _same_flag(a: Any, b: Any) -> bool:
    """Off and never set are the same."""
    return bool(a) == bool(b)


def _same_ring(a: Any, b: Any) -> bool:
    """0 or nothing comes back as 1 (facts/arm-service 1.3)."""
    return (a or 1) == (b or 1)


def _same_pools(a: Any, b: Any) -> bool:
    """Which pools a scaling plan is for, and whether it is on."""

    def told(items: Any) -> set[tuple[str, bool]]:
        return {
            (str(one.get("hostPoolArmPath") or "").strip("/").casefold(), bool(one.get("scalingPlanEnabled")))
            for one in items or []
        }

    return told(a) == told(b)


def _same_schedules(a: Any, b: Any) -> bool:
    """Every wanted member of every schedule is there; the service adds some (facts/arm-service 1.12)."""
    found = {str(one.get("name") or "").casefold(): one for one in b or []}
    wanted = {str(one.get("name") or "").casefold(): one for one in a or []}
    return wanted.keys() == found.keys() and all(
        _same_plain(value, found[name].get(member)) for name, one in wanted.items() for member, value in one.items()
    )


def _same_plain(a: Any, b: Any) -> bool:
    return (a if a not in (None, "") else None) == (b if b not in (None, "") else None)


_BY_PROPERTY: dict[str, Same] = {
    "customRdpProperty": rdp.same,
    "applicationType": _same_folded,
    "hostPoolArmPath": _same_folded,
    "hostPoolType": _same_folded,
    "applicationGroupType": _same_folded,
    "applicationGroupReferences": _same_ids,
    "filePath": _same_folded,
    "iconPath": _same_folded,
    "validationEnvironment": _same_flag,
    "startVMOnConnect": _same_flag,
    "ring": _same_ring,
    "hostPoolReferences": _same_pools,
    "schedules": _same_schedules,
}


def same_value(name: str, wanted: Any, found: Any) -> bool:
    """Whether a property has the wanted value, by meaning."""
    return _BY_PROPERTY.get(name, _same_plain)(wanted, found)


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Property -> (wanted, found) where they differ. Only what is wanted is looked at."""
    pairs = {name: (value, found.get(name)) for name, value in wanted.items()}
    return {name: pair for name, pair in pairs.items() if not same_value(name, *pair)}
