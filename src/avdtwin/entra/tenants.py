"""The first segment of every sign-in address: a directory by id or domain, or one of the shared names."""

from avdtwin.entra.errors import refuse
from avdtwin.wire import Request
from avdtwin.world import World

SHARED = ("common", "organizations", "consumers")


def require(world: World, request: Request, tenant: str) -> None:
    """Refuse a directory that the twin does not have."""
    directory = world.state.directory
    known = {directory.tenant_id.lower(), directory.domain.lower(), *SHARED}
    if tenant.lower() not in known:
        raise refuse(
            world,
            request,
            400,
            "invalid_tenant",
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )
