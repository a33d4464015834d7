"""Pages of lists (facts/arm-service 2.6).

Lists below a resource are made by the provider: `nextLink` is always there, null at the end. Lists of top-level
resources are made by ARM: no `nextLink` member on the last page. A link carries the last key shown, so that a page does
not slip when something is added or removed meanwhile.
"""

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from avdtwin.arm import errors
from avdtwin.wire import Request, Response, truthy
from avdtwin.world import World

Show = Callable[[str], dict[str, Any] | None]
"""The body of what has this key, or None when it does not belong in the list."""

_KEPT = {
    "api-version": "api-version",
    "filter": "%24filter",
    "pagesize": "pageSize",
    "isdescending": "isDescending",
}


def of_provider(world: World, request: Request, keys: list[str], show: Show) -> Response:
    """A page of a child list. `keys` are sorted; `pageSize`, `initialSkip` and `isDescending` are obeyed."""
    largest = int(world.setting("arm_child_page"))
    asked = _number(request, "pagesize")
    size = min(asked, largest) if asked else largest
    descending = truthy(request.query.get("isdescending"))
    value, link = _page(request, keys, show, size, descending, _number(request, "initialskip"))
    return Response(body={"value": value, "nextLink": link})


def of_gateway(world: World, request: Request, keys: list[str], show: Show) -> Response:
    """A page of a list that ARM puts together; it passes over the provider's paging parameters."""
    value, link = _page(request, keys, show, int(world.setting("arm_list_page")), False, 0)
    body: dict[str, Any] = {"value": value}
    if link:
        body["nextLink"] = link
    client_id = request.headers.get("x-ms-client-request-id")
    headers = {"x-ms-original-request-ids": client_id} if client_id else {}
    return errors.GatewayResponse(body=body, headers=headers)


def _page(
    request: Request, keys: list[str], show: Show, size: int, descending: bool, skip: int
) -> tuple[list[dict[str, Any]], str | None]:
    value: list[dict[str, Any]] = []
    last = ""
    for key in _from(keys, _token(request), descending, skip):
        body = show(key)
        if body is None:
            continue
        if len(value) == size:
            return value, _link(request, last)
        value.append(body)
        last = key
    return value, None


def _from(keys: list[str], after: str | None, descending: bool, skip: int) -> Iterator[str]:
    """Keys from behind `after`, or from behind the first `skip`, in the asked order."""
    if descending:
        start = len(keys) - 1 - skip if after is None else bisect_left(keys, after) - 1
        return (keys[at] for at in range(start, -1, -1))
    start = skip if after is None else bisect_right(keys, after)
    return (keys[at] for at in range(start, len(keys)))


def _link(request: Request, last: str) -> str:
    token = base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")
    kept = [f"{shown}={quote(request.query[name])}" for name, shown in _KEPT.items() if name in request.query]
    return f"{request.origin}{request.path}?{'&'.join([*kept, f'%24skiptoken={token}'])}"


def _token(request: Request) -> str | None:
    token = request.query.get("skiptoken")
    if token is None:
        return None
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise errors.provider(400, f"Invalid skip token '{token}'") from error


def _number(request: Request, name: str) -> int:
    text = request.query.get(name, "")
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise errors.provider(400, f"'{text}' is not a valid value for '{name}'")
    return int(text)
