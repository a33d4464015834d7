"""Host pools (facts/arm-service 1.3)."""

from typing import Any

from avdtwin.arm import bodies, errors, fields, locations, names, paging, private_links, registration, store
from avdtwin.arm.fields import Field, boolean, choice, integer, text, text_or_null
from avdtwin.arm.ids import NAMESPACE, Place, wire_id
from avdtwin.arm.routes import ROUTES, may_read
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, truthy
from avdtwin.world import World

KIND = "hostPools"
TYPE = f"{NAMESPACE}/{KIND}"

DEFAULT_RDP = (
    "drivestoredirect:s:;usbdevicestoredirect:s:;redirectclipboard:i:0;redirectprinters:i:0;audiomode:i:0;"
    "videoplaybackmode:i:1;devicestoredirect:s:*;redirectcomports:i:1;redirectsmartcards:i:1;enablecredsspsupport:i:1;"
    "redirectwebauthn:i:1;use multimon:i:1;"
)
"""What the service writes when the property is left out: drives, USB, clipboard and printers are off (facts 1.3.1)."""

_SWITCH = choice("Default", "Enabled", "Disabled")

FIELDS = (
    Field("managedPrivateUDP", _SWITCH, "Default"),
    Field("directUDP", _SWITCH, "Default"),
    Field("publicUDP", _SWITCH, "Default"),
    Field("relayUDP", _SWITCH, "Default"),
    Field(
        "publicNetworkAccess",
        choice("Enabled", "Disabled", "EnabledForSessionHostsOnly", "EnabledForClientsOnly"),
        "Enabled",
    ),
    Field("agentUpdate", fields.record),
    Field("friendlyName", text),
    Field("description", text),
    Field(
        "hostPoolType", choice("Personal", "Pooled", "BYODesktop", also={"Shared": "Pooled"}), required=True, fixed=True
    ),
    Field("personalDesktopAssignmentType", choice("Automatic", "Direct")),
    Field("customRdpProperty", text, DEFAULT_RDP),
    Field("maxSessionLimit", integer, 999999),
    Field("loadBalancerType", choice("BreadthFirst", "DepthFirst", "Persistent", "MultiplePersistent"), required=True),
    Field("validationEnvironment", boolean, False),
    Field("ring", integer),
    Field("vmTemplate", text_or_null),
    Field("preferredAppGroupType", choice("None", "Desktop", "RailApplications"), required=True),
    Field("startVMOnConnect", boolean, False),
    Field("ssoadfsAuthority", text),
    Field("ssoClientId", text),
    Field("ssoClientSecretKeyVaultPath", text),
    Field("ssoSecretType", choice("SharedKey", "Certificate", "SharedKeyInKeyVault", "CertificateInKeyVault")),
    Field("migrationRequest", fields.migration_request),
)

_ORDER: dict[str, Any] = {
    "managedPrivateUDP": "Default",
    "directUDP": "Default",
    "publicUDP": "Default",
    "relayUDP": "Default",
    "managementType": "Standard",
    "appAttachPackageReferences": [],
    "privateEndpointConnections": None,
    "publicNetworkAccess": "Enabled",
    "agentUpdate": None,
    "friendlyName": None,
    "description": None,
    "hostPoolType": "Pooled",
    "personalDesktopAssignmentType": None,
    "applicationGroupReferences": [],
    "customRdpProperty": DEFAULT_RDP,
    "maxSessionLimit": 999999,
    "loadBalancerType": "BreadthFirst",
    "validationEnvironment": False,
    "ring": 1,
    "registrationInfo": None,
    "vmTemplate": None,
    "preferredAppGroupType": "Desktop",
    "migrationRequest": None,
    "cloudPcResource": False,
    "startVMOnConnect": False,
    "ssoadfsAuthority": None,
    "ssoClientId": None,
    "ssoClientSecretKeyVaultPath": None,
    "ssoSecretType": None,
    "objectId": None,
}
"""Every member of an answer in its order, with what it is when nothing is stored."""

_NO_IDENTITY = {"type": "None", "tenantId": None, "principalId": None}


# ---------------------------------------------------------------- routes


@ROUTES.item("PUT", KIND)
def put(world: World, request: Request, place: Place) -> Response:
    """Create, or replace the writable properties and keep `objectId`, the token and `createdAt`."""
    body = fields.body_of(request)
    names.require(world, KIND, place.name)
    location = locations.required(body, KIND)
    given = fields.properties_of(body)
    stored = _ring(fields.for_put(FIELDS, given))
    tags = fields.tags_of(body)
    token = fields.section(given, "registrationInfo")
    registration.check(world, token)
    pool = store.get(world, place.key)
    created = pool is None
    if pool is None:
        pool = _new(world, place, bodies.author(request.principal))
    else:
        locations.require_same(pool, location)
        _require_same_type(pool, stored["hostPoolType"])
    pool.location, pool.tags = location, tags
    pool.properties |= stored
    bodies.touch(world, pool, request.principal)
    answer = _body(pool, registration.apply(world, pool, token), None)
    return bodies.put_answer(pool, answer, created)


