"""Registration infos: the one token of a pool by which agents join it (facts/classic-service 1.6)."""

from typing import Any

from avdtwin import tokens
from avdtwin.classic import access, fields, places, pools
from avdtwin.classic.dates import wire_date
from avdtwin.classic.errors import refusal
from avdtwin.classic.routes import POOL, created, route
from avdtwin.clock import parse_iso
from avdtwin.state import RegistrationInfo
from avdtwin.wire import Request, Response
from avdtwin.world import World

REGISTRATIONS = POOL + "/RegistrationInfos"
LONGEST_S = 60 * 86_400.0


def row(names: dict[str, str], info: RegistrationInfo) -> dict[str, Any]:
    return {
        "token": info.token,
        "expirationTime": wire_date(info.expires_at),
        "tenantGroupName": names["tenantGroupName"],
        "tenantName": names["tenantName"],
        "hostPoolName": names["hostPoolName"],
    }


@route("POST", REGISTRATIONS)
def create_registration(world: World, request: Request, **parents: str) -> Response:
    """One per pool: even one that has expired must be deleted first."""
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    pool = places.pool(world, path)
    body = fields.read_under(world, request, path)
    if pool.registration is not None:
        raise refusal(world, "TokenExistsForHostPool")
    expires_at = _expiry(world, body.get("expirationtime"))
    key = places.pool_key(path)
    token = tokens.issue_registration(
        world, service="classic", pool_object_id=pools.object_id(key), expires_at=expires_at
    )
    pool.registration = RegistrationInfo(token=token, expires_at=expires_at)
    return created(world, row(places.names(world, path), pool.registration), always_shown=True)


def _expiry(world: World, value: Any) -> float:
    """A point in time: in the future, at most 60 days ahead."""
    try:
        expires_at = parse_iso(str(value))
    except (ValueError, OverflowError) as error:
        raise refusal(world, "TokenUnableToCreate", f"expirationTime {value!r} is not a point in time.") from error
    if expires_at <= world.now:
        raise refusal(world, "ExpirationUTCTimeOnObjectPrecedesCurrentTime")
    if expires_at > world.now + LONGEST_S:
        raise refusal(world, "ExpirationUTCTimeIsMoreThan60DaysFromNow")
    return expires_at


@route("DELETE", REGISTRATIONS)
def remove_registration(world: World, request: Request, **parents: str) -> Response:
    """Silent when there is none; always 200, since a known client takes 204 for a failure (2.10)."""
    path = tuple(parents.values())
    access.require(world, request, access.WRITE, path)
    places.pool(world, path).registration = None
    return Response(status=200)


@route("GET", REGISTRATIONS + "/actions/export")
def export_registration(world: World, request: Request, **parents: str) -> Response:
    path = tuple(parents.values())
    access.require(world, request, access.EXPORT, path)
    info = places.pool(world, path).registration
    if info is None:
        raise refusal(world, "TokenDoesNotExist")
    return Response(body=row(places.names(world, path), info))
