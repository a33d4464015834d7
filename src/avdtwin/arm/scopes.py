"""Scopes in the paths of extension resources (`{scope}/providers/Microsoft.Authorization/…`)."""

import re

from avdtwin.arm import errors, store
from avdtwin.wire import Principal, Request
from avdtwin.world import World

_PARTS = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)"
    r"(?:/resourcegroups/(?P<group>[^/]+)(?:/providers/(?P<namespace>[^/]+)/(?P<type>[^/]+)/(?P<name>[^/]+)(?P<rest>/.+)?)?)?$",
    re.I,
)


def scope_of(captured: str) -> str:
    """The scope that a route's `{scope*}` caught, with a leading slash: `/` for the root."""
    return "/" + "/".join(part for part in captured.split("/") if part)


def require(world: World, scope: str) -> None:
    """Raise 404 unless the subscription, resource group or resource of a scope is there. The root, and scopes of kinds
    the twin does not know (management groups), pass.
    """
    parts = _PARTS.match(scope)
    if parts is None:
        return
    if parts["subscription"].lower() not in world.state.arm.subscriptions:
        raise errors.subscription_not_found(parts["subscription"])
    if parts["group"] is None:
        return
    if store.get(world, f"/subscriptions/{parts['subscription']}/resourceGroups/{parts['group']}") is None:
        raise errors.group_not_found(parts["group"])
    if parts["namespace"] is not None and store.get(world, scope) is None:
        head = f"{parts['namespace']}/{parts['type']}"
        raise errors.resource_not_found(head, parts["name"] + (parts["rest"] or ""), parts["group"])


def subscription_of(scope: str) -> str | None:
    """Lower-cased id of the subscription a scope lies in; None above subscriptions."""
    parts = scope.lower().split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else None


def caller_of(request: Request) -> Principal:
    """Who calls; ARM's gateway has made sure there is somebody."""
    assert request.principal is not None, "a call without a caller came through the gateway"
    return request.principal