@ROUTES.item("PATCH", KIND)
def patch(world: World, request: Request, place: Place) -> Response:
    pool = require(world, place)
    body = fields.body_of(request)
    given = fields.properties_of(body)
    changed = fields.for_patch(FIELDS, given)
    tags = fields.tags_of(body) if "tags" in body else pool.tags
    token = fields.section(given, "registrationInfo")
    registration.check(world, token)
    pool.properties |= _ring({**pool.properties, **changed})
    pool.tags = tags
    bodies.touch(world, pool, request.principal)
    return Response(body=_body(pool, registration.apply(world, pool, token), None))


@ROUTES.item("GET", KIND)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_shown(world, require(world, place)))


@ROUTES.item("DELETE", KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    """Refused while there are groups, and while there are session hosts unless forced (facts 1.16)."""
    pool = store.get(world, place.key)
    if pool is None:
        return errors.GatewayResponse(status=204)
    _require_no_groups(world, pool)
    hosts = store.keys(world, pool.id, "sessionHosts")
    if hosts and not truthy(request.query.get("force")):
        raise errors.provider(400, _still_has(pool, "SessionHosts"))
    body = _body(pool, registration.info(world, pool), private_links.of(world, pool))
    from avdtwin.arm import session_hosts

    for host in store.children(world, pool.id, "sessionHosts"):
        session_hosts.delete_record(world, host)
    store.remove(world, pool)
    return Response(body=body)


@ROUTES.listing(KIND)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    return paging.of_gateway(world, request, store.keys(world, place.group_id, KIND), _show(world))


@ROUTES.in_subscription(KIND)
def list_in_subscription(world: World, request: Request, subscription: str) -> Response:
    keys = store.keys(world, f"/subscriptions/{subscription}", KIND)
    return paging.of_gateway(world, request, keys, may_read(world, request, subscription, KIND, _show(world)))


@ROUTES.action("retrieveRegistrationToken", KIND)
def retrieve_token(world: World, request: Request, place: Place) -> Response:
    """RegistrationInfo; nulls when there is no token (not recorded, facts 3)."""
    return Response(body=registration.info(world, require(world, place)))


@ROUTES.action("listRegistrationTokens", KIND)
def list_tokens(world: World, request: Request, place: Place) -> Response:
    return Response(body={"value": registration.listed(world, require(world, place)), "nextLink": None})


# ---------------------------------------------------------------- for others


def require(world: World, place: Place) -> Resource:
    """The pool of a place. Raises ARM's 404."""
    pool = store.get(world, place.key)
    if pool is None:
        raise errors.resource_not_found("Microsoft.DesktopVirtualization/hostpools", place.name, place.group)
    return pool


def refer(world: World, pool: Resource, group_id: str) -> None:
    """Note that a group belongs to a pool."""
    references = pool.properties.setdefault("applicationGroupReferences", [])
    if group_id.lower() not in {known.lower() for known in references}:
        references.append(wire_id(group_id))


def release(world: World, pool: Resource, group_id: str) -> None:
    """Note that a group has gone. For `groups_linger_s` the pool may still look as if it had it (facts 1.16)."""
    references = pool.properties.get("applicationGroupReferences", [])
    pool.properties["applicationGroupReferences"] = [id for id in references if id.lower() != group_id.lower()]
    pool.secrets["groups_seen_until"] = world.now + float(world.setting("groups_linger_s"))


# ---------------------------------------------------------------- parts


def _new(world: World, place: Place, author: str | None) -> Resource:
    pool = Resource(
        id=place.id,
        type=TYPE,
        name=place.name,
        properties={"applicationGroupReferences": [], "objectId": world.guid("object")},
        created_by=author,
        created_at=world.now,
    )
    return store.add(world, pool)


def _ring(properties: dict[str, Any]) -> dict[str, Any]:
    """Without a ring of its own a pool is in ring 1, in ring 0 when it is a validation pool (facts 1.3)."""
    if not properties.get("ring"):
        properties["ring"] = 0 if properties.get("validationEnvironment") else 1
    return properties


def _require_same_type(pool: Resource, wanted: str) -> None:
    present = pool.properties.get("hostPoolType")
    if present != wanted:
        raise errors.provider(400, f"HostPoolType cannot be changed from {present} to {wanted}")


def _require_no_groups(world: World, pool: Resource) -> None:
    if pool.properties.get("applicationGroupReferences") or world.now < pool.secrets.get("groups_seen_until", 0.0):
        raise errors.provider(400, _still_has(pool, "ApplicationGroups"))


def _still_has(pool: Resource, what: str) -> str:
    return (
        f"The SessionHostPool {pool.name} could not be deleted because it still has {what} associated with it. "
        f"Please remove all {what} from the SessionHostPool and retry the operation."
    )


def _show(world: World) -> paging.Show:
    return lambda key: _shown(world, world.state.arm.resources[key])


def _shown(world: World, pool: Resource) -> dict[str, Any]:
    return _body(pool, None, private_links.of(world, pool))


def _body(
    pool: Resource, token: dict[str, Any] | None, private_endpoints: list[dict[str, Any]] | None
) -> dict[str, Any]:
    properties = {
        **_ORDER,
        **pool.properties,
        "registrationInfo": token,
        "privateEndpointConnections": private_endpoints,
    }
    return {"identity": _NO_IDENTITY, **bodies.tracked(pool, properties)}
