"""The one place where foreign errors become ours: answers of the services, and exceptions of azure-core.

An error made here holds plain text and ids. The foreign exception is never its cause or context, since it holds the
request, and with it the bearer header: callers raise what they get here outside of the `except` block.

    answer                                            ours
    ------------------------------------------------  ----------------------------------------
    classic 3, whatever the status                    Forbidden
    a code that means absent, or 404                  NotFound
    a code that means a clash, or 409, 412, 423       Conflict
    429, or a code that means too many calls          Throttled
    408, 5xx, or a code that means busy               ServiceFailed
    401 / 403                                         Unauthorized / Forbidden
    any other 4xx                                     Rejected
    not sent                                          Unreachable
    sent, no answer: a read / anything else           Unreachable / OutcomeUnknown
    an answer we cannot read, an error in a good
    one, one that sends us elsewhere: a read / else   ServiceFailed / OutcomeUnknown
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import msgspec
from azure.core import exceptions as azure

from crossfade.cloud.calls import Call
from crossfade.cloud.redaction import hide, secrets_of
from crossfade.errors import (
    CloudError,
    Conflict,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Rejected,
    ServiceFailed,
    Throttled,
    Unauthorized,
    Unreachable,
)

TEXT_LIMIT = 600


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CLASSIC_NUMBERS: dict[str, str] = {
    "3": "UnauthorizedAccess",
    "14": "ParallelExecutionOnSameRecordError",
    "1000": "TenantNotFound",
    "1002": "TenantAlreadyExists",
    "1006": "TenantCannotBeRemovedHasSessionHostPools",
    "1012": "TenantGroupNotFound",
    "1014": "TenantGroupAlreadyExists",
    "1015": "TenantGroupCannotBeRemoved",
    "2000": "HostPoolNotFound",
    "2002": "HostPoolAlreadyExists",
    "2004": "HostPoolCannotBeRemovedHasSessionHosts",
    "2005": "HostPoolCannotBeRemovedHasApplicationGroups",
    "3002": "TokenExistsForHostPool",
    "3003": "TokenDoesNotExist",
    "5001": "SessionHostNotFound",
    "5008": "SessionHostUserSessionsExist",
    "5016": "SessionHostDisconnectSessionIdNotExist",
    "5020": "SessionHostLogoffSessionIdNotExist",
    "5012": "SessionHostFailedToSendMessageSessionIdNotExist",
    "5023": "OperationFailedTimeout",
    "5024": "SesionHostAlreadyAssignedToUser",
    "5025": "UserAlreadyAssignedOneSessionHostInPool",
    "5026": "SessionNotFound",
    "6000": "AppGroupNotFound",
    "6007": "AppGroupAlreadyExists",
    "6010": "PublishedItemsExist",
    "6021": "RemoteAppAlreadyExists",
    "6022": "RemoteAppNotFound",
    "6028": "DesktopAppGroupAlreadyExists",
    "6033": "UpnAlreadyHasDesktopRights",
    "6034": "UpnAlreadyHasRemoteAppAssignment",
    "6035": "UpnIsNotAssignedToAppGroup",
    "6038": "DesktopDoesNotExist",
    "8012": "RequestThrottled",
    "8013": "AADInternalServerError",
}
"""The classic codes that mean something to us; `code` may hold the number or the name (facts/classic-service 2.11)."""

_ABSENT = _words(
    "TenantNotFound TenantGroupNotFound HostPoolNotFound TokenDoesNotExist SessionHostNotFound SessionNotFound "
    "AppGroupNotFound RemoteAppNotFound UpnIsNotAssignedToAppGroup DesktopDoesNotExist "
    "SessionHostDisconnectSessionIdNotExist SessionHostLogoffSessionIdNotExist "
    "SessionHostFailedToSendMessageSessionIdNotExist "
    "ResourceNotFound ResourceGroupNotFound ParentResourceNotFound Request_ResourceNotFound"
)
_CLASH = _words(
    "TenantAlreadyExists TenantCannotBeRemovedHasSessionHostPools TenantGroupAlreadyExists TenantGroupCannotBeRemoved "
    "HostPoolAlreadyExists HostPoolCannotBeRemovedHasSessionHosts HostPoolCannotBeRemovedHasApplicationGroups "
    "TokenExistsForHostPool SessionHostUserSessionsExist SesionHostAlreadyAssignedToUser "
    "UserAlreadyAssignedOneSessionHostInPool AppGroupAlreadyExists PublishedItemsExist RemoteAppAlreadyExists "
    "DesktopAppGroupAlreadyExists UpnAlreadyHasDesktopRights UpnAlreadyHasRemoteAppAssignment "
    "RoleAssignmentExists RoleAssignmentUpdateNotPermitted RoleAssignmentLimitExceeded ScopeLocked "
    "InvalidResourceLocation"
)
_TOO_MANY = _words("RequestThrottled TooManyRequests SubscriptionRequestsThrottled activityLimitReached")
_BUSY = _words("ParallelExecutionOnSameRecordError OperationFailedTimeout AADInternalServerError")
_DENIED = frozenset({"UnauthorizedAccess"})

_BY_CODE: dict[str, type[CloudError]] = {
    **dict.fromkeys(_ABSENT, NotFound),
    **dict.fromkeys(_CLASH, Conflict),
    **dict.fromkeys(_TOO_MANY, Throttled),
    **dict.fromkeys(_BUSY, ServiceFailed),
    **dict.fromkeys(_DENIED, Forbidden),
}
_BY_STATUS: dict[int, type[CloudError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: ServiceFailed,
    409: Conflict,
    412: Conflict,
    423: Conflict,
    429: Throttled,
}
_BY_TEXT: tuple[tuple[re.Pattern[str], type[CloudError]], ...] = (
    (re.compile(r"still has ApplicationGroups associated", re.I), Conflict),
    (re.compile(r"added object references already exist", re.I), Conflict),
)
"""A 400 whose code says nothing and whose text means a clash (facts/arm-service 1.16 and 8)."""

_MENDS: dict[type[CloudError], str] = {
    Throttled: "Wait, or let fewer calls run at the same time.",
    Unreachable: "Check the network and the service's address, then try again.",
    OutcomeUnknown: "Look at the object before trying again: the change may have happened.",
    Unauthorized: "Sign in again, to the right directory and cloud.",
    Forbidden: "Have the missing right granted; `crossfade doctor` lists what is needed.",
    NotFound: "Check the name, and that it was not deleted meanwhile.",
    Conflict: "Look at what is there and decide: adopt it, rename, or remove what is in the way.",
    Rejected: "Correct what the service names, then plan again.",
    ServiceFailed: "Try again later; with the request id the provider's support can look it up.",
}
_MENDS_BY_CODE = {
    "RequestDisallowedByPolicy": "A policy forbids it: change the plan's names, tags or locations, or the policy.",
    "MissingSubscriptionRegistration": "Register the resource provider in this subscription.",
    "RoleAssignmentLimitExceeded": "Publish to groups instead of single users, or remove unused role assignments.",
    "LinkedAuthorizationFailed": "Have the right that it names granted at the linked object.",
    "ScopeLocked": "Remove the lock for the time of the migration.",
    "PrincipalNotFound": "Check that the person or group exists; one made moments ago takes minutes to be known.",
}
SIGN_IN = (
    "Sign in to the right directory and cloud, or choose another way: `--sign-in azure-cli` after `az login`, "
    "`--sign-in device-code`, `--sign-in service-principal` (docs/how-to/sign-in.md)."
)
"""The mend where the credential itself gave up, mostly since nobody has signed in."""
_VERBS = {"GET": "read", "PUT": "write", "PATCH": "change", "DELETE": "delete", "POST": "call"}


class Said(msgspec.Struct, frozen=True):
    """What an error body says, whoever wrote it."""

    code: str = ""
    message: str = ""


def answer_error(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, *, secrets: frozenset[str] = frozenset()
) -> CloudError:
    """The error for an answer of 400 or more, or for a long-running operation that ended badly (status below 400)."""
    said = read_body(body)
    kind = _kind(status, said)
    code = hide(said.code, secrets)[:80]
    request_id, correlation_id = ids_of(headers)
    why = f"{call.service} answered {status}" + (f" {code}" if code else "") + "."
    message = _told(hide(said.message, secrets))
    return kind(
        _what(call),
        f"{why} {message}".strip(),
        _MENDS_BY_CODE.get(said.code, _MENDS[kind]),
        service=call.service,
        status=status,
        service_code=code,
        request_id=request_id,
        correlation_id=correlation_id,
        retry_after_s=retry_after_s(headers),
    )


def _kind(status: int, said: Said) -> type[CloudError]:
    if said.code in _BY_CODE and not (status == 401 and said.code not in _DENIED):
        return _BY_CODE[said.code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServiceFailed
    return next((kind for pattern, kind in _BY_TEXT if pattern.search(said.message)), Rejected)


def _told(text: str) -> str:
    """Foreign words on one line, and no more of them than a person reads."""
    line = " ".join(text.split())
    return line if len(line) <= TEXT_LIMIT else f"{line[: TEXT_LIMIT - 1].rstrip()}…"


def not_begun(failure: CloudError) -> bool:
    """Whether a ServiceFailed says that the service did not start on the call."""
    return failure.status == 503 or failure.service_code in _BUSY


def _what(call: Call) -> str:
    verb = call.verb or _VERBS.get(call.method, "call")
    return f"Could not {verb} {call.subject or call.service}."


def ids_of(headers: Mapping[str, str]) -> tuple[str, str]:
    """Request id and correlation id of an answer, by which the vendor finds it; `""` for what it does not name."""
    return (
        _first(headers, "x-ms-request-id", "request-id"),
        _first(headers, "x-ms-correlation-request-id", "x-ms-correlation-id", "client-request-id"),
    )


def _first(headers: Mapping[str, str], *names: str) -> str:
    lowered = {name.casefold(): value for name, value in headers.items()}
    return next((lowered[name] for name in names if lowered.get(name)), "")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks us to wait. A date is taken against the answer's own `Date`, never our clock."""
    text = _first(headers, "retry-after")
    millis = _first(headers, "retry-after-ms", "x-ms-retry-after-ms")
    if millis.isdecimal():
        return int(millis) / 1000
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, _first(headers, "date"))
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(text: str, date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        answered = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, (_aware(moment) - _aware(answered)).total_seconds())


