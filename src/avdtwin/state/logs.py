"""What happened, and what was written down of it."""

from typing import Any

import msgspec


class Record(msgspec.Struct):
    """One thing that happened to somebody or something: a refused sign-in, a lost session, a locked profile."""

    at: float
    kind: str
    data: dict[str, Any] = {}


class LogRow(msgspec.Struct, array_like=True):
    """A row of a Log Analytics workspace. `at` is when it was written; its values hold their own `TimeGenerated`."""

    at: float
    table: str
    values: dict[str, Any]
