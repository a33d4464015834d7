"""The clients against wires that misbehave: repeating pages, batches with holes, HTML, echoed secrets."""

from __future__ import annotations

import io
import json
import logging
import pickle
import random
import traceback
from typing import Any
from urllib.parse import unquote

import pytest
from azure.core.credentials import AccessToken
from wires import ORIGIN, Wire, clock, write

from crossfade import errors
from crossfade.clock import SimulatedClock
from crossfade.cloud.classic import next_link
from crossfade.cloud.clouds import custom
from crossfade.cloud.credentials import SignIn
from crossfade.cloud.heard import RetryDetails, tell_retry
from crossfade.cloud.services import Services
from crossfade.cloud.transport import AsgiTransport
from crossfade.model.ids import arm_id

TOKEN = "planted-bearer-token-0123456789"
SUB = "11111111-1111-1111-1111-111111111111"
POOL = arm_id(SUB, "rg", "hostPools", "hp-1")
VM = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"
BODY = {"location": "westeurope", "properties": {}}


class Signed:
    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(TOKEN, 2**33)

    async def close(self) -> None: ...


def run(app: Any, work: Any, *, at: SimulatedClock | None = None, told: list[RetryDetails] | None = None) -> Any:
    at = at or clock()
    hook = tell_retry if told is None else told.append
    transport = AsgiTransport(app, at)

    async def main() -> Any:
        async with Services(
            custom(ORIGIN), SignIn(), transport, at, random.Random(3), hook=hook, own_credential=Signed()
        ) as services:
            return await work(services)

    return at.run(main())


# ---------------------------------------------------------------- ARM


@pytest.mark.parametrize(
    ("fault", "expected", "sent"),
    [
        ((200, {"content-type": "text/html"}, "<html><title>Sign in</title></html>"), errors.OutcomeUnknown, 6),
        ((200, {"content-type": "application/json"}, b'{"id": '), errors.OutcomeUnknown, 6),
        ((500, {"content-type": "text/html"}, "<html><title>Oops</title></html>"), errors.ServiceFailed, 6),
        (ConnectionResetError(), errors.OutcomeUnknown, 6),
        (ConnectionRefusedError(), errors.Unreachable, 6),
        ((400, {}, {"error": {"code": "400", "message": "bad"}}), errors.Rejected, 1),
        ((429, {"content-type": "application/json"}, "slow down"), errors.Throttled, 6),
        ((503, {}, b"<html>busy"), errors.ServiceFailed, 6),
    ],
)
def test_a_put_that_goes_wrong(fault: Any, expected: type[Exception], sent: int) -> None:
    wire = Wire(fault)
    with pytest.raises(expected) as caught:
        run(wire, lambda services: services.arm.put(POOL, BODY))
    assert type(caught.value) is expected
    assert len(wire.requests) == sent
    assert "host pool hp-1" in str(caught.value)


@pytest.mark.parametrize("fault", [(429, {"Retry-After": "40"}, {}), ConnectionResetError(), (500, {}, "")])
def test_a_list_of_a_workspace_is_read_again_before_it_is_written_again(fault: Any) -> None:
    """What was read before the wait would take out what somebody else has put in meanwhile."""

    def listing(*groups: str) -> Any:
        return 200, {}, {"properties": {"applicationGroupReferences": list(groups)}}

    told: list[RetryDetails] = []
    wire = Wire(listing("/a"), fault, listing("/a", "/b"), (200, {}, {}))
    workspace = arm_id(SUB, "rg", "workspaces", "ws-1")
    assert run(wire, lambda services: services.arm.publish_in(workspace, ["/c"]), told=told) == ["/a", "/b", "/c"]
    assert [request["method"] for request in wire.requests] == ["GET", "PATCH", "GET", "PATCH"]
    written = json.loads(wire.requests[-1]["body"])["properties"]["applicationGroupReferences"]
    assert written == ["/a", "/b", "/c"]
    assert [(details.subject, details.method, details.attempt) for details in told] == [("workspace ws-1", "PATCH", 1)]


