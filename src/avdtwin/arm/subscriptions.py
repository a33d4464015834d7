"""Subscriptions, their locations, and the directories a caller can see."""

from typing import Any

from avdtwin.arm import rights
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.regions import DISPLAY_NAMES
from avdtwin.arm.scopes import caller_of
from avdtwin.state import Subscription
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World


def register(router: Router) -> None:
    router.add("GET", "/subscriptions", list_all)
    router.add("GET", "/subscriptions/{subscription}", get)
    router.add("GET", "/subscriptions/{subscription}/locations", locations)
    router.add("GET", "/tenants", tenants)


def list_all(world: World, request: Request) -> Response:
    """The subscriptions in which the caller holds any role, at any depth."""
    caller = caller_of(request).object_id
    every = world.state.arm.subscriptions.values()
    found = [
        _shown(world, each) for each in every if not world.setting("rights_enforced") or _sees(world, caller, each)
    ]
    return GatewayResponse(body={"value": found, "count": {"type": "Total", "value": len(found)}})


def get(world: World, request: Request, subscription: str) -> Response:
    scope = f"/subscriptions/{subscription}"
    found = world.state.arm.subscriptions[subscription.lower()]
    caller = caller_of(request)
    if world.setting("rights_enforced") and not _sees(world, caller.object_id, found):
        raise rights.forbidden(caller, "Microsoft.Resources/subscriptions/read", scope)
    return GatewayResponse(body=_shown(world, found))


def locations(world: World, request: Request, subscription: str) -> Response:
    value = [
        {
            "id": f"/subscriptions/{subscription}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": shown,
            "regionalDisplayName": shown,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name, shown in DISPLAY_NAMES.items()
    ]
    return GatewayResponse(body={"value": value})


def tenants(world: World, request: Request) -> Response:
    held = world.state.directory
    body = {
        "id": f"/tenants/{held.tenant_id}",
        "tenantId": held.tenant_id,
        "countryCode": "US",
        "displayName": held.domain.split(".")[0].title(),
        "domains": [held.domain],
        "tenantCategory": "Home",
        "defaultDomain": held.domain,
        "tenantType": "AAD",
    }
    return GatewayResponse(body={"value": [body]})


def _sees(world: World, caller: str, subscription: Subscription) -> bool:
    scope = f"/subscriptions/{subscription.id}"
    if next(rights.counting(world, caller, scope), None) is not None:
        return True
    inside = (world.state.arm.role_assignments[key] for key in rights.of_subscription(world, subscription.id))
    return any(
        each.effective_at <= world.now and rights.is_or_holds(world, each.principal_id.lower(), caller.lower())
        for each in inside
    )


def _shown(world: World, subscription: Subscription) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": world.state.directory.tenant_id,
        "displayName": subscription.display_name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