def answered_at(headers: Mapping[str, str]) -> datetime | None:
    """When the service says that it answered, to the second; None where it does not say."""
    try:
        return _aware(parsedate_to_datetime(_first(headers, "date")))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_body(body: bytes) -> Said:
    """Code and message of an error body: the ARM, Graph and classic envelopes, Entra's form, plain text, HTML."""
    text = body.decode("utf-8-sig", "replace").strip()
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return Said(message=_plain(text))
    if not isinstance(value, dict):
        return Said(message=str(value or ""))
    error = value.get("error", value)
    if isinstance(error, str):
        return Said(error, str(value.get("error_description", "")))
    return _enveloped(error) if isinstance(error, dict) else Said()


def _enveloped(error: dict[str, Any]) -> Said:
    code = str(error.get("code") or "")
    return Said(_CLASSIC_NUMBERS.get(code, code), _message(error))


def _message(error: dict[str, Any]) -> str:
    """The last detail's text; if that is raw data, the first's; else the message (facts/classic-service 2.11)."""
    message = str(error.get("message") or "")
    details = error.get("details")
    texts = [
        str(detail["message"])
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict) and detail.get("message")
    ]
    if not texts:
        return message
    chosen = texts[0] if texts[-1].startswith("{") else texts[-1]
    return chosen if chosen in message or not message else f"{message} {chosen}"