def test_a_restart_whose_outcome_is_unknown_is_not_sent_twice() -> None:
    wire = Wire(ConnectionResetError())
    with pytest.raises(errors.OutcomeUnknown, match="Could not restart virtual machine vm1"):
        run(wire, lambda services: services.arm.machines.restart(VM))
    assert len(wire.requests) == 1


def test_a_long_running_operation_that_ends_badly_is_an_error_with_its_reason() -> None:
    operation = f"{ORIGIN}/subscriptions/{SUB}/providers/Microsoft.Compute/locations/x/operations/1?api-version=1"
    wire = Wire(
        (202, {"Azure-AsyncOperation": operation, "Retry-After": "30"}, None),
        (200, {"Retry-After": "30"}, {"status": "InProgress"}),
        (200, {}, {"status": "Failed", "error": {"code": "AllocationFailed", "message": "no room"}}),
    )
    at = clock()
    with pytest.raises(errors.Rejected, match="AllocationFailed") as caught:
        run(wire, lambda services: services.arm.machines.start(VM), at=at)
    assert "no room" in caught.value.why
    assert at.loop.time() == pytest.approx(60, abs=1)  # before the first look, and before the second


def test_pages_of_the_sdks_come_as_they_were_sent() -> None:
    wire = Wire(
        (200, {}, {"value": [{"id": "1", "unknown": {"kept": True}}], "nextLink": f"{ORIGIN}/next?$skiptoken=a%2Fb"}),
        (200, {}, {"value": [], "nextLink": f"{ORIGIN}/next2"}),
        (200, {}, {"value": [{"id": "2"}], "nextLink": None}),
    )
    rows = run(wire, lambda services: services.arm.rows("hostPools", f"/subscriptions/{SUB}"))
    assert rows == [{"id": "1", "unknown": {"kept": True}}, {"id": "2"}]
    assert "$skiptoken=a/b" in unquote(wire.requests[1]["query"])


LISTS: dict[str, Any] = {
    "host pools": lambda services: services.arm.rows("hostPools", f"/subscriptions/{SUB}"),
    "subscriptions": lambda services: services.arm.subscriptions(),
    "Resource Graph": lambda services: services.arm.resource_graph.rows("q", [SUB], subject="q"),
    "Graph": lambda services: services.graph.groups_named("x"),
    "classic": lambda services: services.classic.rows("Tenants", "g"),
}


@pytest.mark.parametrize("which", LISTS)
@pytest.mark.parametrize(
    "fault",
    [
        (200, {}, {"error": {"code": "InternalError", "message": "boom"}}),
        (200, {}, None),
        (200, {}, {}),
        (200, {}, ["a"]),
        (200, {}, {"value": {"id": "1"}, "data": "1"}),
        (302, {"Location": "https://proxy.test/login", "Content-Length": "0"}, b""),
    ],
)
def test_an_answer_without_a_list_is_not_an_empty_list(which: str, fault: Any) -> None:
    """Rollback deletes a resource group when a list says that nothing is in it."""
    with pytest.raises(errors.ServiceFailed, match="cannot be read"):
        run(Wire(fault), LISTS[which])


@pytest.mark.parametrize("which", [which for which in LISTS if which != "classic"])
def test_pages_that_lead_in_a_circle_are_an_error_and_end(which: str) -> None:
    links = {"nextLink": f"{ORIGIN}/next", "@odata.nextLink": f"{ORIGIN}/next", "$skipToken": "next"}
    wire = Wire(*[(200, {}, {"value": [{"id": "1"}], "data": [{"id": "1"}], **links})] * 9, (500, {}, "no end"))
    with pytest.raises(errors.ServiceFailed, match="in a circle"):
        run(wire, LISTS[which])
    assert len(wire.requests) == 2


def test_a_write_that_is_answered_with_an_error_has_an_unknown_outcome() -> None:
    wire = Wire((200, {}, {"error": {"code": "InternalError", "message": "boom"}}))
    with pytest.raises(errors.OutcomeUnknown, match="boom"):
        run(wire, lambda services: services.arm.put(POOL, BODY))


