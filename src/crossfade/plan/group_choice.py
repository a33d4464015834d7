"""Existing Entra groups that could publish an app group: those whose people all have it already, never one more.

Proposals only (design 8): tomorrow's joiner would gain a desktop, so each says who owns the group, by which rule people
come into it, when it last changed and what a yes would mean. Personal pools get none: there each person is published
with their own host.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from crossfade.model.target import CandidateGroup
from crossfade.plan.set_cover import WORK, cover

LEAST = 2
"""A group that holds one person only replaces nothing."""
TOTAL_WORK = 20_000_000
"""For all app groups of an estate together: pairs of rows, some ten seconds."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which kinds of groups the operator wants to hear of."""

    dynamic: bool = True
    synchronised: bool = True


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One existing group for one app group. `people`: how many of the app group's are in it; `chosen`: whether a yes in
    crossfade.toml was found."""

    source: str
    group: str
    display_name: str
    people: int
    owners: list[str] = []
    rule: str = ""
    last_change: str = ""
    warnings: list[str] = []
    means: str = ""
    chosen: bool = False


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """For one set of people: ids of the groups, how many assignments that leaves, and whether fewer are impossible."""

    groups: list[str]
    assignments: int
    exact: bool


def propose(
    app_groups: Mapping[str, Collection[str]],
    candidates: Sequence[CandidateGroup],
    policy: Policy | None = None,
) -> dict[str, Choice]:
    """App group key -> the groups that need the fewest assignments; app groups that no group helps are left out.

    `app_groups`: key -> object ids of everybody assigned. Equal sets of people are decided once.
    """
    usable = sorted(usable_groups(candidates, policy or Policy()), key=_preference)
    fitting = fitting_groups(app_groups, usable)
    work = max(20_000, min(WORK, TOTAL_WORK // max(1, len(fitting))))
    decided: dict[tuple[int, tuple[int, ...]], Choice] = {}
    found = {}
    for key, members in fitting.items():
        people = app_groups[key]
        same = (len(people), tuple(members))
        if same not in decided:
            decided[same] = _choice(people, [usable[at] for at in members], work)
        if decided[same].groups:
            found[key] = decided[same]
    return found


def _choice(people: Collection[str], groups: Sequence[CandidateGroup], work: int) -> Choice:
    """Who is in no group counts one: as many people and the same groups make the same choice."""
    held = {person for group in groups for person in group.members}
    made = cover(held, [group.members for group in groups], work=work)
    chosen = [groups[at] for at in made.groups]
    left = len(people) - len({person for group in chosen for person in group.members})
    return Choice(groups=[group.id for group in chosen], assignments=len(chosen) + left, exact=made.exact)


def fitting_groups(
    app_groups: Mapping[str, Collection[str]], candidates: Sequence[CandidateGroup]
) -> dict[str, list[int]]:
    """App group key -> indexes of the candidates whose people all have it. A bit per app group, a number per person."""
    keys = list(app_groups)
    has: dict[str, int] = {}
    for at, key in enumerate(keys):
        bit = 1 << at
        for person in app_groups[key]:
            has[person] = has.get(person, 0) | bit
    found: dict[str, list[int]] = {}
    for index, group in enumerate(candidates):
        common = _common(group.members, has)
        while common:
            bit = common & -common
            found.setdefault(keys[bit.bit_length() - 1], []).append(index)
            common ^= bit
    return {key: found[key] for key in keys if key in found}


def _common(members: Iterable[str], has: Mapping[str, int]) -> int:
    """The app groups that every member has, as bits."""
    common = -1
    for person in members:
        common &= has.get(person, 0)
        if not common:
            return 0
    return max(common, 0)


# ---------------------------------------------------------------- policy


_NEVER: dict[str, Callable[[CandidateGroup], bool]] = {
    "it cannot be granted a role: it is for mail only": lambda group: not group.security_enabled,
    "directory roles hang on it, and only few may change it": lambda group: group.role_assignable,
    "it has more people than classic lists at all, or its members may not be read": lambda group: not group.complete,
}
"""Why a group is never proposed -> whether that holds."""


def refused(group: CandidateGroup, policy: Policy) -> str:
    """Why a group is not proposed at all; empty when it may be."""
    for why, holds in _NEVER.items():
        if holds(group):
            return why
    if group.rule and not policy.dynamic:
        return "crossfade.toml wants no dynamic groups"
    if group.synchronised and not policy.synchronised:
        return "crossfade.toml wants no groups that are synchronised from on-premises"
    return "" if len(set(group.members)) >= LEAST else "it holds nobody, or one person only"


def usable_groups(candidates: Iterable[CandidateGroup], policy: Policy) -> list[CandidateGroup]:
    return [group for group in candidates if not refused(group, policy)]


def warnings(group: CandidateGroup) -> list[str]:
    """What makes a group open to joiners whom nobody here decides about."""
    told = {
        f"dynamic: whoever meets the rule {group.rule} joins by themselves": bool(group.rule),
        "synchronised: its members are changed on-premises, not here": group.synchronised,
        "a Microsoft 365 group: its owners, and perhaps its members, invite others, guests too": group.unified,
        "it has no owner: nobody in the directory answers for who joins": not (group.owners or group.synchronised),
    }
    return [words for words, holds in told.items() if holds]


def _preference(group: CandidateGroup) -> tuple[int, str, str]:
    return (len(warnings(group)), group.display_name.casefold(), group.id)


def proposal(source: str, group: CandidateGroup, *, chosen: bool = False) -> Proposal:
    """Everything that somebody needs to know before they say yes."""
    count = len(set(group.members))
    return Proposal(
        source=source,
        group=group.id,
        display_name=group.display_name,
        people=count,
        owners=group.owners,
        rule=group.rule or ("synchronised from on-premises" if group.synchronised else "members are added by hand"),
        last_change=_last_change(group),
        warnings=warnings(group),
        means=(
            f"One assignment in the place of {count}. Everybody in {group.display_name} has {source} today. After a "
            "yes whoever joins the group gets it, and whoever leaves the group loses it, without anybody deciding here."
        ),
        chosen=chosen,
    )


def _last_change(group: CandidateGroup) -> str:
    """The directory tells no moment at which members changed; its audit log does."""
    if group.changed_at:
        return f"last synchronised {group.changed_at}"
    made = f"made {group.created_at}; " if group.created_at else ""
    return f"{made}when its members last changed is only in the directory's audit log"
