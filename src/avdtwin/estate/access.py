"""Who administers what: classic roles, Azure roles, groups, the operator who will migrate."""

from uuid import NAMESPACE_URL, uuid5

from avdtwin.estate.people import People
from avdtwin.estate.specs import EstateSpec
from avdtwin.state import ClassicRoleAssignment, Group, RoleAssignment, ServicePrincipal, User
from avdtwin.world import World

OPERATOR_APP_ID = "0c705fad-0000-4000-a000-000000000001"
OPERATOR_SECRET = "PLANTED-operator-secret"
"""Opens nothing but the twin."""

CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"

CLASSIC_SERVER_APP = "5a0aa725-4958-4b0c-80a9-34562e23f3b7"
CLASSIC_CLIENT_APP = "fa4345a4-a730-4230-84a8-7d9651b86739"
ARM_SERVER_APP = "9cdead84-a844-4324-93f2-b2e6bb768d07"
ARM_CLIENT_APP = "a85cf173-4192-42f8-81fa-777a763e6e2c"
"""First-party applications of both services (facts/classic-service 2.2)."""


def grant(world: World, spec: EstateSpec, people: People) -> None:
    """Roles of both services. The operator: Contributor and User Access Administrator on the subscription, RDS Owner
    on the tenant.
    """
    operator = _application(world, "crossfade-operator", OPERATOR_APP_ID, OPERATOR_SECRET)
    for name, app_id in (("Windows Virtual Desktop", CLASSIC_SERVER_APP), ("Azure Virtual Desktop", ARM_SERVER_APP)):
        _application(world, name, app_id)
    for role in (CONTRIBUTOR, USER_ACCESS_ADMINISTRATOR):
        _azure_role(world, operator, role)
    tenant = f"/{spec.tenant_group}/{spec.tenant}"
    _app_role(world, "RDS Owner", tenant, operator)
    _administrators(world, spec, people, tenant)
    _teams(world, spec, people)
    world.state.directory.conditional_access.append(_policy(world))


def _administrators(world: World, spec: EstateSpec, people: People, tenant: str) -> None:
    owner, diagnostician, gone = people.user(), people.user(), people.leaver()
    desk = people.group("Service Desk")
    for _ in range(3):
        desk.members[people.user().id] = desk.created_at
    scaling = _application(world, "wvd-scaling-automation", world.guid("estate|app"))
    pool = f"{tenant}/{spec.pools[0].name}"
    _user_role(world, "RDS Owner", tenant, owner)
    _user_role(world, "RDS Operator", tenant, diagnostician)
    _user_role(world, "RDS Reader", f"/{spec.tenant_group}", gone)
    _group_role(world, "RDS Contributor", pool, desk)
    _group_role(world, "RDS Reader", f"{tenant}/{spec.pools[-1].name}/Desktop Application Group", desk)
    _app_role(world, "RDS Contributor", tenant, scaling)


def _application(world: World, name: str, app_id: str, secret: str | None = None) -> ServicePrincipal:
    found = ServicePrincipal(
        id=world.guid("estate|principal"), app_id=app_id, display_name=name, secret=secret, created_at=world.now
    )
    world.state.directory.service_principals[found.id] = found
    return found


def _azure_role(world: World, principal: ServicePrincipal, role: str) -> None:
    for subscription in world.state.arm.subscriptions.values():
        scope = f"/subscriptions/{subscription.id}"
        name = str(uuid5(NAMESPACE_URL, f"{scope} {principal.app_id} {role}"))
        full = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        world.state.arm.role_assignments[full.lower()] = RoleAssignment(
            id=full,
            name=name,
            scope=scope,
            role_definition_id=f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            principal_id=principal.id,
            principal_type="ServicePrincipal",
            created_at=world.now,
            effective_at=world.now,
        )


# ---------------------------------------------------------------- classic roles


def _put(world: World, assignment: ClassicRoleAssignment) -> None:
    world.state.classic.role_assignments[assignment.id] = assignment


def _user_role(world: World, role: str, scope: str, user: User) -> None:
    """A deleted user leaves an assignment without names (facts/classic-service 4)."""
    _put(
        world,
        ClassicRoleAssignment(
            id=world.guid("estate|role"),
            scope=scope,
            role=role,
            object_id=user.id,
            object_type="User",
            display_name=None if user.deleted else user.display_name,
            sign_in_name=None if user.deleted else user.upn,
            aad_tenant_id=world.state.directory.tenant_id,
        ),
    )


def _group_role(world: World, role: str, scope: str, group: Group) -> None:
    _put(
        world,
        ClassicRoleAssignment(
            id=world.guid("estate|role"),
            scope=scope,
            role=role,
            object_id=group.id,
            object_type="Group",
            display_name=group.display_name,
            group_object_id=group.id,
        ),
    )


def _app_role(world: World, role: str, scope: str, principal: ServicePrincipal) -> None:
    _put(
        world,
        ClassicRoleAssignment(
            id=world.guid("estate|role"),
            scope=scope,
            role=role,
            object_id=principal.id,
            object_type="ServicePrincipal",
            app_id=principal.app_id,
        ),
    )


# ---------------------------------------------------------------- groups of the directory


def _teams(world: World, spec: EstateSpec, people: People) -> None:
    """Groups that hold much of the people of an app group, as real directories have them: one that fits exactly, one
    that holds somebody more, one made of others, one that a rule fills.
    """
    tenant = world.state.classic.groups[spec.tenant_group.lower()].tenants[spec.tenant.lower()]
    upns = world.state.directory.upns
    made: list[Group] = []
    for pool in tenant.pools.values():
        for group in pool.groups.values():
            known = sorted(upns[upn] for upn in group.users if upn in upns)
            if len(known) >= 2:
                team = people.group(f"sg-{pool.name[:20]}-{group.name[:20]}".lower())
                team.members = dict.fromkeys(known, team.created_at)
                made.append(team)
    if len(made) > 1:
        outsider = people.user()
        made[1].members[outsider.id] = made[1].created_at
    both = people.group("sg-all-desktop-people", "Made of other groups")
    both.members = {team.id: both.created_at for team in made[:2]}
    dynamic = people.group("dyn-by-department")
    dynamic.group_types, dynamic.membership_rule = ["DynamicMembership"], '(user.department -eq "Finance")'


def _policy(world: World) -> dict[str, object]:
    apps = [CLASSIC_SERVER_APP, CLASSIC_CLIENT_APP, ARM_SERVER_APP, ARM_CLIENT_APP]
    return {
        "id": world.guid("estate|policy"),
        "displayName": "Require multi-factor authentication for virtual desktops",
        "state": "enabled",
        "conditions": {
            "applications": {"includeApplications": apps, "excludeApplications": []},
            "users": {"includeUsers": ["All"], "excludeUsers": []},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }
