"""Tokens on our Clock, and the policy that signs with them."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from azure.core import AsyncPipelineClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.rest import HttpRequest
from wires import ORIGIN, Wire, clock, retries

from crossfade import errors
from crossfade.clock import SimulatedClock
from crossfade.cloud.authentication import Bearer, Tokens, asked_claims
from crossfade.cloud.heard import RetryDetails
from crossfade.cloud.retry import Retrying
from crossfade.cloud.transport import AsgiTransport

CHALLENGE = base64.urlsafe_b64encode(b'{"access_token":{"nbf":1}}').decode().rstrip("=")


class Counting:
    """A credential whose tokens are numbered, live `life_s`, and may be refused."""

    def __init__(self, at: SimulatedClock, life_s: float = 3600) -> None:
        self.asked: list[tuple[tuple[str, ...], str | None]] = []
        self.error: Exception | None = None
        self._at = at
        self._life_s = life_s

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        self.asked.append((scopes, claims))
        number = len(self.asked)
        await self._at.sleep(1)
        if self.error:
            raise self.error
        return AccessToken(f"token-{number}", int(self._at.timestamp() + self._life_s))

    async def close(self) -> None: ...


def test_one_sign_in_for_many_and_one_per_audience() -> None:
    at = clock()
    credential = Counting(at)
    tokens = Tokens(credential, at, retries(at, attempts=1))

    async def many() -> list[str]:
        return await asyncio.gather(*(tokens.get("a") for _ in range(20)), tokens.get("b"))

    assert set(at.run(many())) == {"token-1", "token-2"}
    assert tokens.sign_ins == 2


@pytest.mark.parametrize(
    ("life_s", "passed_s", "sign_ins"), [(3600, 3200, 1), (3600, 3320, 2), (120, 50, 1), (120, 70, 2)]
)
def test_renewal_five_minutes_before_expiry_by_our_clock(life_s: float, passed_s: float, sign_ins: int) -> None:
    at = clock()
    tokens = Tokens(Counting(at, life_s), at, retries(at))
    at.run(tokens.get("a"))
    at.run(at.sleep(passed_s))
    at.run(tokens.get("a"))
    assert tokens.sign_ins == sign_ins


def test_a_failed_renewal_keeps_the_token_that_still_holds() -> None:
    at = clock()
    credential = Counting(at)
    tokens = Tokens(credential, at, retries(at, attempts=1))
    at.run(tokens.get("a"))
    credential.error = ServiceRequestError("no network")
    at.run(at.sleep(3400))
    assert at.run(tokens.get("a")) == "token-1"
    at.run(at.sleep(300))
    with pytest.raises(errors.Unreachable):
        at.run(tokens.get("a"))


def test_a_sign_in_that_did_not_get_through_is_tried_again_by_the_one_policy() -> None:
    at = clock()
    credential = Counting(at)
    credential.error = ServiceRequestError("no network")
    tokens = Tokens(credential, at, retries(at))
    with pytest.raises(errors.Unreachable, match=r"Could not get a sign-in for a\."):
        at.run(tokens.get("a"))
    assert tokens.sign_ins == 6


def test_a_refused_sign_in_is_ours_and_holds_nothing_foreign() -> None:
    at = clock()
    credential = Counting(at)
    credential.error = ClientAuthenticationError("AADSTS7000215: Invalid client secret provided.")
    with pytest.raises(errors.Unauthorized, match="AADSTS7000215") as caught:
        at.run(Tokens(credential, at, retries(at, attempts=1)).get("a"))
    assert caught.value.service == "entra"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def signed(wire: Wire, credential: Counting, at: SimulatedClock, told: list[RetryDetails] | None = None) -> Any:
    bearer = Bearer("arm", Tokens(credential, at, retries(at, told, attempts=1)), "scope", ORIGIN)
    policies = [Retrying("arm", retries(at)), bearer]
    return AsyncPipelineClient(ORIGIN, policies=policies, transport=AsgiTransport(wire, at))


def test_a_401_is_tried_once_more_with_a_fresh_token() -> None:
    at = clock()
    credential, wire = Counting(at), Wire((401, {}, None), (200, {}, {}))
    client = signed(wire, credential, at)
    assert at.run(client.send_request(HttpRequest("PUT", f"{ORIGIN}/x"))).status_code == 200
    assert [request["headers"]["authorization"] for request in wire.requests] == ["Bearer token-1", "Bearer token-2"]
    wire = Wire((401, {}, {"error": {"code": "InvalidAuthenticationToken", "message": "no"}}))
    with pytest.raises(errors.Unauthorized):
        at.run(signed(wire, credential, at).send_request(HttpRequest("PUT", f"{ORIGIN}/x")))
    assert len(wire.requests) == 2


class Keeping(Counting):
    """A credential that gives the token it has until claims are asked for, as azure-identity's do."""

    stubborn = False

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        if not claims and self.asked:
            return AccessToken("token-1", int(self._at.timestamp() + self._life_s))
        if claims and self.stubborn:
            raise ClientAuthenticationError("Claims challenges are not supported by this client.")
        return await super().get_token(*scopes, claims=claims, **options)


