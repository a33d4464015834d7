"""What a body holds in the API version that a call asks for (facts/arm-service 1.14).

The twin keeps one form of each object, that of the newest version. A member that an older version does not know is
passed over in a request and left out of an answer. The table below is that of Microsoft's published types
(bicep-types-az), with three recorded departures: UDP switches and `migrationRequest` are answered on 2024-04-03 and
2025-10-10 though neither knows them (New-AzWvdHostPool 2024-09 and 2026-03), and on 2025-10-10 schedules and app attach
packages have members of previews (New-AzWvdScalingPlan, New-AzWvdAppAttachPackage 2026-03). What the service really
answers on versions before 2024-04-03 is not recorded.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from avdtwin.arm import versions

Body = dict[str, Any]


class Member(msgspec.Struct, frozen=True):
    """A member that not every version has: `path` in a body, the versions that answer it and those that take it."""

    path: str
    answered: frozenset[str]
    taken: frozenset[str]


def _since(version: str) -> frozenset[str]:
    return frozenset([*(each for each in versions.STABLE if each >= version), *versions.PREVIEWS])


_PREVIEWS = frozenset(versions.PREVIEWS)
_MIGRATION = frozenset({"2021-07-12"})
_LINKS = tuple(
    Member(f"properties.{name}", _since("2023-09-05"), _since("2023-09-05"))
    for name in ("publicNetworkAccess", "privateEndpointConnections")
)
_MIGRATION_REQUEST = Member("properties.migrationRequest", _MIGRATION | _since("2024-04-03"), _MIGRATION)
_ADDED = ("scalingMethod", "createDelete")

_EVERYWHERE = (Member("systemData", _since("2022-09-09"), frozenset()),)
_MEMBERS: dict[str, tuple[Member, ...]] = {
    "hostpools": (
        *_LINKS,
        _MIGRATION_REQUEST,
        Member("properties.agentUpdate", _since("2022-09-09"), _since("2022-09-09")),
        Member("properties.appAttachPackageReferences", _since("2024-04-03"), frozenset()),
        Member("properties.managementType", _PREVIEWS, frozenset()),
        *(
            Member(f"properties.{name}", _since("2024-04-03"), _PREVIEWS)
            for name in ("managedPrivateUDP", "directUDP", "publicUDP", "relayUDP")
        ),
    ),
    "hostpools/sessionhosts": (Member("properties.friendlyName", _since("2022-09-09"), _since("2022-09-09")),),
    "hostpools/expandmsiximage": tuple(
        Member(path, _since("2024-04-03"), frozenset())
        for path in ("properties.certificateExpiry", "properties.certificateName", "systemData")
    ),
    "applicationgroups": (
        _MIGRATION_REQUEST,
        Member("properties.showInFeed", _since("2023-09-05"), _since("2023-09-05")),
    ),
    "workspaces": _LINKS,
    "scalingplans": tuple(Member(f"properties.schedules.{name}", _since("2025-10-10"), _PREVIEWS) for name in _ADDED),
    "hostpools/scalingplans": tuple(
        Member(f"properties.schedules.{name}", _since("2025-10-10"), frozenset()) for name in _ADDED
    ),
    "scalingplans/pooledschedules": tuple(
        Member(f"properties.{name}", _since("2025-10-10"), frozenset()) for name in _ADDED
    ),
    "appattachpackages": tuple(
        Member(f"properties.{name}", _since("2025-10-10"), frozenset())
        for name in (
            *("repositoryResourceId", "repositoryApplicationId", "customData", "packageOwnerName"),
            "packageLookbackUrl",
        )
    ),
}

_TIMES_AS_TEXT = "2021-07-12"
"""The version in which a scaling plan's schedule tells times of day as texts; which day they name is not known."""
_PHASES = ("rampUp", "peak", "rampDown", "offPeak")


class Shape(msgspec.Struct, frozen=True):
    """How one version reads and writes bodies of one kind; None where it does so as the newest."""

    read: Callable[[Body], Body] | None
    write: Callable[[Body], Body] | None


@cache
def of(kind: str, version: str) -> Shape:
    """`kind` is the type without its namespace, for an action with the action's name: `hostPools/expandMsixImage`."""
    members = (*_EVERYWHERE, *_MEMBERS.get(kind.lower(), ()))
    passed_over = tuple(each.path for each in members if version not in each.taken and each.path != "systemData")
    left_out = tuple(each.path for each in members if version not in each.answered)
    if version == _TIMES_AS_TEXT and kind.lower().endswith("scalingplans"):
        return Shape(
            read=lambda body: _with_times(without(body, passed_over), _time_of),
            write=lambda body: _with_times(without(body, left_out), _text_of),
        )
    return Shape(
        read=(lambda body: without(body, passed_over)) if passed_over else None,
        write=(lambda body: without(body, left_out)) if left_out else None,
    )


def written(body: Any, write: Callable[[Body], Body]) -> Any:
    """An answer in a version's form: one object, or a page of them. Other answers are left as they are."""
    if not isinstance(body, dict):
        return body
    if isinstance(body.get("value"), list):
        return {**body, "value": [write(each) for each in body["value"]]}
    return write(body) if "properties" in body else body


def without(body: Body, paths: tuple[str, ...]) -> Body:
    """A copy that lacks the members at these dotted paths, in each record of a list on the way."""
    for path in paths:
        body = _without(body, path.split("."))
    return body


def _without(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [_without(each, path) for each in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {name: each for name, each in value.items() if name != path[0]}
    return {**value, path[0]: _without(value[path[0]], path[1:])}


# ---------------------------------------------------------------- times of day


def _with_times(body: Body, change: Callable[[Any], Any]) -> Body:
    properties = body.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("schedules"), list):
        return body
    schedules = [_schedule(each, change) if isinstance(each, dict) else each for each in properties["schedules"]]
    return {**body, "properties": {**properties, "schedules": schedules}}


def _schedule(schedule: Body, change: Callable[[Any], Any]) -> Body:
    names = {f"{phase}StartTime" for phase in _PHASES}
    return {name: change(value) if name in names else value for name, value in schedule.items()}


def _time_of(text: Any) -> Any:
    """`2020-11-10T06:30:00Z` -> the hour and the minute; what is no such text is left for the handler to judge."""
    if not isinstance(text, str):
        return text
    clock = text.partition("T")[2][:5].split(":")
    if len(clock) != 2 or not all(part.isascii() and part.isdigit() for part in clock):
        return text
    return {"hour": int(clock[0]), "minute": int(clock[1])}


def _text_of(time: Any) -> Any:
    if not isinstance(time, dict):
        return time
    return f"0001-01-01T{int(time.get('hour') or 0):02}:{int(time.get('minute') or 0):02}:00Z"
