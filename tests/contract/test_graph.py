"""Graph at the twin: over TLS through azure-core's pipeline, and in-process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from _furnished import APP_ID, APP_OBJECT_ID, GROUP, SECRET, user_id
from _inprocess import TENANT, Answer, Twin
from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential

from avdtwin.directory import add_user
from avdtwin.server import Endpoint
from avdtwin.state import Group, User
from avdtwin.world import World

EVENTUAL = {"ConsistencyLevel": "eventual"}
NEW_GROUP = {"displayName": "AVD users", "mailEnabled": False, "mailNickname": "avdusers", "securityEnabled": True}


def refused(answer: Answer) -> tuple[int, str]:
    """(status, code) of an error, its envelope checked."""
    error = answer.json()["error"]
    assert {"date", "request-id", "client-request-id"} <= error["innerError"].keys()
    return answer.status, error["code"]


def create(twin: Twin, **more: Any) -> str:
    """A new group, known everywhere: its id."""
    answer = twin.call("POST", "/v1.0/groups", NEW_GROUP | more)
    assert answer.status == 201, answer.json()
    settle(twin.world)
    return str(answer.json()["id"])


def settle(world: World) -> None:
    world.clock.advance(60)  # type: ignore[attr-defined]
    world.settle()


def reference(key: str) -> str:
    return f"https://graph.microsoft.com/v1.0/directoryObjects/{key}"


def bind(twin: Twin, group: str, *keys: str) -> Answer:
    return twin.call("PATCH", f"/v1.0/groups/{group}", {"members@odata.bind": [reference(key) for key in keys]})


def members(twin: Twin, group: str, kind: str = "members") -> set[str]:
    return {each["id"] for each in twin.call("GET", f"/v1.0/groups/{group}/{kind}").json()["value"]}


# ---------------------------------------------------------------- over TLS


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[PipelineClient[Any, Any]]:
    trust = {"connection_verify": str(endpoint.ca_file)}
    credential = ClientSecretCredential(
        TENANT, APP_ID, SECRET, authority=endpoint.url, disable_instance_discovery=True, **trust
    )
    policy = BearerTokenCredentialPolicy(credential, "https://graph.microsoft.com/.default")
    with credential, PipelineClient(endpoint.url, policies=[policy], **trust) as found:
        yield found


def test_pages_through_azure_core(client: PipelineClient[Any, Any], endpoint: Endpoint) -> None:
    url = f"{endpoint.url}/v1.0/users?$select=id,userPrincipalName&$top=7"
    names, pages = [], 0
    while url:
        body = client.send_request(HttpRequest("GET", url)).json()
        assert all(each.keys() == {"id", "userPrincipalName"} for each in body["value"])
        names += [each["userPrincipalName"] for each in body["value"]]
        url, pages = body.get("@odata.nextLink", ""), pages + 1
    assert (len(names), len(set(names)), pages) == (31, 31, 5)


def test_create_fill_and_delete_through_azure_core(client: PipelineClient[Any, Any], endpoint: Endpoint) -> None:
    def send(method: str, path: str, body: Any = None) -> Any:
        return client.send_request(HttpRequest(method, endpoint.url + path, json=body))

    endpoint.call(lambda world: world.state.settings.update(principal_replication_s=[0, 0]))
    made = send("POST", "/v1.0/groups", NEW_GROUP)
    assert made.status_code == 201
    group = made.json()["id"]
    one = send("POST", f"/v1.0/groups/{group}/members/$ref", {"@odata.id": reference(user_id(3))})
    assert (one.status_code, one.content) == (204, b"")
    listed = send("GET", f"/v1.0/groups/{group}/members/microsoft.graph.user?$select=id").json()["value"]
    assert listed == [{"id": user_id(3)}]
    assert send("DELETE", f"/v1.0/groups/{group}").status_code == 204
    gone = send("GET", f"/v1.0/groups/{group}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "Request_ResourceNotFound")


# ---------------------------------------------------------------- users


@pytest.mark.parametrize("key", [user_id(7), "user07@contoso.example", "USER07%40Contoso.example"])
def test_a_user_by_id_or_upn_in_any_case(twin: Twin, key: str) -> None:
    body = twin.call("GET", f"/v1.0/users/{key}").json()
    assert body["id"] == user_id(7)
    assert body["@odata.context"].endswith("#users/$entity")
    assert body["businessPhones"] == []
    assert "accountEnabled" not in body


def test_a_user_in_parentheses(twin: Twin) -> None:
    assert twin.call("GET", "/v1.0/users('user07@contoso.example')").json()["id"] == user_id(7)


def test_select_reaches_what_is_not_shown_by_default(twin: Twin) -> None:
    body = twin.call("GET", f"/v1.0/users/{user_id(1)}?$select=id,accountEnabled,onPremisesSamAccountName").json()
    assert {name: value for name, value in body.items() if "@" not in name} == {
        "id": user_id(1),
        "accountEnabled": True,
        "onPremisesSamAccountName": None,
    }


def test_a_guests_upn_is_encoded(twin: Twin, world: World) -> None:
    upn = "ada_fabrikam.example#EXT#@contoso.example"
    add_user(world, User(id=user_id(900), upn=upn))
    assert twin.call("GET", f"/v1.0/users/{quote(upn)}").json()["userPrincipalName"] == upn


def test_nobody_of_that_name(twin: Twin, world: World) -> None:
    answer = twin.call("GET", "/v1.0/users/nobody@contoso.example")
    assert refused(answer) == (404, "Request_ResourceNotFound")
    expected = "Resource 'nobody@contoso.example' does not exist or one of its queried reference-property objects are"
    assert answer.json()["error"]["message"].startswith(expected)
    world.state.directory.users[user_id(2)].deleted = True
    assert refused(twin.call("GET", f"/v1.0/users/{user_id(2)}"))[0] == 404


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("userPrincipalName eq 'USER04@contoso.example'", {4}),
        ("userPrincipalName in ('user04@contoso.example','user05@contoso.example','nobody')", {4, 5}),
        ("userPrincipalName eq 'user04@contoso.example' or displayName eq 'User 6'", {4, 6}),
        ("startswith(displayName,'User 1') and accountEnabled eq true", {1, *range(10, 20)}),
        ("displayName eq 'it''s or not'", set()),
    ],
)
def test_filters(twin: Twin, text: str, found: set[int]) -> None:
    value = twin.call("GET", f"/v1.0/users?$filter={quote(text)}&$select=id").json()["value"]
    assert {each["id"] for each in value} == {user_id(number) for number in found}


@pytest.mark.parametrize(
    "query", ["$filter=endswith(mail,'x')", "$filter=nonsense", "$filter=colour eq 'red'", '$search="displayName:user"']
)
def test_filters_it_does_not_know_are_refused(twin: Twin, query: str) -> None:
    assert refused(twin.call("GET", f"/v1.0/users?{quote(query, safe='$=')}")) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize("query", ["$top=0", "$top=1000", "$top=x", "$skiptoken=???"])
def test_pages_that_cannot_be(twin: Twin, query: str) -> None:
    assert refused(twin.call("GET", f"/v1.0/users?{query}")) == (400, "Request_BadRequest")


def test_unknown_routes_and_methods(twin: Twin) -> None:
    assert refused(twin.call("GET", "/v1.0/elephants")) == (400, "BadRequest")
    assert refused(twin.call("DELETE", "/v1.0/users")) == (405, "Request_BadRequest")


# ---------------------------------------------------------------- groups


def test_a_group_by_name(twin: Twin) -> None:
    name = quote("displayName eq 'Five'")
    value = twin.call("GET", f"/v1.0/groups?$filter={name}").json()["value"]
    assert [each["id"] for each in value] == [GROUP]
    assert value[0]["securityEnabled"] is True


def test_two_groups_may_share_a_name(twin: Twin) -> None:
    assert create(twin) != create(twin)


@pytest.mark.parametrize("missing", ["displayName", "mailEnabled", "mailNickname", "securityEnabled"])
def test_a_new_group_needs_its_members(twin: Twin, missing: str) -> None:
    body = {name: value for name, value in NEW_GROUP.items() if name != missing}
    answer = twin.call("POST", "/v1.0/groups", body)
    assert refused(answer) == (400, "Request_BadRequest")
    assert f"'{missing}'" in answer.json()["error"]["message"]


def test_a_group_with_members_from_the_start(twin: Twin) -> None:
    group = create(twin, **{"members@odata.bind": [reference(user_id(1)), reference(user_id(2))]})
    assert members(twin, group) == {user_id(1), user_id(2)}


def test_a_group_changes_its_texts(twin: Twin) -> None:
    assert twin.call("PATCH", f"/v1.0/groups/{GROUP}", {"description": "the five"}).status == 204
    assert twin.call("GET", f"/v1.0/groups/{GROUP}").json()["description"] == "the five"


def test_deleting_a_group_takes_it_out_of_others(twin: Twin) -> None:
    outer = create(twin, **{"members@odata.bind": [reference(GROUP)]})
    assert twin.call("DELETE", f"/v1.0/groups/{GROUP}").status == 204
    assert members(twin, outer) == set()
    assert refused(twin.call("DELETE", f"/v1.0/groups/{GROUP}"))[0] == 404


def test_twenty_members_at_once_and_no_more(twin: Twin) -> None:
    group = create(twin)
    assert bind(twin, group, *map(user_id, range(20))).status == 204
    assert refused(bind(twin, group, *map(user_id, range(20, 30)), *["x"] * 11)) == (400, "Request_BadRequest")
    assert len(members(twin, group)) == 20


def test_members_come_all_or_none(twin: Twin) -> None:
    group = create(twin)
    assert bind(twin, group, user_id(1)).status == 204
    again = bind(twin, group, user_id(2), user_id(1))
    assert refused(again) == (400, "Request_BadRequest")
    expected = "One or more added object references already exist for the following modified properties: 'members'."
    assert again.json()["error"]["message"] == expected
    assert refused(bind(twin, group, user_id(2), user_id(999))) == (404, "Request_ResourceNotFound")
    assert members(twin, group) == {user_id(1)}


def test_one_member_in_and_out(twin: Twin) -> None:
    one = {"@odata.id": reference(user_id(9))}
    assert twin.call("POST", f"/v1.0/groups/{GROUP}/members/$ref", one).status == 204
    assert refused(twin.call("POST", f"/v1.0/groups/{GROUP}/members/%24ref", one)) == (400, "Request_BadRequest")
    assert twin.call("DELETE", f"/v1.0/groups/{GROUP}/members/{user_id(9)}/$ref").status == 204
    assert refused(twin.call("DELETE", f"/v1.0/groups/{GROUP}/members/{user_id(9)}/$ref"))[0] == 404


@pytest.mark.parametrize(
    ("quirk", "status"),
    [({"on_premises_sync": True}, 400), ({"mail_enabled": True}, 400), ({"membership_rule": "x"}, 403)],
)
def test_groups_that_others_keep(twin: Twin, world: World, quirk: dict[str, Any], status: int) -> None:
    for name, value in quirk.items():
        setattr(world.state.directory.groups[GROUP], name, value)
    assert refused(bind(twin, GROUP, user_id(9)))[0] == status


def test_transitive_members(twin: Twin, world: World) -> None:
    outer = create(twin, **{"members@odata.bind": [reference(GROUP), reference(user_id(8))]})
    world.state.directory.groups[GROUP].members[outer] = 0.0  # a cycle harms nobody
    assert members(twin, outer) == {GROUP, user_id(8)}
    assert members(twin, outer, "transitiveMembers") == {GROUP, user_id(8), *map(user_id, range(5))}
    url = f"/v1.0/groups/{outer}/transitiveMembers/microsoft.graph.user?$count=true&$top=4"
    body = twin.call("GET", url, headers=EVENTUAL).json()
    assert body["@odata.count"] == 6
    assert len(body["value"]) == 4
    assert "@odata.type" not in body["value"][0]
    following = twin.call("GET", body["@odata.nextLink"], headers=EVENTUAL).json()
    assert (len(following["value"]), following["@odata.count"]) == (2, 6)
    assert twin.call("GET", f"/v1.0/groups/{outer}/transitiveMembers/$count", headers=EVENTUAL).content == b"7"
    assert refused(twin.call("GET", f"/v1.0/groups/{outer}/members/$count")) == (400, "Request_BadRequest")


def test_mixed_members_tell_their_type(twin: Twin) -> None:
    group = create(twin, **{"members@odata.bind": [reference(GROUP), reference(user_id(1)), reference(APP_OBJECT_ID)]})
    value = twin.call("GET", f"/v1.0/groups/{group}/members").json()["value"]
    assert {each["@odata.type"].rsplit(".")[-1] for each in value} == {"group", "user", "servicePrincipal"}


def test_groups_of_a_user(twin: Twin) -> None:
    outer = create(twin, **{"members@odata.bind": [reference(GROUP)]})
    direct = twin.call("GET", f"/v1.0/users/{user_id(0)}/memberOf").json()["value"]
    assert [each["id"] for each in direct] == [GROUP]
    every = twin.call("POST", f"/v1.0/users/{user_id(0)}/getMemberGroups", {"securityEnabledOnly": False}).json()
    assert set(every["value"]) == {GROUP, outer}


# ---------------------------------------------------------------- replication


def test_a_new_group_is_not_known_at_once(twin: Twin, world: World) -> None:
    world.state.settings["principal_replication_s"] = [10, 10]
    group = twin.call("POST", "/v1.0/groups", NEW_GROUP).json()["id"]
    assert twin.call("GET", f"/v1.0/groups/{group}").status == 200
    assert refused(bind(twin, group, user_id(1))) == (404, "Request_ResourceNotFound")
    assert refused(bind(twin, GROUP, group)) == (404, "Request_ResourceNotFound")
    world.clock.advance(10)  # type: ignore[attr-defined]
    assert bind(twin, group, user_id(1)).status == 204
    assert bind(twin, GROUP, group).status == 204


def test_a_membership_counts_later_than_it_is_listed(twin: Twin, world: World) -> None:
    world.state.settings["group_membership_s"] = [30, 30]
    assert bind(twin, GROUP, user_id(9)).status == 204
    assert user_id(9) in members(twin, GROUP)
    assert world.state.directory.groups[GROUP].members[user_id(9)] == world.now + 30


# ---------------------------------------------------------------- batches


def batch(twin: Twin, *requests: dict[str, Any]) -> dict[str, Any]:
    body = twin.call("POST", "/v1.0/$batch", {"requests": list(requests)}).json()
    return {each["id"]: each for each in body["responses"]}


def test_a_batch_answers_each_call_by_its_id(twin: Twin) -> None:
    calls = [{"id": str(n), "method": "GET", "url": f"/users/user{n:02}@contoso.example?$select=id"} for n in range(18)]
    patch = {"method": "PATCH", "url": f"/groups/{GROUP}", "headers": {"Content-Type": "application/json"}}
    calls.append({"id": "bad", "method": "GET", "url": "/users/nobody"})
    calls.append(patch | {"id": "write", "body": {"members@odata.bind": [reference(user_id(11))]}})
    answers = batch(twin, *calls)
    assert [answers[str(n)]["body"]["id"] for n in range(18)] == [user_id(n) for n in range(18)]
    assert answers["bad"]["status"] == 404
    assert answers["bad"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert answers["write"]["status"] == 204
    assert user_id(11) in members(twin, GROUP)


def test_the_order_of_a_batch_is_not_kept(twin: Twin) -> None:
    calls = [{"id": str(n), "method": "GET", "url": f"/users/{user_id(n)}"} for n in range(20)]
    body = twin.call("POST", "/v1.0/$batch", {"requests": calls}).json()
    assert [each["id"] for each in body["responses"]] != [call["id"] for call in calls]


@pytest.mark.parametrize(
    "requests",
    [
        [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)],
        [{"id": "1", "method": "GET", "url": "/users"}, {"id": "1", "method": "GET", "url": "/users"}],
        "nonsense",
    ],
)
def test_batches_that_are_refused_whole(twin: Twin, requests: Any) -> None:
    assert refused(twin.call("POST", "/v1.0/$batch", {"requests": requests})) == (400, "BadRequest")


def test_a_step_waits_for_another(twin: Twin) -> None:
    first = {"id": "a", "method": "GET", "url": "/users/nobody"}
    second = {"id": "b", "method": "DELETE", "url": f"/groups/{GROUP}", "dependsOn": ["a"]}
    answers = batch(twin, first, second)
    assert answers["b"]["status"] == 424
    assert twin.call("GET", f"/v1.0/groups/{GROUP}").status == 200


def test_a_body_that_is_no_json(twin: Twin) -> None:
    assert refused(twin.call("POST", "/v1.0/groups", b"{")) == (400, "BadRequest")


# ---------------------------------------------------------------- the rest


def test_ids_to_objects(twin: Twin) -> None:
    ids = [user_id(1), GROUP, APP_OBJECT_ID, user_id(999)]
    every = twin.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": ids}).json()["value"]
    assert [each["id"] for each in every] == ids[:3]
    users = twin.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": ids, "types": ["user"]}).json()["value"]
    assert [each["id"] for each in users] == [user_id(1)]
    many = twin.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": ["x"] * 1001})
    assert refused(many) == (400, "Request_BadRequest")


def test_an_application_by_its_id(twin: Twin) -> None:
    for url in (
        f"/v1.0/servicePrincipals?$filter={quote(f'appId eq {APP_ID!r}')}",
        f"/v1.0/servicePrincipals?$filter={quote(f'servicePrincipalNames/any(c:c eq {APP_ID!r})')}",
    ):
        assert [each["id"] for each in twin.call("GET", url).json()["value"]] == [APP_OBJECT_ID]
    assert twin.call("GET", f"/v1.0/servicePrincipals(appId='{APP_ID}')").json()["id"] == APP_OBJECT_ID
    assert twin.call("GET", f"/v1.0/servicePrincipals/{APP_OBJECT_ID}").json()["appId"] == APP_ID


def test_conditional_access_policies(twin: Twin, world: World) -> None:
    world.state.directory.conditional_access.append({"id": "p1", "displayName": "MFA", "state": "enabled"})
    value = twin.call("GET", "/v1.0/identity/conditionalAccess/policies").json()["value"]
    assert [each["displayName"] for each in value] == ["MFA"]
    assert twin.call("GET", "/v1.0/identity/conditionalAccess/policies/P1").json()["state"] == "enabled"
    assert refused(twin.call("GET", "/v1.0/identity/conditionalAccess/policies/p2"))[0] == 404


def test_the_organization(twin: Twin) -> None:
    assert twin.call("GET", "/v1.0/organization").json()["value"][0]["id"] == TENANT


def test_answers_carry_ids(twin: Twin) -> None:
    answer = twin.call("GET", "/v1.0/users", headers={"client-request-id": "mine"})
    assert answer.headers["client-request-id"] == "mine"
    assert answer.headers["request-id"]
    assert json.loads(answer.content)["@odata.context"].endswith("#users")


def test_a_page_of_members_of_a_large_group(twin: Twin, world: World) -> None:
    world.state.directory.groups["big"] = Group(
        id="big", display_name="Big", members={user_id(number): 0.0 for number in range(30)}
    )
    first = twin.call("GET", "/v1.0/groups/big/members?$top=20").json()
    second = twin.call("GET", first["@odata.nextLink"]).json()
    assert (len(first["value"]), len(second["value"])) == (20, 10)
    assert "@odata.nextLink" not in second
