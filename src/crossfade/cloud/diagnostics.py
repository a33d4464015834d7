"""Diagnostic settings of one object. azure-mgmt-monitor dropped the calls (facts/arm-service 6.1): they are plain."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from crossfade.cloud.pipeline import Line
from crossfade.errors import NotFound
from crossfade.model.ids import last_name

_VERSION = {"api-version": "2021-05-01-preview"}
_SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings"


class Diagnostics:
    """`setting` is the id of one setting, `resource` that of the object it belongs to. Raises CloudError."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def rows(self, resource: str) -> list[dict[str, Any]]:
        subject = f"the diagnostic settings of {last_name(resource)}"
        return await self._line.rows(_path(resource + _SETTINGS), subject=subject, query=_VERSION)

    async def categories(self, resource: str) -> list[str]:
        """Categories that this cloud knows for an object."""
        subject = f"the log categories of {last_name(resource)}"
        rows = await self._line.rows(_path(f"{resource}{_SETTINGS}Categories"), subject=subject, query=_VERSION)
        return [str(row["name"]) for row in rows if (row.get("properties") or {}).get("categoryType") == "Logs"]

    async def find(self, setting: str) -> dict[str, Any] | None:
        try:
            answer = await self._line.send("GET", _path(setting), subject=_told(setting), query=_VERSION)
        except NotFound:
            return None
        return answer.body or {}

    async def put(self, setting: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._line.send("PUT", _path(setting), subject=_told(setting), query=_VERSION, body=body)
        return answer.body or {}

    async def delete(self, setting: str) -> None:
        """Absent is fine, and so is an object that is gone with all its settings."""
        assert _SETTINGS.casefold() in setting.casefold(), f"{setting} is no diagnostic setting"
        try:
            await self._line.send("DELETE", _path(setting), subject=_told(setting), query=_VERSION)
        except NotFound:
            return


def _path(resource_id: str) -> str:
    return quote(resource_id, safe="/")


def _told(setting: str) -> str:
    return f"diagnostic setting {last_name(setting)}"
