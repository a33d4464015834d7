"""Queries of Log Analytics workspaces. Addresses and limits are those of the documentation; none is in our facts."""

from typing import Any

import msgspec

from crossfade.cloud.pipeline import Line
from crossfade.errors import Rejected


class Table(msgspec.Struct, frozen=True):
    """An answer: its columns, its rows by column, and whether the service says that rows are missing."""

    columns: list[str]
    rows: list[dict[str, Any]]
    partial: bool = False


class Logs:
    """Raises CloudError."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def query(self, workspace: str, text: str, *, subject: str) -> Table | None:
        """The first table of the answer; None where the query names what this workspace does not have. `workspace` is
        its customer id."""
        path = f"/v1/workspaces/{workspace}/query"
        try:
            answer = await self._line.send("POST", path, subject=subject, body={"query": text}, reads=True)
        except Rejected as error:
            if error.service_code == "BadArgumentError":
                return None
            raise
        body = answer.body or {}
        table = (body.get("tables") or [{}])[0]
        columns = [str(column["name"]) for column in table.get("columns") or []]
        rows = [dict(zip(columns, row, strict=True)) for row in table.get("rows") or []]
        return Table(columns, rows, partial="error" in body)
