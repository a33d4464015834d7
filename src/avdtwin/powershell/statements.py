"""Nodes that run: conditions, loops, errors, flow, functions."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tree_sitter import Node

from avdtwin.powershell import operators
from avdtwin.powershell.compile import expression, statement_node, statements
from avdtwin.powershell.errors import Break, Continue, Exit, Return, ScriptError, Signal, Unsupported
from avdtwin.powershell.frames import Block, Evaluate, Execute, Frame, Parameter
from avdtwin.powershell.parse import inner, line_of, part, parts, source, tokens
from avdtwin.powershell.values import Obj, Table, as_list, number, text, truth

# ---------------------------------------------------------------- conditions


@statement_node("if_statement")
def _if(node: Node) -> Execute:
    condition, body, *others = parts(node)
    branches = [(expression(condition), statements(body))]
    otherwise: Execute | None = None
    for other in others:
        if other.type == "elseif_clauses":
            for clause in parts(other):
                test, then = parts(clause)
                branches.append((expression(test), statements(then)))
        else:
            otherwise = statements(parts(other)[0])

    def execute(frame: Frame, out: list[Any]) -> None:
        for test, then in branches:
            if truth(test(frame)):
                then(frame, out)
                return
        if otherwise is not None:
            otherwise(frame, out)

    return execute


@statement_node("switch_statement")
def _switch(node: Node) -> Execute:
    condition = part(node, "switch_condition")
    body = part(node, "switch_body")
    if condition is None or body is None or part(node, "switch_parameters") is not None:
        raise Unsupported(f"line {line_of(node)}: this kind of switch")
    value = expression(parts(condition)[0])
    clauses = [_clause(clause) for clause in parts(parts(body)[0])]

    def execute(frame: Frame, out: list[Any]) -> None:
        for item in as_list(value(frame)):
            _choose(frame, out, item, clauses)

    return execute


def _clause(node: Node) -> tuple[Evaluate | None, Execute]:
    condition, body = parts(node)
    test = inner(condition)
    if test.type in ("switch_clause_condition", "script_block_expression", "statement_block"):
        if source(test).strip().lower() == "default":
            return None, statements(body)
        raise Unsupported(f"line {line_of(node)}: a switch clause that is no literal")
    if test.type in ("generic_token", "simple_name") and source(test).strip().lower() == "default":
        return None, statements(body)
    return expression(test), statements(body)


def _choose(frame: Frame, out: list[Any], item: Any, clauses: list[tuple[Evaluate | None, Execute]]) -> None:
    """Every clause that fits runs, until one breaks; the default when none did."""
    fitted = False
    with suppress(Break):
        for test, body in clauses:
            if test is not None and operators.equal(text(item), test(frame)):
                fitted = True
                body(frame, out)
        if not fitted:
            for test, body in clauses:
                if test is None:
                    body(frame, out)


# ---------------------------------------------------------------- loops

_TURNS = 100_000
"""A loop with more turns than this is taken for endless."""


def _loop(again: Callable[[Frame], bool], body: Execute, after: Execute | None = None) -> Execute:
    def execute(frame: Frame, out: list[Any]) -> None:
        turns = 0
        while again(frame):
            turns += 1
            if turns > _TURNS:
                raise Unsupported("a loop without end")
            try:
                with suppress(Continue):
                    body(frame, out)
            except Break:
                return
            if after is not None:
                after(frame, [])

    return execute


@statement_node("while_statement")
def _while(node: Node) -> Execute:
    condition, body = parts(node)
    test = expression(parts(condition)[0])
    return _loop(lambda frame: truth(test(frame)), statements(body))


@statement_node("for_statement")
def _for(node: Node) -> Execute:
    start, condition, step = (part(node, f"for_{name}") for name in ("initializer", "condition", "iterator"))
    body = part(node, "statement_block")
    begin, after = statements(start), statements(step)
    test = expression(parts(condition)[0]) if condition is not None else None
    loop = _loop(lambda frame: test is None or truth(test(frame)), statements(body), after)

    def execute(frame: Frame, out: list[Any]) -> None:
        begin(frame, [])
        loop(frame, out)

    return execute


@statement_node("foreach_statement")
def _foreach(node: Node) -> Execute:
    variable, collection, body_node = parts(node)
    name, values, body = source(variable)[1:], expression(collection), statements(body_node)

    def execute(frame: Frame, out: list[Any]) -> None:
        found = values(frame)
        for item in [] if found is None else list(as_list(found)):
            frame.set(name, item)
            try:
                body(frame, out)
            except Continue:
                continue
            except Break:
                return

    return execute


# ---------------------------------------------------------------- errors and flow


@statement_node("try_statement")
def _try(node: Node) -> Execute:
    body = statements(part(node, "statement_block"))
    catching, finishing = part(node, "catch_clauses"), part(node, "finally_clause")
    handler: Execute | None = None
    if catching is not None:
        (clause, *more) = parts(catching)
        if more or part(clause, "catch_type_list") is not None:
            raise Unsupported(f"line {line_of(node)}: catch by type")
        handler = statements(part(clause, "statement_block"))
    final = statements(part(finishing, "statement_block")) if finishing is not None else None

    def execute(frame: Frame, out: list[Any]) -> None:
        try:
            body(frame, out)
        except ScriptError as error:
            if handler is None:
                raise
            _handle(frame, out, handler, error)
        finally:
            if final is not None:
                final(frame, out)

    return execute


def _handle(frame: Frame, out: list[Any], handler: Execute, error: ScriptError) -> None:
    kept = frame.variables.get("_")
    frame.variables["_"] = error_record(error)
    try:
        handler(frame, out)
    except _Again as again:
        raise error from again
    finally:
        frame.variables["_"] = kept


def error_record(error: ScriptError) -> Obj:
    """`$_` in a catch block."""
    exception = error.thrown or Obj("exception", {"Message": error.message, "Data": Table()})
    position = Obj("invocationinfo", {"ScriptLineNumber": error.line})
    return Obj("errorrecord", {"Exception": exception, "InvocationInfo": position, "Message": error.message})


class _Again(Exception):
    """`throw` without anything, in a catch block."""


@statement_node("flow_control_statement")
def _flow(node: Node) -> Execute:
    word, *rest = tokens(node)
    name = source(word).lower()
    if name not in _FLOW:
        raise Unsupported(f"line {line_of(node)}: {name}")
    value = expression(rest[0]) if rest else None
    return _FLOW[name](value)


def _return(value: Evaluate | None) -> Execute:
    def execute(frame: Frame, out: list[Any]) -> None:
        if value is not None:
            out.extend(as_list(value(frame)))
        raise Return

    return execute


def _throw(value: Evaluate | None) -> Execute:
    def execute(frame: Frame, out: list[Any]) -> None:
        if value is None:
            raise _Again
        thrown = value(frame)
        if isinstance(thrown, Obj) and thrown.kind == "errorrecord":
            thrown = thrown.properties.get("Exception")
        message = text(thrown.properties.get("Message")) if isinstance(thrown, Obj) else text(thrown)
        raise ScriptError(message, thrown if isinstance(thrown, Obj) else None)

    return execute


def _exit(value: Evaluate | None) -> Execute:
    def execute(frame: Frame, out: list[Any]) -> None:
        raise Exit(0 if value is None else int(number(value(frame))))

    return execute


def _signal(signal: type[Signal]) -> Callable[[Evaluate | None], Execute]:
    def make(value: Evaluate | None) -> Execute:
        def execute(frame: Frame, out: list[Any]) -> None:
            raise signal

        return execute

    return make


_FLOW: dict[str, Callable[[Evaluate | None], Execute]] = {
    "return": _return,
    "throw": _throw,
    "exit": _exit,
    "break": _signal(Break),
    "continue": _signal(Continue),
}


# ---------------------------------------------------------------- functions


@statement_node("function_statement")
def _function(node: Node) -> Execute:
    name_node, body = part(node, "function_name"), part(node, "script_block")
    if name_node is None or source(node).split()[0].lower() != "function":
        raise Unsupported(f"line {line_of(node)}: this kind of function")
    name = source(name_node)
    declared = part(node, "function_parameter_declaration")
    inside = part(body, "param_block") if body is not None else None
    holder = declared or inside
    listed = part(holder, "parameter_list") if holder is not None else None
    block = Block(read_parameters(listed), statements(body))

    def execute(frame: Frame, out: list[Any]) -> None:
        frame.session.functions[name.lower()] = block

    return execute


def read_parameters(listed: Node | None) -> list[Parameter]:
    """The declarations of a `param(…)`."""
    nodes = [child for child in parts(listed) if child.type == "script_parameter"] if listed is not None else []
    return [_parameter(node) for node in nodes]


def _parameter(node: Node) -> Parameter:
    variable, default = part(node, "variable"), part(node, "script_parameter_default")
    assert variable is not None
    type_name, mandatory = None, False
    checks: list[tuple[str, tuple[Any, ...]]] = []
    attributes = part(node, "attribute_list")
    for attribute in parts(attributes) if attributes is not None else []:
        named = part(attribute, "attribute_name")
        if named is None:
            type_name = source(attribute)[1:-1]
        elif source(named).lower() == "parameter":
            mandatory = mandatory or _is_mandatory(attribute)
        else:
            checks.append((source(named).lower(), _attribute_values(attribute)))
    value = expression(parts(default)[0]) if default is not None else None
    return Parameter(source(variable)[1:], type_name, mandatory, value, tuple(checks))


def _is_mandatory(attribute: Node) -> bool:
    arguments = part(attribute, "attribute_arguments")
    written = source(arguments).replace(" ", "").lower() if arguments is not None else ""
    if written not in ("", "mandatory", "mandatory=$true"):
        raise Unsupported(f"line {line_of(attribute)}: {source(attribute)}")
    return "mandatory" in written


def _attribute_values(attribute: Node) -> tuple[Any, ...]:
    arguments = part(attribute, "attribute_arguments")
    found = [inner(parts(child)[0]) for child in parts(arguments)] if arguments is not None else []
    return tuple(expression(child)(None) for child in found)  # type: ignore[arg-type]  # literals need no frame
