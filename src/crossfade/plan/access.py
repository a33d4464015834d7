"""Who gets which application group, and how: one by one up to the threshold, above it through a new Entra group.

Design 8. Operations for single people are named by person, so that a wave can publish its cohort and nobody else.
"""

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import AppGroup
from crossfade.model.ids import DESKTOP_USER_ROLE, fold, last_name, parent_key, stable_id
from crossfade.model.target import CandidateGroup, DirectoryGroup, Identity
from crossfade.plan.existing_groups import existing_groups
from crossfade.plan.group_choice import Proposal
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout
from crossfade.plan.names import fill, mail_nickname, with_mark
from crossfade.plan.operations import (
    Action,
    AddMember,
    AnyOperation,
    CreateDirectoryGroup,
    GrantRole,
    RetractAssignment,
)
from crossfade.plan.people import WhoIsWho
from crossfade.plan.plan import GroupAccess

DIRECT = "direct"
DISPLAY_LIMIT = 256
DESCRIPTION_LIMIT = 1024
DIRECTORY_GROUP = "directory-group"
EXISTING_GROUPS = "existing-groups"


class DisplayNames:
    """Display names of directory groups: any characters, no two alike, so that a rerun finds the right one. Likewise
    their mail nicknames, by which a run knows them."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._nicknames: set[str] = set()

    def give(self, wanted: str, *, source: str) -> str:
        name = wanted if len(wanted) <= DISPLAY_LIMIT else with_mark(wanted, source, DISPLAY_LIMIT)
        if fold(name) in self._taken:
            name = with_mark(name, source, DISPLAY_LIMIT)
        self._taken.add(fold(name))
        return name

    def nickname(self, display: str, *, source: str) -> str:
        name = mail_nickname(display, source)
        while fold(name) in self._nicknames:
            name = mail_nickname(display, f"{source} {name}")
        self._nicknames.add(fold(name))
        return name


class AccessPlan(msgspec.Struct, kw_only=True):
    """`setup`: done with the objects; `by_person`: folded pool key -> folded UPN -> operations that publish them;
    `together`: folded pool key -> id of an operation that publishes several at once -> their folded UPNs."""

    groups: list[GroupAccess] = []
    setup: list[AnyOperation] = []
    by_person: dict[str, dict[str, list[AnyOperation]]] = {}
    leaving: dict[str, dict[str, list[AnyOperation]]] = {}
    """The same people's way out of classic."""
    together: dict[str, dict[str, frozenset[str]]] = {}
    unread: list[str] = []
    """UPNs that nobody looked up in the directory, or could not: whether they are gone is not known."""
    owners: list[str] = []
    """Object ids of the owners of new groups."""
    names: DisplayNames = msgspec.field(default_factory=DisplayNames)
    proposals: list[Proposal] = []
    problems: list[Problem] = []
    shared: dict[tuple[str, frozenset[str]], tuple[str, str, str]] = {}
    """(folded pool key, object ids) -> nickname, principal and display name of the new group that holds them."""


class _People(msgspec.Struct, frozen=True):
    """Of one app group. `names`: folded UPN of today -> as it is spelled; `classic`: likewise -> their names there;
    `found`: folded UPN -> object id; `missing`: UPN -> why."""

    names: dict[str, str]
    classic: dict[str, list[str]]
    found: dict[str, str]
    missing: dict[str, str]

    def persons(self) -> dict[str, str]:
        """Object id -> the first of their names: two names of one object are one person."""
        first: dict[str, str] = {}
        for upn, object_id in self.found.items():
            first.setdefault(object_id, upn)
        return first


