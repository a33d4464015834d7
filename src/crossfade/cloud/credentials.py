"""How Crossfade signs in. Secrets come from the environment or a prompt and are kept in memory only.

    choice              credential                                                       needs
    ------------------  ---------------------------------------------------------------  -----------------------------
    default             azure-identity's chain: environment, workload, managed, CLI ...  nothing
    service-principal   client secret                                                    tenant, client id, a secret
    device-code         a code typed into a browser, once per audience                   nothing
    azure-cli           whoever `az login` has signed in                                 the Azure CLI

azure-identity judges expiry by the machine's clock. Where time is not the machine's (the twin, in-process), a service
principal signs in through `ClientSecret`, which asks the token endpoint through our own pipeline.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
from azure.core import AsyncPipelineClient
from azure.core.credentials import AccessToken
from azure.core.rest import HttpRequest

from crossfade.clock import Clock, SystemClock
from crossfade.cloud.authentication import Credential, signed_out
from crossfade.cloud.calls import Call, calling
from crossfade.cloud.clouds import Cloud
from crossfade.cloud.transport import Borrowed
from crossfade.errors import InputError, Problem

CHOICES = ("default", "service-principal", "device-code", "azure-cli")
POWERSHELL_CLIENT = "1950a258-227b-4e31-a9cf-717495945fc2"
"""Public client of Azure PowerShell, and of the classic service's own module (facts/classic-service 2.2)."""

SECRET_VARIABLES = ("CROSSFADE_CLIENT_SECRET", "AZURE_CLIENT_SECRET")

NO_RETRY = {"retry_total": 0}
"""`Tokens` tries again, by the one policy."""

Prompt = Callable[[str], str]
ShowCode = Callable[[str, str], None]
"""Told the address to open and the code to type there."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's choice. Never holds a secret."""

    choice: str = "default"
    tenant_id: str | None = None
    client_id: str | None = None

    def check(self) -> None:
        """Raises InputError with everything that is wrong or missing."""
        problems = []
        if self.choice not in CHOICES:
            problems.append(Problem("sign_in", f"is {self.choice!r}.", f"Use one of {', '.join(CHOICES)}."))
        if self.choice == "service-principal":
            for name, value in (("tenant_id", self.tenant_id), ("client_id", self.client_id)):
                if not value:
                    problems.append(Problem(name, "is missing.", f"Set {name} for the service principal."))
        if problems:
            raise InputError("The sign-in cannot be used.", problems)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What credentials are made from: the cloud, the wire and the person at the terminal."""

    cloud: Cloud
    clock: Clock
    transport: Any
    """An azure-core async transport, borrowed."""
    token_client: AsyncPipelineClient[Any, Any]
    """A pipeline to the authority, without authentication, that tries once."""
    ca_file: str | None = None
    prompt: Prompt | None = None
    show_code: ShowCode | None = None
    environ: dict[str, str] = {}


def credential(sign_in: SignIn, around: Surroundings) -> Credential:
    """The credential of the operator's choice. Raises InputError, or Unauthorized when no secret can be had."""
    sign_in.check()
    return _MAKERS[sign_in.choice](sign_in, around)


def _default(sign_in: SignIn, around: Surroundings) -> Credential:
    from azure.identity.aio import DefaultAzureCredential

    options: dict[str, Any] = {"authority": around.cloud.authority, "transport": Borrowed(around.transport), **NO_RETRY}
    if not around.cloud.known_authority:
        options["disable_instance_discovery"] = True
    if sign_in.client_id:
        options["managed_identity_client_id"] = sign_in.client_id
    return DefaultAzureCredential(**options)


