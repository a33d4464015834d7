"""Resource Graph: queries of the table `Resources`, by a small interpreter (facts/arm-service 7.4).

Known: `where` (comparisons, `and`, `or`, `not`, `in`, `contains`, `startswith`, `endswith`, `has`, `isempty`,
`isnotempty`), `project`, `extend`, `order by`/`sort by`, `limit`/`take`, `count`, `distinct`, and
`join kind=inner|leftouter (…) on key`. Functions: `tolower`, `toupper`, `tostring`. The rest is refused as a bad query.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from avdtwin.arm import errors, fields, rights
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of
from avdtwin.clock import iso
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

Row = dict[str, Any]
Term = Callable[[Row], Any]
_MOST = 1000
_TOKENS = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?)|(?P<name>in~|[A-Za-z_$][\w$-]*)"""
    r"""|(?P<mark>=~|!~|==|!=|<=|>=|[|(),.=<>\[\]]))""",
)
_DEEPEST = 30
_HIDDEN = ("microsoft.resources/", "microsoft.authorization/")
_POWER = {"running": "VM running", "deallocated": "VM deallocated", "stopped": "VM stopped"}


class BadQuery(Exception):
    """A query that cannot be run; the text says where."""


def register(router: Router) -> None:
    router.add("POST", "/providers/Microsoft.ResourceGraph/resources", query)


def query(world: World, request: Request) -> Response:
    """A page of the rows that the caller may read."""
    body = fields.body_of(request)
    options = fields.section(body, "options") or {}
    table = _rows(world, request, body)
    try:
        found = _Parser(str(body.get("query") or ""), table).run()
    except (BadQuery, TypeError) as error:
        text = "Please provide below info when asking for support: timestamp, correlationId."
        raise errors.gateway(400, "BadRequest", f"{text} Query is invalid: {error}") from error
    size = _number(options.get("$top"), _MOST, most=_MOST)
    start = _after(options.get("$skipToken")) or _number(options.get("$skip"), 0)
    page = found[start : start + size]
    more = start + size < len(found)
    answer = {"totalRecords": len(found), "count": len(page), "data": page, "facets": [], "resultTruncated": "false"}
    if more:
        answer["$skipToken"] = base64.b64encode(str(start + size).encode()).decode()
    return GatewayResponse(body=answer, headers=_quota(world, request))


def _quota(world: World, request: Request) -> dict[str, str]:
    """15 queries in 5 seconds for one caller. Raises 429."""
    key = f"graph-queries|{caller_of(request).object_id}"
    window = world.state.limits.get(key)
    if window is None or world.now >= window[0]:
        window = world.state.limits[key] = [world.now + 5.0, 15]
    window[1] -= 1
    left = {"x-ms-user-quota-remaining": str(max(window[1], 0)), "x-ms-user-quota-resets-after": "00:00:05"}
    if window[1] < 0 and world.setting("limits_enforced"):
        raise errors.gateway(429, "RateLimiting", "Please slow down.", {**left, "Retry-After": "5"})
    return left


def _number(given: Any, default: int, most: int = 10**9) -> int:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= most:
        raise errors.gateway(400, "BadRequest", f"'{given}' is no valid paging option.")
    return given


def _after(token: Any) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(str(token), validate=True).decode()[:9])
    except (binascii.Error, ValueError) as error:
        raise errors.gateway(400, "BadRequest", "The skip token is invalid.") from error


# ---------------------------------------------------------------- the table


def _rows(world: World, request: Request, body: dict[str, Any]) -> list[Row]:
    asked = body.get("subscriptions")
    if asked is not None and (not isinstance(asked, list) or not all(isinstance(each, str) for each in asked)):
        raise errors.gateway(400, "BadRequest", "subscriptions must be a list of ids.")
    wanted = {each.lower() for each in asked or world.state.arm.subscriptions}
    caller, free = caller_of(request).object_id, not world.setting("rights_enforced")
    readable: dict[str, bool] = {}
    found = []
    for key, resource in world.state.arm.resources.items():
        parts = key.split("/")
        if len(parts) != 9 or parts[2] not in wanted or resource.type.lower().startswith(_HIDDEN):
            continue
        scope = "/".join(parts[:5]) + "|" + resource.type.lower()
        if scope not in readable:
            readable[scope] = free or rights.allows(world, caller, f"{resource.type}/read", "/".join(parts[:5]))
        if readable[scope] or rights.allows(world, caller, f"{resource.type}/read", resource.id):
            found.append(_row(world, resource, parts[2]))
    return found