def plan_access(
    inventory: Inventory, target: TargetSnapshot, layout: Layout, intent: Intent, known: WhoIsWho | None = None
) -> AccessPlan:
    """The access of every migrated app group that has people. `known`: who the people of classic are today."""
    known = known or WhoIsWho()
    identities = {fold(identity.upn): identity for identity in target.identities}
    listed: dict[str, dict[str, str]] = {}
    for assignment in inventory.assignments:
        listed.setdefault(fold(assignment.key), {}).setdefault(fold(assignment.upn), assignment.upn)
    wanted = [group for group in layout.groups if listed.get(fold(group.key))]
    people = {group.key: _people(listed[fold(group.key)], identities, known) for group in wanted}
    personal = {fold(pool.key) for pool in layout.pools if pool.personal}
    ids = {key: list(found.persons()) for key, found in people.items()}
    existing = existing_groups(ids, layout.groups, personal, target, intent)
    owners, unowned = _owners(intent, identities)
    plan = AccessPlan(proposals=existing.proposals, problems=existing.problems + unowned, owners=owners)
    held = _Held(target)
    for group in wanted:
        plan.unread += [
            name
            for folded, name in people[group.key].names.items()
            if folded not in known.left_out and _is_unread(identities.get(folded))
        ]
        _plan_group(plan, group, people[group.key], existing.used.get(fold(group.key), []), layout, intent, held)
    return plan


def _owners(intent: Intent, identities: dict[str, Identity]) -> tuple[list[str], list[Problem]]:
    """Object ids of those who own new groups; a name that nobody has would leave the group to nobody."""
    found: list[str] = []
    problems = []
    for upn in intent.access.group_owners:
        identity = identities.get(fold(upn))
        if identity is not None and identity.state == "found" and identity.object_id:
            found.append(identity.object_id)
            continue
        state = identity.state if identity else "not looked up yet"
        mend = "Run `crossfade discover --target` again: it looks up whoever is named there. Or correct the name."
        problems.append(Problem("access.group_owners", f"{upn} cannot own groups: {state}.", mend))
    return list(dict.fromkeys(found)), problems


def _people(listed: dict[str, str], identities: dict[str, Identity], known: WhoIsWho) -> _People:
    names: dict[str, str] = {}
    classic: dict[str, list[str]] = {}
    for upn in listed.values():
        now = known.today(upn)
        names.setdefault(fold(now), now)
        classic.setdefault(fold(now), []).append(upn)
    found, missing = _resolve(names, identities, known.left_out)
    return _People(names, classic, found, missing)


class _Held:
    """What the target already grants."""

    def __init__(self, target: TargetSnapshot) -> None:
        self._grants = {
            (fold(g.scope), fold(g.principal_id)): g for g in target.grants if fold(g.role) == DESKTOP_USER_ROLE
        }
        self._groups: dict[str, list[DirectoryGroup]] = {}
        for group in target.directory_groups:
            self._groups.setdefault(fold(group.display_name), []).append(group)

    def grant_id(self, scope: str, principal: str) -> str | None:
        grant = self._grants.get((fold(scope), fold(principal)))
        return grant.id if grant else None

    def groups(self, display_name: str) -> list[DirectoryGroup]:
        return self._groups.get(fold(display_name), [])


def _plan_group(
    plan: AccessPlan,
    group: AppGroup,
    people: _People,
    existing: list[CandidateGroup],
    layout: Layout,
    intent: Intent,
    held: _Held,
) -> None:
    scope = layout.group_ids[fold(group.key)]
    pool = fold(parent_key(group.key))
    by_person = plan.by_person.setdefault(pool, {})
    leaving = plan.leaving.setdefault(pool, {})
    for upn in people.found:
        # A name that the directory does not know opens nothing in classic, and classic refuses to delete it.
        leaving.setdefault(upn, []).extend(_retract(group, name) for name in people.classic[upn] if fold(name) == upn)
        by_person.setdefault(upn, [])
    persons = people.persons()
    through = [_through_existing(plan, group, scope, one, persons, people.names, by_person, held) for one in existing]
    inside = {fold(member) for one in existing for member in one.members}
    rest = {object_id: upn for object_id, upn in persons.items() if fold(object_id) not in inside}
    nickname = None
    if not rest or len(rest) + len(existing) <= intent.access.direct_threshold:
        for object_id, upn in rest.items():
            by_person[upn].append(_grant(scope, object_id, "User", people.names[upn], group, held))
    else:
        nickname = _through_group(plan, group, scope, rest, people.names, by_person, layout, intent, held)
    plan.groups.append(
        GroupAccess(
            source=group.key,
            target=scope,
            way=DIRECTORY_GROUP if nickname else EXISTING_GROUPS if through else DIRECT,
            directory_group=nickname,
            existing=through,
            people=people.found,
            missing=people.missing,
        )
    )


def _through_existing(
    plan: AccessPlan,
    group: AppGroup,
    scope: str,
    existing: CandidateGroup,
    persons: dict[str, str],
    names: dict[str, str],
    by_person: dict[str, list[AnyOperation]],
    held: _Held,
) -> str:
    """The nickname that stands for an existing group in this pool. Its people are members already, so its grant
    publishes them all at once: with the last of them, when there are seats for everybody."""
    pool = fold(parent_key(group.key))
    nickname = f"existing-{stable_id(fold(existing.id), pool)[:13]}"
    subject = f"group:{nickname}"
    plan.setup.append(
        CreateDirectoryGroup(
            id=f"create-directory-group:{nickname}",
            subject=subject,
            source=group.key,
            action=Action.ADOPT,
            reason=f"exists, holds {len(existing.members)} people who all have it, and somebody said yes to it",
            display_name=existing.display_name,
            mail_nickname=nickname,
            description=existing.description,
            prior_id=existing.id,
        )
    )
    grant = _grant(scope, existing.id, "Group", existing.display_name, group, held)
    plan.setup.append(grant)
    members = {fold(member) for member in existing.members}
    inside = {object_id: upn for object_id, upn in persons.items() if fold(object_id) in members}
    if grant.action is Action.CREATE:
        plan.together.setdefault(pool, {})[grant.id] = frozenset(inside.values())
    for object_id, upn in inside.items():
        by_person[upn].append(
            AddMember(
                id=f"add-member:{nickname}:{object_id}",
                subject=subject,
                source=group.key,
                action=Action.NO_OP,
                reason=f"is a member of {existing.display_name} already",
                member=object_id,
                member_label=names[upn],
                prior=True,
            )
        )
    return nickname


def _through_group(
    plan: AccessPlan,
    group: AppGroup,
    scope: str,
    persons: dict[str, str],
    label: dict[str, str],
    by_person: dict[str, list[AnyOperation]],
    layout: Layout,
    intent: Intent,
    held: _Held,
) -> str:
    """The nickname of the new group. App groups of one pool with the same people share it: those people come into it
    with the same wave. Across pools they would not, so each pool has its own."""
    same = (fold(parent_key(group.key)), frozenset(map(fold, persons)))
    if same in plan.shared:
        nickname, principal, display = plan.shared[same]
        plan.setup.append(_grant(scope, principal, "Group", display, group, held))
        return nickname
    words = {**layout.words(parent_key(group.key)), "group": last_name(group.key)}
    wanted = fill(intent.names.directory_group, **words)
    display = plan.names.give(wanted, source=group.key)
    nickname = plan.names.nickname(display, source=group.key)
    present, action, reason = _existing(display, nickname, scope, set(persons), intent, held)
    subject = f"group:{nickname}"
    plan.setup.append(
        CreateDirectoryGroup(
            id=f"create-directory-group:{nickname}",
            subject=subject,
            source=group.key,
            action=action,
            reason=reason
            or f"{len(persons)} people, more than the {intent.access.direct_threshold} assigned one by one",
            display_name=display,
            mail_nickname=nickname,
            description=fill(intent.access.group_description, **words)[:DESCRIPTION_LIMIT],
            owners=[] if present else plan.owners,
            prior_id=present.id if present else None,
        )
    )
    principal = present.id if present else subject
    plan.shared[same] = (nickname, principal, display)
    plan.setup.append(_grant(scope, principal, "Group", display, group, held))
    members = {fold(member) for member in present.members} if present else set()
    for object_id, upn in persons.items():
        inside = fold(object_id) in members
        by_person[upn].append(
            AddMember(
                id=f"add-member:{nickname}:{object_id}",
                subject=subject,
                source=group.key,
                action=Action.NO_OP if inside else Action.CREATE,
                reason="is a member already" if inside else f"{label[upn]} may open {last_name(group.key)} in classic",
                member=object_id,
                member_label=label[upn],
                prior=inside,
            )
        )
    return nickname


