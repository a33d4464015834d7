"""Limits of the service that a plan comes near: what is there before, after, the limit, and what stays free.

Counted live at plan, and again at apply: somebody else may have used what was free (facts/field, trap 8;
facts/arm-service 10).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.target import Count, TargetSnapshot
from crossfade.model.ids import DESKTOP_USER_ROLE, fold, last_name
from crossfade.plan.operations import Action, AnyOperation, GrantRole, PutResource

ASSIGNMENTS_PER_OBJECT = 200
RAISED = "group-quota:tenant"
"""The finding that somebody accepts who has had the tenant's limit raised."""
ASSIGNMENTS, GROUPS, ON_OBJECT = "role assignments", "application groups", "role assignments on one object"
GROUP_TYPE = "Microsoft.DesktopVirtualization/applicationGroups"
_FEWER = "Lower access.direct_threshold, so that a group takes the place of many, or remove old assignments."
_RAISE = (
    "Ask Azure support for a higher limit and accept the finding group-quota:tenant by name, leave pools out "
    "(skip = true), or merge app groups that have the same people: the finding names them."
)


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """One limit. `before`: used now; `after`: once the plan is carried out; `limit` 0: it could not be read."""

    what: str
    scope: str
    before: int
    after: int
    limit: int

    def free(self) -> int:
        """What stays free afterwards; below 0: how many are too many."""
        return self.limit - self.after

    def where(self) -> str:
        """The scope for a reader: of an object its name."""
        return f"application group {last_name(self.scope)}" if self.scope.startswith("/") else self.scope

    def name(self) -> str:
        """Of the limit, the same in every plan that spends of it."""
        return f"{self.what}, {self.scope}"

    def told(self) -> str:
        """For a reader of the plan."""
        known = f"limit {self.limit}, {self.free()} free afterwards" if self.limit else "the limit could not be read"
        return f"{self.what}, {self.where()}: {self.before} before, {self.after} after, {known}"


def counted(operations: Iterable[AnyOperation], target: TargetSnapshot, subscription: str) -> list[Quota]:
    """The limits that the operations touch: the subscription's, the tenant's, and that of the fullest object."""
    operations = list(operations)
    new = _new_grants(operations, target)
    found = []
    for count in target.counts:
        if count.what == "role_assignments" and fold(last_name(count.scope)) == fold(subscription):
            found.append(_quota(ASSIGNMENTS, f"subscription {subscription}", count, len(new)))
        elif count.what == "application_groups":
            found.append(_quota(GROUPS, "the tenant, as far as it was read", count, _new_groups(operations, target)))
    fullest = max(_of_objects(new, target), key=lambda quota: quota.after, default=None)
    return [*found, *([fullest] if fullest else [])]


def _quota(what: str, scope: str, count: Count, more: int) -> Quota:
    return Quota(what=what, scope=scope, before=count.used, after=count.used + more, limit=count.limit)


def quotas(
    operations: Iterable[AnyOperation], target: TargetSnapshot, subscription: str, accepted: Collection[str] = ()
) -> list[Problem]:
    """The limits that would be passed. `accepted`: ids of findings that somebody answers for. A grant or a group that
    is there is not new; a limit that was not read says nothing."""
    operations = list(operations)
    settled = _settled(accepted)
    wide = [one for one in counted(operations, target, subscription) if one.limit and one.what not in settled]
    found = [*wide, *_of_objects(_new_grants(operations, target), target)]
    return [_passed(one) for one in found if one.free() < 0 and one.after > one.before]


def shared(quotas: Iterable[Quota], directory: str, accepted: Collection[str] = ()) -> list[Quota]:
    """The limits of a plan that other plans spend of too: the subscription's, and the directory's under its id."""
    settled = _settled(accepted)
    spent = [one for one in quotas if one.limit and one.after > one.before and one.what not in settled]
    tenant = f"directory {directory}"
    return [msgspec.structs.replace(one, scope=tenant) if one.what == GROUPS else one for one in spent]


def passed_together(mine: Iterable[Quota], others: Mapping[str, Mapping[str, int]]) -> list[Problem]:
    """Limits that these plans pass together, where each by itself does not. `others`: name of a run that is still to
    be carried out -> name of a limit -> how much more it wants of that."""
    problems = []
    for quota in mine:
        shares = {run: wants[quota.name()] for run, wants in others.items() if wants.get(quota.name())}
        over = quota.after + sum(shares.values()) - quota.limit
        if shares and over > 0:
            with_them = ", ".join(f"{run} {more}" for run, more in sorted(shares.items()))
            what = (
                f"has {quota.before} {quota.what}, {quota.after - quota.before} more are needed here and by other runs "
                f"of the queue {with_them}; {quota.limit} are allowed: {over} too many."
            )
            problems.append(Problem(quota.scope, what, _RAISE if quota.what == GROUPS else _FEWER))
    return problems


def _settled(accepted: Collection[str]) -> set[str]:
    """Limits that are not judged as a whole: that of an object has its own, and what somebody answers for."""
    return {ON_OBJECT, *([GROUPS] if fold(RAISED) in {fold(name) for name in accepted} else [])}


def _passed(quota: Quota) -> Problem:
    gone = " It is used up already." if quota.before >= quota.limit else ""
    noun, more = quota.what.removesuffix(" on one object"), quota.after - quota.before
    what = (
        f"has {quota.before} {noun}, {more} more are needed, {quota.limit} are allowed: {-quota.free()} too many.{gone}"
    )
    return Problem(quota.scope, what, _RAISE if quota.what == GROUPS else _FEWER)


def _new_grants(operations: Iterable[AnyOperation], target: TargetSnapshot) -> list[GrantRole]:
    there = {(fold(g.scope), fold(g.principal_id)) for g in target.grants if fold(g.role) == DESKTOP_USER_ROLE}
    return [
        op
        for op in operations
        if isinstance(op, GrantRole)
        and op.action is Action.CREATE
        and (fold(op.scope), fold(op.principal)) not in there
    ]


def _new_groups(operations: Iterable[AnyOperation], target: TargetSnapshot) -> int:
    there = {fold(item.id) for item in target.objects}
    made = (one for one in operations if isinstance(one, PutResource) and fold(one.type) == fold(GROUP_TYPE))
    return sum(1 for one in made if one.action is Action.CREATE and fold(one.subject) not in there)


def _of_objects(new: list[GrantRole], target: TargetSnapshot) -> list[Quota]:
    scopes = {fold(operation.scope): operation.scope for operation in new}
    more = Counter(fold(operation.scope) for operation in new)
    there = Counter(fold(grant.scope) for grant in target.grants if fold(grant.scope) in scopes)
    return [
        Quota(
            what=ON_OBJECT,
            scope=scopes[key],
            before=there[key],
            after=there[key] + count,
            limit=ASSIGNMENTS_PER_OBJECT,
        )
        for key, count in more.items()
    ]
