"""What assessment found, as a document."""

from enum import StrEnum
from typing import Any, ClassVar

import msgspec


class Severity(StrEnum):
    """A blocker stops `plan` unless it is accepted by name; a warning wants a look; a note is good to know."""

    BLOCKER = "blocker"
    WARNING = "warning"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is `<rule>:<subject>`, the same in every run; `subject` a classic key or ARM id."""

    id: str
    rule: str
    severity: Severity
    subject: str
    what: str
    why: str
    mend: str
    evidence: dict[str, Any] = {}


class Way(StrEnum):
    BY_HAND = "by-hand"
    AUTOMATED = "automated"
    REBUILD = "rebuild"


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """Which way to move one pool, and why: each reason a sentence with its figure."""

    pool: str
    way: Way
    reasons: list[str]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Findings sorted by severity, rule, subject; `inputs` name -> digest; `mode` crossfade or restore."""

    FORMAT: ClassVar[str] = "crossfade/findings@1"

    format: str = "crossfade/findings@1"
    made_at: str = ""
    inputs: dict[str, str] = {}
    mode: str = "crossfade"
    findings: list[Finding] = []
    advice: list[Advice] = []

    def blockers(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.BLOCKER]
