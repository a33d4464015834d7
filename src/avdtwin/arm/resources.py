"""Microsoft.Resources: what every subscription has before any service is used in it."""

from avdtwin.arm import (
    cloud_metadata,
    diagnostics,
    log_workspaces,
    providers,
    resource_graph,
    resource_groups,
    resource_lists,
    subscriptions,
    tags,
)
from avdtwin.wire import Router

_MODULES = (
    cloud_metadata,
    diagnostics,
    log_workspaces,
    resource_graph,
    subscriptions,
    resource_groups,
    resource_lists,
    providers,
    tags,
)


def register(router: Router) -> None:
    """Add every route of this provider."""
    for module in _MODULES:
        module.register(router)
