"""Tenants (facts/classic-service 1.4)."""

from typing import Any

from avdtwin.classic import access, fields, places
from avdtwin.classic.errors import refusal
from avdtwin.classic.fields import Field
from avdtwin.classic.limits import refuse_above
from avdtwin.classic.paging import Order, drop, page_of, put
from avdtwin.classic.roles import make_owner
from avdtwin.classic.routes import TENANT, TENANTS, created, deleted, route
from avdtwin.state import ClassicTenant
from avdtwin.wire import Request, Response
from avdtwin.world import World

ORDER = Order("TenantName", "TenantIncorrectSortField")
SECRET_TYPES = {"SharedKey": 0, "Certificate": 1}

FIELDS = (
    fields.FRIENDLY_NAME,
    fields.DESCRIPTION,
    Field("ssoAdfsAuthority", "sso_adfs_authority", fields.emptiable),
    Field("ssoClientId", "sso_client_id", fields.emptiable),
    Field("ssoClientSecret", "sso_client_secret", fields.emptiable),
    Field("ssoSecretType", "sso_secret_type", fields.choice(SECRET_TYPES, "TenantCannotUpdate")),
    Field("azureSubscriptionId", "azure_subscription_id", fields.guid("SubscriptionIdNotGuid")),
    Field("logAnalyticsWorkspaceId", "log_analytics_workspace_id", fields.guid("LogAnalyticsWorkspaceIdNotGuid")),
    Field("logAnalyticsPrimaryKey", "log_analytics_primary_key", fields.emptiable),
)


def row(world: World, tenant_group: str, tenant: ClassicTenant) -> dict[str, Any]:
    return {
        "tenantGroupName": tenant_group,
        "aadTenantId": tenant.aad_tenant_id,
        "tenantName": tenant.name,
        "description": tenant.description,
        "friendlyName": tenant.friendly_name,
        "ssoAdfsAuthority": tenant.sso_adfs_authority,
        "ssoClientId": tenant.sso_client_id,
        "ssoClientSecret": _masked(world, tenant.sso_client_secret),
        "ssoSecretType": tenant.sso_secret_type,
        "azureSubscriptionId": tenant.azure_subscription_id,
        "logAnalyticsWorkspaceId": tenant.log_analytics_workspace_id,
        "logAnalyticsPrimaryKey": _masked(world, tenant.log_analytics_primary_key),
    }


def _masked(world: World, secret: str | None) -> str | None:
    """Secrets never come back (2.14)."""
    return "********" if secret and world.setting("classic_secrets") == "asterisks" else None


@route("GET", TENANTS)
def list_tenants(world: World, request: Request, tenant_group: str) -> Response:
    path = (tenant_group,)
    visible = access.filter_for(world, request, access.READ, path)
    group = places.tenant_group(world, path)
    return page_of(world, request, group.tenants, ORDER, lambda tenant: row(world, group.name, tenant), visible)


@route("GET", TENANT)
def get_tenant(world: World, request: Request, tenant_group: str, tenant: str) -> Response:
    path = (tenant_group, tenant)
    access.require(world, request, access.READ, path)
    group, found = places.walk(world, path)
    return Response(body=row(world, group.name, found))


@route("POST", TENANT)
def create_tenant(world: World, request: Request, tenant_group: str, tenant: str) -> Response:
    path = (tenant_group, tenant)
    _refuse_creator(world, request, tenant_group)
    group = places.tenant_group(world, path)
    body = fields.read_under(world, request, path)
    if tenant.lower() in group.tenants:
        raise refusal(world, "TenantAlreadyExists")
    _refuse_late(world)
    refuse_above(world, "classic_tenants_limit", len(group.tenants), "MaxTenantsLimitPerAADTenantIdReached")
    values = fields.changes(world, body, FIELDS, creating=True)
    made = ClassicTenant(name=fields.new_name(world, tenant), aad_tenant_id=_directory(world, body), **values)
    put(world, group.tenants, made.name.lower(), made)
    make_owner(world, request, path)
    return created(world, row(world, group.name, made))


def _refuse_creator(world: World, request: Request, tenant_group: str) -> None:
    """Creators are users with the application role TenantCreator, or with rights at the tenant group (2.2)."""
    caller = access.caller(request)
    if caller.upn is None:
        raise refusal(world, "TenantCreationWithServicePrincipalsNotSupported")
    if caller.object_id.lower() not in {str(item).lower() for item in world.setting("classic_tenant_creators")}:
        access.require(world, request, access.WRITE, (tenant_group,))


def _refuse_late(world: World) -> None:
    """No new tenants since 2023-09-30 (7)."""
    last = world.setting("classic_new_tenants_until")
    if last is not None and world.now >= last:
        raise refusal(
            world, "TenantCannotBeCreated", "New tenants are no longer accepted by Azure Virtual Desktop (classic)."
        )


def _directory(world: World, body: fields.Body) -> str:
    value = str(body.get("aadtenantid") or "")
    if not fields.is_guid(value):
        raise refusal(world, "TenantAadTenantIdNotValid", f"aadTenantId '{value}' is not a directory id.")
    return value


@route("PATCH", TENANT)
def change_tenant(world: World, request: Request, tenant_group: str, tenant: str) -> Response:
    path = (tenant_group, tenant)
    access.require(world, request, access.WRITE, path)
    group, found = places.walk(world, path)
    body = fields.read_under(world, request, path)
    directory = body.get("aadtenantid")
    if directory is not None and str(directory).lower() != found.aad_tenant_id.lower():
        raise refusal(world, "TenantCannotUpdate", "The directory of a tenant cannot be changed.")
    fields.apply(found, fields.changes(world, body, FIELDS))
    return Response(body=row(world, group.name, found))


@route("DELETE", TENANT)
def remove_tenant(world: World, request: Request, tenant_group: str, tenant: str) -> Response:
    path = (tenant_group, tenant)
    access.require(world, request, access.WRITE, path)
    group, found = places.walk(world, path)
    if found.pools:
        raise refusal(world, "TenantCannotBeRemovedHasSessionHostPools")
    access.drop_below(world, path)
    drop(world, group.tenants, found.name.lower())
    return deleted(world)
