"""Assignments before and after: people one by one in classic, single people and groups on the new service."""

from collections import Counter

import msgspec

from crossfade.model.ids import DESKTOP_USER_ROLE, fold
from crossfade.plan.operations import CreateDirectoryGroup, GrantRole
from crossfade.plan.plan import GroupAccess, Plan


class Consolidated(msgspec.Struct, frozen=True, kw_only=True):
    """One app group. `before`: people assigned in classic, those who are gone too; `after`: role assignments;
    `through`: names of the directory groups that stand for people."""

    source: str
    before: int
    after: int
    gone: int
    through: list[str] = []


def consolidated(plan: Plan) -> list[Consolidated]:
    """In the plan's order."""
    grants = [one for one in plan.operations if isinstance(one, GrantRole) and fold(one.role) == DESKTOP_USER_ROLE]
    after = Counter(fold(one.scope) for one in grants)
    names = {one.mail_nickname: one.display_name for one in plan.operations if isinstance(one, CreateDirectoryGroup)}
    return [
        Consolidated(
            source=group.source,
            before=len(group.people) + len(group.missing),
            after=after[fold(group.target)],
            gone=len(group.missing),
            through=[names[name] for name in _nicknames(group) if name in names],
        )
        for group in plan.access
    ]


def _nicknames(group: GroupAccess) -> list[str]:
    return [*group.existing, *([group.directory_group] if group.directory_group else [])]


def total(rows: list[Consolidated]) -> str:
    """`980 assignments in classic, 232 on the new service`."""
    before, after = sum(row.before for row in rows), sum(row.after for row in rows)
    return f"{before:,} assignments in classic, {after:,} on the new service"
