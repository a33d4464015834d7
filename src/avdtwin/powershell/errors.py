"""What can end a script early, and how a script's own errors look to it."""

from typing import Any


class Unsupported(Exception):
    """The script asks for something that this interpreter does not do. No script can catch it: the run fails."""


class ScriptError(Exception):
    """An error that a script can catch: thrown by it, or by a command that failed."""

    def __init__(self, message: str, thrown: Any = None, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.thrown = thrown
        """The exception object that the script threw, if it threw one."""
        self.line = line


class Signal(BaseException):
    """Flow control on its way up."""


class Break(Signal):
    pass


class Continue(Signal):
    pass


class Return(Signal):
    pass


class Exit(Signal):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
