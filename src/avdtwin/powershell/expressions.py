"""Nodes that have a value."""

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from avdtwin.powershell import members, operators, types
from avdtwin.powershell.compile import expression, expression_node, plain, statements
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.frames import Block, Evaluate, Frame
from avdtwin.powershell.parse import inner, part, parts, source, tokens
from avdtwin.powershell.values import NOTHING, Table, TypeRef, as_list, collected, number, text, truth

# ---------------------------------------------------------------- literals


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b"}


@expression_node("verbatim_string_characters")
def _verbatim(node: Node) -> Evaluate:
    value = source(node)[1:-1].replace("''", "'")
    return lambda frame: value


@expression_node("decimal_integer_literal", "hexadecimal_integer_literal", "real_literal")
def _number(node: Node) -> Evaluate:
    written = source(node)
    value: int | float = float(written) if node.type == "real_literal" else int(written, 0)
    return lambda frame: value


@expression_node("expandable_string_literal")
def _expandable(node: Node) -> Evaluate:
    """The text between quotes, with variables and `$(…)` in it."""
    raw = node.text or b""
    pieces: list[Evaluate] = []
    at = 1
    for child in parts(node):
        begin = child.start_byte - node.start_byte
        pieces.append(_constant(_unescape(raw[at:begin].decode())))
        pieces.append(expression(child))
        at = child.end_byte - node.start_byte
    pieces.append(_constant(_unescape(raw[at:-1].decode())))
    return lambda frame: "".join(text(piece(frame)) for piece in pieces)


def _constant(value: Any) -> Evaluate:
    return lambda frame: value


def _unescape(raw: str) -> str:
    out, letters = [], iter(raw.replace('""', '"'))
    for letter in letters:
        if letter == "`":
            following = next(letters, "")
            out.append(_ESCAPES.get(following, following))
        else:
            out.append(letter)
    return "".join(out)


@expression_node("generic_token", "simple_name", "command_name")
def _bare_word(node: Node) -> Evaluate:
    word = source(node)
    if "$" in word or "`" in word or '"' in word:
        raise Unsupported(f"a bare word with something to expand: {word}")
    return lambda frame: word


@expression_node("variable", "braced_variable")
def _variable(node: Node) -> Evaluate:
    name = source(node)[1:].strip("{}")
    return lambda frame: frame.get(name)


@expression_node("type_literal")
def _type(node: Node) -> Evaluate:
    value = TypeRef(source(node)[1:-1])
    return lambda frame: value


@expression_node("hash_literal_expression")
def _hash(node: Node) -> Evaluate:
    body = part(node, "hash_literal_body")
    entries = []
    for entry in [child for child in parts(body) if child.type == "hash_entry"] if body else []:
        key_node, value_node = parts(entry)
        entries.append((expression(parts(key_node)[0]), expression(value_node)))

    def evaluate(frame: Frame) -> Table:
        table = Table()
        for key, value in entries:
            table.set(key(frame), plain(value(frame)))
        return table

    return evaluate


@expression_node("script_block_expression")
def _block(node: Node) -> Evaluate:
    inside = part(node, "script_block")
    if inside is not None and part(inside, "param_block") is not None:
        raise Unsupported("a script block with parameters")
    block = Block([], statements(inside))
    return lambda frame: block


# ---------------------------------------------------------------- brackets


@expression_node("parenthesized_expression")
def _parenthesized(node: Node) -> Evaluate:
    (content,) = parts(node)
    return expression(content)


@expression_node("sub_expression")
def _sub_expression(node: Node) -> Evaluate:
    run = statements(node)

    def evaluate(frame: Frame) -> Any:
        out: list[Any] = []
        run(frame, out)
        return collected(out)

    return evaluate


@expression_node("array_expression")
def _array(node: Node) -> Evaluate:
    run = statements(node)

    def evaluate(frame: Frame) -> list[Any]:
        out: list[Any] = []
        run(frame, out)
        return out

    return evaluate


@expression_node("array_literal_expression")
def _array_literal(node: Node) -> Evaluate:
    items = [expression(child) for child in parts(node)]
    return lambda frame: [plain(item(frame)) for item in items]


# ---------------------------------------------------------------- operators


_BINARY = (
    "comparison_expression",
    "additive_expression",
    "multiplicative_expression",
    "format_expression",
    "bitwise_expression",
    "comparison_argument_expression",
    "additive_argument_expression",
    "multiplicative_argument_expression",
    "format_argument_expression",
    "bitwise_argument_expression",
)


@expression_node(*_BINARY)
def _binary(node: Node) -> Evaluate:
    first, *rest = tokens(node)
    value = expression(first)
    for sign, operand in zip(rest[::2], rest[1::2], strict=True):
        value = _applied(source(sign).lower(), value, operand)
    return value


