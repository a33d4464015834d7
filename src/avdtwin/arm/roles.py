"""Azure's built-in roles, as far as a migration meets them.

Names and ids: facts, arm-service 5.1. Actions are those of the published definitions (Microsoft Learn, "Azure built-in
roles"), cut to the providers the twin knows. A condition on an assignment is kept, not evaluated.
"""

import msgspec

from avdtwin.state import CustomRole
from avdtwin.world import World


class Role(msgspec.Struct, frozen=True):
    guid: str
    name: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    custom: bool = False

    @property
    def id(self) -> str:
        return f"/providers/Microsoft.Authorization/roleDefinitions/{self.guid}"


_AVD = "Microsoft.DesktopVirtualization"
_VM = "Microsoft.Compute/virtualMachines"
_READ_ACCESS = "Microsoft.Authorization/*/read"
_READ_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/read"
_COMMON = (
    _READ_ACCESS,
    _READ_GROUPS,
    "Microsoft.Resources/deployments/*",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Support/*",
)
_COMMON_READ = (
    _READ_ACCESS,
    _READ_GROUPS,
    "Microsoft.Resources/deployments/read",
    "Microsoft.Insights/alertRules/read",
    "Microsoft.Support/*",
)

ROLES: tuple[Role, ...] = (
    Role(
        "1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63",
        "Desktop Virtualization User",
        "Allows user to use the applications in an application group.",
        data_actions=(f"{_AVD}/applicationGroups/useApplications/action",),
    ),
    Role(
        "082f0a83-3be5-4ba1-904c-961cca79b387",
        "Desktop Virtualization Contributor",
        "Contributor of Desktop Virtualization.",
        actions=(f"{_AVD}/*", *_COMMON),
    ),
    Role(
        "49a72310-ab8d-41df-bbb0-79b649203868",
        "Desktop Virtualization Reader",
        "Reader of Desktop Virtualization.",
        actions=(f"{_AVD}/*/read", *_COMMON_READ),
    ),
    Role(
        "e307426c-f9b6-4e81-87de-d99efb3c32bc",
        "Desktop Virtualization Host Pool Contributor",
        "Contributor of the Desktop Virtualization Host Pool.",
        actions=(f"{_AVD}/hostpools/*", *_COMMON),
    ),
    Role(
        "ceadfde2-b300-400a-ab7b-6143895aa822",
        "Desktop Virtualization Host Pool Reader",
        "Reader of the Desktop Virtualization Host Pool.",
        actions=(f"{_AVD}/hostpools/*/read", f"{_AVD}/hostpools/read", *_COMMON_READ),
    ),
    Role(
        "86240b0e-9422-4c43-887b-b61143f32ba8",
        "Desktop Virtualization Application Group Contributor",
        "Contributor of the Desktop Virtualization Application Group.",
        actions=(
            f"{_AVD}/applicationgroups/*",
            f"{_AVD}/hostpools/read",
            f"{_AVD}/hostpools/sessionhosts/read",
            *_COMMON,
        ),
    ),
    Role(
        "aebf23d0-b568-4e86-b8f9-fe83a2c6ab55",
        "Desktop Virtualization Application Group Reader",
        "Reader of the Desktop Virtualization Application Group.",
        actions=(
            f"{_AVD}/applicationgroups/*/read",
            f"{_AVD}/applicationgroups/read",
            f"{_AVD}/hostpools/read",
            f"{_AVD}/hostpools/sessionhosts/read",
            *_COMMON_READ,
        ),
    ),
    Role(
        "21efdde3-836f-432b-bf3d-3e8e734d4b2b",
        "Desktop Virtualization Workspace Contributor",
        "Contributor of the Desktop Virtualization Workspace.",
        actions=(f"{_AVD}/workspaces/*", f"{_AVD}/applicationgroups/read", *_COMMON),
    ),
    Role(
        "0fa44ee9-7a7d-466b-9bb2-2bf446b1204d",
        "Desktop Virtualization Workspace Reader",
        "Reader of the Desktop Virtualization Workspace.",
        actions=(f"{_AVD}/workspaces/read", f"{_AVD}/applicationgroups/read", *_COMMON_READ),
    ),
    Role(
        "2ad6aaab-ead9-4eaa-8ac5-da422f562408",
        "Desktop Virtualization Session Host Operator",
        "Operator of the Desktop Virtualization Session Host.",
        actions=(f"{_AVD}/hostpools/read", f"{_AVD}/hostpools/sessionhosts/*", *_COMMON),
    ),
    Role(
        "ea4bfff8-7fb4-485a-aadd-d4129a0ffaa6",
        "Desktop Virtualization User Session Operator",
        "Operator of the Desktop Virtualization User Session.",
        actions=(
            f"{_AVD}/hostpools/read",
            f"{_AVD}/hostpools/sessionhosts/read",
            f"{_AVD}/hostpools/sessionhosts/usersessions/*",
            *_COMMON,
        ),
    ),
    Role(
        "489581de-a3bd-480d-9518-53dea7416b33",
        "Desktop Virtualization Power On Contributor",
        "Provide permission to the Azure Virtual Desktop Resource Provider to start virtual machines.",
        actions=(
            f"{_VM}/start/action",
            f"{_VM}/read",
            f"{_VM}/instanceView/read",
            _READ_ACCESS,
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/deployments/*",
            _READ_GROUPS,
        ),
    ),
    Role(
        "40c5ff49-9181-41f8-ae61-143b0e78555e",
        "Desktop Virtualization Power On Off Contributor",
        "Provide permission to the Azure Virtual Desktop Resource Provider to start and stop virtual machines.",
        actions=(
            f"{_VM}/start/action",
            f"{_VM}/read",
            f"{_VM}/instanceView/read",
            f"{_VM}/deallocate/action",
            f"{_VM}/restart/action",
            f"{_VM}/powerOff/action",
            "Microsoft.Insights/eventtypes/values/read",
            _READ_ACCESS,
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/deployments/*",
            _READ_GROUPS,
            f"{_AVD}/hostpools/read",
            f"{_AVD}/hostpools/write",
            f"{_AVD}/hostpools/sessionhosts/read",
            f"{_AVD}/hostpools/sessionhosts/write",
            f"{_AVD}/hostpools/sessionhosts/usersessions/read",
            f"{_AVD}/hostpools/sessionhosts/usersessions/delete",
            f"{_AVD}/hostpools/sessionhosts/usersessions/sendMessage/action",
        ),
    ),
    Role(
        "a959dbd1-f747-45e3-8ba6-dd80f235f97c",
        "Desktop Virtualization Virtual Machine Contributor",
        "This role allows the Azure Virtual Desktop Resource Provider to create, delete, update, start, and stop "
        "virtual machines.",
        actions=(
            f"{_AVD}/hostpools/read",
            f"{_AVD}/hostpools/write",
            f"{_AVD}/hostpools/retrieveRegistrationToken/action",
            f"{_AVD}/hostpools/sessionhosts/read",
            f"{_AVD}/hostpools/sessionhosts/write",
            f"{_AVD}/hostpools/sessionhosts/delete",
            f"{_AVD}/hostpools/sessionhosts/usersessions/read",
            f"{_AVD}/hostpools/sessionhosts/usersessions/disconnect/action",
            f"{_AVD}/hostpools/sessionhosts/usersessions/sendMessage/action",
            f"{_VM}/read",
            f"{_VM}/write",
            f"{_VM}/delete",
            f"{_VM}/start/action",
            f"{_VM}/powerOff/action",
            f"{_VM}/restart/action",
            f"{_VM}/deallocate/action",
            f"{_VM}/runCommand/action",
            f"{_VM}/instanceView/read",
            f"{_VM}/extensions/read",
            f"{_VM}/extensions/write",
            f"{_VM}/extensions/delete",
            f"{_VM}/runCommands/read",
            f"{_VM}/runCommands/write",
            f"{_VM}/runCommands/delete",
            "Microsoft.Network/networkInterfaces/*",
            *_COMMON,
        ),
    ),
    Role(
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        actions=("*",),
    ),
    Role(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage "
        "assignments in Azure Blueprints, or share image galleries.",
        actions=("*",),
        not_actions=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
        ),
    ),
    Role(
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "View all resources, but does not allow you to make any changes.",
        actions=("*/read",),
    ),
    Role(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        actions=("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
    ),
    Role(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        "Manage access to Azure resources by assigning roles using Azure RBAC.",
        actions=(
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    Role(
        "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
        "Virtual Machine Contributor",
        "Lets you manage virtual machines, but not access to them, and not the virtual network or storage account "
        "they're connected to.",
        actions=(
            _READ_ACCESS,
            "Microsoft.Compute/availabilitySets/*",
            "Microsoft.Compute/locations/*",
            f"{_VM}/*",
            "Microsoft.Compute/virtualMachineScaleSets/*",
            "Microsoft.Compute/cloudServices/*",
            "Microsoft.Compute/disks/write",
            "Microsoft.Compute/disks/read",
            "Microsoft.Compute/disks/delete",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Network/networkInterfaces/*",
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            _READ_GROUPS,
            "Microsoft.Support/*",
        ),
    ),
    Role(
        "7efff54f-a5b4-42b5-a1c5-5411624893ce",
        "Disk Snapshot Contributor",
        "Provides permission to backup vault to manage disk snapshots.",
        actions=(
            _READ_ACCESS,
            _READ_GROUPS,
            "Microsoft.Compute/snapshots/delete",
            "Microsoft.Compute/snapshots/write",
            "Microsoft.Compute/snapshots/read",
            "Microsoft.Compute/snapshots/beginGetAccess/action",
            "Microsoft.Compute/snapshots/endGetAccess/action",
            "Microsoft.Compute/disks/beginGetAccess/action",
        ),
    ),
    Role(
        "fb879df8-f326-4884-b1cf-06f3ad86be52",
        "Virtual Machine User Login",
        "View Virtual Machines in the portal and login as a regular user.",
        actions=(f"{_VM}/*/read", "Microsoft.Network/networkInterfaces/read"),
        data_actions=(f"{_VM}/login/action",),
    ),
    Role(
        "1c0163c0-47e6-4577-8991-ea5c82e286e4",
        "Virtual Machine Administrator Login",
        "View Virtual Machines in the portal and login as administrator",
        actions=(f"{_VM}/*/read", "Microsoft.Network/networkInterfaces/read"),
        data_actions=(f"{_VM}/login/action", f"{_VM}/loginAsAdmin/action"),
    ),
    Role(
        "73c42c96-874c-492b-b04d-ab87d138a893",
        "Log Analytics Reader",
        "Log Analytics Reader can view and search all monitoring data as well as and view monitoring settings.",
        actions=("*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"),
        not_actions=("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    Role(
        "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
        "Log Analytics Contributor",
        "Log Analytics Contributor can read all monitoring data and edit monitoring settings.",
        actions=(
            "*/read",
            f"{_VM}/extensions/*",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.OperationalInsights/*",
            "Microsoft.OperationsManagement/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Support/*",
        ),
    ),
    Role(
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        "Monitoring Reader",
        "Can read all monitoring data.",
        actions=("*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"),
    ),
    Role(
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        "Monitoring Contributor",
        "Can read all monitoring data and update monitoring settings.",
        actions=(
            "*/read",
            "Microsoft.Insights/*",
            "Microsoft.OperationalInsights/workspaces/write",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.Support/*",
        ),
    ),
)

BY_GUID = {role.guid: role for role in ROLES}
BY_NAME = {role.name.lower(): role for role in ROLES}


def of_definition_id(world: World, definition_id: str) -> Role | None:
    """The role of a definition id, with or without a scope before it; its last segment decides."""
    guid = definition_id.rstrip("/").rsplit("/", 1)[-1].lower()
    found = world.state.arm.custom_roles.get(guid)
    return BY_GUID.get(guid) if found is None else _of_custom(found)


def every(world: World) -> list[Role]:
    """The built-in ones, then those of the customer's own."""
    return [*ROLES, *map(_of_custom, world.state.arm.custom_roles.values())]


def _of_custom(found: CustomRole) -> Role:
    return Role(
        found.guid,
        found.name,
        "",
        tuple(found.actions),
        tuple(found.not_actions),
        tuple(found.data_actions),
        tuple(found.not_data_actions),
        custom=True,
    )
