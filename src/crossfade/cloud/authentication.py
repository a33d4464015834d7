"""Tokens on our Clock: one sign-in per audience, renewed in time, sent nowhere but to the service they are for.

The SDKs' own policy compares expiry with the machine's clock; under virtual time it would sign in for every call or
never again (facts/dependencies, measured table).
"""

import asyncio
import base64
import binascii
import json
import re
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from crossfade.clock import Clock
from crossfade.cloud import mapping
from crossfade.cloud.calls import Call, current
from crossfade.cloud.redaction import secrets_of
from crossfade.cloud.retry import Retries, read_answer
from crossfade.errors import CloudError, Forbidden, Rejected, Unauthorized

REFRESH_BEFORE_S = 300.0


class Credential(Protocol):
    """What azure-identity's aio credentials offer, and ours."""

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken: ...

    async def close(self) -> None: ...


class Caller(msgspec.Struct, frozen=True):
    """Who is signed in, as their token says; empty where it does not."""

    object_id: str = ""
    tenant_id: str = ""
    name: str = ""
    app_id: str = ""


class _Held:
    """A token, what it was asked to hold, and when to renew it (seconds since 1970, our Clock). Shows nothing of it."""

    def __init__(self, token: AccessToken, claims: str | None, now: float) -> None:
        self.value = token.token
        self.claims = claims
        self.expires_at = float(token.expires_on)
        self.renew_at = self.expires_at - min(REFRESH_BEFORE_S, max(0.0, self.expires_at - now) / 2)

    def __repr__(self) -> str:
        return "<token>"


class Tokens:
    """The tokens of one credential, by scope, shared by all clients. Concurrent askers wait for one sign-in."""

    def __init__(self, credential: Credential, clock: Clock, retries: Retries) -> None:
        self._credential = credential
        self._clock = clock
        self.retries = retries
        self._held: dict[str, _Held] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.sign_ins = 0
        """How often the credential was asked."""

    async def get(self, scope: str, *, refused: str | None = None, claims: str | None = None) -> str:
        """A token that holds for some minutes more. `refused`: a token that the service did not take, to be replaced,
        and given back where none but it can be had; `claims`: what the service asked for. Raises Unauthorized,
        Unreachable and the like, with service `entra`."""
        lock = self._locks.setdefault(scope, asyncio.Lock())
        async with lock:
            held = self._held.get(scope)
            if held is not None and held.value != refused and claims in (None, held.claims) and not self._is_due(held):
                return held.value
            return (await self._renew(scope, held, refused, claims)).value

    def _is_due(self, held: _Held) -> bool:
        return held.renew_at <= self._now()

    async def _renew(self, scope: str, held: _Held | None, refused: str | None, claims: str | None) -> _Held:
        try:
            fresh = _Held(await self._ask(scope, claims), claims, self._now())
        except CloudError as error:
            if claims and isinstance(error, Unauthorized):
                _say_claims(error, claims)
            if claims or held is None or held.value == refused or held.expires_at <= self._now():
                raise
            return held
        if fresh.value == refused and claims is None:
            fresh = await self._another(scope, fresh)
        self._held[scope] = fresh
        return fresh

    async def _another(self, scope: str, held: _Held) -> _Held:
        """Credentials keep what they got and give it again until it is over by the machine's clock, whatever the
        service thinks of it; not where claims are asked for. So ask for one that is younger than this."""
        begun = _claims(held.value).get("nbf")
        since = begun if isinstance(begun, int) else int(self._now())
        claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": str(since + 1)}}})
        try:
            return _Held(await self._ask(scope, claims), None, self._now())
        except Unauthorized:
            return held  # as the Azure CLI, which cannot be asked so

    async def _ask(self, scope: str, claims: str | None) -> AccessToken:
        call = Call(service="entra", subject=f"a sign-in for {scope}", method="POST", repeatable=True, verb="get")
        return await self.retries.run(call, lambda: self._ask_once(call, scope, claims))

    async def _ask_once(self, call: Call, scope: str, claims: str | None) -> AccessToken:
        self.sign_ins += 1
        options = {"claims": claims} if claims else {}
        try:
            return await self._credential.get_token(scope, **options)
        except mapping.FOREIGN as error:
            failure = mapping.failure_error(call, error)
        raise failure

    async def caller(self, scope: str) -> Caller:
        """Who the token for this scope says we are."""
        claims = _claims(await self.get(scope))
        name = claims.get("upn") or claims.get("preferred_username") or claims.get("app_displayname") or ""
        app_id = claims.get("appid") or claims.get("azp") or ""
        return Caller(str(claims.get("oid", "")), str(claims.get("tid", "")), str(name), str(app_id))

    async def close(self) -> None:
        self._held.clear()
        await self._credential.close()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified: for telling people who they are, never for deciding what they may."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


