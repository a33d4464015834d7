"""Binary operators, by lower-cased name. Comparisons disregard case, as in PowerShell, unless they begin with `c`."""

import re
from collections.abc import Callable
from fnmatch import translate
from typing import Any

from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.values import Moment, Obj, Table, TypeRef, Version, as_list, number, text

Operator = Callable[[Any, Any], Any]


def equal(left: Any, right: Any) -> bool:
    """`-eq` on two single values: the right one is taken as what the left one is."""
    if left is None or right is None:
        return left is right
    if isinstance(left, bool):
        return left == (right if isinstance(right, bool) else bool(right))
    if isinstance(left, (int, float)):
        try:
            return bool(left == number(right))
        except ScriptError:
            return False
    if isinstance(left, str):
        return left.lower() == text(right).lower()
    if isinstance(left, Version):
        return left == (right if isinstance(right, Version) else Version(text(right)))
    return left is right


def _order(left: Any, right: Any) -> int:
    if isinstance(left, Version):
        other = right if isinstance(right, Version) else Version(text(right))
        return (left > other) - (left < other)
    if isinstance(left, Moment) and isinstance(right, Moment):
        return (left.at > right.at) - (left.at < right.at)
    if isinstance(left, str):
        a, b = left.lower(), text(right).lower()
        return (a > b) - (a < b)
    x, y = number(left), number(right)
    return (x > y) - (x < y)


def _like(left: Any, right: Any) -> bool:
    # fnmatch reads [!a] as PowerShell reads [^a]; our scripts have neither.
    return re.fullmatch(translate(text(right)), text(left), re.IGNORECASE | re.DOTALL) is not None


def matches(left: Any, right: Any) -> re.Match[str] | None:
    return re.search(text(right), text(left), re.IGNORECASE)


def _filtering(test: Callable[[Any, Any], bool]) -> Operator:
    """On an array a comparison picks the elements for which it holds."""

    def compare(left: Any, right: Any) -> Any:
        if isinstance(left, list):
            return [item for item in left if test(item, right)]
        return test(left, right)

    return compare


def _not(test: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    return lambda left, right: not test(left, right)


def _contains(left: Any, right: Any) -> bool:
    return any(equal(item, right) for item in as_list(left))


def _join(left: Any, right: Any) -> str:
    return text(right).join(text(item) for item in as_list(left))


def _split(left: Any, right: Any) -> list[str]:
    return re.split(text(right), text(left), flags=re.IGNORECASE)


def _replace(left: Any, right: Any) -> str:
    pattern, new = (text(right[0]), text(right[1])) if isinstance(right, list) else (text(right), "")
    if "$" in new:
        raise Unsupported("-replace with references in the replacement")
    return re.sub(pattern, new.replace("\\", r"\\"), text(left), flags=re.IGNORECASE)


def _format(left: Any, right: Any) -> str:
    values = as_list(right)

    def one(match: re.Match[str]) -> str:
        value, style = values[int(match.group(1))], match.group(2) or ""
        if not style:
            return text(value)
        if re.fullmatch(r"[xX]\d*", style):
            return f"{int(number(value)):0{style[1:] or 1}{style[0]}}"
        raise Unsupported(f"format {style}")

    return re.sub(r"\{(\d+)(?::([^}]*))?\}", one, text(left)).replace("{{", "{").replace("}}", "}")


def _is(left: Any, right: Any) -> bool:
    name = right.name if isinstance(right, TypeRef) else text(right).lower()
    if name not in _TYPES:
        raise Unsupported(f"-is [{name}]")
    kind = _TYPES[name]
    return isinstance(left, kind) and not (kind is int and isinstance(left, bool))


_TYPES: dict[str, type] = {
    "string": str,
    "int": int,
    "int32": int,
    "long": int,
    "bool": bool,
    "array": list,
    "hashtable": Table,
    "version": Version,
    "pscustomobject": Obj,
}


def add(left: Any, right: Any) -> Any:
    """`+` on strings, arrays, hashtables and numbers; the left one decides."""
    if isinstance(left, str):
        return left + text(right)
    if isinstance(left, list):
        return left + as_list(right)
    if isinstance(left, Table) and isinstance(right, Table):
        both = Table()
        for key, value in [*left.pairs(), *right.pairs()]:
            both.set(key, value)
        return both
    if left is None:
        return right
    return number(left) + number(right)


def _divide(left: Any, right: Any) -> Any:
    result = number(left) / number(right)
    return int(result) if result.is_integer() else result


OPERATORS: dict[str, Operator] = {
    "-eq": _filtering(equal),
    "-ne": _filtering(_not(equal)),
    "-ceq": _filtering(lambda left, right: left == right),
    "-cne": _filtering(lambda left, right: left != right),
    "-lt": _filtering(lambda left, right: _order(left, right) < 0),
    "-le": _filtering(lambda left, right: _order(left, right) <= 0),
    "-gt": _filtering(lambda left, right: _order(left, right) > 0),
    "-ge": _filtering(lambda left, right: _order(left, right) >= 0),
    "-like": _filtering(_like),
    "-notlike": _filtering(_not(_like)),
    "-match": _filtering(lambda left, right: matches(left, right) is not None),
    "-notmatch": _filtering(lambda left, right: matches(left, right) is None),
    "-contains": _contains,
    "-notcontains": _not(_contains),
    "-in": lambda left, right: _contains(right, left),
    "-notin": lambda left, right: not _contains(right, left),
    "-join": _join,
    "-split": _split,
    "-replace": _replace,
    "-f": _format,
    "-is": _is,
    "-isnot": _not(_is),
    "-band": lambda left, right: int(number(left)) & int(number(right)),
    "-bor": lambda left, right: int(number(left)) | int(number(right)),
    "+": add,
    "-": lambda left, right: number(left) - number(right),
    "*": lambda left, right: (
        left * int(number(right)) if isinstance(left, (str, list)) else number(left) * number(right)
    ),
    "/": _divide,
    "%": lambda left, right: number(left) % number(right),
}


def operator(name: str) -> Operator:
    found = OPERATORS.get(name.lower())
    if found is None:
        raise Unsupported(f"operator {name}")
    return found
