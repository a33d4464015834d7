"""Random single changes of access made in the twin behind a finished migration, and rewrites that change nothing.

The judge is the twin's own feed: what a change did to it is what `verify` has to name, person by person; a rewrite that
leaves it as it was must leave the proof passed.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from access_equality import Row, feed_rows

sys.path.insert(0, str(Path(__file__).parents[1] / "scenario"))
from stage import GroupSpec, Stage, personal, pooled, spec_of

from avdtwin.estate.specs import EXCEL, WORD
from avdtwin.state import Group, Resource, RoleAssignment
from crossfade.commands.verify import verify
from crossfade.model.ids import fold
from crossfade.plan.intent import Access
from crossfade.verification.verification import Verification

ROLE = "1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63"
"""Desktop Virtualization User (facts/arm-service 5.1)."""
FLIPS = {"Desktop": "RailApplications", "RailApplications": "Desktop", "None": "Desktop"}
Pair = tuple[str, str]
"""Folded UPN, folded ARM id of the application group (desktop) or application."""


class Effect(NamedTuple):
    """What happened to people: what they lost, what they gained, and whose personal desktop is another one."""

    lost: set[Pair]
    gained: set[Pair]
    swapped: set[str]


class Planted:
    """A migrated estate on the twin to which one thing after another is done; `restore` takes it back."""

    def __init__(self, folder: Path) -> None:
        pools = (
            pooled(
                desktop_people=7, groups=(GroupSpec("Office Apps", 5, (EXCEL, WORD)), GroupSpec("Sums", 2, (EXCEL,)))
            ),
            pooled("Second Pool", "sec", desktop_people=2, groups=(GroupSpec("Letters", 4, (WORD,)),), borrowed=2),
            personal(hosts=3),
        )
        self.stage = Stage.of(spec_of(*pools, name="planted"), folder)
        self.stage.make_plan(access=Access(direct_threshold=3))
        assert self.stage.apply().state == "finished"
        self.stage.wait(900)
        self._kept = [msgspec.json.encode(part) for part in self._parts()]
        self._made = 0

    def _parts(self) -> tuple[Any, Any]:
        return self.stage.world.state.arm, self.stage.world.state.directory

    def restore(self) -> None:
        """Access as the migration left it."""
        state = self.stage.world.state
        arm, directory = (
            msgspec.json.decode(kept, type=type(part)) for kept, part in zip(self._kept, self._parts(), strict=True)
        )
        state.arm, state.directory = arm, directory
        self.stage.world.derived.clear()

    def verified(self) -> Verification:
        """The verb itself, against the twin as it is."""
        self.stage.world.derived.clear()
        return self.stage.with_services(lambda services: verify(self.stage.workspace, services, services.clock))

    def feed(self) -> set[Row]:
        self.stage.world.derived.clear()
        return feed_rows(self.stage.world)[1]

    # -- what is there

    @property
    def groups(self) -> dict[str, Group]:
        return self.stage.world.state.directory.groups

    def grants(self, kind: str = "") -> list[RoleAssignment]:
        """Grants that publish; `kind`: to users or to groups only."""
        found = self.stage.world.state.arm.role_assignments.values()
        using = [one for one in found if one.role_definition_id.lower().endswith(ROLE)]
        return [one for one in using if kind in ("", one.principal_type)]

    def users(self) -> list[str]:
        """Object ids of everybody who can sign in."""
        users = self.stage.world.state.directory.users.values()
        return [user.id for user in users if user.enabled and not user.deleted]

    def drop(self, grant: RoleAssignment) -> None:
        del self.stage.world.state.arm.role_assignments[grant.id.lower()]

    def grant(self, scope: str, principal: str, kind: str) -> None:
        name = f"00000000-0000-4000-8000-{self._next():012x}"
        full = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{name}"
        self.stage.world.state.arm.role_assignments[full.lower()] = RoleAssignment(
            id=full,
            name=name,
            scope=scope,
            role_definition_id=f"/providers/Microsoft.Authorization/roleDefinitions/{ROLE}",
            principal_id=principal,
            principal_type=kind,
            created_at=0.0,
            effective_at=0.0,
        )

    def group(self, members: list[str]) -> str:
        """Object id of a new directory group."""
        number = self._next()
        made = Group(
            id=f"00000000-0000-4000-9000-{number:012x}",
            display_name=f"Group {number}",
            mail_nickname=f"group{number}",
            members=dict.fromkeys(members, 0.0),
        )
        self.groups[made.id] = made
        return made.id

    def granted_groups(self) -> list[Group]:
        """Directory groups through which something is published, or a group in one of them."""
        found: dict[str, Group] = {}
        waiting = [one.principal_id for one in self.grants("Group")]
        while waiting:
            group = waiting.pop()
            if group in self.groups and group not in found:
                found[group] = self.groups[group]
                waiting += self.groups[group].members
        return list(found.values())

    def _next(self) -> int:
        self._made += 1
        return self._made


# ---------------------------------------------------------------- changes

Act = Callable[[Planted, random.Random], None]


def assignment_lost(planted: Planted, dice: random.Random) -> None:
    planted.drop(dice.choice(planted.grants()))


def assignment_gained(planted: Planted, dice: random.Random) -> None:
    """To anybody, or to any group, on an application group or on something above it."""
    where = dice.choice(planted.stage.of_type("applicationGroups")).id
    parts = where.split("/")
    scope = dice.choice([where, where, where, "/".join(parts[:5]), "/".join(parts[:3])])
    if dice.random() < 0.2:
        planted.grant(scope, dice.choice(sorted(planted.groups)), "Group")
    else:
        planted.grant(scope, dice.choice(planted.users()), "User")


def assignment_moved(planted: Planted, dice: random.Random) -> None:
    """To another application group, or to another person."""
    grant = dice.choice(planted.grants())
    scope, principal, kind = grant.scope, grant.principal_id, grant.principal_type
    planted.drop(grant)
    if dice.random() < 0.5:
        planted.grant(dice.choice(planted.stage.of_type("applicationGroups")).id, principal, kind)
    else:
        planted.grant(scope, dice.choice(planted.users()), "User")


def member_added(planted: Planted, dice: random.Random) -> None:
    dice.choice(planted.granted_groups()).members[dice.choice(planted.users())] = 0.0


def member_removed(planted: Planted, dice: random.Random) -> None:
    group = dice.choice([group for group in planted.granted_groups() if group.members])
    del group.members[dice.choice(list(group.members))]


def personal_host_swapped(planted: Planted, dice: random.Random) -> None:
    one, other = dice.sample(_owned(planted), 2)
    pair = one.properties["assignedUser"], other.properties["assignedUser"]
    other.properties["assignedUser"], one.properties["assignedUser"] = pair


def personal_host_given_away(planted: Planted, dice: random.Random) -> None:
    directory = planted.stage.world.state.directory
    dice.choice(_owned(planted)).properties["assignedUser"] = directory.users[dice.choice(planted.users())].upn


def group_detached(planted: Planted, dice: random.Random) -> None:
    workspace = dice.choice([one for one in planted.stage.of_type("workspaces") if _references(one)])
    _references(workspace).remove(dice.choice(_references(workspace)))


def preferred_type_flipped(planted: Planted, dice: random.Random) -> None:
    """Nobody holds desktop and apps of one pool after a migration: told as a setting, unless access changed too."""
    pool = dice.choice(
        [one for one in planted.stage.of_type("hostPools") if one.properties["hostPoolType"] == "Pooled"]
    )
    pool.properties["preferredAppGroupType"] = FLIPS[pool.properties["preferredAppGroupType"]]


CHANGES: tuple[Act, ...] = (
    assignment_lost,
    assignment_gained,
    assignment_moved,
    member_added,
    member_removed,
    personal_host_swapped,
    personal_host_given_away,
    group_detached,
    preferred_type_flipped,
)


def _owned(planted: Planted) -> list[Resource]:
    return [host for host in planted.stage.of_type("hostPools/sessionHosts") if host.properties.get("assignedUser")]


def _references(workspace: Resource) -> list[str]:
    found: list[str] = workspace.properties["applicationGroupReferences"]
    return found


# ---------------------------------------------------------------- rewrites


def people_into_a_group(planted: Planted, dice: random.Random) -> None:
    """Direct grants on one application group replaced by a group of the same people."""
    scope = dice.choice(planted.grants("User")).scope
    direct = [one for one in planted.grants("User") if one.scope == scope]
    for grant in direct:
        planted.drop(grant)
    planted.grant(scope, planted.group([one.principal_id for one in direct]), "Group")


def group_into_people(planted: Planted, dice: random.Random) -> None:
    grant = dice.choice(planted.grants("Group"))
    planted.drop(grant)
    for person in _transitive(planted, grant.principal_id):
        planted.grant(grant.scope, person, "User")


def group_split(planted: Planted, dice: random.Random) -> None:
    grant = dice.choice(planted.grants("Group"))
    people = _transitive(planted, grant.principal_id)
    cut = dice.randint(0, len(people))
    planted.drop(grant)
    planted.grant(grant.scope, planted.group(people[:cut]), "Group")
    planted.grant(grant.scope, planted.group(people[cut:]), "Group")


def group_nested(planted: Planted, dice: random.Random) -> None:
    """A group around the group, up to three deep; now and then a circle."""
    grant = dice.choice(planted.grants("Group"))
    outer = grant.principal_id
    for _ in range(dice.randint(1, 3)):
        outer = planted.group([outer])
    if dice.random() < 0.3:
        planted.groups[grant.principal_id].members[outer] = 0.0
    planted.drop(grant)
    planted.grant(grant.scope, outer, "Group")


def members_into_an_inner_group(planted: Planted, dice: random.Random) -> None:
    group = dice.choice([group for group in planted.granted_groups() if group.members])
    moved = dice.sample(list(group.members), dice.randint(1, len(group.members)))
    for member in moved:
        del group.members[member]
    group.members[planted.group(moved)] = 0.0


def grant_moved_to_its_like(planted: Planted, dice: random.Random) -> None:
    """To a group with the same transitive members."""
    grant = dice.choice(planted.grants("Group"))
    planted.drop(grant)
    planted.grant(grant.scope, planted.group(_transitive(planted, grant.principal_id)), "Group")


def granted_twice(planted: Planted, dice: random.Random) -> None:
    """Somebody of a group holds the right by name as well."""
    grant = dice.choice(planted.grants("Group"))
    planted.grant(grant.scope, dice.choice(_transitive(planted, grant.principal_id)), "User")


def group_renamed(planted: Planted, dice: random.Random) -> None:
    dice.choice(planted.granted_groups()).display_name = f"Renamed {dice.randint(0, 9999)}"


def properties_reordered(planted: Planted, dice: random.Random) -> None:
    """Of every object, the objects themselves, the references of workspaces and the members of groups."""
    state = planted.stage.world.state
    for resource in state.arm.resources.values():
        resource.properties = _shuffled(resource.properties, dice)
    for workspace in planted.stage.of_type("workspaces"):
        dice.shuffle(_references(workspace))
    for group in state.directory.groups.values():
        group.members = _shuffled(group.members, dice)
    state.arm.role_assignments = _shuffled(state.arm.role_assignments, dice)


def other_casing(planted: Planted, dice: random.Random) -> None:
    """Of the ids by which objects refer to each other, and of the people to whom hosts are assigned."""
    for grant in planted.grants():
        grant.scope = _recased(grant.scope, dice)
        grant.role_definition_id = _recased(grant.role_definition_id, dice)
    for workspace in planted.stage.of_type("workspaces"):
        references = _references(workspace)
        references[:] = [_recased(one, dice) for one in references]
    for group in planted.stage.of_type("applicationGroups"):
        group.properties["hostPoolArmPath"] = _recased(group.properties["hostPoolArmPath"], dice)
    for host in _owned(planted):
        host.properties["assignedUser"] = _recased(host.properties["assignedUser"], dice)


REWRITES: tuple[Act, ...] = (
    people_into_a_group,
    group_into_people,
    group_split,
    group_nested,
    members_into_an_inner_group,
    grant_moved_to_its_like,
    granted_twice,
    group_renamed,
    properties_reordered,
    other_casing,
)


def _transitive(planted: Planted, group: str) -> list[str]:
    found: dict[str, None] = {}
    waiting, seen = [group], {group}
    while waiting:
        for member in planted.groups[waiting.pop()].members:
            if member not in planted.groups:
                found[member] = None
            elif member not in seen:
                seen.add(member)
                waiting.append(member)
    return list(found)


def _shuffled(found: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    return dict(dice.sample(list(found.items()), len(found)))


def _recased(text: str, dice: random.Random) -> str:
    return dice.choice((text, text.upper(), text.lower(), text.swapcase()))


# ---------------------------------------------------------------- judging


def change(planted: Planted, seed: int) -> tuple[str, str]:
    """One random change that shows, after none to two rewrites: (its name, what `verify` got wrong; empty: nothing)."""
    dice = random.Random(seed)
    while True:
        planted.restore()
        for rewrite in dice.choices(REWRITES, k=dice.randint(0, 2)):
            _attempt(planted, rewrite, dice)
        before = planted.feed()
        act = dice.choice(CHANGES)
        if not _attempt(planted, act, dice):
            continue
        done = effect(before, planted.feed())
        if act is preferred_type_flipped or any(done):
            break
    found = planted.verified()
    return act.__name__, _wrong(planted, done, found)


def rewrite(planted: Planted, seed: int) -> tuple[str, str]:
    """One to three random rewrites: (their names, what `verify` found all the same; empty: nothing)."""
    dice = random.Random(seed)
    planted.restore()
    before = planted.feed()
    chosen = dice.sample(REWRITES, dice.randint(1, 3))
    names = " + ".join(act.__name__ for act in chosen if _attempt(planted, act, dice))
    assert planted.feed() == before, f"{names} is no rewrite: the feed is another one"
    found = planted.verified()
    return names, "" if found.passed() else f"false alarm: {_told(found)}"


def _attempt(planted: Planted, act: Act, dice: random.Random) -> bool:
    """Whether there was anything of the kind to act on."""
    try:
        act(planted, dice)
    except (IndexError, ValueError):  # nothing left to choose from, e.g. no grant by name after a rewrite
        return False
    return True


def effect(before: set[Row], after: set[Row]) -> Effect:
    had, has = _places(before), _places(after)
    swapped = {person for person, key in had.keys() & has.keys() if had[person, key] != has[person, key]}
    return Effect(had.keys() - has.keys(), has.keys() - had.keys(), swapped)


def _places(rows: set[Row]) -> dict[Pair, frozenset[str]]:
    found: dict[Pair, set[str]] = {}
    for person, resource, place in rows:
        found.setdefault((person, resource), set()).add(place)
    return {pair: frozenset(places) for pair, places in found.items()}


def _wrong(planted: Planted, done: Effect, found: Verification) -> str:
    named = Effect(
        set(_pairs(planted, found.lost)),
        set(_pairs(planted, found.gained)),
        {fold(swap.person) for swap in found.swapped},
    )
    if named != done:
        return f"the feed says {done}, verify says {named}"
    return "not found at all" if found.passed() else ""


def _pairs(planted: Planted, changes: list[Any]) -> Iterator[Pair]:
    """What `verify` names, by UPN and ARM id, as the feed has it."""
    targets = {fold(name.source): fold(name.target) for name in planted.stage.plan.names}
    upns = {f"object {user.id}": fold(user.upn) for user in planted.stage.world.state.directory.users.values()}
    for one in changes:
        key, person = fold(one.resource), fold(one.person)
        desktop = key.rpartition("/")[0]
        yield upns.get(person, person), targets.get(key) or targets.get(desktop, key)


def _told(found: Verification) -> str:
    parts = [found.lost, found.gained, found.swapped, found.unexplained, found.different(), found.sick()]
    return "; ".join(str(part[:2]) for part in parts if part)
