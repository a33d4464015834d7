"""Scaling plans with the schedules they carry (facts/arm-service 1.12). The twin keeps them; it does not scale."""

from typing import Any

from avdtwin.arm import bodies, errors, fields, hostpools, locations, names, paging, store
from avdtwin.arm.fields import Field, choice, records, text
from avdtwin.arm.ids import NAMESPACE, Place
from avdtwin.arm.routes import ROUTES, may_read
from avdtwin.state import Resource
from avdtwin.wire import Request, Response
from avdtwin.world import World

KIND = "scalingPlans"
TYPE = f"{NAMESPACE}/{KIND}"

FIELDS = (
    Field("friendlyName", text),
    Field("description", text),
    Field("timeZone", text, required=True),
    Field("hostPoolType", choice("Pooled", "Personal"), "Pooled", fixed=True),
    Field("exclusionTag", text, ""),
    Field("schedules", records, []),
    Field("hostPoolReferences", records, []),
)

_ORDER: dict[str, Any] = {
    "objectId": None,
    "friendlyName": None,
    "description": None,
    "timeZone": None,
    "hostPoolType": "Pooled",
    "exclusionTag": "",
    "schedules": [],
    "hostPoolReferences": [],
}

ADDED_TO_SCHEDULES = {"scalingMethod": "PowerManage", "createDelete": {"rampUpMinimumHostPoolSize": None}}
"""Members every schedule is answered with beside its own. Of the second only is known that it is an object of nulls."""


@ROUTES.item("PUT", KIND)
def put(world: World, request: Request, place: Place) -> Response:
    body = fields.body_of(request)
    names.require(world, KIND, place.name)
    location = locations.required(body, KIND)
    tags = fields.tags_of(body)
    stored = fields.for_put(FIELDS, fields.properties_of(body))
    _require_pools(world, stored["hostPoolReferences"])
    plan = store.get(world, place.key)
    created = plan is None
    if plan is None:
        plan = _new(world, place, bodies.author(request.principal))
    else:
        locations.require_same(plan, location)
    plan.location, plan.tags = location, tags
    plan.properties |= stored
    bodies.touch(world, plan, request.principal)
    return bodies.put_answer(plan, _body(plan), created)


@ROUTES.item("PATCH", KIND)
def patch(world: World, request: Request, place: Place) -> Response:
    plan = _require(world, place)
    body = fields.body_of(request)
    tags = fields.tags_of(body) if "tags" in body else plan.tags
    changed = fields.for_patch(FIELDS, fields.properties_of(body))
    _require_pools(world, changed.get("hostPoolReferences", []))
    plan.properties |= changed
    plan.tags = tags
    bodies.touch(world, plan, request.principal)
    return Response(body=_body(plan))


@ROUTES.item("GET", KIND)
def get(world: World, request: Request, place: Place) -> Response:
    return Response(body=_body(_require(world, place)))


@ROUTES.item("DELETE", KIND)
def delete(world: World, request: Request, place: Place) -> Response:
    plan = store.get(world, place.key)
    if plan is None:
        return errors.GatewayResponse(status=204)
    body = _body(plan)
    store.remove(world, plan)
    return Response(body=body)


@ROUTES.listing(KIND)
def list_in_group(world: World, request: Request, place: Place) -> Response:
    return paging.of_gateway(world, request, store.keys(world, place.group_id, KIND), _show(world))


@ROUTES.in_subscription(KIND)
def list_in_subscription(world: World, request: Request, subscription: str) -> Response:
    keys = store.keys(world, f"/subscriptions/{subscription}", KIND)
    return paging.of_gateway(world, request, keys, may_read(world, request, subscription, KIND, _show(world)))


@ROUTES.listing(hostpools.KIND, KIND, action="scalingplans/read")
def list_of_pool(world: World, request: Request, place: Place) -> Response:
    """The plans of the subscription that refer to a pool."""
    keys = store.keys(world, place.subscription_key, KIND)
    return paging.of_provider(world, request, keys, lambda key: _shown_for(world, key, place.key))


# ---------------------------------------------------------------- parts


def _new(world: World, place: Place, author: str | None) -> Resource:
    plan = Resource(
        id=place.id,
        type=TYPE,
        name=place.name,
        properties={"objectId": world.guid("object")},
        created_by=author,
        created_at=world.now,
    )
    return store.add(world, plan)


def _require_pools(world: World, references: list[dict[str, Any]]) -> None:
    for path in _pools(references):
        pool = store.get(world, path)
        if pool is None or pool.type.lower() != hostpools.TYPE.lower():
            raise errors.provider(400, f"HostPool {path} does not exist")


def _pools(references: list[dict[str, Any]]) -> list[str]:
    return [str(reference.get("hostPoolArmPath") or "") for reference in references]


def _require(world: World, place: Place) -> Resource:
    plan = store.get(world, place.key)
    if plan is None:
        raise errors.resource_not_found("Microsoft.DesktopVirtualization/scalingplans", place.name, place.group)
    return plan


def _show(world: World) -> paging.Show:
    return lambda key: _body(world.state.arm.resources[key])


def _shown_for(world: World, key: str, pool_key: str) -> dict[str, Any] | None:
    plan = world.state.arm.resources[key]
    pools = {path.lower() for path in _pools(plan.properties.get("hostPoolReferences") or [])}
    return _body(plan) if pool_key in pools else None


def _body(plan: Resource) -> dict[str, Any]:
    properties = {**_ORDER, **plan.properties}
    properties["schedules"] = [{**schedule, **ADDED_TO_SCHEDULES} for schedule in properties["schedules"]]
    return bodies.tracked(plan, properties)