def test_a_credential_that_would_give_the_same_token_again_is_asked_for_a_younger_one() -> None:
    at = clock()
    told: list[RetryDetails] = []
    credential, wire = Keeping(at), Wire((401, {"x-ms-request-id": "r-1"}, None), (200, {}, {}))
    assert (
        at.run(signed(wire, credential, at, told).send_request(HttpRequest("POST", f"{ORIGIN}/x"))).status_code == 200
    )
    assert [request["headers"]["authorization"] for request in wire.requests] == ["Bearer token-1", "Bearer token-2"]
    asked = json.loads(credential.asked[1][1] or "")["access_token"]["nbf"]
    assert asked["essential"] is True
    assert int(asked["value"]) == int(at.timestamp())
    assert [(one.method, one.error["code"], one.error["request_id"]) for one in told] == [
        ("POST", "unauthorized", "r-1")
    ]


def test_where_no_other_token_can_be_had_the_refusal_is_the_answer_and_nothing_is_sent_again() -> None:
    at = clock()
    told: list[RetryDetails] = []
    credential, wire = (
        Keeping(at),
        Wire((401, {}, {"error": {"code": "ExpiredAuthenticationToken", "message": "over"}})),
    )
    credential.stubborn = True
    with pytest.raises(errors.Unauthorized, match="ExpiredAuthenticationToken") as caught:
        at.run(signed(wire, credential, at, told).send_request(HttpRequest("GET", f"{ORIGIN}/x")))
    assert caught.value.service == "arm"
    assert (len(wire.requests), told) == (1, [])


def test_a_401_that_means_a_missing_right_costs_no_sign_in() -> None:
    at = clock()
    credential, wire = Counting(at), Wire((401, {}, {"error": {"code": "3", "message": "no role"}}))
    with pytest.raises(errors.Forbidden):
        at.run(signed(wire, credential, at).send_request(HttpRequest("GET", f"{ORIGIN}/x")))
    assert (len(wire.requests), len(credential.asked)) == (1, 1)


def test_many_that_are_asked_for_the_same_claims_sign_in_once() -> None:
    at = clock()
    tokens = Tokens(Counting(at), at, retries(at))

    async def many() -> list[str]:
        first = await tokens.get("a")
        return await asyncio.gather(*(tokens.get("a", refused=first, claims="{}") for _ in range(9)))

    assert set(at.run(many())) == {"token-2"}
    assert tokens.sign_ins == 2


def test_claims_that_the_sign_in_cannot_give_are_told_with_the_command_that_can() -> None:
    at = clock()
    header = f'Bearer realm="", error="insufficient_claims", claims="{CHALLENGE}"'
    credential, wire = Keeping(at), Wire((401, {"WWW-Authenticate": header}, None))
    credential.stubborn = True
    with pytest.raises(errors.Unauthorized, match=f"az login --claims-challenge {CHALLENGE}"):
        at.run(signed(wire, credential, at).send_request(HttpRequest("PUT", f"{ORIGIN}/x")))


def test_the_claims_of_a_challenge_are_asked_for() -> None:
    at = clock()
    header = f'Bearer realm="", error="insufficient_claims", claims="{CHALLENGE}"'
    credential, wire = Counting(at), Wire((401, {"WWW-Authenticate": header}, None), (200, {}, {}))
    at.run(signed(wire, credential, at).send_request(HttpRequest("GET", f"{ORIGIN}/x")))
    assert credential.asked[1][1] == '{"access_token":{"nbf":1}}'
    assert asked_claims('Bearer error="invalid_token"') is None


@pytest.mark.parametrize("link", ["https://evil.test/next", "http://cloud.test/next", "https://cloud.test.evil.test/x"])
def test_a_link_to_another_place_is_not_followed_with_our_token(link: str) -> None:
    at = clock()
    credential, wire = Counting(at), Wire((200, {}, {}))
    with pytest.raises(errors.Rejected, match="our token is not for that place"):
        at.run(signed(wire, credential, at).send_request(HttpRequest("GET", link)))
    assert wire.requests == []
    assert credential.asked == []


def test_who_a_token_says_we_are() -> None:
    at = clock()

    class Fixed(Counting):
        async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
            body = base64.urlsafe_b64encode(b'{"oid":"o","tid":"t","upn":"amy@x"}').decode().rstrip("=")
            return AccessToken(f"h.{body}.s", int(at.timestamp() + 3600))

    caller = at.run(Tokens(Fixed(at), at, retries(at)).caller("a"))
    assert (caller.object_id, caller.tenant_id, caller.name) == ("o", "t", "amy@x")
    assert at.run(Tokens(Counting(at), at, retries(at)).caller("a")).object_id == ""
