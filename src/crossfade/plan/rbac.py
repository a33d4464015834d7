"""Classic roles -> Azure roles at the narrowest scope, with reasons and the difference in power in words.

Proposals only: nothing is granted without `grant` in crossfade.toml [roles]. Tables: facts/arm-service 5.1 and 5.5,
facts/classic-service 4. A tenant group has no object in Azure: what was granted there is proposed for the resource
groups of what comes out of it.
"""

from collections.abc import Iterator, Mapping

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import RoleAssignment
from crossfade.model.ids import (
    DESKTOP_USER_ROLE,
    LOG_READER_ROLE,
    fold,
    group_of,
    last_name,
    parent_key,
    stable_id,
)
from crossfade.model.target import RoleGrant
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout
from crossfade.plan.operations import Action, GrantRole
from crossfade.plan.role_proposal import RoleProposal

ROLES = {
    "Desktop Virtualization Contributor": "082f0a83-3be5-4ba1-904c-961cca79b387",
    "Desktop Virtualization Reader": "49a72310-ab8d-41df-bbb0-79b649203868",
    "Desktop Virtualization Host Pool Contributor": "e307426c-f9b6-4e81-87de-d99efb3c32bc",
    "Desktop Virtualization Host Pool Reader": "ceadfde2-b300-400a-ab7b-6143895aa822",
    "Desktop Virtualization Application Group Contributor": "86240b0e-9422-4c43-887b-b61143f32ba8",
    "Desktop Virtualization Application Group Reader": "aebf23d0-b568-4e86-b8f9-fe83a2c6ab55",
    "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    "Log Analytics Reader": LOG_READER_ROLE,
}
"""Name -> id of the role definition (facts/arm-service 5.1)."""

_CONTRIBUTOR, _READER, _POOL_CONTRIBUTOR, _POOL_READER, _GROUP_CONTRIBUTOR, _GROUP_READER, _GIVER, _LOGS = ROLES


class Place(msgspec.Struct, frozen=True):
    """Where a classic scope has come to. `around`: resource groups; `pools` and `groups`: ids of objects."""

    around: list[str] = []
    pools: list[str] = []
    groups: list[str] = []


_WIDE = {
    "rds owner": ((_CONTRIBUTOR, "around"), (_GIVER, "around")),
    "rds contributor": ((_CONTRIBUTOR, "around"),),
    "rds reader": ((_READER, "around"),),
    "rds operator": ((_LOGS, ""),),
}
_POOL = {
    "rds owner": ((_CONTRIBUTOR, "pools"), (_CONTRIBUTOR, "groups"), (_GIVER, "pools"), (_GIVER, "groups")),
    "rds contributor": ((_POOL_CONTRIBUTOR, "pools"), (_GROUP_CONTRIBUTOR, "groups")),
    "rds reader": ((_POOL_READER, "pools"), (_GROUP_READER, "groups")),
    "rds operator": ((_LOGS, ""),),
}
_GROUP = {
    "rds owner": ((_CONTRIBUTOR, "groups"), (_GIVER, "groups")),
    "rds contributor": ((_GROUP_CONTRIBUTOR, "groups"),),
    "rds reader": ((_GROUP_READER, "groups"),),
    "rds operator": ((_LOGS, ""),),
}
_BY_DEPTH: tuple[dict[str, tuple[tuple[str, str], ...]], ...] = (_WIDE, _WIDE, _WIDE, _POOL, _GROUP)
"""Parts in a classic scope (none, tenant group, tenant, pool, app group) -> classic role -> Azure roles and where."""

