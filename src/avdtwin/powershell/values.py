"""Values of a script. Strings, numbers, booleans, lists, bytes and None are Python's; the rest is here."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import total_ordering
from typing import Any

from avdtwin.clock import iso
from avdtwin.powershell.errors import ScriptError


class _Nothing:
    """What `[void]` and a statement without output leave: not even null."""


NOTHING = _Nothing()


class Table:
    """A hashtable: keys without regard to case when they are strings, in order of entry."""

    def __init__(self, items: dict[str, Any] | None = None) -> None:
        self._items: dict[Any, tuple[Any, Any]] = {}
        for key, value in (items or {}).items():
            self.set(key, value)

    def set(self, key: Any, value: Any) -> None:
        kept = self._items.get(_fold(key))
        self._items[_fold(key)] = (kept[0] if kept else key, value)

    def get(self, key: Any, default: Any = None) -> Any:
        return self._items.get(_fold(key), (None, default))[1]

    def has(self, key: Any) -> bool:
        return _fold(key) in self._items

    def remove(self, key: Any) -> None:
        self._items.pop(_fold(key), None)

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)


def _fold(key: Any) -> Any:
    return key.lower() if isinstance(key, str) else key


class Obj:
    """An object with a type's name, properties and methods, both found without regard to case."""

    def __init__(
        self,
        kind: str,
        properties: dict[str, Any] | None = None,
        methods: dict[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.kind = kind
        self.properties = Table(properties)
        self.methods = {name.lower(): method for name, method in (methods or {}).items()}


class TypeRef:
    """A type literal as a value: lower-cased, without a leading `system.`."""

    def __init__(self, name: str) -> None:
        self.name = normal_type(name)


def normal_type(name: str) -> str:
    return name.strip("[] ").lower().removeprefix("system.")


@total_ordering
class Version:
    """`[version]`: compared number by number, a missing one being less than 0."""

    def __init__(self, text: str) -> None:
        parts = text.strip().split(".")
        if not 2 <= len(parts) <= 4 or not all(part.isdigit() for part in parts):
            raise ScriptError(f'Cannot convert value "{text}" to type "System.Version".')
        self.parts = tuple(int(part) for part in parts) + (-1,) * (4 - len(parts))

    def __str__(self) -> str:
        return ".".join(str(part) for part in self.parts if part >= 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.parts == other.parts

    def __lt__(self, other: "Version") -> bool:
        return self.parts < other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


class Moment:
    """A `[datetime]`, in seconds since 1970 UTC."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __str__(self) -> str:
        return str(iso(self.at, 7))


def text(value: Any) -> str:
    """A value inside a string."""
    if value is None or value is NOTHING:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, list):
        return " ".join(text(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Obj) and value.kind == "pscustomobject":
        return "@{" + "; ".join(f"{key}={text(item)}" for key, item in value.properties.pairs()) + "}"
    if isinstance(value, Obj):
        return text(value.properties.get("Message")) if value.properties.has("Message") else value.kind
    if isinstance(value, Table):
        return "System.Collections.Hashtable"
    return str(value)


def truth(value: Any) -> bool:
    """A value as a condition: an array of one element is that element, a longer one is true."""
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    if value is None or value is NOTHING:
        return False
    return bool(value) if isinstance(value, (bool, int, float, str, bytes)) else True


def number(value: Any) -> int | float:
    """A value in arithmetic. Raises ScriptError when it is no number."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if value is None:
        return 0
    if isinstance(value, str):
        for number in (int, float):
            with suppress(ValueError):  # PowerShell tries one after the other, and complains only at the end
                return number(value.strip() or 0)
    raise ScriptError(f'Cannot convert value "{text(value)}" to a number.')


def as_list(value: Any) -> list[Any]:
    """The elements that a value puts into a pipeline."""
    if value is NOTHING:
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, bytes):
        return list(value)
    return [value]


def collected(output: list[Any]) -> Any:
    """What an output is as one value: nothing is null, one element is itself."""
    if not output:
        return None
    return output[0] if len(output) == 1 else output
