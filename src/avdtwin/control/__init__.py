"""The twin's own controls, below `/_twin`: time, snapshots, settings, faults, and what happened.

Plain JSON, for the tests of other programs and for curious people. Nothing guards it: the server listens on loopback.
"""

from typing import Any

import msgspec

from avdtwin import agent_updates, faults
from avdtwin.arm import images, private_links
from avdtwin.clock import ManualClock, ScaledClock, iso, parse_iso
from avdtwin.entra import device
from avdtwin.settings import DEFAULTS, problem
from avdtwin.state import Fault, ImagePackage
from avdtwin.wire import Request, Response, Router, WireError
from avdtwin.world import World, state_of

_ROUTER = Router()


def handle(world: World, request: Request) -> Response:
    found = _ROUTER.find(request.method, request.path)
    if found is None:
        return _problem(404, f"nothing at {request.path}; GET /_twin lists what there is")
    if isinstance(found, set):
        return _problem(405, f"{request.path} takes {', '.join(sorted(found))}")
    request.route, handler, parameters = found
    try:
        return handler(world, request, **parameters)
    except WireError as error:
        return error.response


def too_large(world: World, request: Request) -> Response:
    return _problem(413, "the body is too large; start the server with --state instead")


def failure(world: World, request: Request, status: int, code: str | None, message: str | None) -> Response:
    """Faults leave the controls alone; this is for completeness."""
    return _problem(status, message or code or "failed")


def _problem(status: int, text: str) -> Response:
    return Response(status=status, body={"error": text})


