"""Resource providers of a subscription and their registration (facts: arm-service 2.8)."""

from typing import Any

import msgspec

from avdtwin.arm import errors, rights, versions
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.locations import REGIONS
from avdtwin.arm.regions import DISPLAY_NAMES
from avdtwin.arm.scopes import caller_of
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World, on


class Provider(msgspec.Struct, frozen=True):
    namespace: str
    types: tuple[str, ...]
    versions: tuple[str, ...]
    regions: tuple[str, ...] = tuple(DISPLAY_NAMES)
    always: bool = False
    """Registered in every subscription from the start."""


_AVD_TYPES = (
    "hostpools",
    "hostpools/sessionhosts",
    "hostpools/sessionhosts/usersessions",
    "hostpools/usersessions",
    "hostpools/msixpackages",
    "hostpools/privateendpointconnections",
    "applicationgroups",
    "applicationgroups/applications",
    "applicationgroups/desktops",
    "applicationgroups/startmenuitems",
    "workspaces",
    "workspaces/privateendpointconnections",
    "scalingplans",
    "appattachpackages",
    "operations",
)
PROVIDERS = (
    Provider("Microsoft.DesktopVirtualization", _AVD_TYPES, tuple(sorted(versions.STABLE, reverse=True)), REGIONS),
    Provider(
        "Microsoft.Compute",
        ("virtualMachines", "virtualMachines/extensions", "virtualMachines/runCommands", "locations/operations"),
        ("2026-04-01", "2024-07-01", "2023-03-01"),
    ),
    Provider("Microsoft.Network", ("networkInterfaces", "virtualNetworks"), ("2024-05-01",)),
    Provider("Microsoft.Storage", ("storageAccounts",), ("2023-05-01",)),
    Provider("Microsoft.Insights", ("diagnosticSettings", "diagnosticSettingsCategories"), ("2021-05-01-preview",)),
    Provider("Microsoft.OperationalInsights", ("workspaces",), ("2025-07-01", "2023-09-01", "2022-10-01")),
    Provider("Microsoft.ResourceGraph", ("resources",), ("2021-03-01",), always=True),
    Provider(
        "Microsoft.Authorization",
        ("roleAssignments", "roleDefinitions", "permissions", "locks", "roleAssignmentsUsageMetrics"),
        ("2022-04-01",),
        always=True,
    ),
    Provider(
        "Microsoft.Resources",
        ("subscriptions", "resourceGroups", "deployments", "tags", "tenants", "providers"),
        ("2025-04-01", "2022-12-01", "2021-04-01"),
        always=True,
    ),
)
_BY_NAMESPACE = {provider.namespace.lower(): provider for provider in PROVIDERS}
_ONE = "/subscriptions/{subscription}/providers/{namespace}"


def register(router: Router) -> None:
    router.add("GET", "/subscriptions/{subscription}/providers", list_all)
    router.add("GET", _ONE, get)
    router.add("POST", _ONE + "/register", begin)
    router.add("POST", _ONE + "/unregister", undo)
    router.add("GET", "/providers", list_for_tenant)
    router.add("GET", "/providers/{namespace}", get_for_tenant)


def list_all(world: World, request: Request, subscription: str) -> Response:
    rights.require(world, caller_of(request), "Microsoft.Resources/subscriptions/providers/read", _scope(subscription))
    return GatewayResponse(body={"value": [shown(world, subscription, each) for each in PROVIDERS]})


def get(world: World, request: Request, subscription: str, namespace: str) -> Response:
    """Readable with any right in the subscription: reading providers is not refused to anybody who sees it."""
    return GatewayResponse(body=shown(world, subscription, _require(namespace)))


def begin(world: World, request: Request, subscription: str, namespace: str) -> Response:
    """`Registering` at once, `Registered` after `provider_register_s`."""
    provider = _require(namespace)
    action = f"{provider.namespace}/register/action"
    rights.require(world, caller_of(request), action, _scope(subscription))
    if state_of(world, subscription, provider) == "NotRegistered":
        _set(world, subscription, provider.namespace, "Registering")
        delay = world.between("provider", world.setting("provider_register_s"))
        world.schedule(delay, "provider registered", subscription=subscription, namespace=provider.namespace)
    return GatewayResponse(body=shown(world, subscription, provider))


def undo(world: World, request: Request, subscription: str, namespace: str) -> Response:
    provider = _require(namespace)
    action = f"{provider.namespace}/unregister/action"
    rights.require(world, caller_of(request), action, _scope(subscription))
    _set(world, subscription, provider.namespace, "NotRegistered")
    return GatewayResponse(body=shown(world, subscription, provider))


def list_for_tenant(world: World, request: Request) -> Response:
    return GatewayResponse(body={"value": [_plain(each) for each in PROVIDERS]})


def get_for_tenant(world: World, request: Request, namespace: str) -> Response:
    return GatewayResponse(body=_plain(_require(namespace)))


@on("provider registered")
def _registered(world: World, at: float, subscription: str, namespace: str) -> None:
    held = world.state.arm.subscriptions.get(subscription.lower())
    if held is not None and held.providers.get(namespace.lower()) == "Registering":
        _set(world, subscription, namespace, "Registered")


def state_of(world: World, subscription: str, provider: Provider) -> str:
    if provider.always:
        return "Registered"
    return world.state.arm.subscriptions[subscription.lower()].providers.get(
        provider.namespace.lower(), "NotRegistered"
    )


def shown(world: World, subscription: str, provider: Provider) -> dict[str, Any]:
    """A provider as a subscription sees it."""
    head = {"id": f"/subscriptions/{subscription}/providers/{provider.namespace}"}
    tail = {
        "registrationState": state_of(world, subscription, provider),
        "registrationPolicy": "RegistrationFree" if provider.always else "RegistrationRequired",
    }
    return head | _plain(provider) | tail


def _plain(provider: Provider) -> dict[str, Any]:
    locations = [DISPLAY_NAMES[region] for region in provider.regions]
    types = [
        {
            "resourceType": kind,
            "locations": locations,
            "apiVersions": _versions(provider, kind),
            "defaultApiVersion": provider.versions[0],
            "capabilities": "CrossResourceGroupResourceMove, SupportsTags, SupportsLocation",
        }
        for kind in provider.types
    ]
    return {"namespace": provider.namespace, "resourceTypes": types}


def _versions(provider: Provider, kind: str) -> list[str]:
    """Those of the provider, for desktop virtualization without those that did not have the type yet."""
    known = versions.known_to(kind) if provider is PROVIDERS[0] else provider.versions
    return [version for version in provider.versions if version in known]


def _require(namespace: str) -> Provider:
    found = _BY_NAMESPACE.get(namespace.lower())
    if found is None:
        message = f"The resource namespace '{namespace}' is invalid."
        raise errors.gateway(404, "InvalidResourceNamespace", message)
    return found


def _set(world: World, subscription: str, namespace: str, state: str) -> None:
    world.state.arm.subscriptions[subscription.lower()].providers[namespace.lower()] = state


def _scope(subscription: str) -> str:
    return f"/subscriptions/{subscription}"
