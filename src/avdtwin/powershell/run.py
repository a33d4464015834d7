"""One run of a script on a machine: what it did, said and took."""

from contextlib import suppress
from functools import lru_cache
from typing import Any

import msgspec

from avdtwin.changes import Change
from avdtwin.powershell import assignment, commands, expressions, invoke, statements
from avdtwin.powershell.compile import statements as compile_statements
from avdtwin.powershell.errors import Exit, Return, ScriptError, Signal, Unsupported
from avdtwin.powershell.frames import Block, Frame, Session
from avdtwin.powershell.parse import parse, part
from avdtwin.powershell.values import text
from avdtwin.state import Machine
from avdtwin.world import World

_ROWS = (assignment, commands, expressions, invoke, statements)
"""Imported for what they register."""


class Run(msgspec.Struct, kw_only=True):
    changes: list[Change]
    stdout: str
    stderr: str
    exit_code: int
    duration_s: float


@lru_cache(maxsize=128)
def compiled(script: str) -> Block:
    """A script ready to run. Raises Unsupported for what cannot be parsed or is on no list."""
    root = parse(script)
    declared = part(root, "param_block")
    listed = part(declared, "parameter_list") if declared is not None else None
    return Block(statements.read_parameters(listed), compile_statements(root))


def run(world: World, machine: Machine, script: str, parameters: list[list[str]]) -> Run:
    """Run a script on a copy of a machine, its parameters being strings as a run command passes them.

    What the interpreter does not do fails the run: exit code 1, the reason in the error stream and a record
    `script_unsupported`.
    """
    session = Session(world, machine)
    code = 1
    try:
        code = _run(session, compiled(script), {name.lower(): value for name, value in parameters})
    except ScriptError as error:
        session.stderr.append(f"{error.message} (line {error.line})")
    except Unsupported as error:
        session.stderr.append(f"Unsupported: {error}")
        world.record("script_unsupported", vm=machine.vm, reason=str(error))
    return Run(
        changes=session.changes,
        stdout="\n".join(session.stdout),
        stderr="\n".join(session.stderr),
        exit_code=code,
        duration_s=round(session.elapsed_s, 3),
    )


def _run(session: Session, block: Block, arguments: dict[str, Any]) -> int:
    frame = Frame(session)
    unknown = arguments.keys() - {parameter.name.lower() for parameter in block.parameters}
    if unknown:
        raise ScriptError(f"A parameter cannot be found that matches parameter name '{min(unknown)}'.")
    invoke.fill(frame, block.parameters, arguments)
    out: list[Any] = []
    code = 0
    try:
        with suppress(Return):
            block.body(frame, out)
    except Exit as signal:
        code = signal.code
    except Signal as signal:
        raise Unsupported("break or continue outside a loop") from signal
    finally:
        session.stdout += [text(item) for item in out]
    return code
