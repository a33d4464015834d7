"""Bodies of the classic service: member names in any case, unknown members ignored, numbers and flags also as text.

A table of `Field`s says what a type lets a caller set; `changes` reads a body by it (facts/classic-service 1.2, 2.8).
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from avdtwin.classic import places
from avdtwin.classic.errors import refusal
from avdtwin.classic.places import Path
from avdtwin.wire import Request
from avdtwin.world import World

Body = dict[str, Any]
"""A request's members, names lower-cased."""

Check = Callable[[World, str, Any], Any]
"""`check(world, member, value)`: the value as it is stored; raises the refusal."""

_UPN_LENGTH = 256


class Field(msgspec.Struct, frozen=True):
    member: str
    """Spelling in answers; requests are matched without case."""
    attribute: str
    check: Check


# ---------------------------------------------------------------- reading


def read(world: World, request: Request, names: Mapping[str, str]) -> Body:
    """The body of a call, whose names must agree with those of the URL; a missing one is taken from there."""
    try:
        raw = request.json()
    except (ValueError, RecursionError) as error:
        raise refusal(world, "UnknownError", "The request body is not valid JSON.") from error
    if raw is not None and not isinstance(raw, dict):
        raise refusal(world, "UnknownError", "The request body must be a JSON object.")
    body = {str(name).lower(): value for name, value in (raw or {}).items()}
    for member, name in names.items():
        _check_name(world, body.get(member.lower()), member, name)
    return body


def read_under(world: World, request: Request, path: Path, **own: str) -> Body:
    """As `read`, with the names of a path and the object's own."""
    return read(world, request, places.given_names(path) | own)


def _check_name(world: World, given: Any, member: str, name: str) -> None:
    if given is None:
        if world.setting("classic_names_required"):
            raise refusal(world, "NameDoesNotMatchObject", f"No object name given for path name {member} '{name}'.")
    elif str(given).lower() != name.lower():
        raise refusal(world, "NameDoesNotMatchObject", f"Object name '{given}' and path name '{name}' do not match.")


def changes(world: World, body: Body, fields: tuple[Field, ...], *, creating: bool = False) -> dict[str, Any]:
    """Attribute -> new value, for the members that are there. Null leaves what is (2.8), unless a setting clears."""
    clear = not creating and world.setting("classic_patch_null") == "clear"
    found: dict[str, Any] = {}
    for field in fields:
        name = field.member.lower()
        if name not in body:
            continue
        value = body[name]
        if value is not None:
            found[field.attribute] = field.check(world, field.member, value)
        elif clear and field.check in _NULLABLE:
            found[field.attribute] = None
    return found


def apply(target: Any, values: Mapping[str, Any]) -> None:
    for attribute, value in values.items():
        setattr(target, attribute, value)


# ---------------------------------------------------------------- checks


def text(world: World, member: str, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _wrong(world, member, value, "text")
    return value


def emptiable(world: World, member: str, value: Any) -> str | None:
    """Text whose empty form switches the thing off."""
    return text(world, member, value) or None


def friendly_name(world: World, member: str, value: Any) -> str | None:
    return _bounded(world, member, value, 256, "FriendlyNameNotValidLength", "FriendlyNameNotValidWhiteSpace")


def description(world: World, member: str, value: Any) -> str | None:
    return _bounded(world, member, value, 512, "DescriptionNameNotValidLength", "DescriptionNotValidWhiteSpace")


def _bounded(world: World, member: str, value: Any, most: int, too_long: str, white: str) -> str | None:
    found = text(world, member, value)
    if found is not None and len(found) > most:
        raise refusal(world, too_long, f"{member} has {len(found)} characters; {most} are allowed.")
    _refuse_white_space(world, member, found or "", white)
    return found


def _refuse_white_space(world: World, member: str, value: str, code: str) -> None:
    if value != value.strip():
        raise refusal(world, code, f"{member} '{value}' has leading or trailing white spaces.")


def flag(world: World, member: str, value: Any) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)) and str(value).strip().lower() in words:
        return words[str(value).strip().lower()]
    raise _wrong(world, member, value, "true or false")


def whole(world: World, member: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _wrong(world, member, value, "a whole number")
    try:
        return int(value)
    except ValueError as error:
        raise _wrong(world, member, value, "a whole number") from error


def choice(values: Mapping[str, int], code: str) -> Check:
    """An enumeration: its number, the number as text, or its name; anything else is refused with `code`."""
    by_name = {name.lower(): number for name, number in values.items()}

    def check(world: World, member: str, value: Any) -> int:
        if isinstance(value, str) and value.strip().lower() in by_name:
            return by_name[value.strip().lower()]
        number = whole(world, member, value)
        if number not in by_name.values():
            raise refusal(world, code, f"{member} {number} is none of {', '.join(values)}.")
        return number

    return check


def guid(code: str) -> Check:
    """GUID text, kept as given; empty text switches off."""

    def check(world: World, member: str, value: Any) -> str | None:
        found = text(world, member, value) or None
        if found is not None and not is_guid(found):
            raise refusal(world, code, f"{member} '{found}' is not a GUID.")
        return found

    return check


def is_guid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.strip("{}").lower()
    except ValueError:
        return False


def path_text(code: str) -> Check:
    """A path without white space around it."""

    def check(world: World, member: str, value: Any) -> str | None:
        found = text(world, member, value) or ""
        _refuse_white_space(world, member, found, code)
        return found or None

    return check


_NULLABLE = (text, emptiable, friendly_name, description)
"""Checks of members that a PATCH with null may clear, where the setting says so."""

FRIENDLY_NAME = Field("friendlyName", "friendly_name", friendly_name)
DESCRIPTION = Field("description", "description", description)


def _wrong(world: World, member: str, value: Any, expected: str) -> Exception:
    return refusal(world, "UnknownError", f"{member} must be {expected}, not {str(value)[:64]!r}.")


# ---------------------------------------------------------------- names


def new_name(world: World, name: str) -> str:
    """A name for a new object: length, white space and characters (7000 to 7002). The character set is not known; the
    one here is what Microsoft's own web tool accepted, with letters of any script.
    """
    most = int(world.setting("classic_name_length"))
    if not 0 < len(name) <= most:
        raise refusal(world, "NameNotValidLength", f"'{name}' has {len(name)} characters; 1 to {most} are allowed.")
    if name != name.strip():
        raise refusal(world, "NameNotValidWhiteSpace", f"'{name}' has leading or trailing white spaces.")
    extra = str(world.setting("classic_name_characters"))
    for position, letter in enumerate(name):
        if not letter.isalnum() and (position == 0 or letter not in extra):
            raise refusal(world, "NameNotValidCharacters", f"'{name}' has a bad character at position {position}.")
    return name


def upn(world: World, name: str) -> str:
    if len(name) > _UPN_LENGTH:
        raise refusal(world, "NameNotValidLength", f"A user principal name has at most {_UPN_LENGTH} characters.")
    return name