_REASONS = {
    _CONTRIBUTOR: "it manages every desktop object there, and nothing else",
    _READER: "it reads every desktop object there, and nothing else",
    _POOL_CONTRIBUTOR: "it manages this host pool with its hosts and sessions",
    _POOL_READER: "it reads this host pool with its hosts and sessions",
    _GROUP_CONTRIBUTOR: "it manages this application group and its apps",
    _GROUP_READER: "it reads this application group and its apps",
    _GIVER: "a classic owner also decided who has access",
    _LOGS: "a classic operator saw diagnostics only, which are logs in a workspace now",
}
_DIFFERENCE = {
    _CONTRIBUTOR: "Less: gives nobody access, and nothing over VMs. More: whatever else of the service is put there.",
    _READER: "The same reading; more: whatever else of the service is put there, deployments and alert rules too.",
    _POOL_CONTRIBUTOR: "The same for hosts and sessions, registration included; still nothing over the VMs themselves.",
    _POOL_READER: "The same.",
    _GROUP_CONTRIBUTOR: "The same for apps; less: assigning people is a role assignment now, which this cannot make.",
    _GROUP_READER: "The same.",
    _GIVER: "The same: its condition lets it give and take Desktop Virtualization User and no other role; groups too.",
    _LOGS: "Different: it reads every log of that workspace, of any pool; classic showed activities of its scope.",
}
PUBLISHERS_ONLY = " AND ".join(
    f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{verb}'}})) OR "
    f"({place}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
    f"ForAnyOfAnyValues:GuidEquals {{{DESKTOP_USER_ROLE}}}))"
    for verb, place in (("write", "@Request"), ("delete", "@Resource"))
)
"""Whoever gives access may give and take Desktop Virtualization User, and no other role. The form is the one that
Microsoft publishes for "constrain roles"; the twin keeps a condition and does not judge by it."""
_CONDITIONS = {_GIVER: PUBLISHERS_ONLY}
_NEEDS = {
    _LOGS: "the workspace of the diagnostics: name it under [diagnostics], or grant it there by hand",
}
_AUTOMATION = (
    "An application of your own: it must ask for tokens for Azure Resource Manager (https://management.azure.com), no "
    "longer for the classic service (https://mrs-prod.ame.gbl/mrs-RDInfra-prod, application "
    "5a0aa725-4958-4b0c-80a9-34562e23f3b7, in whose place 9cdead84-a844-4324-93f2-b2e6bb768d07 has come), "
    "call the new API (Az.DesktopVirtualization in the place of the RDS cmdlets), and hold this role. If it scales, "
    "a scaling plan takes its place; if it handles VMs too, it needs a role on those as before."
)
NO_COUNTERPART = "no counterpart is known for this role: decide what its holder needs"


class Roles(msgspec.Struct, kw_only=True):
    """`operations`: only those that somebody said yes to."""

    proposals: list[RoleProposal] = []
    operations: list[GrantRole] = []
    problems: list[Problem] = []


def plan_roles(inventory: Inventory, target: TargetSnapshot, layout: Layout, intent: Intent) -> Roles:
    """A proposal for every Azure role that each classic role assignment becomes, none dropped."""
    decided = {fold(key): value for key, value in intent.roles.items()}
    found = Roles()
    seen: set[str] = set()
    for assignment in sorted(inventory.roles, key=assignment_id):
        name = assignment_id(assignment)
        seen.add(fold(name))
        said = decided.get(fold(name), "")
        for proposal in _proposals(assignment, target, layout, said, logs=intent.diagnostics.workspace):
            found.proposals.append(proposal)
            if proposal.decision == "grant" and not proposal.needs:
                found.operations.append(_operation(proposal, target))
    found.problems = [*_impossible(found.proposals), *_unknown(intent.roles, seen)]
    return found


def assignment_id(role: RoleAssignment) -> str:
    """The same in every plan: scope, role and who."""
    who = role.object_id or role.group_object_id or role.app_id or role.sign_in_name or "?"
    return f"{role.key or '/'}#{role.role}#{who}"


def _impossible(proposals: list[RoleProposal]) -> Iterator[Problem]:
    """A yes none of whose roles can be granted; one that can in part is told by the rest of its rows."""
    able = {proposal.id for proposal in proposals if not proposal.needs}
    for name, proposal in {one.id: one for one in proposals if one.decision == "grant"}.items():
        if name not in able:
            yield Problem(f"[roles] {name}", f"cannot be granted by a plan: {proposal.needs}.", 'Write "skip".')


def _unknown(decided: Mapping[str, str], seen: set[str]) -> Iterator[Problem]:
    for key in decided:
        if fold(key) not in seen:
            yield Problem(f"[roles] {key}", "is no classic role assignment of the inventory.", "Correct or drop it.")


# ---------------------------------------------------------------- one assignment


def _proposals(
    role: RoleAssignment, target: TargetSnapshot, layout: Layout, decision: str, *, logs: str
) -> Iterator[RoleProposal]:
    """`logs`: id of the workspace that gets the diagnostics, empty where none is named."""
    parts = [part for part in role.key.split("/") if part]
    wanted = _BY_DEPTH[min(len(parts), len(_BY_DEPTH) - 1)].get(fold(role.role))
    if wanted is None:
        yield _proposal(role, target, "", "", decision, needs=NO_COUNTERPART)
        return
    place = place_of(role.key, layout)
    for name, where in wanted:
        scopes = getattr(place, where) if where else [logs]
        for scope in scopes:
            yield _proposal(
                role, target, name, scope, decision, needs="" if name == _LOGS and logs else _NEEDS.get(name, "")
            )
        if not scopes:
            yield _proposal(role, target, name, "", decision, needs="nothing below this scope is migrated")


