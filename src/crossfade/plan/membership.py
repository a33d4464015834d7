"""What a plan counts on of existing groups, and what a group is now: nobody more than the app group has, nobody less.

The members were read for the plan. They are read again before the first write, and at the moment in which the group's
grant would publish all of them (design 8).
"""

from collections.abc import Iterable, Mapping

import msgspec

from crossfade.model.ids import fold, last_name
from crossfade.plan.operations import AddMember, CreateDirectoryGroup, GrantRole
from crossfade.plan.plan import Plan

NAMED = 5


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """One existing group that publishes one app group. `group`: object id; `counted`: object id -> UPN of the people
    who come through it; `allowed`: object ids of everybody who has the app group, those included."""

    group: str
    display_name: str
    source: str
    counted: dict[str, str]
    allowed: frozenset[str]

    def most(self) -> int:
        """How many people the group can have at most with none of them too much."""
        return len(self.allowed)


def promises(plan: Plan) -> dict[tuple[str, str], Promise]:
    """(folded scope, folded object id of the group) -> what the plan counts on."""
    existing = {
        one.mail_nickname: one for one in plan.operations if isinstance(one, CreateDirectoryGroup) and one.prior_id
    }
    counted: dict[str, dict[str, str]] = {}
    for one in plan.operations:
        if isinstance(one, AddMember):
            counted.setdefault(one.subject.removeprefix("group:"), {})[fold(one.member)] = one.member_label
    found = {}
    for access in plan.access:
        allowed = frozenset(map(fold, access.people.values()))
        for made in (existing[name] for name in access.existing if name in existing):
            group = fold(made.prior_id or "")
            people = {key: upn for key, upn in counted.get(made.mail_nickname, {}).items() if key in allowed}
            found[fold(access.target), group] = Promise(
                group=group,
                display_name=made.display_name,
                source=access.source,
                counted=people,
                allowed=allowed,
            )
    return found


def promised(plan: Plan, operation: GrantRole) -> Promise | None:
    """Of one grant; None where it publishes no existing group."""
    return promises(plan).get((fold(operation.scope), fold(operation.principal)))


def broken(promise: Promise, members: Iterable[str] | None, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with a group as it is now, as (what, mend); nothing when it is as the plan counts on.

    `members`: object ids, None for "could not be read, or more than everybody who has the app group"; `names`: folded
    object id -> UPN, of those who are known by name.
    """
    what_it_opens = last_name(promise.source)
    if members is None:
        what = f"could not be read, or has many more people than the {promise.most()} who have {promise.source}."
        return [(what, "Nobody knows who would gain it: plan again without the group.")]
    now = {fold(member) for member in members}
    found = []
    strangers = now - promise.allowed
    if strangers:
        named = some(label(one, names) for one in strangers)
        found.append(
            (
                f"has {len(strangers)} members now who do not have {promise.source}: {named}.",
                f"They would gain {what_it_opens}. Take them out of the group, or the group out of [groups], and plan "
                "again.",
            )
        )
    gone = promise.counted.keys() - now
    if gone:
        named = some(label(one, promise.counted) for one in gone)
        found.append(
            (
                f"has lost {len(gone)} members who come to {promise.source} through it: {named}.",
                f"They would lose {what_it_opens}. Put them back into the group, or plan again: then they are assigned "
                "by name.",
            )
        )
    return found


def label(member: str, names: Mapping[str, str]) -> str:
    """As they are known by name, with their object id."""
    return f"{names[member]} ({member})" if member in names else member


def some(names: Iterable[str], most: int = NAMED) -> str:
    """The first few, and how many more there are."""
    found = sorted(names)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")
