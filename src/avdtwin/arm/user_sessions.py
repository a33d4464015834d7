"""User sessions: listed, messaged, disconnected, logged off (facts/arm-service 1.9, 4.4)."""

import uuid
from typing import Any

from avdtwin import sessions
from avdtwin.arm import errors, fields, filters, hostpools, paging, session_hosts
from avdtwin.arm.ids import NAMESPACE, Place, wire_id, wire_name
from avdtwin.arm.routes import ROUTES
from avdtwin.clock import iso
from avdtwin.state import Resource, Session
from avdtwin.wire import Request, Response, truthy
from avdtwin.world import World

POOLS = hostpools.KIND
HOSTS = session_hosts.KIND
KIND = "userSessions"
TYPE = f"{NAMESPACE}/hostpools/sessionhosts/usersessions"

_FILTERS = frozenset({"userprincipalname", "sessionstate"})
_READ = "hostpools/sessionhosts/usersessions/read"
_OBJECT_IDS = uuid.UUID("6f1c1c52-53cf-5a2e-9f0b-2f6c9a3a9d10")


# ---------------------------------------------------------------- routes


@ROUTES.listing(POOLS, HOSTS, KIND)
def list_on_host(world: World, request: Request, place: Place) -> Response:
    host = session_hosts.require(world, place)
    passes = filters.of(request, _FILTERS)
    on = {session.key: session for session in session_hosts.sessions_on(world, host)}

    def show(key: str) -> dict[str, Any] | None:
        body = _body(world, host, on[key])
        return body if passes(body["properties"]) else None

    return paging.of_provider(world, request, sorted(on), show)


@ROUTES.listing(POOLS, KIND, action=_READ)
def list_in_pool(world: World, request: Request, place: Place) -> Response:
    """All sessions of a pool; this list has no systemData (facts 1.9)."""
    passes = filters.of(request, _FILTERS)
    hosts: dict[str, Resource | None] = {}

    def show(key: str) -> dict[str, Any] | None:
        session = world.state.sessions[key]
        if session.machine not in hosts:
            hosts[session.machine] = session_hosts.of_machine(world, place.key, session.machine)
        host = hosts[session.machine]
        if host is None:
            return None
        body = {**_body(world, host, session), "systemData": None}
        return body if passes(body["properties"]) else None

    return paging.of_provider(world, request, sessions.keys_of_pool(world, "arm", place.key), show)


@ROUTES.item("GET", POOLS, HOSTS, KIND)
def get(world: World, request: Request, place: Place) -> Response:
    host = session_hosts.require(world, place.parent)
    session = _find(world, host, place.name)
    if session is None:
        raise errors.provider(404, "User session does not exist")
    return Response(body=_body(world, host, session))


@ROUTES.item("DELETE", POOLS, HOSTS, KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    """Log off. 204 when there is no such session; 200 without a body when there was one (not recorded), also when it is
    one that never ends and stays without `force`.
    """
    host = session_hosts.require(world, place.parent)
    session = _find(world, host, place.name)
    if session is None:
        return Response(status=204)
    if not session.never_ends or truthy(request.query.get("force")):
        sessions.end(world, session, "logged_off")
    return Response()


@ROUTES.action("disconnect", POOLS, HOSTS, KIND)
def disconnect(world: World, request: Request, place: Place) -> Response:
    sessions.disconnect(world, _addressed(world, place))
    return Response()


@ROUTES.action("sendMessage", POOLS, HOSTS, KIND)
def send_message(world: World, request: Request, place: Place) -> Response:
    session = _addressed(world, place)
    body = fields.body_of(request)
    title, message = (fields.text(name, body.get(name) or "") for name in ("messageTitle", "messageBody"))
    sessions.message(world, session, title, message)
    return Response()


# ---------------------------------------------------------------- parts


def _find(world: World, host: Resource, name: str) -> Session | None:
    if not name.isascii() or not name.isdigit() or len(name) > 9:
        return None
    session = sessions.find(world, host.vm or "", int(name))
    if session is None or session.service != "arm" or session.pool != session_hosts.pool_key_of(host):
        return None
    return session


def _addressed(world: World, place: Place) -> Session:
    """The session an action is for; its 404 has other words than that of a read (rec 11)."""
    session = _find(world, session_hosts.require(world, place.parent), place.name)
    if session is None:
        raise errors.provider(404, "User session ID not found")
    return session


def _body(world: World, host: Resource, session: Session) -> dict[str, Any]:
    session_id = f"{host.id}/{KIND}/{session.id}"
    return {
        "name": wire_name(session_id),
        "id": wire_id(session_id),
        "type": TYPE,
        "properties": {
            "objectId": str(uuid.uuid5(_OBJECT_IDS, f"{session.key}|{session.created_at}")),
            "userPrincipalName": session.upn,
            "applicationType": session.application_type,
            "sessionState": session.state,
            "activeDirectoryUserName": _account(world, session),
            "createTime": iso(session.created_at),
        },
        "systemData": {
            "createdBy": None,
            "createdByType": None,
            "createdAt": iso(session.created_at),
            "lastModifiedBy": None,
            "lastModifiedByType": None,
            "lastModifiedAt": None,
        },
    }


def _account(world: World, session: Session) -> str:
    r"""`DOMAIN\user` on a domain-joined machine, `AzureAD\name` on an Entra-joined one."""
    user = world.state.directory.users.get(session.user)
    machine = world.state.machines.get(session.machine)
    name = session.upn.partition("@")[0]
    labels = machine.fqdn.split(".") if machine is not None else []
    if len(labels) < 2:
        return f"AzureAD\\{name}"
    return f"{labels[1].upper()}\\{(user.on_premises_sam if user else None) or name}"