def _given(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError as error:
        raise WireError(_problem(400, f"the body is no JSON: {error}")) from error
    if not isinstance(body, dict):
        raise WireError(_problem(400, "the body must be a JSON object"))
    return body


# ---------------------------------------------------------------- overview and time


@_ROUTER.route("GET", "/_twin")
def overview(world: World, request: Request) -> Response:
    """What the twin holds, and the routes of this page."""
    state = world.state
    holds = {
        "subscriptions": len(state.arm.subscriptions),
        "arm_resources": len(state.arm.resources),
        "role_assignments": len(state.arm.role_assignments),
        "classic_tenants": sum(len(group.tenants) for group in state.classic.groups.values()),
        "machines": len(state.machines),
        "users": len(state.directory.users),
        "groups": len(state.directory.groups),
        "sessions": len(state.sessions),
        "people": len(state.people),
        "records": len(state.records),
    }
    return Response(body={"seed": state.seed, "time": _time(world), "holds": holds, "routes": _ROUTER.templates()})


@_ROUTER.route("GET", "/_twin/time")
def show_time(world: World, request: Request) -> Response:
    return Response(body=_time(world))


@_ROUTER.route("POST", "/_twin/advance")
def advance(world: World, request: Request) -> Response:
    """`{"seconds": 60}`, `{"to": "2026-06-08T12:00:00Z"}` or `{"to": "next"}` (what is due next). Virtual time only."""
    if not isinstance(world.clock, ManualClock):
        return _problem(409, "time runs by itself here; start the server with --time virtual to move it")
    seconds = _seconds(world, _given(request))
    if seconds < 0:
        return _problem(400, "time does not go back")
    world.clock.advance(seconds)
    world.settle()
    return Response(body=_time(world))


def _seconds(world: World, given: dict[str, Any]) -> float:
    """How far to go on from the clock's now."""
    try:
        if "seconds" in given:
            return float(given["seconds"])
        if given.get("to") == "next":
            due = world.next_due()
            return 0.0 if due is None else max(due - world.clock.now(), 0.0)
        return parse_iso(str(given["to"])) - world.clock.now()
    except (KeyError, TypeError, ValueError) as error:
        text = 'say {"seconds": 60}, {"to": "2026-06-08T12:00:00Z"} or {"to": "next"}'
        raise WireError(_problem(400, text)) from error


def _time(world: World) -> dict[str, Any]:
    return {"now": iso(world.now, 6), "epoch": world.now, "next_due": iso(world.next_due(), 6)}


# ---------------------------------------------------------------- state


@_ROUTER.route("GET", "/_twin/snapshot")
def snapshot(world: World, request: Request) -> Response:
    """The whole state, to be given to `restore` or to `avdtwin serve --state`."""
    return Response(body=world.snapshot(), headers={"content-type": "application/json"})


@_ROUTER.route("POST", "PUT", "/_twin/restore")
def restore(world: World, request: Request) -> Response:
    """Go back to a snapshot: the state, and with it the time, become what they were."""
    try:
        state = state_of(request.body)
    except msgspec.DecodeError as error:
        return _problem(400, f"this is no snapshot: {error}")
    if isinstance(world.clock, ManualClock):
        world.clock = ManualClock(state.now)
    elif isinstance(world.clock, ScaledClock):
        world.clock = ScaledClock(world.clock.factor, state.now)
    world.adopt(state)
    return Response(body=_time(world))


@_ROUTER.route("GET", "/_twin/state/{part}")
def show_part(world: World, request: Request, part: str) -> Response:
    """A part of the state by dotted name (`machines`, `arm.resources`, `directory.groups`), and of a dictionary one
    entry by `?key=`. `?keys=true` gives only the keys.
    """
    found: Any = world.state
    for name in part.split("."):
        if not hasattr(found, name):
            return _problem(404, f"the state has no {part}")
        found = getattr(found, name)
    key = request.query.get("key")
    if key is not None:
        held = found.get(key, found.get(key.lower())) if isinstance(found, dict) else None
        return _problem(404, f"{part} has no {key}") if held is None else Response(body=held)
    if request.query.get("keys") == "true" and isinstance(found, dict):
        return Response(body=list(found))
    return Response(body=found)


# ---------------------------------------------------------------- history


@_ROUTER.route("GET", "/_twin/records")
def records(world: World, request: Request) -> Response:
    """What happened: `?kind=session_lost`, `?since=<number>` (how many to pass over), `?limit=<number>`."""
    kind = request.query.get("kind")
    try:
        since, limit = int(request.query.get("since", "0")), int(request.query.get("limit", "1000"))
    except ValueError:
        return _problem(400, "since and limit are numbers")
    found = [entry for entry in world.state.records[since:] if kind in (None, entry.kind)]
    return Response(body={"value": found[:limit], "total": len(world.state.records)})


@_ROUTER.route("GET", "/_twin/calls")
def calls(world: World, request: Request) -> Response:
    """How many calls there were, by service, method and status; those to these controls are left out."""
    counted = {name: count for name, count in world.state.calls.items() if not name.startswith("control ")}
    return Response(body=counted)


# ---------------------------------------------------------------- rules and faults


@_ROUTER.route("GET", "/_twin/settings")
def show_settings(world: World, request: Request) -> Response:
    return Response(body={name: world.setting(name) for name in DEFAULTS})


@_ROUTER.route("PATCH", "POST", "/_twin/settings")
def change_settings(world: World, request: Request) -> Response:
    """Set rules of this run by name; null goes back to the default."""
    given = _given(request)
    tried = {name: DEFAULTS.get(name) if value is None else value for name, value in given.items()}
    wrong = [found for name, value in tried.items() if (found := problem(name, value))]
    if wrong:
        return _problem(400, "; ".join(wrong))
    for name, value in given.items():
        if value is None:
            world.state.settings.pop(name, None)
        else:
            world.state.settings[name] = value
    return show_settings(world, request)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@_ROUTER.route("GET", "/_twin/faults")
def show_faults(world: World, request: Request) -> Response:
    return Response(body={"value": world.state.faults})


@_ROUTER.route("PUT", "/_twin/faults")
def put_faults(world: World, request: Request) -> Response:
    """Replace the list of faults: `{"value": [...]}`, or `{"seed": 7, "count": 10, "spread_s": 86400}` to draw one."""
    given = _given(request)
    try:
        faults.put_in(world, _drawn(given) if "seed" in given else faults.read(given))
    except faults.BadFaults as error:
        return _problem(400, str(error))
    return show_faults(world, request)


def _drawn(given: dict[str, Any]) -> list[Fault]:
    seed, count, spread_s = given["seed"], given.get("count", 10), given.get("spread_s", 86_400.0)
    if not (isinstance(seed, int) and isinstance(count, int) and 0 <= count <= 1000 and _is_number(spread_s)):
        raise WireError(_problem(400, "seed and count (up to 1000) are whole numbers, spread_s is a number"))
    return faults.drawn(seed, count, spread_s=float(spread_s))


@_ROUTER.route("POST", "/_twin/classic")
def switch_classic(world: World, request: Request) -> Response:
    """`{"alive": false}` switches the classic service off for everybody; true brings it back."""
    alive = _given(request).get("alive")
    if not isinstance(alive, bool):
        return _problem(400, 'say {"alive": false}')
    world.state.classic.alive = alive
    world.record("classic_switched", alive=alive)
    return Response(body={"alive": alive})


@_ROUTER.route("POST", "/_twin/agent-release")
def release_agent(world: World, request: Request) -> Response:
    """A newer agent is out, for all hosts within so many seconds: `{"version": "1.0.12000.0", "within_s": 432000}`."""
    given = _given(request)
    within_s = given.get("within_s", agent_updates.FLIGHT_S)
    if not _is_number(within_s) or within_s < 0:
        return _problem(400, "within_s is a number of seconds")
    try:
        agent_updates.release(world, str(given.get("version")), float(within_s))
    except agent_updates.BadVersion as error:
        return _problem(400, str(error))
    return Response(body=world.state.agent_release)


@_ROUTER.route("POST", "/_twin/private-endpoints")
def link_private_endpoint(world: World, request: Request) -> Response:
    """Link a private endpoint to a host pool or workspace: `{"resource": id, "endpoint": id, "approved": false}`."""
    given = _given(request)
    resource, endpoint, approved = given.get("resource"), given.get("endpoint"), given.get("approved", True)
    if not (isinstance(resource, str) and isinstance(endpoint, str) and endpoint and isinstance(approved, bool)):
        return _problem(400, "resource and endpoint are resource ids, approved is true or false")
    try:
        connection = private_links.connect(world, resource, endpoint, approved=approved)
    except LookupError as error:
        return _problem(404, str(error))
    return Response(body={"id": connection.id})


@_ROUTER.route("PUT", "/_twin/images")
def lay_image(world: World, request: Request) -> Response:
    """Lay an image of packages on a file share, for session hosts to read: `{"path": "\\\\share\\app.vhdx",
    "packages": [{"full_name": "App_1.0.0.0_x64__hash", "applications": {"App": "My app"}}]}`; further members as in
    `avdtwin.state.ImagePackage`.
    """
    given = _given(request)
    path, packages = given.get("path"), given.get("packages")
    if not isinstance(path, str) or not isinstance(packages, list):
        return _problem(400, "path is a text, packages a list of objects with a full_name")
    try:
        images.lay(world, path, [_package(each) for each in packages])
    except (KeyError, TypeError, ValueError) as error:
        return _problem(400, f"a package does not fit: {error}")
    return Response(status=204)


def _package(given: Any) -> ImagePackage:
    """Raises KeyError, TypeError or ValueError for a package that cannot be."""
    if not isinstance(given, dict):
        raise TypeError(f"'{given}' is no object")
    known = {name: value for name, value in given.items() if name != "full_name"}
    return msgspec.convert(msgspec.to_builtins(images.package_of(given["full_name"], **known)), ImagePackage)


@_ROUTER.route("POST", "/_twin/device-sign-in")
def enter_device_code(world: World, request: Request) -> Response:
    """Enter a device code for somebody: `{"code": "ABCDEFGHJ", "upn": "ada@contoso.com"}`."""
    given = _given(request)
    try:
        device.approve(world, str(given.get("code", "")), str(given.get("upn", "")))
    except KeyError as error:
        return _problem(404, f"no such code waiting, or no such user: {error}")
    return Response(status=204)
