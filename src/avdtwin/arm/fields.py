"""Tables of writable properties: what a body may say, what is checked, what is filled in."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from avdtwin.arm import errors
from avdtwin.wire import Request

Check = Callable[[str, Any], Any]
"""`check(name, value) -> value as stored`; raises the 400 of a value that does not fit."""


class Field(msgspec.Struct, frozen=True):
    """One writable property. `fixed` ones can be set on creation only."""

    name: str
    check: Check
    default: Any = None
    required: bool = False
    fixed: bool = False


def for_put(fields: Iterable[Field], given: dict[str, Any]) -> dict[str, Any]:
    """All properties of a new or replaced resource: those given, and defaults for the rest (facts 2.4, inferred).
    Raises 400 naming the first that is missing or wrong.
    """
    stored = {}
    for field in fields:
        value = given.get(field.name)
        if value is not None:
            stored[field.name] = field.check(field.name, value)
        elif field.required:
            raise errors.provider(400, f"{field.name} is required and must be given a value")
        else:
            stored[field.name] = _copy(field.default)
    return stored


def for_patch(fields: Iterable[Field], given: dict[str, Any]) -> dict[str, Any]:
    """The properties a PATCH changes. An explicit null empties a property that may be empty, else it is passed over;
    properties that cannot be changed are passed over too.
    """
    changed = {}
    for field in fields:
        if field.fixed or field.name not in given:
            continue
        value = given[field.name]
        if value is not None:
            changed[field.name] = field.check(field.name, value)
        elif field.default is None and not field.required:
            changed[field.name] = None
    return changed


def _copy(default: Any) -> Any:
    return list(default) if isinstance(default, list) else default


# ---------------------------------------------------------------- checks


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(name, value)
    return value


def text_or_null(name: str, value: Any) -> str | None:
    """As `vmTemplate` does it: an empty text comes back as null (facts 1.3)."""
    return text(name, value) or None


def boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unfit(name, value)
    return value


def integer(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise _unfit(name, value)
    return value


def texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _unfit(name, value)
    return list(value)


def record(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unfit(name, value)
    return dict(value)


def records(name: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _unfit(name, value)
    return [dict(item) for item in value]


def choice(*words: str, also: dict[str, str] | None = None) -> Check:
    """One of these words in any casing, stored as written here; `also` maps further ones to them."""
    spelled = {word.lower(): word for word in words} | {old.lower(): word for old, word in (also or {}).items()}

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value.lower() not in spelled:
            raise _unfit(name, value)
        return spelled[value.lower()]

    return check


_MIGRATIONS = choice("Start", "Revoke", "Complete", "Hide", "Unhide")


def migration_request(name: str, value: Any) -> None:
    """What links an object with the classic one at `migrationPath` (facts/arm-service 1.15): read and checked, then let
    go. Whether the service still acts on it is not known; the twin does not, and answers null as recorded.
    """
    given = record(name, value)
    text(f"{name}.migrationPath", given.get("migrationPath", ""))
    if "operation" in given:
        _MIGRATIONS(f"{name}.operation", given["operation"])


def _unfit(name: str, value: Any) -> Exception:
    return errors.provider(400, f"Error converting value {value!r} for property '{name}'")


# ---------------------------------------------------------------- bodies


def body_of(request: Request) -> dict[str, Any]:
    """The body as an object; an empty one is an empty object. Raises 400 when it is anything else."""
    try:
        body = request.json()
    except (ValueError, RecursionError) as error:
        raise errors.bad_request(
            f"The request content was invalid and could not be deserialized: '{error}'."
        ) from error
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise errors.bad_request("The request content was invalid: an object was expected.")
    return request.reading(body) if request.reading is not None else body


def properties_of(body: dict[str, Any]) -> dict[str, Any]:
    """`properties` of a body, which may be missing or null."""
    return section(body, "properties") or {}


def tags_of(body: dict[str, Any]) -> dict[str, str] | None:
    """`tags` of a body: names to texts, or None. Raises 400 for other values and for more than ARM takes."""
    tags = section(body, "tags")
    if tags is None:
        return None
    if not all(isinstance(value, str) for value in tags.values()):
        raise errors.bad_request("The request content was invalid: the values of tags must be texts.")
    if len(tags) > 50 or any(len(name) > 512 or len(value) > 256 for name, value in tags.items()):
        raise errors.gateway(400, "InvalidTags", "A resource takes 50 tags, names of 512 and values of 256 characters.")
    return dict(tags)


def section(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A member that must be an object or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise errors.bad_request(f"The request content was invalid: '{name}' must be an object.")
    return value
