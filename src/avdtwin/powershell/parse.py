"""A script's syntax tree, from the grammar that editors use."""

from functools import cache

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from avdtwin.powershell.errors import Unsupported


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_powershell.language()))


def parse(script: str) -> Node:
    """The root of a script's tree. Raises Unsupported, with the line, when it does not parse."""
    root = _parser().parse(script.encode()).root_node
    problem = _first_problem(root)
    if problem is not None:
        line = problem.start_point[0] + 1
        raise Unsupported(f"line {line}: the script does not parse at {source(problem)[:60]!r}")
    return root


def _first_problem(node: Node) -> Node | None:
    if not node.has_error:
        return None
    if node.is_error or node.is_missing:
        return node
    found = (_first_problem(child) for child in node.children)
    return next((problem for problem in found if problem is not None), node)


def source(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode()


def parts(node: Node) -> list[Node]:
    """Children with a name, comments left out."""
    return [child for child in node.children if child.is_named and child.type != "comment"]


def tokens(node: Node) -> list[Node]:
    """All children, comments left out."""
    return [child for child in node.children if child.type != "comment"]


def part(node: Node, kind: str) -> Node | None:
    """The child of a kind."""
    return next((child for child in node.children if child.type == kind), None)


def line_of(node: Node) -> int:
    return int(node.start_point[0]) + 1


def inner(node: Node) -> Node:
    """Down through nodes that only wrap one other: the grammar has a level for each precedence."""
    while len(node.children) == 1 and node.children[0].is_named and node.type in _WRAPPERS:
        node = node.children[0]
    return node


_LEVELS = ("logical", "bitwise", "comparison", "additive", "multiplicative", "format", "range")
_WRAPPERS = {
    *(f"{level}_expression" for level in _LEVELS),
    *(f"{level}_argument_expression" for level in _LEVELS),
    "array_literal_expression",
    "unary_expression",
    "argument_expression",
    "pipeline",
    "pipeline_chain",
    "string_literal",
    "integer_literal",
    "switch_clause_condition",
    "path_command_name",
    "expression_with_unary_operator",
}
