"""Dates as the classic service writes them: ISO 8601 in UTC, the fraction no longer than needed (facts 2.8)."""

from avdtwin.clock import iso


def wire_date(at: float | None) -> str | None:
    """`2020-05-01T06:31:07.52Z`, `2020-05-03T08:00:00Z`; None stays None."""
    text = iso(at, 6)
    return text and text.rstrip("Z").rstrip("0").rstrip(".") + "Z"