class Bearer(AsyncHTTPPolicy[Any, Any]):
    """Signs each request; once more with a new token where the service answers 401: the token was over earlier than it
    said, by whoever's clock, or was revoked. Whatever the method, nothing has been done yet. Claims that the service
    asks for are passed on. A second 401 is the answer, and so is one that means a missing right, as classic's may.

    A request to any other host than the service's own, as a link in an answer might make one, is refused unsent.
    """

    def __init__(self, service: str, tokens: Tokens, scope: str, origin: str) -> None:
        super().__init__()
        self._service = service
        self._tokens = tokens
        self._scope = scope
        self._host, self._port = _host_and_port(origin)

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        self._check(request.http_request)
        token = await self._tokens.get(self._scope)
        response = await self._signed(request, token)
        failure = await self._refusal(request, response)
        if failure is None:
            return response
        claims = asked_claims(response.http_response.headers.get("WWW-Authenticate", ""))
        fresh = await self._tokens.get(self._scope, refused=token, claims=claims)
        if fresh == token:
            return response
        self._tokens.retries.tell(current(self._service, request.http_request), failure)
        return await self._signed(request, fresh)

    async def _refusal(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> CloudError | None:
        """Why the token was not taken; None where it was."""
        answer = response.http_response
        if answer.status_code != 401:
            return None
        call, secrets = current(self._service, request.http_request), secrets_of(request.http_request)
        failure = mapping.answer_error(call, 401, answer.headers, await read_answer(answer), secrets=secrets)
        return None if isinstance(failure, Forbidden) else failure

    async def _signed(self, request: PipelineRequest[Any], token: str) -> PipelineResponse[Any, Any]:
        request.http_request.headers["Authorization"] = f"Bearer {token}"
        return await self.next.send(request)

    def _check(self, http_request: Any) -> None:
        parts, (host, port) = urlsplit(http_request.url), _host_and_port(http_request.url)
        ours = port == self._port and (host == self._host or host.endswith("." + self._host))
        if parts.scheme == "https" and ours:
            return
        call = current(self._service, http_request)
        raise Rejected(
            f"Did not follow a link for {call.subject}.",
            f"It leads to {parts.scheme}://{parts.netloc}, not to {self._host}: our token is not for that place.",
            "Check the service's address; report it if the address is right.",
            service=self._service,
        )


def _host_and_port(url: str) -> tuple[str, int]:
    """In small letters, and as a number: links name a host in any casing, and 443 or nothing."""
    parts = urlsplit(url)
    try:
        return parts.hostname or "", parts.port or 443
    except ValueError:
        return "", 0


_CHALLENGE = re.compile(r'claims="?([A-Za-z0-9+/_=-]+)"?')


def asked_claims(challenge: str) -> str | None:
    """The claims of a continuous-access challenge, decoded; None when it asks for none."""
    found = _CHALLENGE.search(challenge)
    if "insufficient_claims" not in challenge or not found:
        return None
    text = found.group(1)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _say_claims(error: Unauthorized, claims: str) -> None:
    """A sign-in that cannot give what the service asks for: somebody has to sign in so that it can."""
    asked = base64.b64encode(claims.encode()).decode()
    error.mend = (
        "The service asks for a sign-in that proves more, such as a second factor. Sign in again; with the Azure CLI: "
        f"az login --claims-challenge {asked}"
    )
    error.args = (error.what, error.why, error.mend)


def signed_out(what: str, why: str, mend: str) -> Unauthorized:
    """The error for a sign-in that cannot even begin."""
    return Unauthorized(what, why, mend, service="entra")
