"""ARM: resources of any kind, role assignments, operations under way."""

from typing import Any

import msgspec


class Resource(msgspec.Struct):
    """Any ARM resource, its `properties` in wire spelling as last stored by the service."""

    id: str
    """Caller's casing."""
    type: str
    """Provider and type, as declared: `Microsoft.DesktopVirtualization/hostPools`."""
    name: str
    """Last segment, caller's casing."""
    properties: dict[str, Any]
    location: str | None = None
    tags: dict[str, str] | None = None
    kind: str | None = None
    created_by: str | None = None
    created_at: float = 0.0
    modified_by: str | None = None
    modified_at: float = 0.0
    secrets: dict[str, Any] = {}
    """What the service keeps and never shows on GET: registration token, protected parameters."""
    vm: str | None = None
    """For session hosts: the machine behind it."""


class RoleAssignment(msgspec.Struct):
    id: str
    """Full id, caller's casing."""
    name: str
    scope: str
    role_definition_id: str
    principal_id: str
    principal_type: str
    created_at: float
    effective_at: float
    created_by: str | None = None
    description: str | None = None
    condition: str | None = None
    condition_version: str | None = None


class Subscription(msgspec.Struct):
    id: str
    display_name: str
    providers: dict[str, str] = {}
    """Lower-cased namespace -> NotRegistered, Registering or Registered."""


class Operation(msgspec.Struct):
    """A long-running operation of ARM: polled until `done_at`, then answers `result`."""

    id: str
    kind: str
    subscription: str
    location: str
    started_at: float
    done_at: float | None
    status: str = "InProgress"
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    target: str = ""


class ImagePackage(msgspec.Struct):
    """A package in an image on a file share. `resource` is empty for a main package, else what its part is for."""

    name: str
    version: str
    architecture: str
    publisher: str
    """The hash of the publisher, the last part of a package's full name."""
    resource: str = ""
    display_name: str | None = None
    applications: dict[str, str] = {}
    """Application id -> friendly name."""
    updated_at: float | None = None
    certificate_name: str | None = None
    certificate_expires_at: float | None = None
    timestamped: bool = True


class CustomRole(msgspec.Struct):
    """A role definition of the customer's own."""

    guid: str
    name: str
    actions: list[str] = []
    not_actions: list[str] = []
    data_actions: list[str] = []
    not_data_actions: list[str] = []


class Arm(msgspec.Struct):
    subscriptions: dict[str, Subscription] = {}
    resources: dict[str, Resource] = {}
    """Lower-cased id -> resource; resource groups too (type `Microsoft.Resources/resourceGroups`)."""
    role_assignments: dict[str, RoleAssignment] = {}
    """Lower-cased full id -> assignment."""
    custom_roles: dict[str, CustomRole] = {}
    """Lower-cased GUID -> role definition; the built-in ones are in `arm.roles`."""
    operations: dict[str, Operation] = {}
    images: dict[str, list[ImagePackage]] = {}
    """Lower-cased path on a file share -> packages of the image there, which session hosts read."""
    deployments: dict[str, dict[str, Any]] = {}
    """Deployment history: lower-cased id -> body as a GET shows it."""