def test_a_workspace_that_is_answered_with_nothing_is_not_written() -> None:
    """Its list would lose all that others have put in."""
    wire = Wire((200, {}, None))
    with pytest.raises(errors.ServiceFailed):
        run(wire, lambda services: services.arm.publish_in(arm_id(SUB, "rg", "workspaces", "ws-1"), ["/c"]))
    assert {request["method"] for request in wire.requests} == {"GET"}


@pytest.mark.parametrize(
    ("after", "date", "looked"),
    [("Mon, 02 Mar 2026 18:01:00 GMT", "Mon, 02 Mar 2026 18:00:00 GMT", 60), ("soon", "", 25), ("86400", "", 600)],
)
def test_when_a_running_operation_is_looked_at(after: str, date: str, looked: int) -> None:
    operation = f"{ORIGIN}/subscriptions/{SUB}/providers/Microsoft.Compute/locations/x/operations/1?api-version=1"
    said = {"Azure-AsyncOperation": operation, "Retry-After": after, "Date": date}
    wire, at = Wire((202, said, None), (200, {}, {"status": "Succeeded"})), clock()
    run(wire, lambda services: services.arm.machines.start(VM), at=at)
    assert at.loop.time() == pytest.approx(looked, abs=1)


def test_a_service_that_wants_a_day_of_rest_is_told_and_does_not_silence_the_others() -> None:
    wire, at = Wire((429, {"Retry-After": "86400"}, "<html>"), (200, {}, {"value": []})), clock()

    async def twice(services: Services) -> Any:
        with pytest.raises(errors.Throttled):
            await services.arm.subscriptions()
        return await services.arm.subscriptions()

    assert run(wire, twice, at=at) == []
    assert at.loop.time() == pytest.approx(1800, abs=1)


@pytest.mark.parametrize("origin", ["https://cloud.test:443", "https://Cloud.TEST", "https://west.cloud.test"])
def test_a_next_page_is_followed_however_the_services_host_is_written(origin: str) -> None:
    wire = Wire((200, {}, {"value": [{"id": "1"}], "nextLink": f"{origin}/next"}), (200, {}, {"value": [{"id": "2"}]}))
    for name in ("host pools", "subscriptions"):
        assert run(wire, LISTS[name])[-1] == {"id": "2"}


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/", "http://cloud.test/", "https://cloud.test:8443/", "https://cloud.test@evil.test/"],
)
def test_a_next_page_elsewhere_is_refused(elsewhere: str) -> None:
    wire = Wire((200, {}, {"value": [{"id": "1"}], "nextLink": elsewhere}))
    with pytest.raises(errors.Rejected, match="Did not follow a link"):
        run(wire, lambda services: services.arm.rows("hostPools", f"/subscriptions/{SUB}"))
    assert len(wire.requests) == 1


def test_providers_are_not_registered_behind_our_back() -> None:
    body = {"error": {"code": "MissingSubscriptionRegistration", "message": "not 'Microsoft.DesktopVirtualization'"}}
    wire = Wire((409, {}, body))
    with pytest.raises(errors.Conflict, match="Register the resource provider"):
        run(wire, lambda services: services.arm.put(POOL, BODY))
    assert [request["method"] for request in wire.requests] == ["PUT"]


def test_a_token_whose_making_was_lost_on_the_way_is_found_again() -> None:
    token = {"token": "eyJ0b2tlbg.e30.c2ln", "expirationTime": "2026-03-03T18:00:00.1234567Z"}
    wire = Wire(
        (200, {}, {"value": []}),
        ConnectionResetError(),
        (200, {}, {"value": [token], "nextLink": None}),
    )
    found = run(wire, lambda services: services.arm.registration_token(POOL))
    assert (found.value, found.ours) == (token["token"], True)
    assert [request["method"] for request in wire.requests] == ["POST", "PATCH", "POST"]


# ---------------------------------------------------------------- classic


