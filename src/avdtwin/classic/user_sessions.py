"""Sessions of a pool: listed as one, messaged, disconnected and logged off one by one (facts/classic-service 1.8)."""

from typing import Any

import msgspec

from avdtwin import directory, sessions
from avdtwin.classic import access, hosts, places
from avdtwin.classic.dates import wire_date
from avdtwin.classic.errors import refusal
from avdtwin.classic.paging import Order, page
from avdtwin.classic.places import Path
from avdtwin.classic.routes import HOST, POOL, by_host, route
from avdtwin.state import Session
from avdtwin.wire import Request, Response, WireError, truthy
from avdtwin.world import World

ACTIONS = HOST + "/Sessions/{session}/actions"
ORDER = Order("UserPrincipalName", "SessionHostIncorrectSortField")


class _Sorted(msgspec.Struct):
    """A pool's sessions in order of their users, as of one version of the pool."""

    version: tuple[int, int, int]
    upns: list[str]
    listed: list[tuple[str, Session]]
    """Host name and session."""


def _sorted(world: World, path: Path) -> _Sorted:
    key = places.pool_key(path)
    records = places.pool(world, path).hosts
    version = (*sessions.version_of_pool(world, "classic", key), len(records))
    kept = world.derived.get(f"classic-sessions|{key}")
    if not isinstance(kept, _Sorted) or kept.version != version:
        names = {record.vm: record.name for record in records.values()}
        listed = [(names[s.machine], s) for s in sessions.of_pool(world, "classic", key) if s.machine in names]
        listed.sort(key=lambda pair: (pair[1].upn.lower(), pair[0].lower(), pair[1].id))
        kept = _Sorted(version, [session.upn.lower() for _, session in listed], listed)
        world.derived[f"classic-sessions|{key}"] = kept
    return kept


def row(world: World, names: dict[str, str], host: str, session: Session) -> dict[str, Any]:
    return {
        "tenantGroupName": names["tenantGroupName"],
        "tenantName": names["tenantName"],
        "hostPoolName": names["hostPoolName"],
        "sessionHostName": host,
        "userPrincipalName": session.upn,
        "adUserName": _ad_user_name(world, host, session),
        "createTime": wire_date(session.created_at),
        "sessionId": session.id,
        "applicationType": session.application_type,
        "sessionState": session.state,
    }


def _ad_user_name(world: World, host: str, session: Session) -> str:
    """`DOMAIN\\user`: the domain's short name is the label after the host's."""
    labels = host.split(".")
    user = directory.principal(world, session.user)
    account = getattr(user, "on_premises_sam", None) or session.upn.partition("@")[0]
    return f"{(labels[1] if len(labels) > 1 else labels[0]).upper()}\\{account}"


@route("GET", POOL + "/Sessions")
def list_sessions(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.READ, path)
    names = places.names(world, path)
    kept = _sorted(world, path)
    return page(world, request, kept.upns, ORDER, lambda at: row(world, names, *kept.listed[at]))


# ---------------------------------------------------------------- actions


class _Codes(msgspec.Struct, frozen=True):
    """How an action fails: no such host, no such session, host not reachable."""

    host: str
    session: str
    unreachable: str


def _codes(stem: str) -> _Codes:
    return _Codes(
        f"SessionHost{stem}SessionHostNotExist", f"SessionHost{stem}SessionIdNotExist", f"SessionHost{stem}Unreachable"
    )


def _target(world: World, request: Request, codes: _Codes, path: Path, host: str, session: str) -> Session:
    """The session an action is meant for. Raises the action's own kind of 404."""
    access.require(world, request, access.WRITE, path)
    record = places.pool(world, path).hosts.get(host.lower())
    if record is None:
        raise refusal(world, codes.host)
    for found in hosts.sessions_of(world, places.pool_key(path), record):
        if str(found.id) == session:
            return found
    raise refusal(world, codes.session)


def _refuse_unreachable(world: World, code: str, path: Path, host: str) -> None:
    """Actions run through the agent: it must be there, healthy or not."""
    record = hosts.find(world, path, host)
    machine = hosts.attached(world, places.pool_key(path), record)
    if machine is None or machine.agent.connected_at is None or machine.power != "running":
        raise refusal(world, code)


@route("POST", ACTIONS + "/disconnect-user")
def disconnect(world: World, request: Request, host: str, session: str, **parents: str) -> Response:
    path = tuple(parents.values())
    codes = _codes("Disconnect")
    found = _target(world, request, codes, path, host, session)
    _refuse_unreachable(world, codes.unreachable, path, host)
    sessions.disconnect(world, found)
    return _done(world, request)


@route("POST", ACTIONS + "/logoff-user")
def log_off(world: World, request: Request, host: str, session: str, **parents: str) -> Response:
    """Without force, a session that never ends stays. With it, one on a host out of reach leaves the list."""
    path = tuple(parents.values())
    codes = _codes("Logoff")
    found = _target(world, request, codes, path, host, session)
    forced = truthy(request.query.get("force"))
    try:
        _refuse_unreachable(world, codes.unreachable, path, host)
    except WireError:
        if not forced:
            raise
        sessions.unlist(world, found)
        return _done(world, request)
    if forced or not found.never_ends:
        sessions.end(world, found, "logged_off")
    return _done(world, request)


@route("POST", ACTIONS + "/send-message-user")
def send_message(world: World, request: Request, host: str, session: str, **parents: str) -> Response:
    """Title and body are in the query; the request's body is ignored, as for all three."""
    path = tuple(parents.values())
    codes = _codes("FailedToSendMessage")
    found = _target(world, request, codes, path, host, session)
    title, body = request.query.get("messagetitle"), request.query.get("messagebody")
    if not title or not body:
        raise refusal(world, "SessionHostFailedToSendMessage", "MessageTitle and MessageBody are needed.")
    _refuse_unreachable(world, codes.unreachable, path, host)
    sessions.message(world, found, title, body)
    return _done(world, request)


def _done(world: World, request: Request) -> Response:
    return by_host(world, request, status=int(world.setting("classic_delete_status")))
