"""Errors as ARM sends them: `{"error": {"code": …, "message": …}}`.

Two authors write them (facts/arm-service 2.5): the gateway, with a word as code, and the desktop virtualization
provider, with the status number as code and the call's ActivityId in the message.
"""

from avdtwin.wire import Response, WireError

__all__ = [
    "GatewayResponse",
    "ProviderError",
    "WireError",
    "bad_request",
    "gateway",
    "group_not_found",
    "not_registered",
    "parent_not_found",
    "provider",
    "resource_not_found",
    "subscription_not_found",
]


class GatewayResponse(Response, kw_only=True):
    """An answer that ARM itself made: it carries ARM's ids and none of the provider's headers (facts 2.3)."""


class ProviderError(WireError):
    """An error of the desktop virtualization provider; `with_activity` completes it."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(Response(status=status, headers=headers or {}))
        self.text = text

    def with_activity(self, activity_id: str) -> Response:
        response = self.response
        message = f"ActivityId: {activity_id} Error: {self.text}"
        response.body = {"error": {"code": str(response.status), "message": message}}
        return response


def provider(status: int, text: str) -> ProviderError:
    """An error in the provider's manner: code is the status, the message begins with the ActivityId."""
    return ProviderError(status, text)


def gateway(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> WireError:
    """An error in the manner of ARM itself, and of the providers that write their codes as words."""
    body = {"error": {"code": code, "message": message}}
    return WireError(
        GatewayResponse(status=status, body=body, headers={"x-ms-failure-cause": "gateway", **(headers or {})})
    )


def resource_not_found(resource_type: str, name: str, group: str) -> WireError:
    """404 for a top-level resource; `resource_type` in the service's casing (`Microsoft.Compute/virtualMachines`)."""
    return gateway(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_type}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def group_not_found(group: str) -> WireError:
    return gateway(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def parent_not_found(verb: str, resource_type: str, parent_id: str) -> WireError:
    """`verb` is read, write, delete or action; `resource_type` without its namespace."""
    return gateway(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type '{resource_type}', because the parent resource "
        f"'{parent_id}' could not be found.",
    )


def subscription_not_found(subscription: str) -> WireError:
    return gateway(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def not_registered(namespace: str) -> WireError:
    """409 that makes the SDK register the provider and try again: it reads the name between single quotes."""
    return gateway(
        409,
        "MissingSubscriptionRegistration",
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions.",
    )


def bad_request(message: str) -> WireError:
    """A body that ARM cannot read."""
    return gateway(400, "InvalidRequestContent", message)