def test_a_page_that_repeats_itself_ends_the_list() -> None:
    rows = [{"userPrincipalName": f"p{number}"} for number in range(1000)]
    wire = Wire((200, {}, rows))
    found = run(wire, lambda services: services.classic.rows("AssignedUsers", "g/t/p/a"))
    assert len(found) == 1000
    assert len(wire.requests) == 2
    assert "LastEntry=p999" in wire.requests[1]["query"]


def test_sessions_of_one_person_on_two_pages_are_counted_once() -> None:
    def session(number: int) -> dict[str, Any]:
        return {"userPrincipalName": "amy", "sessionHostName": "h", "sessionId": number}

    first, second = [session(number) for number in range(1000)], [session(999), session(1000)]
    found = run(Wire((200, {}, first), (200, {}, second)), lambda services: services.classic.rows("Sessions", "g/t/p"))
    assert [row["sessionId"] for row in found] == list(range(1001))


def test_an_empty_page_in_the_middle_does_not_end_the_list() -> None:
    def page(name: str, *rows: str) -> Any:
        return 200, {"Link": f'<{ORIGIN}/{name}>; rel="next"'}, [{"tenantName": row} for row in rows]

    wire = Wire(page("2", "a"), page("3"), page("4", "b"), page("3", "c"))
    rows = run(wire, LISTS["classic"])
    assert [row["tenantName"] for row in rows] == ["a", "b", "c"]
    assert len(wire.requests) == 4  # the last one leads back


def test_a_full_page_without_keys_is_not_asked_for_for_ever() -> None:
    wire = Wire(*[(200, {}, [{"TenantName": str(number)} for number in range(1000)])] * 2, (500, {}, "no end"))
    assert len(run(wire, LISTS["classic"])) == 1000


def test_a_null_list_is_an_empty_one() -> None:
    assert run(Wire((200, {}, b"null")), lambda services: services.classic.rows("HostPools", "g/t")) == []


def test_the_names_of_a_key_are_encoded_in_the_url_and_sent_in_the_body() -> None:
    wire = Wire((200, {}, {"ok": 1}))
    run(wire, lambda services: services.classic.drain("Default Tenant Group/ten&ant/Büro #1/vm-1.corp.test"))
    request = wire.requests[0]
    assert request["path"] == (
        "/RdsManagement/V1/TenantGroups/Default%20Tenant%20Group/Tenants/ten%26ant"
        "/HostPools/B%C3%BCro%20%231/SessionHosts/vm-1.corp.test"
    )
    assert json.loads(request["body"]) == {
        "tenantGroupName": "Default Tenant Group",
        "tenantName": "ten&ant",
        "hostPoolName": "Büro #1",
        "sessionHostName": "vm-1.corp.test",
        "allowNewSession": False,
    }


def test_a_plain_text_429_is_obeyed() -> None:
    told: list[RetryDetails] = []
    at = clock()
    wire = Wire((429, {"Retry-After": "40", "content-type": "text/plain"}, "Too many requests"), (200, {}, {"a": 1}))
    run(wire, lambda services: services.classic.get("g/t/p"), at=at, told=told)
    assert at.loop.time() == pytest.approx(40, abs=1)
    assert told[0].error["why"] == "classic answered 429. Too many requests"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://x/a?b=1>; rel="next"', "https://x/a?b=1"),
        ("<https://x/p>; rel=prev, <https://x/n>; rel=next", "https://x/n"),
        ('<https://x/a,b>; title="next"; rel="prev"', ""),
        ("", ""),
    ],
)
def test_link_headers(header: str, expected: str) -> None:
    assert next_link(header) == expected


# ---------------------------------------------------------------- Graph


