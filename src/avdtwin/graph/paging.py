"""Collections in pages: `$top` up to 999, 100 by default, `@odata.nextLink` absolute and opaque, `$count` on demand."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from avdtwin.graph import errors, filters, shapes
from avdtwin.graph.shapes import DirectoryObject
from avdtwin.wire import Request, Response
from avdtwin.world import World

PAGE = 100
LARGEST = 999
_KEPT = {"select": "$select", "filter": "$filter", "top": "$top", "count": "$count", "search": "$search"}


def page(
    world: World, request: Request, items: Sequence[DirectoryObject], context: str, *, typed: bool = False
) -> Response:
    """One page of `items` after the call's `$filter`, `$select` and `$top`."""
    kept = _filtered(world, request, items)
    start, size = _start(world, request), _size(world, request)
    body: dict[str, Any] = {"@odata.context": f"{request.origin}/v1.0/$metadata#{context}"}
    if _counts(request):
        body["@odata.count"] = len(kept)
    if start + size < len(kept):
        body["@odata.nextLink"] = _next_link(request, start + size)
    select = request.query.get("select")
    body["value"] = [shapes.shown(world, item, select, typed=typed) for item in kept[start : start + size]]
    return Response(body=body)


def count(world: World, request: Request, items: Sequence[DirectoryObject]) -> Response:
    """`…/$count`: a bare number, for callers that accept eventual consistency."""
    if not eventual(request):
        raise errors.bad_request(world, request, "$count is not currently supported.")
    number = str(len(_filtered(world, request, items)))
    return Response(body=number, headers={"content-type": "text/plain"})


def eventual(request: Request) -> bool:
    return request.headers.get("consistencylevel", "").lower() == "eventual"


def _counts(request: Request) -> bool:
    return request.query.get("count", "").lower() == "true" and eventual(request)


def _filtered(world: World, request: Request, items: Sequence[DirectoryObject]) -> Sequence[DirectoryObject]:
    text = request.query.get("filter")
    if "search" in request.query:
        raise errors.unsupported(world, request, "$search")
    if not text:
        return items
    try:
        test = filters.parse(text)
        return [item for item in items if test(shapes.whole(world, item))]
    except ValueError as error:
        raise errors.unsupported(world, request, str(error)) from error


def _size(world: World, request: Request) -> int:
    text = request.query.get("top")
    if text is None:
        return PAGE
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST:
        message = f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST} inclusive."
        raise errors.bad_request(world, request, message)
    return int(text)


def _start(world: World, request: Request) -> int:
    token = request.query.get("skiptoken")
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error) as error:
        raise errors.bad_request(world, request, "Skip token is null or badly formatted.") from error


def _next_link(request: Request, start: int) -> str:
    token = base64.urlsafe_b64encode(str(start).encode()).decode()
    query = {_KEPT[name]: value for name, value in request.query.items() if name in _KEPT} | {"$skiptoken": token}
    return f"{request.origin}{request.path}?{urlencode(query, quote_via=quote, safe='$,')}"
