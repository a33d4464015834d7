"""Commands that a script may use, one noun per file. Importing this package fills the allow-list."""

from avdtwin.powershell.commands import (
    acls,
    items,
    objects,
    processes,
    services,
    signatures,
    system,
    text,
    web,
)

__all__ = ["acls", "items", "objects", "processes", "services", "signatures", "system", "text", "web"]
