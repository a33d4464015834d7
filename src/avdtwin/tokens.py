"""Tokens of the twin: access tokens as Entra issues them, registration tokens as both brokers do.

All are JWTs with an RS256 signature (facts: arm-service 3, classic-service 1.6 and 2.2). Their times follow the twin's
clock. The key is known to everybody, since it follows from a sentence in this file: these tokens guard nothing, and a
restored snapshot must still accept the ones it handed out.
"""

import hashlib
from functools import cache, lru_cache
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from avdtwin.wire import Principal
from avdtwin.world import World

AUDIENCES: dict[str, frozenset[str]] = {
    "arm": frozenset(
        {
            "https://management.azure.com",
            "https://management.core.windows.net",
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net",
            "https://management.chinacloudapi.cn",
            "https://management.core.chinacloudapi.cn",
        }
    ),
    "graph": frozenset(
        {
            "https://graph.microsoft.com",
            "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us",
            "https://microsoftgraph.chinacloudapi.cn",
            "00000003-0000-0000-c000-000000000000",
        }
    ),
    "logs": frozenset(
        {
            "https://api.loganalytics.io",
            "https://api.loganalytics.azure.com",
            "https://api.loganalytics.us",
            "https://api.loganalytics.azure.cn",
            "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5",
        }
    ),
    "classic": frozenset({"https://mrs-prod.ame.gbl/mrs-rdinfra-prod", "5a0aa725-4958-4b0c-80a9-34562e23f3b7"}),
}
"""Which audiences each service takes: lower-case, without a trailing slash. All but classic also take the twin's own
address: that is what a client asks for when its endpoint is set to the twin.
"""

_REFRESH = "avdtwin:refresh"
_DOCUMENTED_AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)
_KEY_SENTENCE = "avdtwin signing key, known to all"
_PRIME_STEPS = {"p": 195, "q": 401}
"""How many odd numbers after the hashed sentence the next prime is; saves the search at every start."""


class BadToken(Exception):
    """A token that is missing, broken, over, or meant for somebody else. `code` is ARM's word for it; each service
    wraps it in its own kind of 401.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RegistrationClaims(msgspec.Struct, frozen=True):
    """What an agent's registration token says."""

    service: str
    """`classic` or `arm`."""
    pool_object_id: str
    registration_id: str
    broker_uri: str
    expires_at: float
    claims: dict[str, Any]
    """All claims as they stand in the token: the agent writes several of them to its registry."""


# ---------------------------------------------------------------- access tokens


def issue_access(world: World, *, object_id: str, app_id: str | None, upn: str | None, audience: str) -> str:
    """A v1 access token for a user (`upn` given) or an application, valid for `access_token_s` of the twin's time."""
    tenant = world.state.directory.tenant_id
    issued = int(world.now + world.skew_s)
    claims: dict[str, Any] = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": issued,
        "nbf": issued,
        "exp": issued + access_life_s(world),
        "appid": app_id,
        "appidacr": "1" if upn is None else "0",
        "idtyp": "app" if upn is None else "user",
        "oid": object_id,
        "sub": object_id,
        "tid": tenant,
        "uti": world.guid("token"),
        "ver": "1.0",
    }
    if upn is not None:
        claims |= {"upn": upn, "unique_name": upn, "scp": "user_impersonation"}
    return _sign(claims)


def issue_expired(world: World, caller: Principal) -> str:
    """A token as this caller's, but over since a second ago."""
    now = int(world.now)
    claims: dict[str, Any] = {"aud": caller.audience, "oid": caller.object_id, "tid": caller.tenant_id}
    return _sign({**claims, "appid": caller.app_id, "upn": caller.upn, "nbf": now - 3600, "exp": now - 1})


def issue_id_token(world: World, *, object_id: str, app_id: str, upn: str) -> str:
    """The OpenID token that goes with a user's access token: MSAL reads the account out of it."""
    tenant = world.state.directory.tenant_id
    issued = int(world.now)
    return _sign(
        {
            "aud": app_id,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": issued,
            "nbf": issued,
            "exp": issued + access_life_s(world),
            "oid": object_id,
            "sub": object_id,
            "tid": tenant,
            "preferred_username": upn,
            "upn": upn,
            "ver": "2.0",
        }
    )


def issue_refresh(world: World, *, object_id: str, app_id: str, upn: str) -> str:
    """A token that a user's client trades for further access tokens, for 90 days."""
    issued = int(world.now)
    life = {"nbf": issued, "exp": issued + 90 * 86_400}
    return _sign(
        {"aud": _REFRESH, "oid": object_id, "tid": world.state.directory.tenant_id, "appid": app_id, "upn": upn} | life
    )


def read_refresh(world: World, text: str) -> Principal:
    """Whom a refresh token was given to. Raises BadToken."""
    caller = read_access(world, f"Bearer {text}")
    if caller.audience != _REFRESH:
        raise BadToken("InvalidAuthenticationToken", "This is no refresh token.")
    return caller


def access_life_s(world: World) -> int:
    """How long a new access token lasts, in seconds of the twin's time."""
    return int(world.setting("access_token_s"))


def read_access(world: World, header: str | None) -> Principal:
    """Who an `Authorization` header speaks for. Raises BadToken."""
    if not header:
        raise BadToken("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise BadToken(
            "AuthenticationFailedInvalidHeader",
            "Authentication failed. The 'Authorization' header is provided in an invalid format.",
        )
    claims = _verified(text.strip())
    _check_life(world, claims)
    if "oid" not in claims or "tid" not in claims:
        raise BadToken("InvalidAuthenticationToken", "The access token is invalid.")
    return Principal(
        object_id=claims["oid"],
        app_id=claims.get("appid"),
        upn=claims.get("upn"),
        tenant_id=claims["tid"],
        audience=claims["aud"],
    )


