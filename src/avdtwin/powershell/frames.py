"""Where a script's variables live, and the run that it is part of."""

from collections.abc import Callable
from typing import Any

import msgspec

from avdtwin import changes
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.state import Machine
from avdtwin.world import World

_CONSTANTS: dict[str, Any] = {"null": None, "true": True, "false": False}
_ENVIRONMENT = {
    "systemroot": "C:\\Windows",
    "windir": "C:\\Windows",
    "systemdrive": "C:",
    "programdata": "C:\\ProgramData",
    "programfiles": "C:\\Program Files",
    "temp": "C:\\Windows\\Temp",
}


class Session:
    """One run: a copy of the machine, the time that has gone by in the script, what it did, what it said."""

    def __init__(self, world: World, machine: Machine) -> None:
        self.world = world
        self.machine = msgspec.convert(msgspec.to_builtins(machine), Machine)
        self.elapsed_s = 0.0
        self.changes: list[changes.Change] = []
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self.functions: dict[str, Any] = {}
        self.appears: dict[str, float] = {}
        """Service, lower-cased -> second of the script from which it is there."""
        self._stream = f"script|{machine.vm}"

    def spend(self, seconds: float) -> None:
        self.elapsed_s += seconds

    def spend_setting(self, name: str) -> None:
        """Let a step take the time of a setting, drawn between its bounds."""
        self.spend(self.world.between(self._stream, self.world.setting(name)))

    def between(self, low: float, high: float) -> float:
        return self.world.between(self._stream, (low, high))

    def change(self, kind: str, *arguments: Any) -> None:
        """Do something to the machine's copy, and note it for the machine itself."""
        entry = [round(self.elapsed_s, 3), kind, *arguments]
        self.changes.append(entry)
        changes.apply(None, self.machine, entry)


class Frame:
    """A scope. Reading looks outwards, writing stays here, as in PowerShell."""

    def __init__(self, session: Session, parent: "Frame | None" = None) -> None:
        self.session = session
        self.parent = parent
        self.variables: dict[str, Any] = {}

    @property
    def script(self) -> "Frame":
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame

    def get(self, name: str) -> Any:
        """A variable's value. Raises ScriptError when it was never set: scripts are run in strict mode."""
        scope, _, rest = name.lower().rpartition(":")
        if scope == "env":
            return {**_ENVIRONMENT, "computername": self.session.machine.computer_name}.get(rest)
        if not scope and rest in _CONSTANTS:
            return _CONSTANTS[rest]
        frame: Frame | None = self._scope(scope)
        while frame is not None:
            if rest in frame.variables:
                return frame.variables[rest]
            frame = frame.parent
        raise ScriptError(f"The variable '${rest}' cannot be retrieved because it has not been set.")

    def set(self, name: str, value: Any) -> None:
        scope, _, rest = name.lower().rpartition(":")
        if rest in _CONSTANTS:
            if rest != "null":
                raise ScriptError(f"Cannot overwrite variable {rest} because it is read-only or constant.")
            return
        self._scope(scope).variables[rest] = value

    def _scope(self, scope: str) -> "Frame":
        if scope in ("", "local"):
            return self
        if scope == "script":
            return self.script
        raise Unsupported(f"scope {scope}:")


Evaluate = Callable[[Frame], Any]
Execute = Callable[[Frame, list[Any]], None]
"""Runs a statement; what it puts out is added to the list."""


class Block:
    """A script block or the body of a function."""

    def __init__(self, parameters: "list[Parameter]", body: Execute) -> None:
        self.parameters = parameters
        self.body = body


class Parameter(msgspec.Struct, frozen=True):
    """One declared parameter of a script or function."""

    name: str
    """Without `$`, as written."""
    type_name: str | None
    mandatory: bool
    default: Any
    """An Evaluate, or None."""
    checks: tuple[tuple[str, tuple[Any, ...]], ...]
    """Validation attributes, lower-cased, with their arguments."""