def _applied(sign: str, left: Evaluate, operand: Node) -> Evaluate:
    right = expression(operand)
    if sign == "-as":
        return lambda frame: _as(left(frame), right(frame))
    if sign == "-match":
        return lambda frame: _match(frame, left(frame), right(frame))
    apply = operators.operator(sign)
    return lambda frame: apply(plain(left(frame)), plain(right(frame)))


def _as(value: Any, kind: TypeRef) -> Any:
    try:
        return types.cast(kind.name, value)
    except ScriptError:
        return None


def _match(frame: Frame, left: Any, right: Any) -> Any:
    """`-match` on one value leaves its groups in `$Matches`."""
    if isinstance(left, list):
        return operators.OPERATORS["-match"](left, right)
    found = operators.matches(left, right)
    if found is not None:
        groups = Table()
        for at, group in enumerate([found.group(0), *found.groups()]):
            groups.set(at, group)
        frame.set("Matches", groups)
    return found is not None


@expression_node("logical_expression", "logical_argument_expression")
def _logical(node: Node) -> Evaluate:
    first, *rest = tokens(node)
    value = expression(first)
    for sign, operand in zip(rest[::2], rest[1::2], strict=True):
        value = _JUNCTIONS[source(sign).lower()](value, expression(operand))
    return value


def _and(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: truth(left(frame)) and truth(right(frame))


def _or(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda frame: truth(left(frame)) or truth(right(frame))


_JUNCTIONS: dict[str, Callable[[Evaluate, Evaluate], Evaluate]] = {"-and": _and, "-or": _or}


@expression_node("range_expression", "range_argument_expression")
def _range(node: Node) -> Evaluate:
    low, high = (expression(child) for child in parts(node))

    def evaluate(frame: Frame) -> list[int]:
        first, last = int(number(low(frame))), int(number(high(frame)))
        return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))

    return evaluate


@expression_node("expression_with_unary_operator")
def _unary(node: Node) -> Evaluate:
    sign, operand = tokens(node)
    name = source(sign).lower()
    if name not in _UNARY:
        raise Unsupported(f"operator {name}")
    value, apply = expression(operand), _UNARY[name]
    return lambda frame: apply(plain(value(frame)))


_UNARY: dict[str, Callable[[Any], Any]] = {
    "-not": lambda value: not truth(value),
    "!": lambda value: not truth(value),
    "-": lambda value: -number(value),
    "+": number,
    ",": lambda value: [value],
    "-join": lambda value: "".join(text(item) for item in as_list(value)),
}


@expression_node("cast_expression")
def _cast(node: Node) -> Evaluate:
    kind, operand = parts(node)
    name = source(kind)[1:-1]
    value = expression(operand)
    return lambda frame: types.cast(name, plain(value(frame)))


@expression_node("post_increment_expression", "post_decrement_expression")
def _step(node: Node) -> Evaluate:
    """`$i++` as a statement; what it yields in an expression is not supported, so nothing."""
    target = source(parts(node)[0])[1:]
    by = 1 if node.type == "post_increment_expression" else -1

    def evaluate(frame: Frame) -> Any:
        frame.set(target, number(frame.get(target)) + by)
        return NOTHING

    return evaluate


# ---------------------------------------------------------------- members


def _member_name(node: Node) -> Evaluate:
    (name,) = parts(node)
    return expression(name)


def _is_static(node: Node) -> bool:
    return any(token.type == "::" for token in node.children)


@expression_node("member_access")
def _member(node: Node) -> Evaluate:
    target, name_node = parts(node)
    name = _member_name(name_node)
    if _is_static(node):
        kind = _static_type(target)
        return lambda frame: types.static_get(frame, kind, name(frame))
    value = expression(target)
    return lambda frame: members.get(value(frame), name(frame))


def _static_type(target: Node) -> str:
    target = inner(target)
    if target.type != "type_literal":
        raise Unsupported("a static member of something that is no type")
    return source(target)[1:-1]


@expression_node("invokation_expression")
def _invocation(node: Node) -> Evaluate:
    target, name_node, arguments_node = parts(node)
    name = _member_name(name_node)
    listed = part(arguments_node, "argument_expression_list")
    arguments = [expression(child) for child in parts(listed)] if listed else []
    if _is_static(node):
        kind = _static_type(target)
        return lambda frame: types.static_call(frame, kind, name(frame), [item(frame) for item in arguments])
    value = expression(target)
    return lambda frame: members.call(value(frame), name(frame), [item(frame) for item in arguments])


@expression_node("element_access")
def _element(node: Node) -> Evaluate:
    target, index_node = parts(node)
    value, index = expression(target), expression(index_node)
    return lambda frame: members.element(value(frame), index(frame))
