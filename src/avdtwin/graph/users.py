"""Users: one by id or UPN, lists, and the groups they are in."""

from collections.abc import Sequence

from avdtwin import directory
from avdtwin.graph import errors, filters, paging, shapes
from avdtwin.graph.members import body_of
from avdtwin.graph.shapes import DirectoryObject
from avdtwin.state import Group, User
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World


def register(router: Router) -> None:
    router.add("GET", "/v1.0/users", list_users)
    router.add("GET", "/v1.0/users/$count", count_users)
    router.add("GET", "/v1.0/users/{user}", get_user)
    router.add("GET", "/v1.0/me", get_me)
    router.add("GET", "/v1.0/users/{user}/memberOf", list_member_of)
    router.add("GET", "/v1.0/users/{user}/transitiveMemberOf", list_transitive_member_of)
    router.add("GET", "/v1.0/users/{user}/memberOf/microsoft.graph.group", list_member_of)
    router.add("GET", "/v1.0/users/{user}/transitiveMemberOf/microsoft.graph.group", list_transitive_member_of)
    router.add("POST", "/v1.0/users/{user}/getMemberGroups", get_member_groups)


def list_users(world: World, request: Request) -> Response:
    return paging.page(world, request, _candidates(world, request), "users")


def count_users(world: World, request: Request) -> Response:
    return paging.count(world, request, _candidates(world, request))


def get_user(world: World, request: Request, user: str) -> Response:
    return _one(world, request, require(world, request, user))


def get_me(world: World, request: Request) -> Response:
    caller = request.principal
    if caller is None or caller.upn is None:
        message = "/me request is only valid with delegated authentication flow."
        raise errors.refuse(world, request, 400, "BadRequest", message)
    return _one(world, request, require(world, request, caller.object_id))


def list_member_of(world: World, request: Request, user: str) -> Response:
    found = require(world, request, user)
    groups = [group for group in world.state.directory.groups.values() if found.id in group.members]
    return paging.page(world, request, groups, "directoryObjects", typed=True)


def list_transitive_member_of(world: World, request: Request, user: str) -> Response:
    found = require(world, request, user)
    return paging.page(world, request, _all_groups(world, found), "directoryObjects", typed=True)


def get_member_groups(world: World, request: Request, user: str) -> Response:
    found = require(world, request, user)
    body = body_of(world, request)
    wanted = [
        group for group in _all_groups(world, found) if group.security_enabled or not body.get("securityEnabledOnly")
    ]
    context = f"{request.origin}/v1.0/$metadata#Collection(Edm.String)"
    return Response(body={"@odata.context": context, "value": [group.id for group in wanted]})


def require(world: World, request: Request, key: str) -> User:
    """The living user of an object id or a UPN. Raises 404."""
    found = _living(world, key)
    if found is None:
        raise errors.not_found(world, request, key)
    return found


def _living(world: World, key: str) -> User | None:
    found = world.state.directory.users.get(key.lower()) or directory.user_by_upn(world, key)
    return None if found is None or found.deleted else found


def _all_groups(world: World, user: User) -> list[Group]:
    return [world.state.directory.groups[key] for key in sorted(directory.groups_of(world, user.id))]


def _candidates(world: World, request: Request) -> Sequence[DirectoryObject]:
    """All users, or the few that a filter on UPNs or ids can mean."""
    sought = filters.sought(request.query.get("filter", ""))
    if sought and sought[0] in ("userprincipalname", "id"):
        found = (_living(world, key) for key in dict.fromkeys(value.lower() for value in sought[1]))
        return [user for user in found if user is not None]
    return [user for user in world.state.directory.users.values() if not user.deleted]


def _one(world: World, request: Request, user: User) -> Response:
    context = {"@odata.context": f"{request.origin}/v1.0/$metadata#users/$entity"}
    return Response(body=context | shapes.shown(world, user, request.query.get("select")))
