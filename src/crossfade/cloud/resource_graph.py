"""Resource Graph: one query over many subscriptions, page by page (facts/arm-service 7.4). It shows what the caller may
read, and nothing else; what has changed within the last minute may be missing."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from crossfade.cloud import lists
from crossfade.cloud.calls import Call
from crossfade.cloud.pipeline import Line

_VERSION = {"api-version": "2021-03-01"}
_PATH = "/providers/Microsoft.ResourceGraph/resources"
PAGE = 1000


class ResourceGraph:
    """Raises CloudError."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def pages(self, query: str, subscriptions: Sequence[str], *, subject: str) -> AsyncIterator[list[Any]]:
        """The rows of a query. It must keep `id` and have an order, or pages may overlap."""
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": PAGE}
        call = Call(service="arm", subject=subject, method="POST", reads=True, verb="read")
        links = lists.Links(call)
        while True:
            body = {"subscriptions": list(subscriptions), "query": query, "options": options}
            answer = await self._line.send("POST", _PATH, subject=subject, query=_VERSION, body=body, reads=True)
            yield lists.member(call, answer.body, "data")
            token = links.follow(answer.body.get("$skipToken") or "")
            if not token:
                return
            options = {**options, "$skipToken": token}

    async def rows(self, query: str, subscriptions: Sequence[str], *, subject: str) -> list[dict[str, Any]]:
        """All rows of `pages`."""
        return [row async for page in self.pages(query, subscriptions, subject=subject) for row in page]
