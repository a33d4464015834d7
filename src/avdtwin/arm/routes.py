"""Routes of the provider: what is checked before a handler sees a call, the same for all of them.

Order: API version, provider registration, rights, resource group, outermost parent. A handler is called as
`handler(world, request, place)`: the place is the resource itself for a resource and its actions, and the parent for a
list (with no names at all for the lists of a resource group).
"""

from collections.abc import Callable

from avdtwin import activity
from avdtwin.arm import bodies, errors, limits, rights, shapes, store, versions
from avdtwin.arm.ids import NAMESPACE, Place, place_of
from avdtwin.arm.paging import Show
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

PlaceHandler = Callable[[World, Request, Place], Response]

_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{NAMESPACE}"
_SUBSCRIPTION = f"/subscriptions/{{subscription}}/providers/{NAMESPACE}"
_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}


class Routes:
    """The provider's routes, added to ARM's router by `register`."""

    def __init__(self) -> None:
        self._added: list[tuple[str, str, Callable[..., Response]]] = []
        self._actions: set[str] = set()

    def item(self, method: str, *kinds: str) -> Callable[[PlaceHandler], PlaceHandler]:
        """A resource: `@routes.item("GET", "hostPools", "sessionHosts")`."""
        return self._add(method, _template(kinds), kinds, f"{'/'.join(kinds).lower()}/{_VERBS[method]}")

    def listing(self, *kinds: str, action: str = "") -> Callable[[PlaceHandler], PlaceHandler]:
        """The list of a kind below its parent, or in a resource group."""
        asked = action or f"{'/'.join(kinds).lower()}/read"
        return self._add("GET", f"{_template(kinds[:-1])}/{kinds[-1]}", kinds, asked)

    def action(self, verb: str, *kinds: str) -> Callable[[PlaceHandler], PlaceHandler]:
        """A POST on a resource."""
        asked = f"{'/'.join(kinds).lower()}/{verb}/action"
        return self._add("POST", f"{_template(kinds)}/{verb}", kinds, asked, verb)

    def in_subscription(self, kind: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """The list of a kind in a subscription, `handler(world, request, subscription)`. Made by ARM itself: it shows
        what the caller may read, and nothing when that is nothing.
        """

        def register(handler: Callable[..., Response]) -> Callable[..., Response]:
            def serve(world: World, request: Request, subscription: str) -> Response:
                versions.require(request, kind)
                return _shaped(handler(world, request, subscription), shapes.of(kind, versions.of(request)))

            self._added.append(("GET", f"{_SUBSCRIPTION}/{kind}", serve))
            return handler

        return register

    def actions(self) -> list[str]:
        """Every action that some route asks a right for."""
        return sorted(f"{NAMESPACE}/{action}" for action in self._actions)

    def register(self, router: Router) -> None:
        for method, template, handler in self._added:
            router.add(method, template, handler)

    def _add(
        self, method: str, tail: str, kinds: tuple[str, ...], action: str, verb: str = ""
    ) -> Callable[[PlaceHandler], PlaceHandler]:
        kind = "/".join(kinds)

        def register(handler: PlaceHandler) -> PlaceHandler:
            def serve(world: World, request: Request, **_names: str) -> Response:
                place = place_of(request.path)
                if verb:
                    versions.require_action(request, kind, verb)
                else:
                    versions.require(request, kind)
                assert request.principal is not None, "the call was not authenticated"
                rights.require(
                    world, request.principal, f"{NAMESPACE}/{action}", place.id if place.names else place.group_id
                )
                _require_surroundings(world, request, place, kinds)
                if place.names:
                    is_list = method == "GET" and kinds[-1] == "sessionHosts" and len(place.names) < len(kinds)
                    request.answer_headers |= limits.count(world, place.subscription, session_host_list=is_list)
                shape = shapes.of(f"{kind}/{verb}" if verb else kind, versions.of(request))
                request.reading = shape.read
                return _shaped(_told(world, request, place, handler), shape)

            self._added.append((method, _GROUP + tail, serve))
            self._actions.add(action)
            return handler

        return register


ROUTES = Routes()


def may_read(world: World, request: Request, subscription: str, kind: str, show: Show) -> Show:
    """`show` for what the caller may read: a list of a subscription leaves the rest out without a word."""
    assert request.principal is not None, "the call was not authenticated"
    caller = request.principal.object_id
    action = f"{NAMESPACE}/{kind.lower()}/read"
    if not world.setting("rights_enforced") or rights.allows(world, caller, action, f"/subscriptions/{subscription}"):
        return show
    return lambda key: show(key) if rights.allows(world, caller, action, key) else None


def _shaped(response: Response, shape: shapes.Shape) -> Response:
    if shape.write is not None:
        response.body = shapes.written(response.body, shape.write)
    return response


def _told(world: World, request: Request, place: Place, handler: PlaceHandler) -> Response:
    """The answer; a change that it made is told to whoever listens to the outermost resource."""
    key = place.cut(1).key if place.names else ""
    listening = activity.sinks(world, key, "Management") if key and request.method not in ("GET", "HEAD") else []
    response = handler(world, request, place)
    counted = _COUNTED.get((request.method, response.status))
    # What was just made tells nobody of its making: it has no settings yet.
    if listening and counted:
        inner = place.id if len(place.names) > 1 else ""
        told = {"Route": f"{request.method} {request.route}", "ArmObjectScope": inner, counted: 1}
        activity.managed(world, listening, key, {**told, "UserName": bodies.author(request.principal) or ""})
    return response


_COUNTED = {
    ("PUT", 201): "ObjectsCreated",
    ("PUT", 200): "ObjectsUpdated",
    ("PATCH", 200): "ObjectsUpdated",
    ("DELETE", 200): "ObjectsDeleted",
}
"""What a call counts as in the log, by its answer; others are left out. The route's name is the twin's own."""


def _template(kinds: tuple[str, ...]) -> str:
    return "".join(f"/{kind}/{{name{at}}}" for at, kind in enumerate(kinds))


def _require_surroundings(world: World, request: Request, place: Place, kinds: tuple[str, ...]) -> None:
    """The provider is registered in the subscription; the resource group and the outermost parent are there."""
    subscription = world.state.arm.subscriptions.get(place.subscription.lower())
    assert subscription is not None, "ARM has looked for the subscription"
    registered = subscription.providers.get(NAMESPACE.lower(), "NotRegistered")
    # Over plain http the SDK could not register it by itself (facts 12.2).
    if registered != "Registered" and request.origin.startswith("https:"):
        raise errors.not_registered(NAMESPACE)
    if store.get(world, place.group_id) is None:
        raise errors.group_not_found(place.group)
    if len(kinds) > 1 and place.names and store.get(world, place.cut(1).key) is None:
        raise errors.parent_not_found(_VERBS[request.method], "/".join(kinds), place.cut(1).id)