def require_audience(principal: Principal, service: str, origin: str) -> None:
    """Refuse a token made for another service. `service` is a key of `AUDIENCES`; raises BadToken."""
    asked = normal_audience(principal.audience)
    own = service != "classic" and asked == normal_audience(origin)
    if not own and asked not in AUDIENCES[service]:
        allowed = ",".join(f"'{audience}'" for audience in _DOCUMENTED_AUDIENCES)
        raise BadToken(
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{principal.audience}'. "
            f"It should exactly match with one of the allowed audiences {allowed}.",
        )


def normal_audience(text: str) -> str:
    """An audience as it is compared: without case and without a trailing slash."""
    return text.strip().rstrip("/").lower()


def _check_life(world: World, claims: dict[str, Any]) -> None:
    now = world.now + world.skew_s
    if now >= claims["exp"]:
        raise BadToken(
            "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."
        )
    if now + world.setting("clock_skew_s") < claims["nbf"]:
        raise BadToken("InvalidAuthenticationToken", "The access token is not yet valid.")


# ---------------------------------------------------------------- registration tokens

_GLOBAL_BROKER = "https://rdbroker.wvd.microsoft.com/"


def issue_registration(
    world: World,
    *,
    service: str,
    pool_object_id: str,
    broker_uri: str = "https://rdbroker-g-us-r1.wvd.microsoft.com/",
    expires_at: float,
    geography: str = "US",
) -> str:
    """A registration token of one pool. `expires_at` is cut to whole seconds, as the service does.

    A token of the ARM service carries the directory and the `…ResourceIdUri` claims: the same hosts with the pool's
    object id as a further leading label. One of the classic service has neither.
    """
    assert service in ("classic", "arm"), service
    diagnostics = broker_uri.replace("rdbroker", "rddiagnostics", 1)
    claims: dict[str, Any] = {
        "RegistrationId": world.guid("registration"),
        "BrokerUri": broker_uri,
        "DiagnosticsUri": diagnostics,
        "EndpointPoolId": pool_object_id,
        "GlobalBrokerUri": _GLOBAL_BROKER,
        "Geography": geography,
    }
    if service == "arm":
        claims |= {
            "GlobalBrokerResourceIdUri": _labelled(_GLOBAL_BROKER, pool_object_id),
            "BrokerResourceIdUri": _labelled(broker_uri, pool_object_id),
            "DiagnosticsResourceIdUri": _labelled(diagnostics, pool_object_id),
            "AADTenantId": world.state.directory.tenant_id,
        }
    claims |= {"nbf": int(world.now), "exp": int(expires_at), "iss": "RDInfraTokenManager", "aud": "RDmi"}
    return _sign(claims)


def read_registration(world: World, text: str) -> RegistrationClaims:
    """What a registration token says. Raises BadToken when it is none, or over; whether its pool still wants it
    (another token may have replaced it) is the pool's to say.
    """
    claims = _verified(text.strip())
    if claims.get("iss") != "RDInfraTokenManager" or "EndpointPoolId" not in claims:
        raise BadToken("INVALID_REGISTRATION_TOKEN", "This is no registration token.")
    if world.now + world.skew_s >= claims["exp"]:
        raise BadToken("EXPIRED_REGISTRATION_TOKEN", "The registration token has expired.")
    return RegistrationClaims(
        service="arm" if "BrokerResourceIdUri" in claims else "classic",
        pool_object_id=claims["EndpointPoolId"],
        registration_id=claims["RegistrationId"],
        broker_uri=claims["BrokerUri"],
        expires_at=float(claims["exp"]),
        claims=dict(claims),
    )


def _labelled(uri: str, label: str) -> str:
    return uri.replace("https://", f"https://{label}.", 1)


# ---------------------------------------------------------------- the key


def public_key() -> dict[str, str]:
    """The key as a member of a JSON Web Key Set."""
    key: dict[str, str] = jwt.algorithms.RSAAlgorithm.to_jwk(_private_key().public_key(), as_dict=True)
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": _key_id(),
        "x5t": _key_id(),
        "n": key["n"],
        "e": key["e"],
    }


def _sign(claims: dict[str, Any]) -> str:
    # Entra's headers carry x5t beside kid; both name the key.
    return jwt.encode(claims, _private_key(), algorithm="RS256", headers={"kid": _key_id(), "x5t": _key_id()})


@lru_cache(maxsize=4096)
def _verified(text: str) -> dict[str, Any]:
    """Claims of a token with our signature; its life is not looked at. The same text always gives the same answer."""
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        claims: dict[str, Any] = jwt.decode(text, _private_key().public_key(), algorithms=["RS256"], options=options)
        int(claims["exp"]), int(claims["nbf"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
        raise BadToken("InvalidAuthenticationToken", "The access token is invalid.") from error
    return claims


@cache
def _key_id() -> str:
    return hashlib.sha256(_KEY_SENTENCE.encode()).hexdigest()[:27]


@cache
def _private_key() -> rsa.RSAPrivateKey:
    p, q = _prime("p"), _prime("q")
    exponent = 65537
    secret = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=secret,
        dmp1=rsa.rsa_crt_dmp1(secret, p),
        dmq1=rsa.rsa_crt_dmq1(secret, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(exponent, p * q),
    )
    return numbers.private_key()


def _prime(which: str) -> int:
    """A 1024-bit prime that follows from the sentence: its hash, made odd and long, and so many steps on."""
    digest = hashlib.shake_256(f"{_KEY_SENTENCE}: {which}".encode()).digest(128)
    return (int.from_bytes(digest, "big") | (3 << 1022) | 1) + 2 * _PRIME_STEPS[which]
