"""Entra and Graph: people, their groups, service principals."""

from typing import Any

import msgspec


class User(msgspec.Struct):
    id: str
    upn: str
    display_name: str = ""
    enabled: bool = True
    deleted: bool = False
    mail: str | None = None
    on_premises_sam: str | None = None
    created_at: float = 0.0


class Group(msgspec.Struct):
    id: str
    display_name: str
    members: dict[str, float] = {}
    """Object id (users or groups) -> since when it counts for access, somewhat after it was added."""
    owners: list[str] = []
    description: str | None = None
    mail_nickname: str = ""
    mail_enabled: bool = False
    security_enabled: bool = True
    group_types: list[str] = []
    membership_rule: str | None = None
    on_premises_sync: bool = False
    role_assignable: bool = False
    created_at: float = 0.0


class ServicePrincipal(msgspec.Struct):
    id: str
    app_id: str
    display_name: str
    secret: str | None = None
    created_at: float = 0.0


class DeviceCode(msgspec.Struct):
    """A sign-in started on a device that cannot show a page."""

    user_code: str
    device_code: str
    app_id: str
    audience: str
    expires_at: float
    user: str | None = None
    """Object id of who entered the code; None while nobody has."""


class Directory(msgspec.Struct):
    tenant_id: str
    domain: str = "contoso.com"
    users: dict[str, User] = {}
    """Object id -> user."""
    groups: dict[str, Group] = {}
    service_principals: dict[str, ServicePrincipal] = {}
    """Object id -> service principal."""
    upns: dict[str, str] = {}
    """Lower-cased UPN -> object id, of users not deleted."""
    conditional_access: list[dict[str, Any]] = []
    replicating: dict[str, float] = {}
    """Object id of something new -> when the rest of the cloud will know it."""
    device_codes: dict[str, DeviceCode] = {}
    """User code -> sign-in that waits for somebody to enter it."""
