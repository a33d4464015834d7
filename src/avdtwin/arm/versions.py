"""API versions that the provider answers, and what they change in its bodies (facts/arm-service 1.14)."""

from avdtwin.arm import errors
from avdtwin.wire import Request, WireError

STABLE = ("2021-07-12", "2022-09-09", "2023-09-05", "2024-04-03", "2025-10-10")

PREVIEWS = (
    "2024-01-16-preview",
    "2024-03-06-preview",
    "2024-11-01-preview",
    "2025-03-01-preview",
    "2026-01-01-preview",
    "2026-04-01-preview",
)
"""Published and, as far as known, not retired; recorded traffic uses two of them."""

_ALL = frozenset(STABLE + PREVIEWS)

_FIRST = {
    "scalingplans/pooledschedules": "2022-09-09",
    "scalingplans/personalschedules": "2023-09-05",
    "hostpools/privateendpointconnections": "2023-09-05",
    "hostpools/privatelinkresources": "2023-09-05",
    "workspaces/privateendpointconnections": "2023-09-05",
    "workspaces/privatelinkresources": "2023-09-05",
    "appattachpackages": "2024-04-03",
    "hostpools/listregistrationtokens": "2024-04-03",
    "hostpools/importappattachpackageinfo": "2024-04-03",
}
"""The first stable version of what came after 2021-07-12: types, and actions by the name of their type. The accepted
previews are newer than all of them.
"""


def of(request: Request) -> str:
    """The version asked for; empty when there is none."""
    return request.query.get("api-version", "").lower()


def require(request: Request, resource_type: str) -> None:
    """Refuse a version that the provider never had or has retired. `resource_type` without its namespace."""
    version = of(request)
    if version not in known_to(resource_type):
        raise unknown(version, resource_type)


def require_action(request: Request, resource_type: str, verb: str) -> None:
    """Refuse an action that the version did not have. ARM passes actions on, so the provider answers; inferred."""
    require(request, resource_type)
    if of(request) not in known_to(f"{resource_type}/{verb}"):
        raise errors.provider(404, f"The action {verb} does not exist in API version {of(request)}")


def known_to(what: str) -> frozenset[str]:
    """The versions that have a type, or an action (`hostPools/listRegistrationTokens`), by its name in any casing."""
    first = _FIRST.get(what.lower(), STABLE[0])
    return _ALL if first == STABLE[0] else frozenset(each for each in _ALL if each >= first or each not in STABLE)


def missing() -> WireError:
    return errors.gateway(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def unknown(version: str, resource_type: str) -> WireError:
    supported = ", ".join(sorted(known_to(resource_type)))
    return errors.gateway(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location 'global' and API version '{version}' for type "
        f"'{resource_type}'. The supported api-versions are '{supported}'.",
    )


def is_preview(request: Request) -> bool:
    """Previews of 2023-11 and later show members that stable versions leave out."""
    return of(request).endswith("-preview")
