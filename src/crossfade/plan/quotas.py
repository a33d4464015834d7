"""Limits of the service that the assignments of a plan would pass. Counted at plan, and again at apply: somebody else
may have used what was free (facts/field, trap 8; facts/arm-service 10)."""

from collections import Counter
from collections.abc import Iterable

from crossfade.errors import Problem
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, fold, last_name
from crossfade.plan.operations import Action, AnyOperation, GrantRole

ASSIGNMENTS_PER_OBJECT = 200
MEND = "Lower access.direct_threshold, so that a group takes the place of many, or remove old assignments."


def quotas(operations: Iterable[AnyOperation], target: TargetSnapshot, subscription: str) -> list[Problem]:
    """The limit of the subscription, and of each object with what it has already. A grant that is there is not new."""
    there = {(fold(g.scope), fold(g.principal_id)) for g in target.grants if fold(g.role) == DESKTOP_USER_ROLE}
    new = [
        op
        for op in operations
        if isinstance(op, GrantRole)
        and op.action is Action.CREATE
        and (fold(op.scope), fold(op.principal)) not in there
    ]
    return _of_subscription(len(new), target, subscription) + _of_objects(new, target)


def _of_subscription(new: int, target: TargetSnapshot, subscription: str) -> list[Problem]:
    """A limit of 0 was not read: it says nothing."""
    return [
        Problem(
            f"subscription {subscription}",
            f"has {count.used} role assignments, {new} more are needed, {count.limit} are allowed.",
            MEND,
        )
        for count in target.counts
        if count.what == "role_assignments"
        and fold(last_name(count.scope)) == fold(subscription)
        and 0 < count.limit < count.used + new
    ]


def _of_objects(new: list[GrantRole], target: TargetSnapshot) -> list[Problem]:
    scopes = {fold(operation.scope): operation.scope for operation in new}
    counts = Counter(fold(operation.scope) for operation in new)
    counts.update(fold(grant.scope) for grant in target.grants if fold(grant.scope) in scopes)
    return [
        Problem(scopes[key], f"would have {count} assignments, the service takes {ASSIGNMENTS_PER_OBJECT}.", MEND)
        for key, count in counts.items()
        if count > ASSIGNMENTS_PER_OBJECT
    ]
