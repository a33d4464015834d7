"""What is neither a user's nor a group's own route: any object by id, applications, the organization, policies."""

from typing import Any

from avdtwin import directory
from avdtwin.graph import errors, members, paging, shapes
from avdtwin.graph.shapes import ODATA_TYPES, DirectoryObject
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

MOST_IDS = 1000


def register(router: Router) -> None:
    router.add("GET", "/v1.0/directoryObjects/{key}", get_object)
    router.add("POST", "/v1.0/directoryObjects/getByIds", get_by_ids)
    router.add("GET", "/v1.0/servicePrincipals", list_service_principals)
    router.add("GET", "/v1.0/servicePrincipals/{key}", get_service_principal)
    router.add("GET", "/v1.0/organization", list_organizations)
    router.add("GET", "/v1.0/identity/conditionalAccess/policies", list_policies)
    router.add("GET", "/v1.0/identity/conditionalAccess/policies/{key}", get_policy)


def get_object(world: World, request: Request, key: str) -> Response:
    found = directory.principal(world, key)
    if found is None:
        raise errors.not_found(world, request, key)
    return _one(world, request, found, "directoryObjects")


def get_by_ids(world: World, request: Request) -> Response:
    """Up to 1,000 ids to objects; unknown ones, and types not asked for, are left out."""
    given = members.body_of(world, request)
    ids = given.get("ids")
    if not isinstance(ids, list) or len(ids) > MOST_IDS:
        message = f"'ids' must be a collection of at most {MOST_IDS} object ids."
        raise errors.bad_request(world, request, message)
    kinds = {str(kind).lower() for kind in given.get("types") or ["directoryObject"]}
    found = [item for item in (directory.principal(world, str(key)) for key in ids) if item is not None]
    if "directoryobject" not in kinds:
        found = [item for item in found if ODATA_TYPES[type(item)].lower() in kinds]
    context = f"{request.origin}/v1.0/$metadata#directoryObjects"
    select = request.query.get("select")
    return Response(
        body={"@odata.context": context, "value": [shapes.shown(world, item, select, typed=True) for item in found]}
    )


def list_service_principals(world: World, request: Request) -> Response:
    return paging.page(world, request, list(world.state.directory.service_principals.values()), "servicePrincipals")


def get_service_principal(world: World, request: Request, key: str) -> Response:
    """By object id, or by `appId=…` (the form `servicePrincipals(appId='…')` arrives as that)."""
    app_id = key.lower().removeprefix("appid=") if key.lower().startswith("appid=") else None
    for found in world.state.directory.service_principals.values():
        if found.app_id.lower() == app_id or found.id == key.lower():
            return _one(world, request, found, "servicePrincipals")
    raise errors.not_found(world, request, key)


def list_organizations(world: World, request: Request) -> Response:
    held = world.state.directory
    domain = {"capabilities": "Email", "isDefault": True, "isInitial": True, "name": held.domain, "type": "Managed"}
    body = {"id": held.tenant_id, "displayName": held.domain.split(".")[0].title(), "verifiedDomains": [domain]}
    context = f"{request.origin}/v1.0/$metadata#organization"
    return Response(body={"@odata.context": context, "value": [body]})


def list_policies(world: World, request: Request) -> Response:
    context = f"{request.origin}/v1.0/$metadata#identity/conditionalAccess/policies"
    policies: list[dict[str, Any]] = world.state.directory.conditional_access
    return Response(body={"@odata.context": context, "value": policies})


def get_policy(world: World, request: Request, key: str) -> Response:
    for policy in world.state.directory.conditional_access:
        if str(policy.get("id", "")).lower() == key.lower():
            return Response(body=policy)
    raise errors.refuse(world, request, 404, "NotFound", f"{key} does not exist in the directory")


def _one(world: World, request: Request, item: DirectoryObject, collection: str) -> Response:
    context = {"@odata.context": f"{request.origin}/v1.0/$metadata#{collection}/$entity"}
    typed = collection == "directoryObjects"
    return Response(body=context | shapes.shown(world, item, request.query.get("select"), typed=typed))
