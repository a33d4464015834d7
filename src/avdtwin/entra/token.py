"""The token endpoint: client credentials, device code and refresh token; v1 (`resource`) and v2 (`scope`)."""

import base64
import json
from collections.abc import Callable
from typing import Any

from avdtwin import tokens
from avdtwin.entra import device, tenants
from avdtwin.entra.errors import NO_STORE, refuse
from avdtwin.entra.form import Form, audience_of, form_of, lacks
from avdtwin.state import ServicePrincipal
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World


def register(router: Router) -> None:
    router.add("POST", "/{tenant}/oauth2/v2.0/token", token_v2)
    router.add("POST", "/{tenant}/oauth2/token", token_v1)


def token_v2(world: World, request: Request, tenant: str) -> Response:
    return _answer(world, request, tenant, v1=False)


def token_v1(world: World, request: Request, tenant: str) -> Response:
    return _answer(world, request, tenant, v1=True)


def _answer(world: World, request: Request, tenant: str, *, v1: bool) -> Response:
    tenants.require(world, request, tenant)
    form = form_of(request)
    grant = form.get("grant_type")
    if not grant:
        raise lacks(world, request, "grant_type")
    handler = _GRANTS.get(grant)
    if handler is None:
        text = f"The app requested an unsupported grant type '{grant}'."
        raise refuse(world, request, 400, "unsupported_grant_type", 70003, text)
    body = handler(world, request, form)
    return Response(body=_as_v1(world, body) if v1 else body, headers=NO_STORE)


def _client_credentials(world: World, request: Request, form: Form) -> dict[str, Any]:
    client = _client(world, request, form)
    audience = audience_of(world, request, form, application=True)
    text = tokens.issue_access(world, object_id=client.id, app_id=client.app_id, upn=None, audience=audience)
    return _success(world, text, audience)


def _device_code(world: World, request: Request, form: Form) -> dict[str, Any]:
    sign_in = device.redeem(world, request, form.get("device_code") or form.get("code") or "")
    assert sign_in.user is not None, "a redeemed code has its user"
    return _for_user(world, sign_in.user, sign_in.app_id, sign_in.audience)


def _refresh(world: World, request: Request, form: Form) -> dict[str, Any]:
    try:
        caller = tokens.read_refresh(world, form.get("refresh_token", ""))
    except tokens.BadToken as error:
        text = "Error validating credentials. The refresh token is malformed or has expired."
        raise refuse(world, request, 400, "invalid_grant", 9002313, text) from error
    audience = audience_of(world, request, form, application=False)
    return _for_user(world, caller.object_id, caller.app_id or "", audience)


_GRANTS: dict[str, Callable[[World, Request, Form], dict[str, Any]]] = {
    "client_credentials": _client_credentials,
    "urn:ietf:params:oauth:grant-type:device_code": _device_code,
    "device_code": _device_code,
    "refresh_token": _refresh,
}


def _client(world: World, request: Request, form: Form) -> ServicePrincipal:
    """The application of a form, its secret checked."""
    app_id = form.get("client_id", "")
    if not app_id:
        raise lacks(world, request, "client_id")
    for found in world.state.directory.service_principals.values():
        if found.app_id.lower() == app_id.lower():
            _check_secret(world, request, found, form)
            return found
    raise refuse(
        world,
        request,
        400,
        "unauthorized_client",
        700016,
        f"Application with identifier '{app_id}' was not found in the directory '{world.state.directory.domain}'. This "
        "can happen if the application has not been installed by the administrator of the tenant or consented to by "
        "any user in the tenant. You may have sent your authentication request to the wrong tenant.",
    )


def _check_secret(world: World, request: Request, client: ServicePrincipal, form: Form) -> None:
    given = form.get("client_secret")
    if not given:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise refuse(world, request, 401, "invalid_client", 7000218, text)
    if client.secret is None or given != client.secret:
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{client.app_id}'."
        )
        raise refuse(world, request, 401, "invalid_client", 7000215, text)


def _for_user(world: World, object_id: str, app_id: str, audience: str) -> dict[str, Any]:
    user = world.state.directory.users[object_id]
    text = tokens.issue_access(world, object_id=user.id, app_id=app_id, upn=user.upn, audience=audience)
    account = json.dumps({"uid": user.id, "utid": world.state.directory.tenant_id}).encode()
    return {
        **_success(world, text, audience),
        "scope": f"{audience}/.default",
        "refresh_token": tokens.issue_refresh(world, object_id=user.id, app_id=app_id, upn=user.upn),
        "id_token": tokens.issue_id_token(world, object_id=user.id, app_id=app_id, upn=user.upn),
        "client_info": base64.urlsafe_b64encode(account).decode().rstrip("="),
    }


def _success(world: World, text: str, audience: str) -> dict[str, Any]:
    life = tokens.access_life_s(world)
    return {
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "resource": audience,
        "access_token": text,
    }


def _as_v1(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """v1 writes its numbers as text and adds the moments of beginning and end."""
    now = int(world.now)
    life = body["expires_in"]
    numbers = {"expires_in": life, "ext_expires_in": life, "expires_on": now + life, "not_before": now}
    return body | {name: str(value) for name, value in numbers.items()}
