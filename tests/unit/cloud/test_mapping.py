"""Foreign errors become ours: complete over azure.core.exceptions, and with no secret in them."""

from __future__ import annotations

import copy
import inspect
import json
import pickle

import pytest
from azure.core import exceptions as azure
from azure.core.rest import HttpRequest

from crossfade import errors
from crossfade.cloud import mapping
from crossfade.cloud.calls import Call, collection
from crossfade.cloud.redaction import secrets_of

PUT = Call(service="arm", subject="host pool hp-1", method="PUT")
GET = Call(service="arm", subject="host pool hp-1", method="GET")
POST = Call(service="classic", subject="session 3", method="POST")
SECRET = "planted-S3cret-value-0123456789"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJwbGFudGVkIjoidG9rZW4ifQ.c2lnbmF0dXJl"


def envelope(code: str, message: str = "no") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def test_the_table_names_every_exception_of_azure_core() -> None:
    theirs = {
        kind
        for _, kind in inspect.getmembers(azure, inspect.isclass)
        if issubclass(kind, BaseException) and kind.__module__ == azure.__name__
    }
    assert theirs - set(mapping.FAILURES) == set()
    assert set(mapping.FAILURES.values()) == set(mapping._FATES)


@pytest.mark.parametrize("kind", mapping.FAILURES, ids=lambda kind: kind.__name__)
def test_every_exception_becomes_a_cloud_error(kind: type[BaseException]) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, "broken")
    error.__dict__["message"] = "broken"  # what their constructors set
    mapped = mapping.failure_error(PUT, error)
    assert isinstance(mapped, errors.CloudError)
    assert mapped.what == "Could not write host pool hp-1."
    assert mapped.mend


@pytest.mark.parametrize(
    ("error", "call", "expected"),
    [
        (azure.ServiceRequestError("refused"), PUT, errors.Unreachable),
        (azure.ServiceResponseError("reset"), PUT, errors.OutcomeUnknown),
        (azure.ServiceResponseError("reset"), GET, errors.Unreachable),
        (azure.ServiceResponseTimeoutError("late"), POST, errors.OutcomeUnknown),
        (azure.IncompleteReadError("cut"), PUT, errors.OutcomeUnknown),
        (azure.DecodeError("what?"), GET, errors.ServiceFailed),
        (azure.DecodeError("what?"), PUT, errors.OutcomeUnknown),
        (azure.DeserializationError("what?"), PUT, errors.OutcomeUnknown),
        (azure.SerializationError("no"), PUT, errors.Rejected),
        (azure.ClientAuthenticationError("no"), GET, errors.Unauthorized),
        (azure.ResourceExistsError("there"), PUT, errors.Conflict),
    ],
)
def test_what_became_of_the_call(error: Exception, call: Call, expected: type[errors.CloudError]) -> None:
    assert type(mapping.failure_error(call, error)) is expected


def test_who_has_never_signed_in_reads_one_line_and_the_ways_to_sign_in() -> None:
    tried = "".join(f"\n\tCredential{at}: unavailable. See\nthe guide." for at in range(40))
    mapped = mapping.failure_error(GET, azure.ClientAuthenticationError(f"No credential worked.{tried}"))
    assert "refused. No credential worked. Credential0: unavailable. See the guide. Credential1" in mapped.why
    assert mapped.why.endswith("…")
    assert "`az login`" in mapped.mend
    assert "\n" not in f"{mapped}"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, envelope("BadRequest"), errors.Rejected),
        (400, envelope("400", "SessionHostPool p still has ApplicationGroups associated with it."), errors.Conflict),
        (400, envelope("Request_BadRequest", "One or more added object references already exist"), errors.Conflict),
        (401, envelope("ExpiredAuthenticationToken"), errors.Unauthorized),
        (401, envelope("UnauthorizedAccess"), errors.Forbidden),
        (403, envelope("AuthorizationFailed"), errors.Forbidden),
        (404, envelope("ResourceNotFound"), errors.NotFound),
        (400, envelope("TenantNotFound"), errors.NotFound),
        (500, envelope("2000"), errors.NotFound),
        (409, envelope("whatever"), errors.Conflict),
        (400, envelope("2004"), errors.Conflict),
        (400, envelope("HostPoolCannotBeRemovedHasSessionHosts"), errors.Conflict),
        (409, envelope("ParallelExecutionOnSameRecordError"), errors.ServiceFailed),
        (400, envelope("8012"), errors.Throttled),
        (429, b"You sent too many requests. Try later.", errors.Throttled),
        (412, b"", errors.Conflict),
        (500, b"<html><head><title>502 Bad Gateway</title></head></html>", errors.ServiceFailed),
        (503, b"", errors.ServiceFailed),
        (418, b"[]", errors.Rejected),
    ],
)
def test_answers(status: int, body: bytes, expected: type[errors.CloudError]) -> None:
    mapped = mapping.answer_error(PUT, status, {}, body)
    assert type(mapped) is expected
    assert mapped.status == status


