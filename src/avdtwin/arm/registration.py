"""The registration token of a host pool: asked for by PUT or PATCH, read by POST, never shown by GET (facts 3)."""

from typing import Any

from avdtwin import tokens
from avdtwin.arm import errors, fields
from avdtwin.clock import iso, parse_iso
from avdtwin.state import Resource
from avdtwin.world import World

_SECRET = "registration"
_ISSUED = "registration_ids"
_SHORTEST_S = 3600.0
_LONGEST_S = 30 * 86400.0
_OPERATION = fields.choice("None", "Update", "Delete")


def apply(world: World, pool: Resource, given: dict[str, Any] | None) -> dict[str, Any]:
    """Do what `registrationInfo` of a body asks; returns `registrationInfo` of the answer, with the live token."""
    operation = _OPERATION("registrationTokenOperation", (given or {}).get("registrationTokenOperation") or "None")
    if operation == "Delete":
        pool.secrets.pop(_SECRET, None)
        pool.secrets.pop(_ISSUED, None)
        return _info(None, None, "Delete")
    if operation == "Update":
        _issue(world, pool, (given or {}).get("expirationTime"))
        kept = pool.secrets[_SECRET]
        return _info(f"{kept['expires']}+00:00", kept["token"], "Update")
    return info(world, pool)


def check(world: World, given: dict[str, Any] | None) -> None:
    """Refuse an expiry out of range, before anything is changed."""
    operation = _OPERATION("registrationTokenOperation", (given or {}).get("registrationTokenOperation") or "None")
    if operation == "Update":
        _expiry(world, (given or {}).get("expirationTime"))


def info(world: World, pool: Resource) -> dict[str, Any]:
    """`registrationInfo` when nothing was asked: the live token, or nulls."""
    kept = live(world, pool)
    return _info(f"{kept['expires']}Z", kept["token"], "None") if kept else _info(None, None, "None")


def live(world: World, pool: Resource) -> dict[str, Any] | None:
    """The pool's token while it lasts: {token, expires_at, expires}."""
    kept: dict[str, Any] | None = pool.secrets.get(_SECRET)
    return kept if kept and kept["expires_at"] > world.now else None


def listed(world: World, pool: Resource) -> list[dict[str, Any]]:
    """As `listRegistrationTokens` shows them: one or none."""
    kept = live(world, pool)
    return [{"expirationTime": f"{kept['expires']}Z", "token": kept["token"]}] if kept else []


def issue(world: World, pool: Resource, expires_at: float) -> str:
    """A new token in place of the pool's present one, for `expires_at` (seconds since 1970). The one before stays good
    for agents until it expires (not recorded); a `Delete` ends them all.
    """
    text = (iso(expires_at, 7) or "").removesuffix("Z")
    token = tokens.issue_registration(
        world, service="arm", pool_object_id=pool.properties["objectId"], expires_at=expires_at
    )
    pool.secrets[_SECRET] = {"token": token, "expires_at": expires_at, "expires": text}
    pool.secrets.setdefault(_ISSUED, []).append(tokens.read_registration(world, token).registration_id)
    return token


def accepts(pool: Resource, registration_id: str) -> bool:
    """Whether a token of this pool, known by its RegistrationId, was not revoked."""
    return registration_id in pool.secrets.get(_ISSUED, ())


def _issue(world: World, pool: Resource, given: Any) -> None:
    expires_at = _expiry(world, given)
    issue(world, pool, expires_at)
    pool.secrets[_SECRET]["expires"] = _seven_digits(expires_at, str(given))


def _expiry(world: World, given: Any) -> float:
    try:
        at = parse_iso(given) if isinstance(given, str) else None
    except ValueError as error:
        raise errors.provider(400, f"Error converting value '{given}' for property 'expirationTime'") from error
    if at is None or not world.now + _SHORTEST_S <= at <= world.now + _LONGEST_S:
        raise errors.provider(400, "ExpirationTime value must be between one hour and 30 days from now")
    return at


def _seven_digits(at: float, given: str) -> str:
    """The moment in UTC with the fraction as it was sent, seven digits long: a float would lose some of them."""
    _, dot, rest = given.partition(".")
    digits = ""
    while dot and rest[len(digits) : len(digits) + 1].isdigit():
        digits += rest[len(digits)]
    # Rounding keeps the whole second that was meant: a fraction never carries over.
    whole = int(at - float(f"0.{digits[:6] or 0}") + 0.5)
    return f"{(iso(whole, 0) or '').removesuffix('Z')}.{digits[:7].ljust(7, '0')}"


def _info(expires: str | None, token: str | None, operation: str) -> dict[str, Any]:
    return {"expirationTime": expires, "token": token, "registrationTokenOperation": operation}
