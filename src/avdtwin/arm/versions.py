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


def of(request: Request) -> str:
    """The version asked for; empty when there is none."""
    return request.query.get("api-version", "").lower()


def require(request: Request, resource_type: str) -> None:
    """Refuse a version that the provider never had or has retired. `resource_type` without its namespace."""
    version = of(request)
    if version not in _ALL:
        raise unknown(version, resource_type)


def missing() -> WireError:
    return errors.gateway(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def unknown(version: str, resource_type: str) -> WireError:
    supported = ", ".join(sorted(_ALL))
    return errors.gateway(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location 'global' and API version '{version}' for type "
        f"'{resource_type}'. The supported api-versions are '{supported}'.",
    )


def is_preview(request: Request) -> bool:
    """Previews of 2023-11 and later show members that stable versions leave out."""
    return of(request).endswith("-preview")