def _plain(text: str) -> str:
    if not text.startswith("<"):
        return text
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.I | re.S)
    named = f", titled {title.group(1).strip()!r}" if title else ""
    return f"The answer was a page for a browser{named}: something between us and the service wrote it."


# ---------------------------------------------------------------- exceptions of azure-core

NOT_SENT, LOST, ANSWERED, UNREADABLE, UNSENDABLE = "not sent", "lost", "answered", "unreadable", "unsendable"

FAILURES: dict[type[BaseException], str] = {
    azure.AzureError: LOST,
    azure.ServiceRequestError: NOT_SENT,
    azure.ServiceRequestTimeoutError: NOT_SENT,
    azure.ServiceResponseError: LOST,
    azure.ServiceResponseTimeoutError: LOST,
    azure.HttpResponseError: ANSWERED,
    azure.ResourceExistsError: ANSWERED,
    azure.ResourceNotFoundError: ANSWERED,
    azure.ClientAuthenticationError: ANSWERED,
    azure.ResourceModifiedError: ANSWERED,
    azure.ResourceNotModifiedError: ANSWERED,
    azure.TooManyRedirectsError: ANSWERED,
    azure.ODataV4Error: ANSWERED,
    azure.DecodeError: UNREADABLE,
    azure.IncompleteReadError: LOST,
    azure.StreamConsumedError: UNREADABLE,
    azure.StreamClosedError: UNREADABLE,
    azure.ResponseNotReadError: UNREADABLE,
    azure.SerializationError: UNSENDABLE,
    azure.DeserializationError: UNREADABLE,
}
"""What became of the call, by the exception that azure-core raises; a subclass counts as its nearest base here."""

