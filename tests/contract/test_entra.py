"""Sign-in at the twin, through azure-identity and by hand."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from _furnished import APP_ID, APP_OBJECT_ID, SECRET
from _inprocess import ORIGIN, TENANT, Twin, ask
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, DeviceCodeCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

from avdtwin import tokens
from avdtwin.entra import device
from avdtwin.server import Endpoint
from avdtwin.world import World

ARM = "https://management.azure.com/.default"
CLASSIC = "https://mrs-prod.ame.gbl/mrs-RDInfra-prod"
V2 = f"/{TENANT}/oauth2/v2.0/token"
V1 = f"/{TENANT}/oauth2/token"
CLIENT = {"grant_type": "client_credentials", "client_id": APP_ID, "client_secret": SECRET}


def post(twin: Twin, path: str, **form: str) -> tuple[int, Any]:
    """A form post: (status, JSON)."""
    answer = asyncio.run(ask(twin.app, "POST", path, {}, urlencode(form).encode()))
    return answer.status, answer.json()


def options(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "authority": endpoint.url,
        "disable_instance_discovery": True,
        "connection_verify": str(endpoint.ca_file),
    }


# ---------------------------------------------------------------- azure-identity, unmodified


@pytest.mark.parametrize("scope", [ARM, "https://graph.microsoft.com/.default", f"{CLASSIC}/.default"])
def test_client_secret_credential(endpoint: Endpoint, scope: str) -> None:
    with ClientSecretCredential(TENANT, APP_ID, SECRET, **options(endpoint)) as credential:
        token = credential.get_token(scope).token
    caller = endpoint.call(lambda world: tokens.read_access(world, f"Bearer {token}"))
    assert caller.object_id == APP_OBJECT_ID
    assert caller.app_id == APP_ID
    assert caller.upn is None
    assert f"{caller.audience}/.default" == scope


def test_client_secret_credential_async(endpoint: Endpoint) -> None:
    async def sign_in() -> str:
        async with AsyncClientSecretCredential(TENANT, APP_ID, SECRET, **options(endpoint)) as credential:
            return (await credential.get_token(ARM)).token

    claims = jwt.decode(asyncio.run(sign_in()), options={"verify_signature": False})
    assert claims["oid"] == APP_OBJECT_ID
    assert claims["tid"] == TENANT


def test_the_twins_own_address_is_an_audience(endpoint: Endpoint) -> None:
    with ClientSecretCredential(TENANT, APP_ID, SECRET, **options(endpoint)) as credential:
        assert credential.get_token(f"{endpoint.url}/.default").token


def test_wrong_secret_is_told_by_its_number(endpoint: Endpoint) -> None:
    with (
        ClientSecretCredential(TENANT, APP_ID, "wrong", **options(endpoint)) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(ARM)


def test_unknown_tenant(endpoint: Endpoint) -> None:
    other = "12345678-0000-4000-a000-000000000000"
    with (
        ClientSecretCredential(other, APP_ID, SECRET, **options(endpoint)) as credential,
        pytest.raises((ClientAuthenticationError, ValueError)),
    ):
        credential.get_token(ARM)


def test_device_code_credential_polls_until_somebody_enters_the_code(endpoint: Endpoint) -> None:
    endpoint.call(lambda world: world.state.settings.update(device_code_interval_s=1))
    shown = threading.Event()

    def prompt(_uri: str, code: str, _expires: Any) -> None:
        endpoint.call(lambda world: device.approve(world, code, "USER03@contoso.example"))
        shown.set()

    with DeviceCodeCredential(
        "public-client", tenant_id=TENANT, prompt_callback=prompt, **options(endpoint)
    ) as credential:
        arm = credential.get_token(ARM).token
        classic = credential.get_token(f"{CLASSIC}/.default").token
    assert shown.is_set()
    first, second = (jwt.decode(text, options={"verify_signature": False}) for text in (arm, classic))
    assert first["upn"] == second["upn"] == "user03@contoso.example"
    assert second["aud"] == CLASSIC


# ---------------------------------------------------------------- by hand


def test_v1_takes_a_resource_and_writes_numbers_as_text(twin: Twin) -> None:
    status, body = post(twin, V1, resource=CLASSIC.lower(), **CLIENT)
    assert status == 200
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == "3599"
    assert body["not_before"] == str(int(twin.world.now))
    assert body["resource"] == CLASSIC.lower()


def test_a_slash_at_the_end_of_the_audience_stays(twin: Twin) -> None:
    status, body = post(twin, V2, scope="https://management.azure.com//.default", **CLIENT)
    assert status == 200
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["aud"] == "https://management.azure.com/"


def test_the_published_key_verifies_the_tokens(twin: Twin) -> None:
    _, body = post(twin, V2, scope=ARM, **CLIENT)
    keys = asyncio.run(ask(twin.app, "GET", f"/{TENANT}/discovery/v2.0/keys", {}, b"")).json()
    key = jwt.PyJWK(keys["keys"][0])
    flags: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    assert jwt.decode(body["access_token"], key, algorithms=["RS256"], options=flags)["appid"] == APP_ID


@pytest.mark.parametrize(
    ("path", "form", "status", "error", "number"),
    [
        (V2, CLIENT | {"client_id": "nobody", "scope": ARM}, 400, "unauthorized_client", 700016),
        (V2, CLIENT | {"client_secret": "x", "scope": ARM}, 401, "invalid_client", 7000215),
        (V2, {"grant_type": "client_credentials", "client_id": APP_ID, "scope": ARM}, 401, "invalid_client", 7000218),
        (V2, CLIENT | {"scope": "https://management.azure.com/user_impersonation"}, 400, "invalid_scope", 1002012),
        (V2, CLIENT | {"scope": "https://elsewhere.example/.default"}, 400, "invalid_resource", 500011),
        (V2, CLIENT, 400, "invalid_request", 900144),
        (V2, {"client_id": APP_ID}, 400, "invalid_request", 900144),
        (V1, {"grant_type": "password", "client_id": APP_ID}, 400, "unsupported_grant_type", 70003),
        ("/nowhere.example/oauth2/token", CLIENT | {"resource": CLASSIC}, 400, "invalid_tenant", 90002),
    ],
)
def test_errors(twin: Twin, path: str, form: dict[str, str], status: int, error: str, number: int) -> None:
    answered, body = post(twin, path, **form)
    assert (answered, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert body["trace_id"]


def test_metadata_points_back_here(twin: Twin) -> None:
    for version in ("/v2.0", ""):
        url = f"/{TENANT}{version}/.well-known/openid-configuration"
        body = asyncio.run(ask(twin.app, "GET", url, {}, b"")).json()
        assert body["token_endpoint"] == f"{ORIGIN}/{TENANT}/oauth2{version}/token"
    discovery = asyncio.run(ask(twin.app, "GET", "/common/discovery/instance?api-version=1.1", {}, b"")).json()
    assert discovery["metadata"][0]["aliases"] == ["management.azure.com"]


def test_a_device_code_waits_then_works_once_then_is_gone(twin: Twin) -> None:
    _, started = post(twin, f"/{TENANT}/oauth2/devicecode", client_id="public", resource=CLASSIC)
    poll = {"grant_type": "device_code", "client_id": "public", "code": started["device_code"]}
    assert post(twin, V1, **poll)[1]["error"] == "authorization_pending"
    page = asyncio.run(ask(twin.app, "GET", "/common/oauth2/deviceauth?otc=%22%3E", {}, b""))
    assert b'value="&quot;&gt;"' in page.content
    post_page = urlencode({"code": started["user_code"].lower(), "upn": "user01@contoso.example"}).encode()
    assert asyncio.run(ask(twin.app, "POST", "/common/oauth2/deviceauth", {}, post_page)).status == 200
    status, body = post(twin, V1, **poll)
    assert (status, body["token_type"]) == (200, "Bearer")
    assert post(twin, V1, **poll)[1]["error"] == "bad_verification_code"


def test_a_device_code_expires(twin: Twin, world: World) -> None:
    _, started = post(twin, f"/{TENANT}/oauth2/devicecode", client_id="public", resource=CLASSIC)
    world.clock.advance(901)  # type: ignore[attr-defined]
    status, body = post(twin, V1, grant_type="device_code", client_id="public", code=started["device_code"])
    assert (status, body["error"]) == (400, "expired_token")


# ---------------------------------------------------------------- tokens in use


def test_a_token_ends_by_the_twins_clock(twin: Twin, world: World) -> None:
    _, body = post(twin, V2, scope=ARM, **CLIENT)
    headers = {"authorization": f"Bearer {body['access_token']}"}
    assert twin.call("GET", "/subscriptions", headers=headers).status == 200
    world.clock.advance(3599)  # type: ignore[attr-defined]
    late = twin.call("GET", "/subscriptions", headers=headers)
    assert late.status == 401
    assert late.json()["error"]["code"] == "ExpiredAuthenticationToken"
    assert late.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer nonsense", "Bearer a.b.c"])
def test_what_is_no_token_is_refused(twin: Twin, header: str) -> None:
    for path in ("/subscriptions", "/v1.0/users"):
        answer = twin.call("GET", path, headers={"authorization": header})
        assert answer.status == 401
        assert "Bearer" in answer.headers["www-authenticate"]


def test_a_token_of_another_key_is_refused(world: World) -> None:
    text = jwt.encode({"oid": "x", "tid": TENANT, "exp": 2**33, "nbf": 0, "aud": ORIGIN}, "secret" * 8)
    with pytest.raises(tokens.BadToken):
        tokens.read_access(world, f"Bearer {text}")


def test_a_token_for_another_service_is_refused(twin: Twin) -> None:
    _, body = post(twin, V2, scope=f"{CLASSIC}/.default", **CLIENT)
    headers = {"authorization": f"Bearer {body['access_token']}"}
    answer = twin.call("GET", "/subscriptions", headers=headers)
    assert (answer.status, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")
    assert twin.call("GET", "/v1.0/users", headers=headers).status == 401


def test_registration_tokens_tell_their_service_and_end(world: World) -> None:
    arm = tokens.issue_registration(world, service="arm", pool_object_id="pool", expires_at=world.now + 3600.9)
    classic = tokens.issue_registration(world, service="classic", pool_object_id="old", expires_at=world.now + 60)
    claims = tokens.read_registration(world, arm)
    assert (claims.service, claims.pool_object_id) == ("arm", "pool")
    assert claims.claims["BrokerResourceIdUri"].startswith("https://pool.rdbroker")
    assert claims.expires_at == int(world.now + 3600.9)
    assert tokens.read_registration(world, classic).service == "classic"
    header = jwt.get_unverified_header(arm)
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert "kid" in header
    world.settle_until(world.now + 61)
    with pytest.raises(tokens.BadToken) as caught:
        tokens.read_registration(world, classic)
    assert caught.value.code == "EXPIRED_REGISTRATION_TOKEN"


def test_an_access_token_is_no_registration_token(world: World) -> None:
    text = tokens.issue_access(world, object_id="x", app_id=None, upn=None, audience=ORIGIN)
    with pytest.raises(tokens.BadToken):
        tokens.read_registration(world, text)


def test_tokens_outlive_a_snapshot(world: World) -> None:
    text = tokens.issue_access(world, object_id="x", app_id=None, upn=None, audience=ORIGIN)
    again = World.restore(world.snapshot(), world.clock)
    assert tokens.read_access(again, f"Bearer {text}").object_id == "x"
