"""Who is in a group: added, removed, listed. A membership counts for access a little later than it is listed."""

from collections.abc import Callable
from typing import Any

from avdtwin import directory
from avdtwin.graph import errors, paging
from avdtwin.graph.shapes import DirectoryObject
from avdtwin.state import Group, ServicePrincipal, User
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

MOST_REFERENCES = 20
_CASTS: dict[str, type[DirectoryObject]] = {
    "microsoft.graph.user": User,
    "microsoft.graph.group": Group,
    "microsoft.graph.servicePrincipal": ServicePrincipal,
}
_ALREADY_IN = "One or more added object references already exist for the following modified properties: 'members'."
_SYNCED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently "
    "undergoing migration."
)
_MAIL_ENABLED = "Cannot Update a mail-enabled security groups and or distribution list."
_DYNAMIC = "Insufficient privileges to complete the operation."


def register(router: Router) -> None:
    for kind, objects_of in (("members", direct), ("transitiveMembers", transitive), ("owners", owners)):
        base = f"/v1.0/groups/{{group}}/{kind}"
        router.add("GET", base, _lister(objects_of, None))
        router.add("GET", f"{base}/$count", _counter(objects_of, None))
        for cast, wanted in _CASTS.items():
            router.add("GET", f"{base}/{cast}", _lister(objects_of, wanted))
            router.add("GET", f"{base}/{cast}/$count", _counter(objects_of, wanted))
    router.add("POST", "/v1.0/groups/{group}/members/$ref", add_one)
    router.add("DELETE", "/v1.0/groups/{group}/members/{member}/$ref", remove_one)


def add_one(world: World, request: Request, group: str) -> Response:
    found = require_group(world, request, group, replicated=True)
    given = body_of(world, request)
    bind(world, request, found, {"members@odata.bind": [given.get("@odata.id", "")]})
    return Response(status=204)


def remove_one(world: World, request: Request, group: str, member: str) -> Response:
    found = require_group(world, request, group, replicated=True)
    _check_writable(world, request, found)
    if member.lower() not in found.members:
        raise errors.not_found(world, request, member)
    del found.members[member.lower()]
    return Response(status=204)


def bind(world: World, request: Request, group: Group, given: dict[str, Any]) -> None:
    """Add the members that a body refers to: all of them or none."""
    if not directory.replicated(world, group.id):
        raise errors.not_found(world, request, group.id)
    _check_writable(world, request, group)
    ids = referenced(world, request, given, "members@odata.bind")
    if len(set(ids)) < len(ids) or any(key in group.members for key in ids):
        raise errors.bad_request(world, request, _ALREADY_IN)
    add(world, group, ids)


def add(world: World, group: Group, ids: list[str]) -> None:
    """Put objects in; each counts for access after `group_membership_s`."""
    for key in ids:
        delay = world.between("group membership", world.setting("group_membership_s"))
        group.members[key] = world.now + delay


def referenced(world: World, request: Request, given: dict[str, Any], name: str) -> list[str]:
    """Lower-cased ids of the objects that a body binds, in its order; at most 20. Raises 404 for one unknown or not
    replicated yet.
    """
    references = given.get(name) or []
    if not isinstance(references, list) or not all(isinstance(each, str) for each in references):
        raise errors.bad_request(world, request, f"Property {name} in payload has a value that does not match schema.")
    if len(references) > MOST_REFERENCES:
        message = f"The number of references in '{name}' exceeds the limit of {MOST_REFERENCES}."
        raise errors.bad_request(world, request, message)
    ids = [reference.rstrip("/").rsplit("/", 1)[-1].lower() for reference in references]
    for key in ids:
        if directory.principal(world, key) is None or not directory.replicated(world, key):
            raise errors.not_found(world, request, key)
    return ids


def require_group(world: World, request: Request, key: str, *, replicated: bool = False) -> Group:
    """The group of an id. Raises 404; with `replicated` also for one that was made a moment ago."""
    found = world.state.directory.groups.get(key.lower())
    if found is None or (replicated and not directory.replicated(world, key)):
        raise errors.not_found(world, request, key)
    return found


def body_of(world: World, request: Request) -> dict[str, Any]:
    """The JSON object of a body. Raises 400."""
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise errors.refuse(world, request, 400, "BadRequest", "Unable to read JSON request payload.")
    return body


def direct(world: World, group: Group) -> list[DirectoryObject]:
    return _living(world, group.members)


def owners(world: World, group: Group) -> list[DirectoryObject]:
    return _living(world, group.owners)


def transitive(world: World, group: Group) -> list[DirectoryObject]:
    """Everything in a group and in the groups inside it, each once, the nearest first."""
    groups = world.state.directory.groups
    found: dict[str, None] = {}
    waiting = [group]
    while waiting:
        for key in waiting.pop(0).members:
            if key not in found and key != group.id:
                found[key] = None
                waiting += [groups[key]] if key in groups else []
    return _living(world, found)


def _living(world: World, keys: Any) -> list[DirectoryObject]:
    found = (directory.principal(world, key) for key in keys)
    return [item for item in found if item is not None]


def _lister(
    objects_of: Callable[[World, Group], list[DirectoryObject]], wanted: type[DirectoryObject] | None
) -> Callable[..., Response]:
    def listing(world: World, request: Request, group: str) -> Response:
        items = _cast(objects_of(world, require_group(world, request, group, replicated=True)), wanted)
        context = "directoryObjects" if wanted is None else f"{wanted.__name__.lower()}s"
        return paging.page(world, request, items, context, typed=wanted is None)

    return listing


def _counter(
    objects_of: Callable[[World, Group], list[DirectoryObject]], wanted: type[DirectoryObject] | None
) -> Callable[..., Response]:
    def counting(world: World, request: Request, group: str) -> Response:
        items = _cast(objects_of(world, require_group(world, request, group, replicated=True)), wanted)
        return paging.count(world, request, items)

    return counting


def _cast(items: list[DirectoryObject], wanted: type[DirectoryObject] | None) -> list[DirectoryObject]:
    return items if wanted is None else [item for item in items if isinstance(item, wanted)]


def _check_writable(world: World, request: Request, group: Group) -> None:
    if group.on_premises_sync:
        raise errors.bad_request(world, request, _SYNCED)
    if group.mail_enabled:
        raise errors.bad_request(world, request, _MAIL_ENABLED)
    if group.membership_rule:
        raise errors.refuse(world, request, 403, "Authorization_RequestDenied", _DYNAMIC)
