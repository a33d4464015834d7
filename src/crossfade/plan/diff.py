"""The plan against what is there, as rows that people can sign."""

import msgspec

from crossfade.plan.operations import Action
from crossfade.plan.plan import Plan

SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.ADOPT: "=",
    Action.NO_OP: ".",
    Action.CONFLICT: "!",
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `sign`: + create, ~ update, = adopt, . no-op, ! conflict."""

    sign: str
    action: str
    kind: str
    subject: str
    reason: str
    inverse: str


def changes(plan: Plan) -> list[Change]:
    """Every operation as a row, in writing order."""
    return [
        Change(
            sign=SIGNS[operation.action],
            action=str(operation.action),
            kind=str(type(operation).__struct_config__.tag),
            subject=operation.subject,
            reason=operation.reason,
            inverse=operation.inverse(),
        )
        for operation in plan.operations
    ]


def totals(plan: Plan) -> dict[str, int]:
    """Action -> how many operations; every action is there, and `irreversible`."""
    counts = {str(action): 0 for action in Action}
    for operation in plan.operations:
        counts[str(operation.action)] += 1
    counts["irreversible"] = sum(1 for operation in plan.operations if operation.irreversible)
    return counts


def conflicts(plan: Plan) -> list[Change]:
    return [change for change in changes(plan) if change.sign == SIGNS[Action.CONFLICT]]
