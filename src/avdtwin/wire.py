"""Requests, answers and the one router of the twin: case-insensitive in its fixed segments, as the services are."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec

if TYPE_CHECKING:
    from avdtwin.world import World


class Principal(msgspec.Struct, frozen=True):
    """Who calls, from the bearer token."""

    object_id: str
    app_id: str | None
    upn: str | None
    tenant_id: str
    audience: str


class Request(msgspec.Struct, kw_only=True):
    method: str
    path: str
    """Raw path, still percent-encoded."""
    query: dict[str, str]
    """Names lower-cased, without a leading `$`; the last of repeated ones wins."""
    headers: dict[str, str]
    """Names lower-cased."""
    body: bytes
    origin: str
    """`https://host:port` as the caller addressed us: what absolute links are built from."""
    principal: Principal | None = None
    route: str = ""
    """Template that matched."""
    reading: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """What is done to the body once it is decoded, before a handler sees it."""
    answer_headers: dict[str, str] = {}
    """Headers gathered on the way to the handler, for the answer."""

    def json(self) -> Any:
        """The body decoded. Raises ValueError when it is not JSON; empty is None."""
        try:
            found = json.loads(self.body) if self.body else None
            if b"\\ud" in self.body.lower():
                json.dumps(found, ensure_ascii=False).encode()  # half of a pair is no character
            return found
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


class Response(msgspec.Struct, kw_only=True):
    status: int = 200
    body: Any = None
    """None: no body at all; bytes and str go out as they are; anything else as JSON."""
    headers: dict[str, str] = {}
    delay_s: float = 0.0
    """How long the caller waits for it on the twin's clock, beyond the usual latency."""
    cut: float | None = None
    """So much of the body is sent, 0 to 1, and then the connection ends: a fault."""


class WireError(Exception):
    """An answer that is an error; raised anywhere below a route, sent as `response`."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status}")
        self.response = response


class ServiceGone(ConnectionRefusedError):
    """There is nobody to answer, as at a name that is dead: the call never arrived. Like any ConnectionError that a
    service raises it resets the connection over a socket, and goes through to a caller in this process.
    """


Handler = Callable[..., Response]
"""`handler(world, request, **path_parameters)`; parameters come decoded, in the caller's casing."""


class _Node:
    __slots__ = ("children", "handlers", "parameter", "rest")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.parameter: tuple[str, _Node] | None = None
        self.rest: tuple[str, _Node] | None = None
        self.handlers: dict[str, tuple[str, Handler]] = {}


class Router:
    """Routes by template: `/subscriptions/{sub}/resourceGroups/{rg}`; `{scope*}` takes any number of segments (also
    none) up to the next fixed one. Fixed segments match in any case; empty segments (a doubled or trailing slash) are
    skipped. One template may use its own parameter names: they are local to it.
    """

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, template: str, handler: Handler) -> None:
        node = self._root
        for segment in template.strip("/").split("/"):
            node = _step(node, segment)
        assert method not in node.handlers, f"two routes for {method} {template}"
        node.handlers[method] = (template, handler)

    def templates(self) -> list[str]:
        """`METHOD /template` of every route, sorted by template."""
        return sorted(_templates(self._root), key=lambda text: (text.partition(" ")[2], text))

    def route(self, *methods_and_template: str) -> Callable[[Handler], Handler]:
        """Decorator: `@router.route("GET", "/a/{b}")`; several methods may come before the template."""
        *methods, template = methods_and_template

        def register(handler: Handler) -> Handler:
            for method in methods:
                self.add(method, template, handler)
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[str, Handler, dict[str, str]] | set[str] | None:
        """The route of a call: (template, handler, parameters); a set of other methods the path has; or None."""
        segments = [unquote(part) for part in path.split("/") if part]
        others: set[str] = set()
        for node, values in _walk(self._root, segments, 0, []):
            if method in node.handlers:
                template, handler = node.handlers[method]
                return template, handler, dict(zip(_names(template), values, strict=True))
            others |= node.handlers.keys()
        return others or None


def _templates(node: _Node) -> Iterator[str]:
    for method, (template, _) in node.handlers.items():
        yield f"{method} {template}"
    below = [*node.children.values(), *(found[1] for found in (node.parameter, node.rest) if found)]
    for child in below:
        yield from _templates(child)


def _names(template: str) -> list[str]:
    return [part.strip("{}*") for part in template.split("/") if part.startswith("{")]


def _step(node: _Node, segment: str) -> _Node:
    if segment.startswith("{") and segment.endswith("*}"):
        node.rest = node.rest or (segment, _Node())
        return node.rest[1]
    if segment.startswith("{"):
        node.parameter = node.parameter or (segment, _Node())
        return node.parameter[1]
    return node.children.setdefault(segment.lower(), _Node())


def _walk(node: _Node, segments: list[str], at: int, values: list[str]) -> Any:
    """Every node that the segments can reach, fixed segments before parameters before rests."""
    if at == len(segments):
        if node.handlers:
            yield node, values
    else:
        child = node.children.get(segments[at].lower())
        if child is not None:
            yield from _walk(child, segments, at + 1, values)
        if node.parameter is not None:
            yield from _walk(node.parameter[1], segments, at + 1, [*values, segments[at]])
    if node.rest is not None:
        for end in range(at, len(segments) + 1):
            yield from _walk(node.rest[1], segments, end, [*values, "/".join(segments[at:end])])


def parse_query(text: str) -> dict[str, str]:
    """Query string -> names lower-cased and without a leading `$`."""
    return {name.lower().removeprefix("$"): value for name, value in parse_qsl(text, keep_blank_values=True)}


def truthy(text: str | None) -> bool:
    """`true` in any case, as both SDKs and cmdlets write it."""
    return text is not None and text.strip().lower() == "true"


ServiceHandler = Callable[["World", Request], Response]