def _row(world: World, resource: Resource, subscription: str) -> Row:
    properties = dict(resource.properties)
    machine = world.state.machines.get(resource.id.lower())
    if machine is not None:
        power = {"code": f"PowerState/{machine.power}", "displayStatus": _POWER.get(machine.power, machine.power)}
        view = {"powerState": power, "computerName": machine.fqdn}
        properties |= {"vmId": machine.vm_id, "osProfile": {"computerName": machine.computer_name}}
        properties["extended"] = {"instanceView": view}
        properties["timeCreated"] = iso(resource.created_at, 7)
    return {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type.lower(),
        "tenantId": world.state.directory.tenant_id,
        "kind": resource.kind or "",
        "location": resource.location or "",
        "resourceGroup": resource.id.split("/")[4].lower(),
        "subscriptionId": subscription,
        "tags": resource.tags,
        "properties": properties,
    }


# ---------------------------------------------------------------- the language


class _Parser:
    """Runs a query while reading it: each operator takes the rows so far and leaves others."""

    def __init__(self, text: str, table: list[Row]) -> None:
        self._tokens = list(_scan(text))
        self._at = 0
        self._table = table
        self._depth = 0

    def run(self) -> list[Row]:
        found = self._pipeline()
        if self._at < len(self._tokens):
            raise BadQuery(f"unexpected '{self._tokens[self._at][1]}'")
        return found

    def _pipeline(self) -> list[Row]:
        table = self._name()
        if table.lower() != "resources":
            raise BadQuery(f"there is no table '{table}'")
        rows = list(self._table)
        while self._take("|"):
            operator = self._name().lower()
            step = _STEPS.get(operator)
            if step is None:
                raise BadQuery(f"unknown operator '{operator}'")
            rows = step(self, rows)
        return rows

    # -- operators

    def where(self, rows: list[Row]) -> list[Row]:
        holds = self._or()
        return [row for row in rows if holds(row)]

    def project(self, rows: list[Row]) -> list[Row]:
        columns = self._columns()
        return [{name: term(row) for name, term in columns} for row in rows]

    def extend(self, rows: list[Row]) -> list[Row]:
        columns = self._columns()
        return [row | {name: term(row) for name, term in columns} for row in rows]

    def distinct(self, rows: list[Row]) -> list[Row]:
        found: dict[str, Row] = {}
        for row in self.project(rows):
            found.setdefault(repr(row), row)
        return list(found.values())

    def order(self, rows: list[Row]) -> list[Row]:
        self._word("by")
        keys = [self._order_key()]
        while self._take(","):
            keys.append(self._order_key())
        for term, down in reversed(keys):
            rows = sorted(rows, key=lambda row, term=term: _sortable(term(row)), reverse=down)  # type: ignore[misc]
        return rows

    def _order_key(self) -> tuple[Term, bool]:
        term = self._term()
        words = {"asc": False, "desc": True}
        if self._peek("name") and self._tokens[self._at][1].lower() in words:
            return term, words[self._name().lower()]
        return term, True

    def limit(self, rows: list[Row]) -> list[Row]:
        return rows[: int(float(self._next("number")))]

    def count(self, rows: list[Row]) -> list[Row]:
        return [{"Count": len(rows)}]

    def join(self, rows: list[Row]) -> list[Row]:
        kind = "inner"
        if self._peek("name") and self._tokens[self._at][1].lower() == "kind":
            self._name()
            self._must("=")
            kind = self._name().lower()
        if kind not in ("inner", "leftouter"):
            raise BadQuery(f"join of kind '{kind}'")
        self._must("(")
        self._deeper()
        others = self._pipeline()
        self._must(")")
        self._word("on")
        key = self._name()
        by_key: dict[Any, list[Row]] = {}
        for other in others:
            by_key.setdefault(repr(other.get(key)), []).append(other)
        found = []
        for row in rows:
            matches = by_key.get(repr(row.get(key)), [{}] if kind == "leftouter" else [])
            found += [row | {_free(name, row): value for name, value in match.items()} for match in matches]
        return found

    def _columns(self) -> list[tuple[str, Term]]:
        columns = [self._column()]
        while self._take(","):
            columns.append(self._column())
        return columns

    def _column(self) -> tuple[str, Term]:
        named = self._at + 1 < len(self._tokens) and self._tokens[self._at + 1][1] == "="
        if named:
            name = self._name()
            self._must("=")
            return name, self._term()
        start = self._at
        term = self._term()
        words = [text for kind, text in self._tokens[start : self._at] if kind == "name"]
        return "_".join(words), term

    # -- conditions and terms

    def _or(self) -> Term:
        parts = [self._and()]
        while self._peek("name") and self._tokens[self._at][1].lower() == "or":
            self._at += 1
            parts.append(self._and())
        return lambda row: any(part(row) for part in parts)

    def _and(self) -> Term:
        parts = [self._condition()]
        while self._peek("name") and self._tokens[self._at][1].lower() == "and":
            self._at += 1
            parts.append(self._condition())
        return lambda row: all(part(row) for part in parts)

    def _condition(self) -> Term:
        if self._take("("):
            self._deeper()
            inner = self._or()
            self._must(")")
            return inner
        if self._peek("name") and self._tokens[self._at][1].lower() == "not":
            self._at += 1
            self._deeper()
            wrong = self._condition()
            return lambda row: not wrong(row)
        left = self._term()
        if self._at >= len(self._tokens) or self._tokens[self._at][1].lower() not in _COMPARE:
            return lambda row: bool(left(row))
        operator = self._tokens[self._at][1].lower()
        self._at += 1
        if operator in ("in", "in~"):
            choices, equal = self._list(), _COMPARE[operator]
            return lambda row: any(equal(left(row), choice(row)) for choice in choices)
        right, compare = self._term(), _COMPARE[operator]
        return lambda row: compare(left(row), right(row))

    def _list(self) -> list[Term]:
        self._must("(")
        found = [self._term()]
        while self._take(","):
            found.append(self._term())
        self._must(")")
        return found

    def _term(self) -> Term:
        if self._at >= len(self._tokens):
            raise BadQuery("it ends too early")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", text[1:-1])
            return lambda row: value
        if kind == "number":
            return lambda row: float(text) if "." in text else int(text[:18])
        if kind != "name":
            raise BadQuery(f"unexpected '{text}'")
        if text.lower() in _FUNCTIONS and self._take("("):
            self._deeper()
            inner, function = self._term(), _FUNCTIONS[text.lower()]
            self._must(")")
            return lambda row: function(inner(row))
        if text.lower() in ("true", "false"):
            return lambda row: text.lower() == "true"
        path = [text]
        while True:
            if self._take("."):
                path.append(self._name())
            elif self._take("["):
                path.append(self._next("text")[1:-1])
                self._must("]")
            else:
                return lambda row: _walk(row, path)

    # -- tokens

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadQuery("it is nested too deeply")

    def _peek(self, kind: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at][0] == kind

    def _take(self, mark: str) -> bool:
        found = self._peek("mark") and self._tokens[self._at][1] == mark
        self._at += found
        return found

    def _must(self, mark: str) -> None:
        if not self._take(mark):
            raise BadQuery(f"'{mark}' is missing")

    def _word(self, word: str) -> None:
        if self._name().lower() != word:
            raise BadQuery(f"'{word}' is missing")

    def _name(self) -> str:
        return self._next("name")

    def _next(self, kind: str) -> str:
        if not self._peek(kind):
            raise BadQuery(f"a {kind} is missing")
        self._at += 1
        return self._tokens[self._at - 1][1]


