"""Microsoft.Compute: virtual machines, their power, their run commands (facts/arm-service 7), and snapshots of their
OS disks."""

from avdtwin.compute import action, extensions, limits, managed, operations, power, snapshots, vms
from avdtwin.wire import Router


def register(router: Router) -> None:
    """Add every route of this provider."""
    counted = limits.Counted(router)
    for module in (vms, power, action, managed, extensions, operations):
        module.register(counted)
    snapshots.register(router)