def _existing(
    display: str, nickname: str, scope: str, people: set[str], intent: Intent, held: _Held
) -> tuple[DirectoryGroup | None, Action, str]:
    """The group of this name that publishes something already, what to do with it, and why.

    One that an earlier plan made goes on, as long as nobody else is in it. Any other is the operator's decision: who is
    in it, or joins it tomorrow, would gain access (design 8).
    """
    present = held.groups(display)
    if not present:
        return None, Action.CREATE, ""
    ours = _name(scope, f"group:{nickname}")
    mine = [group for group in present if (held.grant_id(scope, group.id) or "").endswith(ours)]
    group = (mine or present)[0]
    strangers = {fold(member) for member in group.members} - {fold(person) for person in people}
    if mine and not strangers:
        return group, Action.ADOPT, "an earlier plan has made it, and nobody else is in it"
    what = f"exists, with {len(strangers)} members who are not assigned in classic"
    decided = {fold(key): value for key, value in intent.conflicts.items()}.get(fold(f"group:{nickname}"))
    if decided == "adopt" and len(present) == 1:
        return group, Action.ADOPT, f"{what}, kept as decided"
    others = f"; {len(present)} groups have this name" if len(present) > 1 else ""
    return group, Action.CONFLICT, f"{what}; whoever is in it or joins it would gain access{others}"


def _name(scope: str, principal: str) -> str:
    """The name of a role assignment: the same in every plan."""
    return stable_id(scope.casefold(), DESKTOP_USER_ROLE, principal.casefold())


def _grant(scope: str, principal: str, kind: str, label: str, group: AppGroup, held: _Held) -> GrantRole:
    name = _name(scope, principal)
    existing = held.grant_id(scope, principal)
    return GrantRole(
        id=f"grant-role:{name}",
        subject=existing or f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        source=group.key,
        action=Action.ADOPT if existing else Action.CREATE,
        reason="is granted already" if existing else f"{label} may open {last_name(group.key)} in classic",
        scope=scope,
        role=DESKTOP_USER_ROLE,
        principal=principal,
        principal_type=kind,
        principal_label=label,
        prior=existing is not None,
    )


def _retract(group: AppGroup, upn: str) -> RetractAssignment:
    subject = f"{group.key}#{fold(upn)}"
    return RetractAssignment(
        id=f"retract-assignment:{subject}",
        subject=subject,
        source=group.key,
        action=Action.UPDATE,
        reason="once seen on the target, or with their personal desktop",
        group=group.key,
        upn=upn,
    )


def _is_unread(identity: Identity | None) -> bool:
    return identity is None or identity.state == "unread"


def _resolve(
    people: dict[str, str], identities: dict[str, Identity], left_out: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Folded UPN -> object id of those the directory knows, and UPN -> why for the others."""
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    for folded, upn in sorted(people.items()):
        identity = identities.get(folded)
        if folded in left_out:
            missing[upn] = f"left out: {left_out[folded]}"
        elif identity is not None and identity.object_id:
            found[folded] = identity.object_id
        else:
            missing[upn] = identity.why or identity.state if identity else "was not looked up in the directory"
    return found, missing