def place_of(key: str, layout: Layout) -> Place:
    """What became of a classic scope: itself, or everything below it."""

    def below(source: str) -> bool:
        return not key or f"{fold(source)}/".startswith(f"{fold(key)}/")

    pools = [layout.pool_ids[fold(pool.key)] for pool in layout.pools if below(pool.key)]
    groups = [layout.group_ids[fold(group.key)] for group in layout.groups if below(group.key)]
    around = {fold(scope): scope for scope in map(group_of, [*pools, *groups])}
    return Place(around=sorted(around.values()), pools=pools, groups=groups)


def _proposal(
    role: RoleAssignment, target: TargetSnapshot, name: str, scope: str, decision: str, *, needs: str
) -> RoleProposal:
    principal = _principal(role, target)
    automation = fold(role.object_type or "") == "serviceprincipal" or bool(role.app_id)
    definition = ROLES.get(name, "")
    known = role.display_name or role.sign_in_name or target.principals.get(principal)
    label = known or role.app_id or role.object_id or "somebody unnamed"
    if not needs and not principal:
        needs = "who it is: classic names no object of the directory"
    return RoleProposal(
        id=assignment_id(role),
        source=role.key or "/",
        classic_role=role.role,
        principal=principal,
        principal_type="ServicePrincipal" if automation else role.object_type or _kind(role),
        principal_label=label,
        role=definition,
        role_name=name,
        scope=scope,
        reason=f"{label} is {role.role} of {role.key or 'the deployment'}; {_REASONS.get(name, 'it is not known')}.",
        difference=_DIFFERENCE.get(name, "Not known."),
        condition=_CONDITIONS.get(name, ""),
        needs=needs,
        automation=_AUTOMATION if automation else "",
        app_id=(role.app_id or "") if automation else "",
        decision=decision,
        operation="" if needs else f"grant-role:{_name(scope, definition, principal)}",
    )


def _kind(role: RoleAssignment) -> str:
    """Of a principal whose kind classic does not say: the service refuses a group that is called a user."""
    return "Group" if role.group_object_id and not role.object_id else "User"


def _principal(role: RoleAssignment, target: TargetSnapshot) -> str:
    """The object id; of a person whom classic knows by name only, the directory's."""
    known = role.object_id or role.group_object_id
    if known or not role.sign_in_name:
        return fold(known or "")
    identity = target.identity(role.sign_in_name)
    return identity.object_id or "" if identity else ""


def _name(scope: str, role: str, principal: str) -> str:
    """The name of the role assignment: the same in every plan."""
    return stable_id(scope.casefold(), role, principal.casefold())


def _operation(proposal: RoleProposal, target: TargetSnapshot) -> GrantRole:
    wanted = (fold(proposal.scope), fold(proposal.role), fold(proposal.principal))
    held = (*target.grants, *target.powerful, *target.log_readers)
    there = next((one for one in held if (fold(one.scope), fold(one.role), fold(one.principal_id)) == wanted), None)
    name = _name(proposal.scope, proposal.role, proposal.principal)
    return GrantRole(
        id=proposal.operation,
        subject=there.id if there else f"{proposal.scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        action=Action.ADOPT if there else Action.CREATE,
        reason=_there(there, proposal) if there else f"{proposal.role_name}: {proposal.reason}",
        scope=proposal.scope,
        role=proposal.role,
        principal=proposal.principal,
        principal_type=proposal.principal_type,
        principal_label=proposal.principal_label,
        condition=proposal.condition,
        prior=there is not None,
    )


def _there(grant: RoleGrant, proposal: RoleProposal) -> str:
    """A service takes one grant of a role to somebody at a scope: one without the condition stays as it is."""
    wider = proposal.condition and not grant.condition
    return "is granted already" + (", without the condition: it may grant any role there" if wider else "")


def described(proposal: RoleProposal) -> str:
    """One line for a reader of the plan."""
    where = last_name(proposal.scope) if proposal.scope else "?"
    sign = {"grant": "yes", "skip": "no"}.get(proposal.decision, "undecided")
    what = f"{proposal.role_name} at {where}" if proposal.role_name else "nothing"
    return f"{proposal.principal_label}: {proposal.classic_role} of {_short(proposal.source)} -> {what} ({sign})"


def _short(key: str) -> str:
    return f"{last_name(parent_key(key))}/{last_name(key)}" if "/" in key.strip("/") else key