def test_an_error_keeps_the_ids_of_the_call() -> None:
    headers = {
        "x-ms-request-id": "r-1",
        "X-Ms-Correlation-Request-Id": "c-1",
        "Retry-After": "17",
    }
    mapped = mapping.answer_error(PUT, 429, headers, envelope("TooManyRequests"))
    assert (mapped.request_id, mapped.correlation_id, mapped.retry_after_s) == ("r-1", "c-1", 17.0)
    assert mapped.service_code == "TooManyRequests"


def test_retry_after_as_a_date_is_taken_against_the_answers_own_date() -> None:
    headers = {"Retry-After": "Mon, 02 Mar 2026 18:02:00 GMT", "Date": "Mon, 02 Mar 2026 18:00:30 GMT"}
    assert mapping.retry_after_s(headers) == 90.0
    assert mapping.retry_after_s({"Retry-After": "Mon, 02 Mar 2026 18:02:00 GMT"}) is None
    assert mapping.retry_after_s({"Retry-After": "soon"}) is None


def test_the_last_detail_speaks_unless_it_is_raw_data() -> None:
    error = {"code": "7001", "message": "Bad", "details": [{"message": "first"}, {"message": "last"}]}
    assert mapping.read_body(json.dumps({"error": error}).encode()).message == "Bad last"
    error["details"] = [{"message": "first"}, {"message": "{raw}"}]
    assert mapping.read_body(json.dumps({"error": error}).encode()).message == "Bad first"


def test_a_page_for_browsers_is_named_as_such() -> None:
    mapped = mapping.answer_error(GET, 502, {}, b"<html><title>Bad gateway</title><body>" + b"x" * 5000)
    assert "page for a browser, titled 'Bad gateway'" in mapped.why
    assert "xxxx" not in mapped.why


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, None),
        ({}, f"client_secret={SECRET}&grant_type=client_credentials"),
        ({}, json.dumps({"properties": {"protectedParameters": [{"name": "Token", "value": SECRET}]}})),
        ({}, json.dumps({"ssoClientSecret": SECRET})),
    ],
)
def test_no_secret_that_a_service_echoes_reaches_an_error(headers: dict[str, str], body: str | None) -> None:
    request = HttpRequest("POST", "https://cloud.test/x", headers=headers, content=body)
    text = f"bad {SECRET}, bad {TOKEN}, Bearer {SECRET}"
    mapped = mapping.answer_error(PUT, 400, {}, envelope(text, text), secrets=secrets_of(request))
    for shown in (str(mapped), repr(mapped), json.dumps(mapped.as_data()), repr(pickle.dumps(mapped))):
        assert SECRET not in shown
        assert TOKEN not in shown
    copied = pickle.loads(pickle.dumps(mapped))
    assert copied.as_data() == mapped.as_data() == copy.copy(mapped).as_data()


@pytest.mark.parametrize(
    ("service", "path", "expected"),
    [
        ("arm", "/subscriptions/s/resourceGroups/g", "subscriptions/resourceGroups"),
        ("arm", "/subscriptions/s/providers/Microsoft.X/hostPools", "hostPools"),
        ("arm", "/subscriptions/s/resourceGroups/g/providers/M.D/hostPools/h/sessionHosts", "hostPools/sessionHosts"),
        ("arm", "/subscriptions/s/providers/M.D/register", "register"),
        ("arm", "/subscriptions/s/providers/M.A/x/y/providers/M.Auth/roleAssignments/1", "roleAssignments"),
        ("classic", "/RdsManagement/V1/TenantGroups/Tenants/Tenants/t/HostPools", "HostPools"),
        ("classic", "/RdsManagement/V1/TenantGroups/g/Tenants/t/HostPools/p/RegistrationInfos/actions/export",
         "RegistrationInfos/export"),
        ("classic", "/RdsManagement/V1/TenantGroups/g/Rds.Authorization/roleAssignments", "roleAssignments"),
        ("graph", "/v1.0/groups/1/members", "groups/members"),
        ("graph", "/v1.0/$batch", "$batch"),
        ("entra", "/t/oauth2/v2.0/token", "token"),
    ],
)  # fmt: skip
def test_collections_hold_no_names(service: str, path: str, expected: str) -> None:
    assert collection(service, f"https://x.test{path}?a=b") == expected
