"""Where objects of the provider may be kept (facts/arm-service 1.13)."""

from typing import Any

from avdtwin.arm import errors
from avdtwin.arm.ids import NAMESPACE, wire_type
from avdtwin.state import Resource

REGIONS = (
    "australiaeast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "eastus",
    "eastus2",
    "japaneast",
    "northcentralus",
    "northeurope",
    "southcentralus",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westus",
    "westus2",
    "westus3",
)
"""The list of 2024-04; the twin of a sovereign cloud does not check it."""

_OTHER_CLOUDS = ("usgov", "usdod", "china")


def normal(location: str) -> str:
    """`West US 2` -> `westus2`."""
    return location.replace(" ", "").lower()


def required(body: dict[str, Any], kind: str) -> str:
    """The location a body asks for. Raises 400 when there is none or the provider is not there."""
    given = body.get("location")
    if not isinstance(given, str) or not given.strip():
        raise errors.gateway(400, "LocationRequired", "The location property is required for this definition.")
    location = normal(given)
    if location not in REGIONS and not location.startswith(_OTHER_CLOUDS):
        raise errors.gateway(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{given}' is not available for resource type '{wire_type(f'{NAMESPACE}/{kind}')}'. "
            f"List of available regions for the resource type is '{','.join(REGIONS)}'.",
        )
    return location


def require_same(existing: Resource, location: str) -> None:
    """A resource does not move: another location in a PUT is refused."""
    if existing.location and normal(existing.location) != location:
        raise errors.gateway(
            409,
            "InvalidResourceLocation",
            f"The resource '{existing.name}' already exists in location '{existing.location}' in resource group "
            f"'{existing.id.split('/')[4]}'. A resource with the same name cannot be created in location "
            f"'{location}'. Please select a new resource name.",
        )


def together(first: Resource, location: str | None) -> bool:
    """Whether a resource lies in a location."""
    return normal(first.location or "") == normal(location or "")
