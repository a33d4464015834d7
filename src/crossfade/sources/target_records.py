"""What is asked of the ARM side and the directory, and what they answered, raw. Plain types: no client is needed here.

Rows are as ARM and Graph sent them, without registration tokens, icons and secrets. `inventory.snapshot` makes them one
TargetSnapshot.
"""

from typing import Any

import msgspec

from crossfade.model.provenance import Gap, Origin

PROVIDERS = ("Microsoft.DesktopVirtualization", "Microsoft.Compute")
"""Namespaces that must be registered in a subscription that takes the target."""

Rows = list[dict[str, Any]]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to look up besides the subscriptions themselves.

    `machines`: resource ids; `machine_ids`: GUIDs that VMs give themselves; `computers`: first labels of host names.
    With none of the three, every VM is wanted. `pools`: ids of the host pools whose hosts and groups matter; None: all.
    """

    subscriptions: list[str]
    upns: list[str] = []
    machines: list[str] = []
    machine_ids: list[str] = []
    computers: list[str] = []
    pools: list[str] | None = None
    candidates: bool = False
    """Whether to read existing groups that could publish something, with their people."""
    groups: list[str] = []
    """Object ids of groups to read in any case: those that a plan publishes through."""
    principals: list[str] = []
    """Object ids of administrators whose names are wanted."""
    logs: str = ""
    """Id of the Log Analytics workspace that is to get the logs, in whatever subscription."""


class TargetReading(msgspec.Struct, kw_only=True):
    """`grants`, `quotas`, `providers`, `machines`, `powers`: by subscription; `permissions`: by scope; `people`: by UPN
    as asked, None with a reason in `unread` for those that could not be looked up."""

    tenant_id: str = ""
    caller: str = ""
    read_at: str = ""
    origins: list[Origin] = []
    gaps: list[Gap] = []
    subscriptions: list[str] = []
    providers: dict[str, dict[str, dict[str, Any]]] = {}
    places: Rows = []
    """Azure locations, with `name` and `displayName`."""
    objects: Rows = []
    grants: dict[str, Rows] = {}
    roles: dict[str, Rows] = {}
    """Role definitions, by subscription."""
    addresses: dict[str, str] = {}
    """UPN that the directory does not know -> UPN of today of whoever has it as an address."""
    principals: dict[str, str] = {}
    """Object id of an administrator or of an application -> display name."""
    log_grants: Rows = []
    """Role assignments at the workspace of the logs and above it, where its subscription is none of these."""
    permissions: dict[str, Rows] = {}
    quotas: dict[str, dict[str, Any]] = {}
    machines: Rows = []
    powers: Rows = []
    people: dict[str, dict[str, Any] | None] = {}
    unread: dict[str, str] = {}
    groups: dict[str, str] = {}
    """Object id of a directory group -> display name."""
    members: dict[str, Rows] = {}
    """Object id of a directory group -> its people, those of nested groups included."""
    policies: Rows | None = []
    """Conditional Access policies; None: they could not be read."""
    candidates: Rows = []
    """Groups that could publish something, as the directory lists them."""
    candidate_people: dict[str, list[str] | None] = {}
    """Object id of a candidate -> object ids of its people; None: there are more than are read, or they may not be."""
    candidate_names: dict[str, dict[str, str]] = {}
    """Object id of a candidate -> object id -> UPN, of the first few people in it whom the estate does not list."""
    candidate_owners: dict[str, list[str]] = {}
