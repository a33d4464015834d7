"""Which property of a classic record becomes which member of the model, and how (facts/classic-service 1.3-1.15).

Names of properties are folded: cmdlets write PascalCase, REST camelCase, and two members have two names each.
"""

import msgspec

from crossfade.inventory.values import Convert, flag, guid, health, moment, name_of, open_name_of, text, whole
from crossfade.model import classic
from crossfade.sources.records import Kind

LOAD_BALANCERS = {0: "BreadthFirst", 1: "DepthFirst", 2: "Persistent"}
ASSIGNMENTS = {1: "Automatic", 2: "Direct"}
GROUP_KINDS = {0: "RemoteApp", 1: "Desktop"}
COMMAND_LINES = {0: "DoNotAllow", 1: "Allow", 2: "Require"}
SECRET_TYPES = {0: "SharedKey", 1: "Certificate"}
HOST_STATES = dict(
    enumerate(
        [
            "Available",
            "Unavailable",
            "Shutdown",
            "Disconnected",
            "Upgrading",
            "UpgradeFailed",
            "NoHeartbeat",
            "NotJoinedToDomain",
            "DomainTrustRelationshipLost",
            "SxSStackListenerNotReady",
            "FSLogixNotHealthy",
            "NeedsAssistance",
        ]
    )
)
UPDATE_STATES = dict(enumerate(["Initial", "Pending", "Started", "Succeeded", "Failed", "FailedHostRename"]))


class Field(msgspec.Struct, frozen=True):
    """`soft`: a value that cannot be read is left out with a gap; of the others it makes an export unusable.
    `design`: its absence from an export is worth a gap."""

    attribute: str
    convert: Convert
    soft: bool = False
    design: bool = True


def _text(attribute: str, *, design: bool = True) -> Field:
    return Field(attribute, text, design=design)


def _live(attribute: str, convert: Convert = text) -> Field:
    return Field(attribute, convert, soft=True, design=False)


_NAMES = {"friendlyname": _text("friendly_name"), "description": _text("description")}
_SECRET_TYPE = Field("sso_secret_type", open_name_of(SECRET_TYPES), design=False)
_VALIDATION = Field("validation", flag, design=False)

TENANT = {
    **_NAMES,
    "aadtenantid": Field("aad_tenant_id", guid),
    "azuresubscriptionid": Field("azure_subscription_id", guid, design=False),
    "ssoadfsauthority": _text("sso_adfs_authority"),
    "ssoclientid": _text("sso_client_id"),
    "ssoclientsecretset": Field("sso_secret_set", flag, design=False),
    "ssoclientsecrettype": _SECRET_TYPE,
    "ssosecrettype": _SECRET_TYPE,
    "loganalyticsworkspaceid": _text("log_analytics_workspace_id", design=False),
    "loganalyticsprimarykeyset": Field("log_analytics_key_set", flag, design=False),
}
POOL = {
    **_NAMES,
    "persistent": Field("personal", flag),
    "customrdpproperty": _text("custom_rdp_property"),
    "maxsessionlimit": Field("max_session_limit", whole),
    "loadbalancertype": Field("load_balancer", name_of(LOAD_BALANCERS)),
    "assignmenttype": Field("assignment", name_of(ASSIGNMENTS), design=False),
    "validationenv": _VALIDATION,
    "valdationenv": _VALIDATION,
    "ring": Field("ring", whole, design=False),
}
GROUP = {**_NAMES, "resourcetype": Field("kind", name_of(GROUP_KINDS))}
DESKTOP = {
    **_NAMES,
    "remotedesktopname": _text("name"),
    "showinwebfeed": Field("show_in_web_feed", flag),
}
APP = {
    **_NAMES,
    "filepath": _text("file_path"),
    "appalias": _text("app_alias", design=False),
    "commandlinesetting": Field("command_line_setting", name_of(COMMAND_LINES)),
    "requiredcommandline": _text("required_command_line"),
    "iconpath": _text("icon_path"),
    "iconindex": Field("icon_index", whole),
    "showinwebfeed": Field("show_in_web_feed", flag),
}
ASSIGNMENT = {"userprincipalname": _text("upn")}
HOST = {
    "allownewsession": _live("allow_new_session", flag),
    "assigneduser": _text("assigned_user"),
    "azurevmid": Field("azure_vm_id", guid),
    "azureresourceid": _text("azure_resource_id"),
    "sessions": _live("sessions", whole),
    "status": _live("status", open_name_of(HOST_STATES)),
    "statustimestamp": _live("status_at", moment),
    "lastheartbeat": _live("last_heartbeat", moment),
    "agentversion": _live("agent_version"),
    "osversion": _live("os_version"),
    "sxsstackversion": _live("sxs_stack_version"),
    "sessionhosthealthcheckresult": _live("health", health),
    "updatestate": _live("update_state", open_name_of(UPDATE_STATES)),
    "lastupdatetime": _live("last_update_at", moment),
    "updateerrormessage": _live("update_error"),
}
SESSION = {
    "userprincipalname": _text("upn"),
    "sessionid": Field("session_id", whole),
    "sessionstate": _live("state"),
    "applicationtype": _live("application_type"),
    "createtime": _live("created_at", moment),
    "adusername": _live("ad_user_name"),
}
ROLE = {
    "roledefinitionname": _text("role"),
    "objectid": Field("object_id", guid),
    "objecttype": _text("object_type"),
    "signinname": _text("sign_in_name"),
    "appid": Field("app_id", guid),
    "displayname": _text("display_name"),
    "roleassignmentid": Field("assignment_id", guid, design=False),
    "groupobjectid": Field("group_object_id", guid),
    "aadtenantid": Field("aad_tenant_id", guid, design=False),
}

FIELDS: dict[Kind, dict[str, Field]] = {
    Kind.TENANT_GROUP: {
        "friendlyname": Field("friendly_name", text, design=False),
        "description": Field("description", text, design=False),
    },
    Kind.TENANT: TENANT,
    Kind.POOL: POOL,
    Kind.GROUP: GROUP,
    Kind.DESKTOP: DESKTOP,
    Kind.APP: APP,
    Kind.ASSIGNMENT: ASSIGNMENT,
    Kind.HOST: HOST,
    Kind.SESSION: SESSION,
    Kind.ROLE: ROLE,
}
"""Kinds that an inventory holds, with their members."""

TYPES: dict[Kind, type[classic.ClassicObject]] = {
    Kind.TENANT_GROUP: classic.TenantGroup,
    Kind.TENANT: classic.Tenant,
    Kind.POOL: classic.HostPool,
    Kind.GROUP: classic.AppGroup,
    Kind.DESKTOP: classic.Desktop,
    Kind.APP: classic.RemoteApp,
    Kind.ASSIGNMENT: classic.Assignment,
    Kind.HOST: classic.SessionHost,
    Kind.SESSION: classic.UserSession,
    Kind.ROLE: classic.RoleAssignment,
}

NAMES = frozenset(
    [
        "tenantgroupname",
        "tenantname",
        "hostpoolname",
        "appgroupname",
        "remoteappname",
        "sessionhostname",
        "scope",
        "roledefinitionid",
    ]
)
"""Properties that are in the key, or follow from others: in no member and no `extra`."""

NEVER = frozenset(["item", "pscomputername", "runspaceid", "psshowcomputername", "psstandardmembers"])
"""Properties that say nothing: additions of remoting, and an indexer (1.14)."""
