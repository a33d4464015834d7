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
from crossfade.plan.names import fill, mail_nickname
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
DIRECTORY_GROUP = "directory-group"


class AccessPlan(msgspec.Struct, kw_only=True):
    """`setup`: done with the objects; `by_person`: folded pool key -> folded UPN -> operations that publish them."""

    groups: list[GroupAccess] = []
    setup: list[AnyOperation] = []
    by_person: dict[str, dict[str, list[AnyOperation]]] = {}
    leaving: dict[str, dict[str, list[AnyOperation]]] = {}
    """The same people's way out of classic."""


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
        self._groups = {fold(group.display_name): group for group in target.directory_groups}

    def grant_id(self, scope: str, principal: str) -> str | None:
        grant = self._grants.get((fold(scope), fold(principal)))
        return grant.id if grant else None

    def group(self, display_name: str) -> DirectoryGroup | None:
        return self._groups.get(fold(display_name))


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
    pool = fold(parent_key(group.key))
    by_person = plan.by_person.setdefault(pool, {})
    label = {fold(upn): upn for upn in people.values()}
    leaving = plan.leaving.setdefault(pool, {})
    for upn in found:
        leaving.setdefault(upn, []).append(_retract(group, label[upn]))
    if len(set(found.values())) <= intent.access.direct_threshold:
        for upn, object_id in found.items():
            operation = _grant(scope, object_id, "User", label[upn], group, held)
            by_person.setdefault(upn, []).append(operation)
        nickname = None
    else:
        nickname = _through_group(plan, group, scope, found, label, by_person, intent, held)
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
    found: dict[str, str],
    label: dict[str, str],
    by_person: dict[str, list[AnyOperation]],
    intent: Intent,
    held: _Held,
) -> str:
    pool = parent_key(group.key)
    words = {"tenant": last_name(parent_key(pool)), "pool": last_name(pool), "group": last_name(group.key)}
    display = fill(intent.names.directory_group, **words)[:256]
    nickname = mail_nickname(display, group.key)
    present = held.group(display)
    subject = f"group:{nickname}"
    plan.setup.append(
        CreateDirectoryGroup(
            id=f"create-directory-group:{nickname}",
            subject=subject,
            source=group.key,
            action=Action.ADOPT if present else Action.CREATE,
            reason=f"{len(found)} people are more than the {intent.access.direct_threshold} assigned one by one",
            display_name=display,
            mail_nickname=nickname,
            description=f"May open {last_name(group.key)} of {last_name(pool)}",
            prior_id=present.id if present else None,
        )
    )
    plan.setup.append(_grant(scope, present.id if present else subject, "Group", display, group, held))
    members = {fold(member) for member in present.members} if present else set()
    for upn, object_id in found.items():
        inside = fold(object_id) in members
        by_person.setdefault(upn, []).append(
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


def _grant(scope: str, principal: str, kind: str, label: str, group: AppGroup, held: _Held) -> GrantRole:
    name = stable_id(scope.casefold(), DESKTOP_USER_ROLE, principal.casefold())
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
