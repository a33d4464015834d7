"""Directory objects as Graph writes them. `$select` picks from all members; without it the default ones go out."""

from typing import Any

from avdtwin.clock import iso
from avdtwin.state import Group, ServicePrincipal, User
from avdtwin.world import World

DirectoryObject = User | Group | ServicePrincipal

ODATA_TYPES = {User: "user", Group: "group", ServicePrincipal: "servicePrincipal"}
_NEVER_SET = (
    "businessPhones",
    "givenName",
    "jobTitle",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
)
_USER_DEFAULTS = (*_NEVER_SET, "displayName", "mail", "userPrincipalName", "id")


def shown(world: World, item: DirectoryObject, select: str | None = None, *, typed: bool = False) -> dict[str, Any]:
    """One object as JSON. `typed` adds `@odata.type`, as collections of mixed objects carry it. Members that were
    asked for and do not exist are left out.
    """
    members = whole(world, item)
    if select:
        wanted = {name.strip().lower() for name in select.split(",")}
        members = {name: value for name, value in members.items() if name.lower() in wanted}
    elif isinstance(item, User):
        members = {name: members[name] for name in _USER_DEFAULTS}
    kind = {"@odata.type": f"#microsoft.graph.{ODATA_TYPES[type(item)]}"} if typed else {}
    return kind | members


def whole(world: World, item: DirectoryObject) -> dict[str, Any]:
    """Every member the twin knows of an object."""
    if isinstance(item, User):
        return _user(item)
    if isinstance(item, Group):
        return _group(item)
    return _service_principal(world, item)


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "businessPhones": [],
        "displayName": user.display_name,
        "givenName": None,
        "jobTitle": None,
        "mail": user.mail,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
        "userPrincipalName": user.upn,
        "accountEnabled": user.enabled,
        "onPremisesSamAccountName": user.on_premises_sam,
        "userType": "Guest" if "#ext#" in user.upn.lower() else "Member",
        "proxyAddresses": [f"SMTP:{user.mail}"] if user.mail else [],
        "createdDateTime": iso(user.created_at, 0),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": iso(group.created_at, 0),
        "description": group.description,
        "displayName": group.display_name,
        "expirationDateTime": None,
        "groupTypes": list(group.group_types),
        "isAssignableToRole": group.role_assignable or None,
        "mail": f"{group.mail_nickname}@twin.invalid" if group.mail_enabled else None,
        "mailEnabled": group.mail_enabled,
        "mailNickname": group.mail_nickname,
        "membershipRule": group.membership_rule,
        "membershipRuleProcessingState": "On" if group.membership_rule else None,
        "onPremisesSyncEnabled": group.on_premises_sync or None,
        "renewedDateTime": iso(group.created_at, 0),
        "securityEnabled": group.security_enabled,
        "visibility": None,
    }


def _service_principal(world: World, found: ServicePrincipal) -> dict[str, Any]:
    return {
        "id": found.id,
        "accountEnabled": True,
        "appDisplayName": found.display_name,
        "appId": found.app_id,
        "appOwnerOrganizationId": world.state.directory.tenant_id,
        "createdDateTime": iso(found.created_at, 0),
        "displayName": found.display_name,
        "servicePrincipalNames": [found.app_id],
        "servicePrincipalType": "Application",
        "tags": [],
    }