def _scan(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKENS.match(text, at)
        if match is None:
            raise BadQuery(f"unexpected '{text[at:].strip()[:10]}'")
        found.append((str(match.lastgroup), str(match[str(match.lastgroup)])))
        at = match.end()
    return found


def _walk(row: Row, path: list[str]) -> Any:
    found: Any = row
    for name in path:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def _free(name: str, row: Row) -> str:
    """The name of a joined column: with a number where the left side has it."""
    return f"{name}1" if name in row else name


def _sortable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value).lower())


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _same(left: Any, right: Any) -> bool:
    return bool(left == right)


def _fold(left: Any, right: Any) -> bool:
    return _text(left).lower() == _text(right).lower()


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda left, right: left != right,
    "=~": _fold,
    "!~": lambda left, right: not _fold(left, right),
    "<": lambda left, right: left is not None and left < right,
    "<=": lambda left, right: left is not None and left <= right,
    ">": lambda left, right: left is not None and left > right,
    ">=": lambda left, right: left is not None and left >= right,
    "contains": lambda left, right: _text(right).lower() in _text(left).lower(),
    "has": lambda left, right: _text(right).lower() in re.split(r"\W+", _text(left).lower()),
    "startswith": lambda left, right: _text(left).lower().startswith(_text(right).lower()),
    "endswith": lambda left, right: _text(left).lower().endswith(_text(right).lower()),
    "in": _same,
    "in~": _fold,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tolower": lambda value: _text(value).lower(),
    "toupper": lambda value: _text(value).upper(),
    "tostring": _text,
    "isempty": lambda value: _text(value) == "",
    "isnotempty": lambda value: _text(value) != "",
}
_STEPS: dict[str, Callable[[_Parser, list[Row]], list[Row]]] = {
    "where": _Parser.where,
    "project": _Parser.project,
    "extend": _Parser.extend,
    "distinct": _Parser.distinct,
    "order": _Parser.order,
    "sort": _Parser.order,
    "limit": _Parser.limit,
    "take": _Parser.limit,
    "count": _Parser.count,
    "join": _Parser.join,
}
