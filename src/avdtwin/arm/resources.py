"""Microsoft.Resources: what every subscription has before any service is used in it."""

from avdtwin.arm import cloud_metadata, diagnostics, providers, resource_groups, resource_lists, subscriptions, tags
from avdtwin.wire import Router


def register(router: Router) -> None:
    """Add every route of this provider."""
    for module in (cloud_metadata, diagnostics, subscriptions, resource_groups, resource_lists, providers, tags):
        module.register(router)
