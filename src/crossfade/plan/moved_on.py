"""In what an input differs now from what a plan was made of, in words: who and what, not only that it differs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.model.target import RoleGrant

NAMED = 10
"""Differences that are told one by one; the others are counted."""
Rows = Mapping[str, Any]
Key = Callable[[dict[str, Any]], str]


def classic(was: Inventory, now: Inventory) -> list[str]:
    """Assignments first: they are what people feel."""
    old, new = was.substance(), now.substance()
    found = list(_assignments(old.pop("assignments"), new.pop("assignments")))
    for name, rows in old.items():
        found += _objects(_NOUNS[name], _by(_key, rows), _by(_key, new[name]))
    return found


def target(was: TargetSnapshot, now: TargetSnapshot) -> list[str]:
    """Grants first, then people, groups and objects."""
    upns = {fold(one.object_id): one.upn for side in (was, now) for one in side.identities if one.object_id}
    names = {**upns, **{fold(one.id): one.display_name for side in (was, now) for one in side.directory_groups}}
    found = list(_grants(was.grants, now.grants, names))
    found += _identities(was, now)
    found += _members(was, now, names)
    old, new = was.substance(), now.substance()
    by_id: Key = lambda row: str(row["id"])  # noqa: E731
    found += _objects("object", _by(by_id, old["objects"]), _by(by_id, new["objects"]))
    before, after = (dict(side["machines"]) for side in (old, new))
    found += _objects("virtual machine", before, after)
    return [*found, *(["the registration of a provider is another"] if old["providers"] != new["providers"] else [])]


def told(differences: list[str]) -> str:
    """One sentence of the first of them; empty for none."""
    more = len(differences) - NAMED
    return "; ".join(differences[:NAMED]) + (f"; and {more} more" if more > 0 else "")


_NOUNS = {
    "tenant_groups": "tenant group",
    "tenants": "tenant",
    "pools": "pool",
    "groups": "app group",
    "desktops": "desktop of",
    "apps": "app",
    "hosts": "host",
    "roles": "classic role at",
}


def _key(row: dict[str, Any]) -> str:
    who = row.get("object_id") or row.get("app_id") or row.get("sign_in_name") if "role" in row else None
    return f"{row['key'] or '/'} ({row['role']} {who})" if "role" in row else str(row["key"])


def _by(key: Key, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {key(row): row for row in rows}


def _objects(noun: str, was: Rows, now: Rows) -> Iterator[str]:
    old, new = ({fold(key): (key, row) for key, row in side.items()} for side in (was, now))
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            yield f"{noun} {old[key][0]} is gone"
        elif key not in old:
            yield f"{noun} {new[key][0]} is new"
        elif old[key][1] != new[key][1]:
            yield f"{noun} {new[key][0]} is another now{_in_what(old[key][1], new[key][1])}"


def _in_what(was: Any, now: Any) -> str:
    """The members that differ, of two rows."""
    if not isinstance(was, dict) or not isinstance(now, dict):
        return ""
    was, now = ({**row, **(row.get("properties") or {})} for row in (was, now))
    names = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    return f" ({', '.join(name for name in names if name != 'properties')})"


def _assignments(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[str]:
    old, new = ({(fold(row["key"]), fold(row["upn"])): row for row in side} for side in (was, now))
    for pair in sorted(old.keys() - new.keys()):
        yield f"{old[pair]['upn']} is no longer assigned to {_short(old[pair]['key'])}"
    for pair in sorted(new.keys() - old.keys()):
        yield f"{new[pair]['upn']} is assigned to {_short(new[pair]['key'])} now"


def _short(key: str) -> str:
    """`…/Office/Excel` as `Office/Excel`."""
    return f"{last_name(parent_key(key))}/{last_name(key)}"


def _grants(was: list[RoleGrant], now: list[RoleGrant], names: Mapping[str, str]) -> Iterator[str]:
    old, new = ({fold(one.id): one for one in side} for side in (was, now))
    for key in sorted(old.keys() ^ new.keys()):
        one = old.get(key) or new[key]
        who = names.get(fold(one.principal_id), one.principal_id)
        yield f"the role assignment of {who} at {last_name(one.scope)} is {'gone' if key in old else 'new'}"
    for key in sorted(old.keys() & new.keys()):
        if old[key] != new[key]:
            yield f"the role assignment {key} is another now"


def _identities(was: TargetSnapshot, now: TargetSnapshot) -> Iterator[str]:
    old, new = ({fold(one.upn): one for one in side.identities} for side in (was, now))
    for upn in sorted(old.keys() | new.keys()):
        before, after = old.get(upn), new.get(upn)
        if before is None or after is None:
            named = before or after
            assert named is not None
            yield f"{named.upn} is {'not looked up any more' if after is None else 'looked up now'}"
        elif before != after:
            change = "another object" if before.state == after.state else f"{after.state}, was {before.state},"
            yield f"{after.upn} is {change} in the directory"


def _members(was: TargetSnapshot, now: TargetSnapshot, names: Mapping[str, str]) -> Iterator[str]:
    old, new = ({fold(one.id): one for one in side.directory_groups} for side in (was, now))
    for key in sorted(old.keys() | new.keys()):
        before, after = (side.get(key) for side in (old, new))
        if before is None or after is None:
            yield f"the group {names.get(key, key)} is {'gone or publishes nothing' if after is None else 'new here'}"
            continue
        left, joined = set(before.members) - set(after.members), set(after.members) - set(before.members)
        yield from (f"{names.get(fold(one), one)} has left the group {after.display_name}" for one in sorted(left))
        yield from (f"{names.get(fold(one), one)} has joined the group {after.display_name}" for one in sorted(joined))
        if before.display_name != after.display_name:
            yield f"the group {before.display_name} is called {after.display_name} now"
