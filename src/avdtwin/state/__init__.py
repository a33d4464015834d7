"""Everything the twin knows, as data. A snapshot is this tree encoded; nothing of the twin lives outside it.

Rules: all times are seconds since 1970 UTC (float) or None; dictionaries are keyed by lower-cased names or ids (the
services compare without case) while the values keep the caller's casing; machines are keyed by their lower-cased VM
resource id.
"""

from avdtwin.state.arm import Arm, CustomRole, ImagePackage, Operation, Resource, RoleAssignment, Subscription
from avdtwin.state.classic import (
    AppGroup,
    Classic,
    ClassicHost,
    ClassicHostPool,
    ClassicRoleAssignment,
    ClassicTenant,
    ClassicTenantGroup,
    PublishedDesktop,
    RegistrationInfo,
    RemoteApp,
)
from avdtwin.state.directory import DeviceCode, Directory, Group, ServicePrincipal, User
from avdtwin.state.faults import Fault, FaultCall, FaultMatch, StaleAnswer
from avdtwin.state.logs import LogRow, Record
from avdtwin.state.machines import Agent, AgentRelease, Machine, Product, Script, Service, Session
from avdtwin.state.people import Person, Titles
from avdtwin.state.world import VERSION, DueEvent, WorldState

__all__ = [
    "VERSION",
    "Agent",
    "AgentRelease",
    "AppGroup",
    "Arm",
    "Classic",
    "ClassicHost",
    "ClassicHostPool",
    "ClassicRoleAssignment",
    "ClassicTenant",
    "ClassicTenantGroup",
    "CustomRole",
    "DeviceCode",
    "Directory",
    "DueEvent",
    "Fault",
    "FaultCall",
    "FaultMatch",
    "Group",
    "ImagePackage",
    "LogRow",
    "Machine",
    "Operation",
    "Person",
    "Product",
    "PublishedDesktop",
    "Record",
    "RegistrationInfo",
    "RemoteApp",
    "Resource",
    "RoleAssignment",
    "Script",
    "Service",
    "ServicePrincipal",
    "Session",
    "StaleAnswer",
    "Subscription",
    "Titles",
    "User",
    "WorldState",
]