def _service_principal(sign_in: SignIn, around: Surroundings) -> Credential:
    assert sign_in.tenant_id, "checked"
    assert sign_in.client_id, "checked"
    secret = _secret(sign_in, around)
    if not isinstance(around.clock, SystemClock):
        return ClientSecret(sign_in.tenant_id, sign_in.client_id, secret, around.token_client, around.clock)
    from azure.identity.aio import ClientSecretCredential

    return ClientSecretCredential(
        sign_in.tenant_id,
        sign_in.client_id,
        secret,
        authority=around.cloud.authority,
        disable_instance_discovery=not around.cloud.known_authority,
        transport=Borrowed(around.transport),
        **NO_RETRY,
    )


def _device_code(sign_in: SignIn, around: Surroundings) -> Credential:
    """azure.identity.aio has no device code (facts/dependencies): the synchronous one, in a thread."""
    from azure.identity import DeviceCodeCredential

    show = around.show_code
    if show is None:
        raise signed_out("Cannot sign in by device code.", "Nobody is there to type it.", "Use another sign-in.")
    told = show
    options: dict[str, Any] = {"connection_verify": around.ca_file} if around.ca_file else {}
    if sign_in.tenant_id:
        options["tenant_id"] = sign_in.tenant_id
    inner = DeviceCodeCredential(
        sign_in.client_id or POWERSHELL_CLIENT,
        authority=around.cloud.authority,
        disable_instance_discovery=not around.cloud.known_authority,
        prompt_callback=lambda address, code, expires_on: told(address, code),
        **NO_RETRY,
        **options,
    )
    return InThread(inner)


def _azure_cli(sign_in: SignIn, around: Surroundings) -> Credential:
    from azure.identity.aio import AzureCliCredential

    return AzureCliCredential(tenant_id=sign_in.tenant_id or "")


_MAKERS: dict[str, Callable[[SignIn, Surroundings], Credential]] = {
    "default": _default,
    "service-principal": _service_principal,
    "device-code": _device_code,
    "azure-cli": _azure_cli,
}


def _secret(sign_in: SignIn, around: Surroundings) -> str:
    """The client secret, from the environment or the prompt."""
    environ = around.environ or dict(os.environ)
    for name in SECRET_VARIABLES:
        if environ.get(name):
            return environ[name]
    if around.prompt is None:
        mend = f"Set the environment variable {SECRET_VARIABLES[0]}."
        raise signed_out("Cannot sign in as a service principal.", "No client secret was given.", mend)
    return around.prompt(f"Client secret of {sign_in.client_id}: ")


class InThread:
    """A synchronous credential, asked in a thread so that the loop goes on."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        def ask() -> AccessToken:
            token = self._inner.get_token(*scopes, claims=claims, **options)
            return AccessToken(token.token, token.expires_on)

        return await asyncio.to_thread(ask)

    async def close(self) -> None:
        self._inner.close()


class ClientSecret:
    """A service principal's sign-in through our own pipeline, its expiry counted on our Clock."""

    def __init__(
        self, tenant_id: str, client_id: str, secret: str, client: AsyncPipelineClient[Any, Any], clock: Clock
    ) -> None:
        self._tenant_id = tenant_id
        self._client_id = client_id
        self._secret = secret
        self._client = client
        self._clock = clock

    def __repr__(self) -> str:
        return f"ClientSecret({self._client_id!r})"

    def __reduce__(self) -> Any:
        raise TypeError("a credential is never stored")

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        """Raises Unauthorized when the directory refuses."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._secret,
            "scope": " ".join(scopes),
        }
        if claims:
            form["claims"] = claims
        path = f"/{quote(self._tenant_id, safe='')}/oauth2/v2.0/token"
        asked_at = self._clock.now().timestamp()
        with calling(
            Call(service="entra", subject=f"a sign-in for {form['scope']}", method="POST", repeatable=True, verb="get")
        ):
            response = await self._client.send_request(HttpRequest("POST", self._client.format_url(path), data=form))
        answer = response.json()
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise signed_out("Could not sign in.", "The directory's answer holds no token.", "Check the authority.")
        return AccessToken(str(answer["access_token"]), int(asked_at + float(answer.get("expires_in", 3599))))

    async def close(self) -> None:
        pass
