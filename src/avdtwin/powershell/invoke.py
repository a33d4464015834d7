"""Commands in a pipeline: arguments bound to parameters, then a function of the script or one of the allow-list."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from tree_sitter import Node

from avdtwin.powershell import types
from avdtwin.powershell.commands.base import COMMANDS, Call, Command
from avdtwin.powershell.compile import expression, statement_node
from avdtwin.powershell.errors import Return, ScriptError, Unsupported
from avdtwin.powershell.frames import Block, Evaluate, Frame, Parameter
from avdtwin.powershell.parse import inner, line_of, part, parts, source
from avdtwin.powershell.values import Table, as_list, text

Stage = Callable[[Frame, list[Any] | None], list[Any]]
"""One command of a pipeline: takes the input (None for the first), gives the output."""


class Argument(msgspec.Struct, frozen=True):
    kind: str
    """name, value or splat."""
    name: str = ""
    value: Any = None


@statement_node("command", "pipeline_chain")
def _pipeline(node: Node) -> Callable[[Frame, list[Any]], None]:
    elements = parts(node) if node.type == "pipeline_chain" else [node]
    stages = [_stage(inner(element), first=at == 0) for at, element in enumerate(elements)]

    def execute(frame: Frame, out: list[Any]) -> None:
        flowing: list[Any] | None = None
        for stage in stages:
            flowing = stage(frame, flowing)
        out.extend(flowing or [])

    return execute


def _stage(node: Node, *, first: bool) -> Stage:
    if node.type == "command":
        return _command(node)
    if not first:
        raise Unsupported(f"line {line_of(node)}: an expression after a pipe")
    value = expression(node)
    return lambda frame, flowing: as_list(value(frame))


def _command(node: Node) -> Stage:
    arguments = _arguments(part(node, "command_elements"))
    called = part(node, "command_name_expr")
    if part(node, "redirections") is not None or part(node, "redirection") is not None:
        raise Unsupported(f"line {line_of(node)}: a redirection")
    if called is not None:
        block = expression(inner(parts(called)[0]))
        return lambda frame, flowing: _call_block(frame, block(frame))
    name_node = part(node, "command_name")
    assert name_node is not None
    name = source(name_node)
    return lambda frame, flowing: invoke(frame, name, arguments, flowing)


def _arguments(elements: Node | None) -> list[Argument]:
    found: list[Argument] = []
    for element in parts(elements) if elements is not None else []:
        if element.type == "command_argument_sep":
            continue
        if element.type == "redirection":
            raise Unsupported(f"line {line_of(element)}: a redirection")
        if element.type == "command_parameter":
            found.append(Argument("name", source(element)[1:]))
            continue
        value = inner(element)
        if value.type == "variable" and source(value).startswith("@"):
            found.append(Argument("splat", value=_splatted(source(value)[1:])))
        else:
            found.append(Argument("value", value=expression(value)))
    return found


def _splatted(name: str) -> Evaluate:
    return lambda frame: frame.get(name)


def _call_block(frame: Frame, block: Any) -> list[Any]:
    """`& $block`: in a scope of its own."""
    if not isinstance(block, Block):
        raise Unsupported("& on something that is no script block")
    return run_function(Frame(frame.session, frame), block)


# ---------------------------------------------------------------- calling


def invoke(frame: Frame, name: str, arguments: list[Argument], flowing: list[Any] | None) -> list[Any]:
    """Call a command by name. Raises Unsupported when it is on no list."""
    function = frame.session.functions.get(name.lower())
    if function is not None:
        if flowing is not None:
            raise Unsupported(f"a pipe into function {name}")
        return _call_function(frame, name, function, arguments)
    command = COMMANDS.get(name.lower())
    if command is None:
        raise Unsupported(f"command {name}")
    return _call_command(frame, command, arguments, flowing)


def _call_command(frame: Frame, command: Command, arguments: list[Argument], flowing: list[Any] | None) -> list[Any]:
    bound = _bind(frame, command.name, command.positional, command.parameters, command.switches, arguments)
    frame.session.spend(command.seconds)
    try:
        return command.run(Call(frame=frame, arguments=bound, flowing=flowing))
    except ScriptError as error:
        wish = text(bound.get("erroraction", _preference(frame))).lower()
        if wish == "stop":
            raise
        if wish not in ("silentlycontinue", "ignore"):
            frame.session.stderr.append(f"{command.name} : {error.message}")
        return []


def _preference(frame: Frame) -> Any:
    try:
        return frame.get("ErrorActionPreference")
    except ScriptError:
        return "Continue"


def _bind(
    frame: Frame,
    command: str,
    positional: tuple[str, ...],
    named: frozenset[str],
    switches: frozenset[str],
    arguments: list[Argument],
) -> dict[str, Any]:
    """Arguments by lower-cased parameter. Raises Unsupported for a parameter that is on no list."""
    bound: dict[str, Any] = {}
    waiting: str | None = None
    for argument in arguments:
        if argument.kind == "splat":
            bound.update(_splat(command, argument.value(frame), named | switches))
        elif argument.kind == "name":
            name = argument.name.rstrip(":").lower()
            if name not in named | switches:
                raise Unsupported(f"{command} -{argument.name}")
            plain_switch = name in switches and not argument.name.endswith(":")
            bound[name] = True
            waiting = None if plain_switch else name
        elif waiting is not None:
            bound[waiting], waiting = argument.value(frame), None
        else:
            free = next((name for name in positional if name.lower() not in bound), None)
            if free is None:
                raise ScriptError(f"{command}: a positional parameter cannot be found.")
            bound[free.lower()] = argument.value(frame)
    if waiting is not None:
        raise ScriptError(f"{command}: missing an argument for parameter '{waiting}'.")
    return bound


def _splat(command: str, table: Any, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(table, Table):
        raise Unsupported("splatting something that is no hashtable")
    found = {str(key).lower(): value for key, value in table.pairs()}
    unknown = found.keys() - known
    if unknown:
        raise Unsupported(f"{command} -{min(unknown)}")
    return found


# ---------------------------------------------------------------- functions


def _call_function(frame: Frame, name: str, function: Block, arguments: list[Argument]) -> list[Any]:
    positional = tuple(parameter.name for parameter in function.parameters)
    switches = frozenset(p.name.lower() for p in function.parameters if (p.type_name or "").lower() == "switch")
    named = frozenset(parameter.lower() for parameter in positional)
    bound = _bind(frame, name, positional, named - switches, switches, arguments)
    inside = Frame(frame.session, frame)
    fill(inside, function.parameters, bound)
    return run_function(inside, function)


def fill(frame: Frame, parameters: list[Parameter], bound: dict[str, Any]) -> None:
    """Put arguments into a new scope, cast and checked; defaults for the rest. Raises ScriptError."""
    for parameter in parameters:
        key = parameter.name.lower()
        if key in bound:
            value = bound[key]
        elif parameter.mandatory:
            raise ScriptError(f"Cannot process command because of a missing mandatory parameter: {parameter.name}.")
        elif parameter.default is not None:
            value = parameter.default(frame)
        else:
            value = None
        if parameter.type_name is not None:
            value = types.cast(parameter.type_name, value)
        if key in bound:
            _check(parameter, value)
        frame.set(parameter.name, value)


def _check(parameter: Parameter, value: Any) -> None:
    for name, arguments in parameter.checks:
        if name not in _CHECKS:
            raise Unsupported(f"[{name}()]")
        if not _CHECKS[name](value, arguments):
            # The value is not named: it may be a secret.
            raise ScriptError(f"Cannot validate argument on parameter '{parameter.name}'.")


def _one_of(value: Any, arguments: tuple[Any, ...]) -> bool:
    return text(value).lower() in [text(item).lower() for item in arguments]


def _pattern(value: Any, arguments: tuple[Any, ...]) -> bool:
    from avdtwin.powershell.operators import matches

    return matches(value, arguments[0]) is not None


def _range(value: Any, arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[0] <= value <= arguments[1])


_CHECKS: dict[str, Callable[[Any, tuple[Any, ...]], bool]] = {
    "validateset": _one_of,
    "validatepattern": _pattern,
    "validaterange": _range,
    "validatenotnullorempty": lambda value, arguments: text(value) != "",
    "allowemptystring": lambda value, arguments: True,
    "allownull": lambda value, arguments: True,
    "allowemptycollection": lambda value, arguments: True,
}


def run_function(frame: Frame, block: Block) -> list[Any]:
    out: list[Any] = []
    with suppress(Return):
        block.body(frame, out)
    return out
