"""Syntax tree to Python closures, once for each script. One table for each family of nodes; their rows are in
`expressions` and `statements`.
"""

from collections.abc import Callable
from typing import Any

from tree_sitter import Node

from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.frames import Evaluate, Execute, Frame
from avdtwin.powershell.parse import inner, line_of, parts, source
from avdtwin.powershell.values import NOTHING, as_list, collected

EXPRESSIONS: dict[str, Callable[[Node], Evaluate]] = {}
STATEMENTS: dict[str, Callable[[Node], Execute]] = {}


def expression_node(*kinds: str) -> Callable[[Callable[[Node], Evaluate]], Callable[[Node], Evaluate]]:
    """Register what compiles nodes of these kinds to a value."""

    def register(maker: Callable[[Node], Evaluate]) -> Callable[[Node], Evaluate]:
        EXPRESSIONS.update(dict.fromkeys(kinds, maker))
        return maker

    return register


def statement_node(*kinds: str) -> Callable[[Callable[[Node], Execute]], Callable[[Node], Execute]]:
    """Register what compiles nodes of these kinds to something that runs."""

    def register(maker: Callable[[Node], Execute]) -> Callable[[Node], Execute]:
        STATEMENTS.update(dict.fromkeys(kinds, maker))
        return maker

    return register


def expression(node: Node) -> Evaluate:
    """A node as a value."""
    node = inner(node)
    maker = EXPRESSIONS.get(node.type)
    if maker is not None:
        return maker(node)
    if node.type in STATEMENTS:
        run = STATEMENTS[node.type](node)
        return lambda frame: collected(_output(frame, run))
    raise Unsupported(f"line {line_of(node)}: {node.type} {source(node)[:60]!r}")


def statement(node: Node) -> Execute:
    """A node as a statement: what it yields goes to the output, and its errors learn their line."""
    node = inner(node)
    line = line_of(node)
    run = STATEMENTS[node.type](node) if node.type in STATEMENTS else _yielding(node)

    def execute(frame: Frame, out: list[Any]) -> None:
        try:
            run(frame, out)
        except ScriptError as error:
            error.line = error.line or line
            raise
        except Unsupported as error:
            if not str(error).startswith("line "):
                raise Unsupported(f"line {line}: {error}") from error
            raise

    return execute


def _yielding(node: Node) -> Execute:
    value = expression(node)
    return lambda frame, out: out.extend(as_list(value(frame)))


def statements(node: Node | None) -> Execute:
    """All statements below a `statement_list`, or below what holds one."""
    runs = [statement(child) for child in _statement_nodes(node)] if node is not None else []

    def execute(frame: Frame, out: list[Any]) -> None:
        for run in runs:
            run(frame, out)

    return execute


def _statement_nodes(node: Node) -> list[Node]:
    found: list[Node] = []
    for child in parts(node):
        if child.type in ("statement_list", "script_block_body"):
            found += _statement_nodes(child)
        elif child.type not in ("empty_statement", "param_block"):
            found.append(child)
    return found


def _output(frame: Frame, run: Execute) -> list[Any]:
    out: list[Any] = []
    run(frame, out)
    return out


def plain(value: Any) -> Any:
    """A value to keep in a variable: nothing becomes null."""
    return None if value is NOTHING else value
