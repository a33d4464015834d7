"""The choices of sign-in, and where their secrets come from and go to."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from azure.core import AsyncPipelineClient
from azure.core.credentials import AccessToken
from wires import ORIGIN, Wire, clock, retries

from crossfade import errors
from crossfade.clock import SystemClock
from crossfade.cloud.clouds import PUBLIC, custom
from crossfade.cloud.credentials import InThread, SignIn, Surroundings, credential
from crossfade.cloud.retry import Retrying
from crossfade.cloud.transport import AsgiTransport

SECRET = "planted-S3cret-value"
TENANT = "11111111-1111-1111-1111-111111111111"
PRINCIPAL = SignIn(choice="service-principal", tenant_id=TENANT, client_id="app")


def around(at: Any, wire: Any, **options: Any) -> Surroundings:
    transport = AsgiTransport(wire, at)
    policies = [Retrying("entra", retries(at))]
    client = AsyncPipelineClient(ORIGIN, policies=policies, transport=transport)
    options.setdefault("environ", {"CROSSFADE_CLIENT_SECRET": SECRET})
    return Surroundings(cloud=custom(ORIGIN), clock=at, transport=transport, token_client=client, **options)


def answer(token: str = "t-1") -> Wire:
    return Wire((200, {}, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(errors.InputError) as caught:
        SignIn(choice="service-principal").check()
    assert [problem.where for problem in caught.value.problems] == ["tenant_id", "client_id"]
    with pytest.raises(errors.InputError, match="device-code"):
        SignIn(choice="smoke-signals").check()


def test_a_service_principal_signs_in_through_our_pipeline_where_time_is_not_the_machines() -> None:
    at, wire = clock(), answer()
    made = credential(PRINCIPAL, around(at, wire))
    token = at.run(made.get_token("https://x/.default"))
    assert (token.token, token.expires_on) == ("t-1", int(at.timestamp()) + 3599)
    assert wire.requests[0]["path"] == f"/{TENANT}/oauth2/v2.0/token"
    assert b"client_secret=planted-S3cret-value" in wire.requests[0]["body"]
    assert SECRET not in repr(made)
    with pytest.raises(TypeError, match="never stored"):
        pickle.dumps(made)


def test_the_secret_is_asked_for_where_the_environment_has_none() -> None:
    at, wire = clock(), answer()
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return "typed"

    options = {"environ": {"X": "y"}, "prompt": prompt}
    at.run(credential(PRINCIPAL, around(at, wire, **options)).get_token("s"))
    assert asked == ["Client secret of app: "]
    assert b"client_secret=typed" in wire.requests[0]["body"]
    with pytest.raises(errors.Unauthorized, match="CROSSFADE_CLIENT_SECRET"):
        credential(PRINCIPAL, around(at, wire, environ={"X": "y"}))


def test_a_directory_that_echoes_the_secret_does_not_get_it_into_the_error() -> None:
    at = clock()
    body = {"error": "invalid_client", "error_description": f"AADSTS7000215: {SECRET} is wrong."}
    with pytest.raises(errors.CloudError) as caught:
        at.run(credential(PRINCIPAL, around(at, Wire((401, {}, body)))).get_token("s"))
    assert isinstance(caught.value, errors.Unauthorized)
    assert "AADSTS7000215" in str(caught.value)
    for shown in (str(caught.value), repr(caught.value), repr(pickle.dumps(caught.value))):
        assert SECRET not in shown


def test_azure_identitys_own_credential_works_over_the_in_process_transport() -> None:
    """The machine's clock, a real azure-identity credential, our transport, no socket."""
    at = clock(SystemClock().now())
    asked: list[str] = []

    async def directory(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        issuer = f"{ORIGIN}/{TENANT}/v2.0"
        metadata = {
            "issuer": issuer,
            "authorization_endpoint": f"{ORIGIN}/{TENANT}/oauth2/v2.0/authorize",
            "token_endpoint": f"{ORIGIN}/{TENANT}/oauth2/v2.0/token",
        }
        token = {"access_token": "real", "expires_in": 3599, "token_type": "Bearer"}
        from wires import write

        await write(send, 200, {}, metadata if scope["path"].endswith("openid-configuration") else token)

    surroundings = around(at, directory)
    system = Surroundings(
        cloud=surroundings.cloud,
        clock=SystemClock(),
        transport=surroundings.transport,
        token_client=surroundings.token_client,
        environ=surroundings.environ,
    )

    async def sign_in() -> AccessToken:
        made = credential(PRINCIPAL, system)
        token = await made.get_token("https://x/.default")
        await made.close()
        return token

    assert at.run(sign_in()).token == "real"
    assert asked[-1] == f"/{TENANT}/oauth2/v2.0/token"


def test_the_other_choices_are_azure_identitys_own() -> None:
    at = clock()
    shown: list[tuple[str, str]] = []
    places = around(at, answer(), show_code=lambda address, code: shown.append((address, code)))
    names = {
        choice: type(
            credential(SignIn(choice=choice, client_id="11111111-1111-1111-1111-111111111111"), places)
        ).__name__
        for choice in ("default", "device-code", "azure-cli")
    }
    assert names == {
        "default": "DefaultAzureCredential",
        "device-code": "InThread",
        "azure-cli": "AzureCliCredential",
    }
    with pytest.raises(errors.Unauthorized, match="device code"):
        credential(SignIn(choice="device-code"), around(at, answer()))


def test_a_synchronous_credential_is_asked_in_a_thread() -> None:
    class Slow:
        closed = False

        def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
            return AccessToken("from-a-thread", 1)

        def close(self) -> None:
            self.closed = True

    at, inner = clock(), Slow()
    threaded = InThread(inner)
    assert at.run(threaded.get_token("s")).token == "from-a-thread"
    at.run(threaded.close())
    assert inner.closed


def test_the_authority_follows_the_cloud() -> None:
    assert PUBLIC.authority == "https://login.microsoftonline.com"
    assert PUBLIC.known_authority
