"""Microsoft.Authorization: role assignments, role definitions, permissions, locks."""

from avdtwin.arm import locks, permissions, role_assignments, role_definitions
from avdtwin.wire import Router


def register(router: Router) -> None:
    """Add every route of this provider."""
    for module in (role_assignments, role_definitions, permissions, locks):
        module.register(router)
