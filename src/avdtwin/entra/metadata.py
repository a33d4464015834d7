"""What the sign-in service says about itself: OpenID configuration, keys, instance discovery."""

from typing import Any

from avdtwin import tokens
from avdtwin.entra import tenants
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World


def register(router: Router) -> None:
    router.add("GET", "/{tenant}/v2.0/.well-known/openid-configuration", configuration_v2)
    router.add("GET", "/{tenant}/.well-known/openid-configuration", configuration_v1)
    router.add("GET", "/{tenant}/discovery/v2.0/keys", keys)
    router.add("GET", "/{tenant}/discovery/keys", keys)
    router.add("GET", "/{tenant}/discovery/instance", instance)


def configuration_v2(world: World, request: Request, tenant: str) -> Response:
    return _configuration(world, request, tenant, "/v2.0")


def configuration_v1(world: World, request: Request, tenant: str) -> Response:
    return _configuration(world, request, tenant, "")


def keys(world: World, request: Request, tenant: str) -> Response:
    return Response(body={"keys": [tokens.public_key()]})


def instance(world: World, request: Request, tenant: str) -> Response:
    """Which names belong to one cloud. The twin has one: its own address."""
    host = request.origin.removeprefix("https://")
    return Response(
        body={
            "tenant_discovery_endpoint": f"{_base(world, request, 'common')}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )


def _configuration(world: World, request: Request, tenant: str, version: str) -> Response:
    tenants.require(world, request, tenant)
    base = _base(world, request, tenant)
    body: dict[str, Any] = {
        "token_endpoint": f"{base}/oauth2{version}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "jwks_uri": f"{base}/discovery{version}/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}{version}",
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{base}/oauth2{version}/authorize",
        "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
        "end_session_endpoint": f"{base}/oauth2{version}/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "oid", "tid", "upn", "preferred_username"],
        "tenant_region_scope": "NA",
        "cloud_instance_name": request.origin.removeprefix("https://"),
        "msgraph_host": request.origin.removeprefix("https://"),
    }
    return Response(body=body)


def _base(world: World, request: Request, tenant: str) -> str:
    """`https://host/tenant`: shared names stay, a domain becomes its id."""
    shared = tenant.lower() in tenants.SHARED
    return f"{request.origin}/{tenant.lower() if shared else world.state.directory.tenant_id}"
