"""The classic estate as a document: each object with its origin, and what could not be read."""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from crossfade.inventory.documents import digest
from crossfade.model.classic import (
    AppGroup,
    Assignment,
    ClassicObject,
    Desktop,
    HostPool,
    RemoteApp,
    RoleAssignment,
    SessionHost,
    Tenant,
    TenantGroup,
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


DESIGN_LISTS = ("tenant_groups", "tenants", "pools", "groups", "desktops", "apps", "assignments", "hosts", "roles")
"""All lists but the sessions."""


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """Lists are sorted by folded key; keys are unique within each list (assignments: key and folded UPN)."""

    FORMAT: ClassVar[str] = "crossfade/inventory@1"

    format: str = "crossfade/inventory@1"
    made_at: str = ""
    origins: list[Origin] = []
    tenant_groups: list[TenantGroup] = []
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
        return {name: _still(getattr(self, name)) for name in DESIGN_LISTS}

    def design_digest(self) -> str:
        """Digest of the substance: differs exactly when the estate itself has changed."""
        return digest({name: _blanked(getattr(self, name)) for name in DESIGN_LISTS})


def _still(items: Sequence[ClassicObject]) -> list[dict[str, Any]]:
    raws: list[dict[str, Any]] = msgspec.to_builtins(items)
    live = _live(items)
    for raw in raws:
        for name in live:
            del raw[name]
    return raws


def _blanked(items: Sequence[ClassicObject]) -> list[ClassicObject]:
    """With live values as if nobody had read them: much faster than plain data, and estates hold a million of these."""
    blank = dict.fromkeys(_live(items))
    return [msgspec.structs.replace(item, **blank) for item in items]


def _live(items: Sequence[ClassicObject]) -> frozenset[str]:
    """Members of this type of object (all are of one) that say nothing about the design."""
    return LIVE_VALUES.intersection(items[0].__struct_fields__) if items else frozenset()
