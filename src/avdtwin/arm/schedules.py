"""Schedules of scaling plans as resources of their own (facts/arm-service 1.12).

Pooled ones are the plan's own `schedules`, seen one by one; a personal plan has no such property, so its schedules are
kept beside. PUT answers 200 also on creation, without `Location`, as recorded for pooled ones.
"""

from typing import Any

from avdtwin.arm import bodies, errors, fields, paging, scaling_plans, store
from avdtwin.arm.fields import Check, Field, boolean, choice, integer, record, text, texts
from avdtwin.arm.ids import NAMESPACE, Place
from avdtwin.arm.routes import ROUTES
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

PLANS = scaling_plans.KIND
POOLED, PERSONAL = "pooledSchedules", "personalSchedules"
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_BALANCE = choice("BreadthFirst", "DepthFirst")
_ACTION = choice("None", "Deallocate", "Hibernate")
_PHASES = ("rampUp", "peak", "rampDown", "offPeak")


def _between(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        number = integer(name, value)
        if not low <= number <= high:
            raise errors.provider(400, f"{name} must be between {low} and {high}")
        return number

    return check


def _days(name: str, value: Any) -> list[str]:
    one = choice(*_DAYS)
    return [one(name, day) for day in texts(name, value)]


def _time(name: str, value: Any) -> dict[str, Any]:
    given = record(name, value)
    hour, minute = _between(0, 23)(f"{name}.hour", given.get("hour")), given.get("minute", 0)
    return {"hour": hour, "minute": _between(0, 59)(f"{name}.minute", minute)}


_POOLED_FIELDS = (
    Field("daysOfWeek", _days, []),
    *(Field(f"{phase}StartTime", _time) for phase in _PHASES),
    *(Field(f"{phase}LoadBalancingAlgorithm", _BALANCE) for phase in _PHASES),
    Field("rampUpMinimumHostsPct", _between(0, 100)),
    Field("rampUpCapacityThresholdPct", _between(1, 100)),
    Field("rampDownMinimumHostsPct", _between(0, 100), 0),
    Field("rampDownCapacityThresholdPct", _between(1, 100)),
    Field("rampDownForceLogoffUsers", boolean, False),
    Field("rampDownStopHostsWhen", choice("ZeroSessions", "ZeroActiveSessions"), "ZeroSessions"),
    Field("rampDownWaitTimeMinutes", integer, 0),
    Field("rampDownNotificationMessage", text, ""),
)
_PERSONAL_FIELDS = (
    Field("daysOfWeek", _days, []),
    Field("rampUpAutoStartHosts", choice("None", "WithAssignedUser", "All"), "None"),
    *(Field(f"{phase}StartTime", _time) for phase in _PHASES),
    *(Field(f"{phase}StartVMOnConnect", choice("Enable", "Disable"), "Enable") for phase in _PHASES),
    *(Field(f"{phase}ActionOn{event}", _ACTION, "None") for phase in _PHASES for event in ("Disconnect", "Logoff")),
    *(Field(f"{phase}MinutesToWaitOn{event}", integer, 0) for phase in _PHASES for event in ("Disconnect", "Logoff")),
)
_FIELDS = {POOLED: _POOLED_FIELDS, PERSONAL: _PERSONAL_FIELDS}
_OF_PLAN = {POOLED: "Pooled", PERSONAL: "Personal"}


@ROUTES.item("PUT", PLANS, POOLED)
@ROUTES.item("PUT", PLANS, PERSONAL)
def put(world: World, request: Request, place: Place) -> Response:
    plan, kind = _plan(world, place), _kind(place)
    given = fields.properties_of(fields.body_of(request))
    if plan.properties.get("hostPoolType", "Pooled") != _OF_PLAN[kind]:
        raise errors.provider(400, f"ScalingPlan {plan.name} takes no {kind}")
    schedule = {"name": place.name, **fields.for_put(_FIELDS[kind], given)}
    kept = _schedules(plan, kind)
    old = _find(plan, place)
    if old is None:
        kept.append(schedule)
    else:
        old.clear()
        old.update({**schedule, "name": schedule["name"]})
    bodies.touch(world, plan, request.principal)
    return Response(body=_body(plan, place, schedule))


@ROUTES.item("PATCH", PLANS, POOLED)
@ROUTES.item("PATCH", PLANS, PERSONAL)
def patch(world: World, request: Request, place: Place) -> Response:
    plan = _plan(world, place)
    schedule = _require(plan, place)
    given = fields.properties_of(fields.body_of(request))
    schedule.update(fields.for_patch(_FIELDS[_kind(place)], given))
    bodies.touch(world, plan, request.principal)
    return Response(body=_body(plan, place, schedule))


@ROUTES.item("GET", PLANS, POOLED)
@ROUTES.item("GET", PLANS, PERSONAL)
def get(world: World, request: Request, place: Place) -> Response:
    plan = _plan(world, place)
    return Response(body=_body(plan, place, _require(plan, place)))


@ROUTES.item("DELETE", PLANS, POOLED)
@ROUTES.item("DELETE", PLANS, PERSONAL)
def delete(world: World, request: Request, place: Place) -> Response:
    plan = _plan(world, place)
    schedule = _find(plan, place)
    if schedule is None:
        return Response(status=204)
    _schedules(plan, _kind(place)).remove(schedule)
    return Response()


@ROUTES.listing(PLANS, POOLED)
def list_pooled(world: World, request: Request, place: Place) -> Response:
    return _list(world, request, place, POOLED)


@ROUTES.listing(PLANS, PERSONAL)
def list_personal(world: World, request: Request, place: Place) -> Response:
    return _list(world, request, place, PERSONAL)


# ---------------------------------------------------------------- parts


def _list(world: World, request: Request, place: Place, kind: str) -> Response:
    plan = store.get(world, place.key)
    assert plan is not None, "the routes have looked for the parent"
    by_name = {str(each.get("name")).lower(): each for each in _schedules(plan, kind)}

    def show(key: str) -> dict[str, Any]:
        schedule = by_name[key]
        return _body(plan, place.child(kind, str(schedule.get("name"))), schedule)

    return paging.of_provider(world, request, sorted(by_name), show)


def _kind(place: Place) -> str:
    return POOLED if place.types[-1].lower() == POOLED.lower() else PERSONAL


def _plan(world: World, place: Place) -> Resource:
    plan = store.get(world, place.parent.key)
    assert plan is not None, "the routes have looked for the parent"
    return plan


def _schedules(plan: Resource, kind: str) -> list[dict[str, Any]]:
    home = plan.properties if kind == POOLED else plan.secrets
    found: list[dict[str, Any]] = home.setdefault("schedules", [])
    return found


def _find(plan: Resource, place: Place) -> dict[str, Any] | None:
    named = (each for each in _schedules(plan, _kind(place)) if str(each.get("name")).lower() == place.name.lower())
    return next(named, None)


def _require(plan: Resource, place: Place) -> dict[str, Any]:
    schedule = _find(plan, place)
    if schedule is None:
        raise errors.provider(404, "Schedule does not exist")
    return schedule


def _body(plan: Resource, place: Place, schedule: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in schedule.items() if name != "name"}
    added = scaling_plans.ADDED_TO_SCHEDULES if _kind(place) == POOLED else {}
    kind = f"{NAMESPACE}/{PLANS}/{_kind(place)}"
    seen = Resource(
        id=f"{plan.id}/{_kind(place)}/{schedule.get('name')}",
        type=kind,
        name=str(schedule.get("name")),
        properties={},
        created_by=plan.created_by,
        created_at=plan.created_at,
        modified_by=plan.modified_by,
        modified_at=plan.modified_at,
    )
    return bodies.child(seen, {**shown, **added})
