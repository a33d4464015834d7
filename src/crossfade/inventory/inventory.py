"""The classic estate as a document: each object with its origin, and what could not be read."""

from typing import Any, ClassVar

import msgspec

from crossfade.inventory.documents import digest
from crossfade.model.classic import (
    AppGroup,
    Assignment,
    Desktop,
    HostPool,
    RemoteApp,
    RoleAssignment,
    SessionHost,
    Tenant,
    UserSession,
)
from crossfade.model.provenance import Gap, Origin

__all__ = ["LIVE_VALUES", "Gap", "Inventory", "Origin"]


LIVE_VALUES = frozenset(
    {
        "origin",
        "sessions",
        "status",
        "last_heartbeat",
        "agent_version",
        "os_version",
        "sxs_stack_version",
        "update_state",
        "last_update_at",
        "update_error",
        "health",
        "status_at",
        "allow_new_session",
    }
)
"""Members of a session host that change by themselves: they say nothing about the design."""


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Lists are sorted by folded key; keys are unique within each list (assignments: key and folded UPN)."""

    FORMAT: ClassVar[str] = "crossfade/inventory@1"

    format: str = "crossfade/inventory@1"
    made_at: str = ""
    origins: list[Origin] = []
    tenants: list[Tenant] = []
    pools: list[HostPool] = []
    groups: list[AppGroup] = []
    desktops: list[Desktop] = []
    apps: list[RemoteApp] = []
    assignments: list[Assignment] = []
    hosts: list[SessionHost] = []
    sessions: list[UserSession] = []
    roles: list[RoleAssignment] = []
    gaps: list[Gap] = []

    def substance(self) -> dict[str, Any]:
        """Everything read, without where and when it was read and which live values it had at that moment."""
        names = ("tenants", "pools", "groups", "desktops", "apps", "assignments", "hosts", "roles")
        return {name: [_still(item) for item in getattr(self, name)] for name in names}

    def design_digest(self) -> str:
        """Digest of the substance: differs exactly when the estate itself has changed."""
        return digest(self.substance())


def _still(item: msgspec.Struct) -> dict[str, Any]:
    raw: dict[str, Any] = msgspec.to_builtins(item)
    return {name: value for name, value in raw.items() if name not in LIVE_VALUES}