def test_throttled_requests_inside_a_batch_are_asked_again_alone() -> None:
    asked: list[list[str]] = []

    async def graph(scope: Any, receive: Any, send: Any) -> None:
        requests = json.loads((await receive())["body"])["requests"]
        asked.append([request["id"] for request in requests])
        responses = [
            {"id": request["id"], "status": 429, "headers": {"Retry-After": "9"}, "body": {"error": {"code": "x"}}}
            if len(asked) == 1 and request["id"] == "1"
            else {"id": request["id"], "status": 200, "body": {"id": request["url"][7:9]}}
            for request in reversed(requests)
        ]
        await write(send, 200, {}, {"responses": responses})

    at = clock()
    found = run(graph, lambda services: services.graph.users(["aa", "bb", "cc"]), at=at)
    assert [person["id"] for person in found.values()] == ["aa", "bb", "cc"]
    assert asked == [["0", "1", "2"], ["1"]]
    assert at.loop.time() == pytest.approx(9, abs=0.5)


def test_a_group_whose_making_was_not_answered_is_looked_for_and_not_made_twice() -> None:
    nobody = (200, {}, {"value": []})
    wire = Wire(nobody, ConnectionResetError(), nobody, nobody, (200, {}, {"value": [{"id": "g"}]}))
    assert run(wire, lambda services: services.graph.ensure_group("G", "g-1")) == {"id": "g"}
    assert [request["method"] for request in wire.requests].count("POST") == 1


def test_answers_of_a_batch_to_what_nobody_asked_are_left_out() -> None:
    odd = [{"id": "7", "status": 200}, {"status": 200}, {"id": "x"}, {"id": "0", "status": 200, "body": {"id": "i"}}]
    wire = Wire((200, {}, {"responses": [*odd, {"id": "1", "status": None}]}))
    found = run(wire, lambda services: services.graph.users(["a@x", "b@x"]))
    assert found["a@x"] == {"id": "i"}
    assert isinstance(found["b@x"], errors.ServiceFailed)


def test_what_a_batch_leaves_out_is_asked_again_and_then_an_error() -> None:
    wire = Wire((200, {}, {"responses": []}))
    found = run(wire, lambda services: services.graph.users(["aa"]))
    assert isinstance(found["aa"], errors.ServiceFailed)
    assert len(wire.requests) == 6


def test_policies_that_may_not_be_read_are_unread_not_none() -> None:
    forbidden = (403, {}, {"error": {"code": "AccessDenied", "message": "no"}})
    assert run(Wire(forbidden), lambda services: services.graph.conditional_access_policies()) is None


# ---------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "answer",
    [
        (400, {}, {"error": {"code": TOKEN, "message": f"bad token {TOKEN}"}}),
        (401, {}, f"Bearer {TOKEN} was not accepted"),
        (200, {"content-type": "text/html"}, f"<html><title>{TOKEN}</title></html>"),
        ConnectionResetError(),
    ],
)
@pytest.mark.parametrize("way", ["arm", "classic", "graph", "machines"])
def test_no_bearer_token_reaches_an_error_a_log_or_a_traceback(
    answer: Any, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    ways: dict[str, Any] = {
        "arm": lambda services: services.arm.put(POOL, BODY),
        "classic": lambda services: services.classic.get("g/t/p"),
        "graph": lambda services: services.graph.group("1"),
        "machines": lambda services: services.arm.machines.restart(VM),
    }
    caplog.set_level(logging.DEBUG)
    with pytest.raises(errors.CloudError) as caught:
        run(Wire(answer), ways[way])
    error = caught.value
    text = io.StringIO()
    traceback.print_exception(error, file=text)
    shown = [
        str(error),
        repr(error),
        json.dumps(error.as_data()),
        repr(pickle.dumps(error)),
        text.getvalue(),
        caplog.text,
    ]
    assert [one for one in shown if TOKEN in one] == []
    assert error.__cause__ is None
    assert error.__context__ is None


def test_calls_are_counted_with_their_retries() -> None:
    async def work(services: Services) -> dict[str, int]:
        await services.arm.get(POOL)
        await services.arm.rows("hostPools/sessionHosts", POOL)
        return dict(services.calls)

    wire = Wire((503, {}, None), (200, {}, {"value": [], "id": "x"}))
    assert run(wire, work) == {"arm GET hostPools": 2, "arm GET hostPools/sessionHosts": 1}