_WITHOUT_ANSWER: dict[type[BaseException], int] = {
    azure.ClientAuthenticationError: 401,
    azure.ResourceNotFoundError: 404,
    azure.ResourceExistsError: 409,
    azure.ResourceModifiedError: 412,
}
"""The status that an exception stands for when it carries no answer."""

FOREIGN = tuple(FAILURES)


def failure_error(call: Call, error: BaseException) -> CloudError:
    """The error for an exception of azure-core or of a client built on it. Raise it outside of the `except` block."""
    fate = next(FAILURES[kind] for kind in type(error).__mro__ if kind in FAILURES)
    return _FATES[fate](call, error)


def _not_sent(call: Call, error: BaseException) -> CloudError:
    return _failed(Unreachable, call, f"{call.service} could not be reached: {_text(error)}")


def _lost(call: Call, error: BaseException) -> CloudError:
    kind = Unreachable if call.safe else OutcomeUnknown
    return _failed(kind, call, f"{call.service} did not answer: {_text(error)}")


def _unreadable(call: Call, error: BaseException) -> CloudError:
    kind = ServiceFailed if call.safe else OutcomeUnknown
    return _failed(kind, call, f"{call.service} gave an answer that cannot be read: {_text(error)}")


def unreadable_error(call: Call, body: bytes, *, secrets: frozenset[str] = frozenset()) -> CloudError:
    """The error for a good status whose body is not what the service speaks."""
    return unusable_error(call, _told(hide(read_body(body).message, secrets)))


def elsewhere_error(call: Call, status: int) -> CloudError:
    """The error for an answer that sends us to another place: we go to none, and it says nothing of what we asked."""
    return unusable_error(call, f"It answered {status}: something between us and the service wants us elsewhere.")


def unusable_error(call: Call, said: str) -> CloudError:
    """The error for an answer that came well and is none to our question."""
    kind = ServiceFailed if call.safe else OutcomeUnknown
    return _failed(kind, call, f"{call.service} gave an answer that cannot be read. {said}".strip())


def _unsendable(call: Call, error: BaseException) -> CloudError:
    return _failed(Rejected, call, f"The call could not be written: {_text(error)}")


def _answered(call: Call, error: BaseException) -> CloudError:
    response = getattr(error, "response", None)
    if response is None:
        status = next((_WITHOUT_ANSWER[kind] for kind in type(error).__mro__ if kind in _WITHOUT_ANSWER), 400)
        body = json.dumps({"error": {"code": "", "message": str(getattr(error, "message", None) or error)}}).encode()
        mapped = answer_error(call, status, {}, body)
        mapped.why = mapped.why.replace(f"answered {status}.", "refused.")
        if isinstance(mapped, Unauthorized):
            mapped.mend = SIGN_IN
        mapped.args = (mapped.what, mapped.why, mapped.mend)
        return mapped
    secrets = secrets_of(getattr(response, "request", None))
    return answer_error(call, response.status_code, response.headers, body_of(response), secrets=secrets)


def body_of(response: Any) -> bytes:
    """The body of an answer of either of azure-core's kinds; empty when it cannot be read any more."""
    try:
        return bytes(response.body() if hasattr(response, "body") else response.content)
    except Exception:
        return b""


def _failed(kind: type[CloudError], call: Call, why: str) -> CloudError:
    return kind(_what(call), why, _MENDS[kind], service=call.service)


def _text(error: BaseException) -> str:
    text = _told(hide(str(getattr(error, "message", None) or error)))
    return (text or type(error).__name__).rstrip(".") + "."


_FATES = {
    NOT_SENT: _not_sent,
    LOST: _lost,
    ANSWERED: _answered,
    UNREADABLE: _unreadable,
    UNSENDABLE: _unsendable,
}


def encoded(body: Any) -> bytes:
    """A decoded body as bytes again, for `answer_error`."""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
