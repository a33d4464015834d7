"""Who gets which application group, and how: one by one up to the threshold, above it through a new Entra group.

Design 8. Operations for single people are named by person, so that a wave can publish its cohort and nobody else.
"""

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import AppGroup
from crossfade.model.ids import DESKTOP_USER_ROLE, fold, last_name, parent_key, stable_id
from crossfade.model.target import DirectoryGroup, Identity
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
from crossfade.plan.plan import GroupAccess

DIRECT = "direct"
DISPLAY_LIMIT = 256
DESCRIPTION_LIMIT = 1024
DIRECTORY_GROUP = "directory-group"


class DisplayNames:
    """Display names of directory groups: any characters, no two alike, so that a rerun finds the right one."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, wanted: str, *, source: str) -> str:
        name = wanted if len(wanted) <= DISPLAY_LIMIT else with_mark(wanted, source, DISPLAY_LIMIT)
        if fold(name) in self._taken:
            name = with_mark(name, source, DISPLAY_LIMIT)
        self._taken.add(fold(name))
        return name


class AccessPlan(msgspec.Struct, kw_only=True):
    """`setup`: done with the objects; `by_person`: folded pool key -> folded UPN -> operations that publish them."""

    groups: list[GroupAccess] = []
    setup: list[AnyOperation] = []
    by_person: dict[str, dict[str, list[AnyOperation]]] = {}
    leaving: dict[str, dict[str, list[AnyOperation]]] = {}
    """The same people's way out of classic."""
    unread: list[str] = []
    """UPNs that nobody looked up in the directory, or could not: whether they are gone is not known."""
    names: DisplayNames = msgspec.field(default_factory=DisplayNames)


def plan_access(inventory: Inventory, target: TargetSnapshot, layout: Layout, intent: Intent) -> AccessPlan:
    """The access of every migrated app group that has people."""
    identities = {fold(identity.upn): identity for identity in target.identities}
    assigned: dict[str, dict[str, str]] = {}
    for assignment in inventory.assignments:
        assigned.setdefault(fold(assignment.key), {}).setdefault(fold(assignment.upn), assignment.upn)
    plan = AccessPlan()
    held = _Held(target)
    for group in layout.groups:
        people = assigned.get(fold(group.key), {})
        if people:
            _plan_group(plan, group, people, identities, layout, intent, held)
    return plan


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
    people: dict[str, str],
    identities: dict[str, Identity],
    layout: Layout,
    intent: Intent,
    held: _Held,
) -> None:
    scope = layout.group_ids[fold(group.key)]
    found, missing = _resolve(people, identities)
    plan.unread += [upn for folded, upn in people.items() if _is_unread(identities.get(folded))]
    pool = fold(parent_key(group.key))
    by_person = plan.by_person.setdefault(pool, {})
    label = {fold(upn): upn for upn in people.values()}
    leaving = plan.leaving.setdefault(pool, {})
    for upn in found:
        leaving.setdefault(upn, []).append(_retract(group, label[upn]))
    persons: dict[str, str] = {}
    for upn, object_id in found.items():
        persons.setdefault(object_id, upn)
        by_person.setdefault(upn, [])
    if len(persons) <= intent.access.direct_threshold:
        for object_id, upn in persons.items():
            by_person[upn].append(_grant(scope, object_id, "User", label[upn], group, held))
        nickname = None
    else:
        nickname = _through_group(plan, group, scope, persons, label, by_person, intent, held)
    plan.groups.append(
        GroupAccess(
            source=group.key,
            target=scope,
            way=DIRECTORY_GROUP if nickname else DIRECT,
            directory_group=nickname,
            people=found,
            missing=missing,
        )
    )


def _through_group(
    plan: AccessPlan,
    group: AppGroup,
    scope: str,
    persons: dict[str, str],
    label: dict[str, str],
    by_person: dict[str, list[AnyOperation]],
    intent: Intent,
    held: _Held,
) -> str:
    pool = parent_key(group.key)
    words = {"tenant": last_name(parent_key(pool)), "pool": last_name(pool), "group": last_name(group.key)}
    wanted = fill(intent.names.directory_group, **words)
    display = plan.names.give(wanted, source=group.key)
    nickname = mail_nickname(display, group.key)
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
            description=f"May open {last_name(group.key)} of {last_name(pool)}"[:DESCRIPTION_LIMIT],
            prior_id=present.id if present else None,
        )
    )
    plan.setup.append(_grant(scope, present.id if present else subject, "Group", display, group, held))
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


def _resolve(people: dict[str, str], identities: dict[str, Identity]) -> tuple[dict[str, str], dict[str, str]]:
    """Folded UPN -> object id of those the directory knows, and UPN -> why for the others."""
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    for folded, upn in sorted(people.items()):
        identity = identities.get(folded)
        if identity is not None and identity.object_id:
            found[folded] = identity.object_id
        else:
            missing[upn] = identity.why or identity.state if identity else "was not looked up in the directory"
    return found, missing
