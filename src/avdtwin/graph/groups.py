"""Groups: made, read, changed, deleted (facts: arm-service 8)."""

from typing import Any

from avdtwin import directory
from avdtwin.graph import errors, members, paging, shapes
from avdtwin.state import Group
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

_REQUIRED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
_TEXTS = {"displayName": "display_name", "description": "description", "mailNickname": "mail_nickname"}
_LONGEST_NAME = 256


def register(router: Router) -> None:
    router.add("GET", "/v1.0/groups", list_groups)
    router.add("GET", "/v1.0/groups/$count", count_groups)
    router.add("POST", "/v1.0/groups", create_group)
    router.add("GET", "/v1.0/groups/{group}", get_group)
    router.add("PATCH", "/v1.0/groups/{group}", update_group)
    router.add("DELETE", "/v1.0/groups/{group}", delete_group)


def list_groups(world: World, request: Request) -> Response:
    return paging.page(world, request, list(world.state.directory.groups.values()), "groups")


def count_groups(world: World, request: Request) -> Response:
    return paging.count(world, request, list(world.state.directory.groups.values()))


def get_group(world: World, request: Request, group: str) -> Response:
    return _one(world, request, members.require_group(world, request, group))


def create_group(world: World, request: Request) -> Response:
    given = members.body_of(world, request)
    _check(world, request, given)
    new_members = members.referenced(world, request, given, "members@odata.bind")
    owners = members.referenced(world, request, given, "owners@odata.bind")
    group = Group(
        id=world.guid("group"),
        display_name=given["displayName"],
        owners=owners,
        description=given.get("description"),
        mail_nickname=given["mailNickname"],
        group_types=list(given.get("groupTypes") or []),
        membership_rule=given.get("membershipRule"),
        role_assignable=bool(given.get("isAssignableToRole")),
        created_at=world.now,
    )
    world.state.directory.groups[group.id] = group
    directory.start_replication(world, group.id)
    members.add(world, group, new_members)
    world.record("group_created", group=group.id, name=group.display_name)
    answer = _one(world, request, group)
    answer.status = 201
    answer.headers["location"] = f"{request.origin}/v2/{world.state.directory.tenant_id}/directoryObjects/{group.id}"
    return answer


def update_group(world: World, request: Request, group: str) -> Response:
    """Change texts, or add up to 20 members: all of them or, when one is unknown or in already, none."""
    found = members.require_group(world, request, group)
    given = members.body_of(world, request)
    if "members@odata.bind" in given:
        members.bind(world, request, found, given)
    for name, attribute in _TEXTS.items():
        if isinstance(given.get(name), str):
            setattr(found, attribute, given[name])
    return Response(status=204)


def delete_group(world: World, request: Request, group: str) -> Response:
    """The group and its memberships go; role assignments to it stay behind, as they do in Azure."""
    found = members.require_group(world, request, group)
    del world.state.directory.groups[found.id]
    world.state.directory.replicating.pop(found.id, None)
    for other in world.state.directory.groups.values():
        other.members.pop(found.id, None)
    world.record("group_deleted", group=found.id, name=found.display_name)
    return Response(status=204)


def _check(world: World, request: Request, given: dict[str, Any]) -> None:
    for name in _REQUIRED:
        if given.get(name) in (None, ""):
            message = f"A value is required for property '{name}' of resource 'Group'."
            raise errors.bad_request(world, request, message)
    if len(str(given["displayName"])) > _LONGEST_NAME:
        message = "Invalid value specified for property 'displayName' of resource 'Group'."
        raise errors.bad_request(world, request, message)
    if given["mailEnabled"] or not given["securityEnabled"]:
        message = (
            "The service does not currently support writes of mail-enabled groups. Please ensure that the "
            "mail-enablement property is unset and the security-enablement property is set."
        )
        raise errors.bad_request(world, request, message)


def _one(world: World, request: Request, group: Group) -> Response:
    context = {"@odata.context": f"{request.origin}/v1.0/$metadata#groups/$entity"}
    return Response(body=context | shapes.shown(world, group, request.query.get("select")))
