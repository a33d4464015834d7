"""The one exception tree. Every instance says what happened, why, and the mend.

    MigrationError
    ├── InputError            a file, flag or intent is wrong; holds all problems at once          exit 1
    ├── Refused               we will not do this as things stand                                   exit 3
    │   ├── PlanConflict      no valid plan exists; holds the findings that clash
    │   ├── StalePlan         the inputs of a plan have moved on since it was made
    │   └── PreflightFailed   a machine gate before the first write does not hold
    ├── CloudError            a service said no, or nothing
    │   ├── Throttled         429; `retry_after_s`
    │   ├── Unreachable       no answer, and the call had certainly no effect
    │   ├── OutcomeUnknown    no answer, and the call may have had its effect: observe before anything else
    │   ├── Unauthorized      no valid sign-in (401)
    │   ├── Forbidden         signed in, but the right is missing (403)
    │   ├── NotFound          404
    │   ├── Conflict          409, or a 400 that means one
    │   ├── Rejected          any other refusal of the request itself (4xx)
    │   └── ServiceFailed     5xx
    └── ExecutionError
        ├── StepFailed        a step of a run failed for good
        ├── NotReady          what must hold before a step may act does not; nothing was written
        ├── GateTimedOut      a gate did not open in time
        ├── JournalMismatch   the journal is not what this run, plan or version expects
        │   └── StoreLost     the journal or the engine's store cannot be read or written: this process stops at once
        │       └── DatabaseLost  a database that does not answer
        ├── LeaseLost         another process works on this run
        │   └── Occupied      it did so before we began: nothing was written                               exit 3
        ├── CannotRollBack    there is no way back from here, and why
        └── Stopped           this process was asked to end; what was in flight is journalled              exit 130

Errors pickle and copy without loss: they are made of plain data. None ever holds a token, secret or request header.
"""

from typing import Any, ClassVar

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with an input: where (`file:line` or a path inside a document), what, and the mend."""

    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.mend}"


class MigrationError(Exception):
    """Base of all. `what` names the subject and id, `why` the fact seen, `mend` what the operator can do next."""

    code: ClassVar[str] = "migration-error"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, why: str = "", mend: str = "") -> None:
        super().__init__(what, why, mend)
        self.what = what
        self.why = why
        self.mend = mend

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.mend) if part)

    def as_data(self) -> dict[str, Any]:
        """Plain data for `--json` and the journal."""
        return {"code": self.code, "what": self.what, "why": self.why, "mend": self.mend}


class InputError(MigrationError):
    """Something given to us is wrong; all of it, at once."""

    code = "input"

    def __init__(self, what: str, problems: list[Problem]) -> None:
        super().__init__(what, "\n".join(f"  {problem}" for problem in problems), "")
        self.args = (what, problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {problem}" for problem in self.problems)])

    def as_data(self) -> dict[str, Any]:
        return {"code": self.code, "what": self.what, "problems": [msgspec.to_builtins(p) for p in self.problems]}


class Refused(MigrationError):
    """Crossfade will not do this as things stand; nothing was written."""

    code = "refused"
    exit_code = 3


class PlanConflict(Refused):
    """No valid plan exists for these inputs."""

    code = "plan-conflict"

    def __init__(self, what: str, problems: list[Problem]) -> None:
        super().__init__(what, "\n".join(f"  {problem}" for problem in problems), "")
        self.args = (what, problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  {problem}" for problem in self.problems)])

    def as_data(self) -> dict[str, Any]:
        return {"code": self.code, "what": self.what, "problems": [msgspec.to_builtins(p) for p in self.problems]}


class StalePlan(Refused):
    code = "stale-plan"


class PreflightFailed(PlanConflict):
    code = "preflight"


class CloudError(MigrationError):
    """A service refused or failed a call. `service` is classic, arm, graph, logs or entra; `service_code` its word."""

    code = "cloud"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        what: str,
        why: str = "",
        mend: str = "",
        *,
        service: str = "",
        status: int | None = None,
        service_code: str = "",
        request_id: str = "",
        correlation_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, why, mend)
        self.service = service
        self.status = status
        self.service_code = service_code
        self.request_id = request_id
        self.correlation_id = correlation_id
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.what, self.why, self.mend), self.__dict__)

    def as_data(self) -> dict[str, Any]:
        details = {
            name: getattr(self, name)
            for name in ("service", "status", "service_code", "request_id", "correlation_id", "retry_after_s")
        }
        return super().as_data() | {name: value for name, value in details.items() if value not in (None, "")}


class Throttled(CloudError):
    code = "throttled"
    retryable = True


class Unreachable(CloudError):
    code = "unreachable"
    retryable = True


class OutcomeUnknown(CloudError):
    code = "outcome-unknown"


class Unauthorized(CloudError):
    code = "unauthorized"


class Forbidden(CloudError):
    code = "forbidden"


class NotFound(CloudError):
    code = "not-found"


class Conflict(CloudError):
    code = "conflict"


class Rejected(CloudError):
    code = "rejected"


class ServiceFailed(CloudError):
    code = "service-failed"
    retryable = True


class ExecutionError(MigrationError):
    code = "execution"


class StepFailed(ExecutionError):
    code = "step-failed"


class NotReady(ExecutionError):
    code = "not-ready"


class GateTimedOut(ExecutionError):
    code = "gate-timed-out"


class JournalMismatch(ExecutionError):
    code = "journal-mismatch"


class StoreLost(JournalMismatch):
    """What is done can no longer be remembered, so nothing more is done. What was done is in the journal."""

    code = "store-lost"


class DatabaseLost(StoreLost):
    """The database of the journal does not answer. What was committed is there when it does again."""

    code = "database-lost"


class LeaseLost(ExecutionError):
    code = "lease-lost"


class Occupied(LeaseLost):
    """Another process works on this run already."""

    code = "occupied"
    exit_code = 3


class CannotRollBack(ExecutionError):
    """There is no way back as things stand; nothing was written."""

    code = "cannot-roll-back"
    exit_code = 3


class Stopped(ExecutionError):
    """This process was asked to end, by a signal or its starter. Nothing is lost; `mend` says how to go on."""

    code = "stopped"
    exit_code = 130
