"""`$filter` as the provider's lists know it: `property eq 'value'`, joined by `and` (facts/arm-service 2.1, 4.4)."""

import re
from collections.abc import Callable, Collection
from typing import Any

from avdtwin.arm import errors
from avdtwin.wire import Request

_TERM = re.compile(r"\s*(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
_AND = re.compile(r"and\s+", re.IGNORECASE)


def of(request: Request, known: Collection[str]) -> Callable[[dict[str, Any]], bool]:
    """The test a call's `$filter` puts to `properties`; without one everything passes. `known` are the properties it
    may name, lower-cased. Raises 400 for anything else.
    """
    text = request.query.get("filter", "").strip()
    terms = [] if not text else _terms(text, known)

    def passes(properties: dict[str, Any]) -> bool:
        if not terms:
            return True
        lower = {name.lower(): str(value).lower() for name, value in properties.items() if name.lower() in known}
        return all((lower.get(name) == value) is equal for name, equal, value in terms)

    return passes


def _terms(text: str, known: Collection[str]) -> list[tuple[str, bool, str]]:
    terms = []
    at = 0
    while True:
        match = _TERM.match(text, at)
        if match is None or match[1].lower() not in known:
            raise errors.provider(400, f"The filter '{text}' is not supported")
        terms.append((match[1].lower(), match[2].lower() == "eq", match[3].replace("''", "'").lower()))
        at = match.end()
        if at == len(text):
            return terms
        joint = _AND.match(text, at)
        if joint is None:
            raise errors.provider(400, f"The filter '{text}' is not supported")
        at = joint.end()
