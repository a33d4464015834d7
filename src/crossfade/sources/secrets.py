"""Secrets stopped at the door: a reader keeps that one was set, never the text itself.

The three that classic objects carry are facts/classic-service 1.4, 1.6 and 3.5 point 7. A property of a later module
whose name says that it is one, and any text shaped like a token, are treated alike.
"""

import re
from functools import lru_cache
from typing import Any

from crossfade.sources.records import SHAPES

HIDDEN = "[hidden]"
_SECRET = frozenset({"token", "ssoclientsecret", "loganalyticsprimarykey"})
_LIKE_SECRET = re.compile(r"(secret|password|(primary|secondary|shared|account|access|api)key|token|connectionstring)$")
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*|\bbearer\s+[A-Za-z0-9._~+/=-]{8,}", re.I)


def without_secrets(data: dict[str, Any]) -> dict[str, Any]:
    """A copy in which `Token` has become `TokenSet: true`, and so on, at any depth."""
    return dict([_member(name, value) for name, value in data.items()])


@lru_cache(maxsize=SHAPES)
def is_secret(name: str) -> bool:
    """Whether a property of this name is a secret."""
    folded = name.casefold()
    return folded in _SECRET or _LIKE_SECRET.search(folded) is not None


def _member(name: str, value: Any) -> tuple[str, Any]:
    if is_secret(name):
        return f"{name}Set", value not in (None, "", False)
    return name, _value(value)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _TOKEN.sub(HIDDEN, value) if _may_hold_token(value) else value
    if isinstance(value, dict):
        return without_secrets(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    return value


def _may_hold_token(text: str) -> bool:
    """Whether it is worth a closer look: hardly any text is."""
    lowered = text.lower()
    return "eyj" in lowered or "bearer" in lowered
