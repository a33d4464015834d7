"""The allow-list of commands: what is not in `COMMANDS`, or asks for a parameter that is not listed, cannot run."""

from collections.abc import Callable
from typing import Any

import msgspec

from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.frames import Frame, Session
from avdtwin.powershell.values import text, truth
from avdtwin.state import Machine


class Call(msgspec.Struct):
    """One call of a command, its arguments bound."""

    frame: Frame
    arguments: dict[str, Any]
    """By lower-cased parameter."""
    flowing: list[Any] | None
    """What came through the pipe; None when there was none."""

    @property
    def session(self) -> Session:
        return self.frame.session

    @property
    def machine(self) -> Machine:
        return self.frame.session.machine

    def get(self, name: str, default: Any = None) -> Any:
        return self.arguments.get(name.lower(), default)

    def text(self, *names: str) -> str:
        """The first of these parameters that was given. Raises ScriptError when none was."""
        for name in names:
            if name.lower() in self.arguments:
                return text(self.arguments[name.lower()])
        raise ScriptError(f"A value for the parameter {names[0]} is missing.")

    def path(self) -> str:
        """`-LiteralPath`, or `-Path` without wildcards."""
        if "literalpath" in self.arguments:
            return self.text("LiteralPath")
        path = self.text("Path")
        if any(sign in path for sign in "*?["):
            raise Unsupported(f"a path with wildcards: {path}")
        return path

    def flag(self, name: str) -> bool:
        return truth(self.arguments.get(name.lower(), False))

    def input(self, name: str) -> list[Any]:
        """What came through the pipe, else the value of a parameter."""
        if self.flowing is not None:
            return self.flowing
        value = self.get(name)
        return value if isinstance(value, list) else [value]


Run = Callable[[Call], list[Any]]


class Command(msgspec.Struct, frozen=True):
    name: str
    positional: tuple[str, ...]
    parameters: frozenset[str]
    """All that take a value, lower-cased."""
    switches: frozenset[str]
    seconds: float
    run: Run


COMMANDS: dict[str, Command] = {}


def command(
    name: str,
    *,
    positional: tuple[str, ...] = (),
    named: tuple[str, ...] = (),
    switches: tuple[str, ...] = (),
    seconds: float = 0.02,
) -> Callable[[Run], Run]:
    """Put a function on the list. `-ErrorAction` is understood for all; `seconds` is how long one call takes."""

    def register(run: Run) -> Run:
        COMMANDS[name.lower()] = Command(
            name=name,
            positional=positional,
            parameters=frozenset(item.lower() for item in (*positional, *named, "ErrorAction")),
            switches=frozenset(item.lower() for item in switches),
            seconds=seconds,
            run=run,
        )
        return run

    return register
