"""`=` and its kin: to variables, members, elements and static members."""

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from avdtwin.powershell import members, operators, types
from avdtwin.powershell.compile import expression, plain, statement_node
from avdtwin.powershell.errors import Unsupported
from avdtwin.powershell.frames import Evaluate, Execute, Frame
from avdtwin.powershell.parse import inner, line_of, parts, source

Store = Callable[[Frame, Any], None]


@statement_node("assignment_expression")
def _assignment(node: Node) -> Execute:
    target, sign, value_node = parts(node)
    (held,) = parts(target)
    held = inner(held)
    store = _store(held)
    value = expression(value_node)
    name = source(sign)
    if name == "=":
        return lambda frame, out: store(frame, plain(value(frame)))
    if name not in ("+=", "-="):
        raise Unsupported(f"line {line_of(node)}: {name}")
    before, apply = expression(held), operators.operator(name[0])
    return lambda frame, out: store(frame, apply(before(frame), plain(value(frame))))


def _store(target: Node) -> Store:
    if target.type not in _STORES:
        raise Unsupported(f"line {line_of(target)}: assigning to {source(target)[:40]}")
    return _STORES[target.type](target)


def _variable(node: Node) -> Store:
    name = source(node)[1:].strip("{}")
    return lambda frame, value: frame.set(name, value)


def _typed(node: Node) -> Store:
    """`[int]$x = …`"""
    kind, target = parts(node)
    name, store = source(kind)[1:-1], _store(inner(target))
    return lambda frame, value: store(frame, types.cast(name, value))


def _member(node: Node) -> Store:
    target, name_node = parts(node)
    name = source(name_node)
    if any(token.type == "::" for token in node.children):
        kind = source(inner(target))[1:-1]
        return lambda frame, value: types.static_set(kind, name)
    held: Evaluate = expression(target)
    return lambda frame, value: members.put(held(frame), name, value)


def _element(node: Node) -> Store:
    target, index_node = parts(node)
    held, index = expression(target), expression(index_node)
    return lambda frame, value: members.put_element(held(frame), index(frame), value)


_STORES: dict[str, Callable[[Node], Store]] = {
    "variable": _variable,
    "cast_expression": _typed,
    "member_access": _member,
    "element_access": _element,
}
