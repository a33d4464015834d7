"""Each rule of docs/reference/twin-limits.md: with its default, tuned, and switched off."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "classic"))

from _furnished import furnish, user_id
from _inprocess import SUBSCRIPTION, Twin, add_machine, make_world, token_for
from classic_desk import Desk

from avdtwin import agents, directory, tokens
from avdtwin.arm import limits
from avdtwin.clock import ManualClock
from avdtwin.directory import add_user
from avdtwin.settings import DEFAULTS
from avdtwin.state import Group, User

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
AVD = f"{GROUP}/providers/Microsoft.DesktopVirtualization"
VMS = f"{GROUP}/providers/Microsoft.Compute/virtualMachines"
POOL = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "twin-limits.md"

Call = Callable[[Twin, int], Any]


def put_pool(twin: Twin, number: int) -> Any:
    return twin.call("PUT", f"{AVD}/hostPools/pool", {"location": "westeurope", "properties": POOL})


def put_group(twin: Twin, number: int) -> Any:
    properties = {"hostPoolArmPath": f"{AVD}/hostPools/pool", "applicationGroupType": "RemoteApp"}
    body = {"location": "westeurope", "properties": properties}
    return twin.call("PUT", f"{AVD}/applicationGroups/group{number}", body)


def put_app(twin: Twin, number: int) -> Any:
    body = {"properties": {"commandLineSetting": "Allow", "filePath": "C:\\a.exe"}}
    return twin.call("PUT", f"{AVD}/applicationGroups/full/applications/app{number}", body)


def assign(scope: str) -> Call:
    def call(twin: Twin, number: int) -> Any:
        role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
        properties = {"roleDefinitionId": role, "principalId": user_id(number), "principalType": "User"}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{number:08}-0000-4000-a000-000000000000"
        return twin.call("PUT", path, {"properties": properties}, api_version="2022-04-01")

    return call


def graph(method: str, path: str) -> Call:
    def call(twin: Twin, number: int) -> Any:
        audience = "https://graph.microsoft.com"
        token = tokens.issue_access(twin.world, object_id=user_id(0), app_id="app", upn=None, audience=audience)
        body = {"displayName": "g", "mailEnabled": False, "mailNickname": f"g{number}", "securityEnabled": True}
        headers = {"authorization": f"Bearer {token}"}
        return twin.call(method, f"/v1.0{path}", body if method == "POST" else None, headers=headers)

    return call


def get(path: str) -> Call:
    return lambda twin, number: twin.call("GET", path)


class Limit(msgspec.Struct, frozen=True):
    call: Call
    tuned: dict[str, Any]
    """A setting with which two calls pass and the third is refused."""
    off: tuple[dict[str, Any], ...]
    """Each of these lets it pass all the same."""
    code: tuple[int, str] = (429, "")
    wait: str | None = None
    """`Retry-After` of the refusal."""


ALL: tuple[dict[str, Any], ...] = ({"limits_enforced": False},)
QUOTAS: tuple[dict[str, Any], ...] = ({"quotas_enforced": False},)
ARM_OFF = (*ALL, {"arm_limits_enforced": False})
THROTTLED = (429, "SubscriptionRequestsThrottled")
FULL = (400, "RoleAssignmentLimitExceeded")

LIMITS = {
    "ARM's reads": Limit(get(GROUP), {"arm_rates": {"reads": [2, 0.1]}}, ARM_OFF, THROTTLED, "10"),
    "ARM's writes": Limit(put_pool, {"arm_rates": {"writes": [2, 0.5]}}, ARM_OFF, THROTTLED, "2"),
    "ARM's deletes": Limit(
        lambda twin, number: twin.call("DELETE", f"{AVD}/hostPools/none"),
        {"arm_rates": {"deletes": [2, 1]}},
        ARM_OFF,
        THROTTLED,
        "1",
    ),
    "ARM's reads of all": Limit(
        get(GROUP), {"arm_rates": {"reads": [200, 10]}, "arm_rates_of_all": 0.01}, ARM_OFF, THROTTLED, "10"
    ),
    "lists of session hosts": Limit(
        get(f"{AVD}/hostPools/pool/sessionHosts"),
        {"session_host_list_limit": 2},
        (*ALL, {"session_host_list_limit": 0}),
        (429, "429"),
        "300",
    ),
    "calls of the provider": Limit(
        get(f"{AVD}/hostPools/pool"),
        {"provider_call_limit": 2},
        (*ALL, {"provider_call_limit": 0}),
        (429, "429"),
        "300",
    ),
    "Compute": Limit(
        get(VMS),
        {"compute_rates": {"HighCostGet": [2, 9]}},
        (*ALL, {"compute_limits_enforced": False}),
        (429, "OperationNotAllowed"),
        "180",
    ),
    "Resource Graph": Limit(
        lambda twin, number: twin.call(
            "POST",
            "/providers/Microsoft.ResourceGraph/resources",
            {"subscriptions": [SUBSCRIPTION], "query": "Resources | limit 1"},
            api_version="2022-10-01",
        ),
        {"resource_graph_per_5s": 2},
        (*ALL, {"resource_graph_per_5s": 0}),
        (429, "RateLimiting"),
        "5",
    ),
    "Graph's units": Limit(
        graph("GET", "/groups/x"),
        {"graph_units_per_10s": 2},
        (*ALL, {"graph_limits_enforced": False}),
        (429, "TooManyRequests"),
        "10",
    ),
    "Graph's writes": Limit(
        graph("POST", "/groups"),
        {"graph_writes_per_150s": 2},
        (*ALL, {"graph_limits_enforced": False}),
        (429, "TooManyRequests"),
        "150",
    ),
    "role assignments of a subscription": Limit(assign(GROUP), {"role_assignments_per_subscription": 4}, QUOTAS, FULL),
    "role assignments of an object": Limit(
        assign(f"{AVD}/hostPools/pool"), {"role_assignments_per_object": 2}, QUOTAS, FULL
    ),
    "application groups of a tenant": Limit(put_group, {"application_groups_per_tenant": 3}, QUOTAS, (400, "400")),
    "applications of a group": Limit(put_app, {"applications_per_group": 2}, QUOTAS, (400, "400")),
}


@pytest.fixture
def twin() -> Twin:
    """One host pool, one group that is not full yet, and nobody has called."""
    found = Twin(furnish(make_world()))
    assert put_pool(found, 0).status == 201
    assert put_group(found, 0).status == 201
    properties = {"hostPoolArmPath": f"{AVD}/hostPools/pool", "applicationGroupType": "RemoteApp"}
    body = {"location": "westeurope", "properties": properties}
    assert found.call("PUT", f"{AVD}/applicationGroups/full", body).status == 201
    found.world.state.limits.clear()
    return found


def set_rules(twin: Twin, **rules: Any) -> None:
    """As a user does it, so that the control's own checks are passed too."""
    answer = twin.call("PATCH", "/_twin/settings", rules)
    assert answer.status == 200, answer.json()
    twin.world.state.limits.clear()


def passes(answer: Any) -> bool:
    return answer.status not in (400, 429)


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_tuned_for_this_run(twin: Twin, name: str) -> None:
    limit = LIMITS[name]
    set_rules(twin, **limit.tuned)
    # Fresh names: what the fixture made counts already.
    answers = [limit.call(twin, number) for number in range(1, 4)]
    if name == "application groups of a tenant":
        answers = [answers[0], *answers]  # two are there, so one more passes
    assert [passes(answer) for answer in answers[:2]] == [True, True]
    refused = next(answer for answer in answers if not passes(answer))
    assert not passes(answers[-1])
    assert (refused.status, refused.json()["error"]["code"]) == limit.code
    if limit.wait is not None:
        assert refused.headers["retry-after"] == limit.wait
        assert isinstance(twin.world.clock, ManualClock)
        twin.world.clock.advance(float(limit.wait))
        assert passes(limit.call(twin, 9)), "after the wait that was told"


@pytest.mark.parametrize(("name", "at"), [(name, at) for name, each in LIMITS.items() for at in range(len(each.off))])
def test_a_limit_switched_off(twin: Twin, name: str, at: int) -> None:
    limit = LIMITS[name]
    set_rules(twin, **{**limit.tuned, **limit.off[at]})
    assert [passes(limit.call(twin, number)) for number in range(1, 6)] == [True] * 5


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_left_as_it_is_lets_a_few_calls_pass(twin: Twin, name: str) -> None:
    assert [passes(LIMITS[name].call(twin, number)) for number in range(1, 6)] == [True] * 5


# ---------------------------------------------------------------- the documented values

DOCUMENTED = {
    "arm_rates": {"reads": [250, 25], "writes": [200, 10], "deletes": [200, 10]},
    "arm_rates_of_all": 15,
    "session_host_list_limit": 6000,
    "provider_call_limit": 10000,
    "role_assignments_per_subscription": 4000,
    "role_assignments_per_object": 200,
    "application_groups_per_tenant": 500,
    "applications_per_group": 500,
    "graph_writes_per_150s": 3000,
    "graph_units_per_10s": None,
    "access_token_s": 3599,
    "classic_rate_per_s": None,
    "limits_enforced": True,
    "arm_limits_enforced": True,
    "compute_limits_enforced": True,
    "graph_limits_enforced": True,
    "quotas_enforced": True,
    "arm_names_enforced": True,
    "rights_enforced": True,
    "registration_throttled": True,
}
"""facts/arm-service 9 and 10; facts/classic-service 7."""


def test_defaults_are_the_documented_values() -> None:
    assert {name: DEFAULTS[name] for name in DOCUMENTED} == DOCUMENTED


def test_headers_tell_of_the_documented_values(twin: Twin) -> None:
    read = twin.call("GET", f"{AVD}/hostPools/pool").headers
    assert read["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert read["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"
    assert (read["x-rate-limit-limit"], read["x-rate-limit-remaining"]) == ("5m", "9999")
    listed = twin.call("GET", f"{AVD}/hostPools/pool/sessionHosts").headers
    assert listed["x-rate-limit-remaining"] == "5999"
    for method, operation in {"PUT": "writes", "DELETE": "deletes"}.items():
        told = (put_pool(twin, 0) if method == "PUT" else twin.call("DELETE", f"{AVD}/hostPools/none")).headers
        assert told[f"x-ms-ratelimit-remaining-subscription-{operation}"] == "199"
        assert told[f"x-ms-ratelimit-remaining-subscription-global-{operation}"] == "2999"


def test_an_action_draws_on_the_writes(twin: Twin) -> None:
    answer = twin.call("POST", f"{AVD}/hostPools/pool/listRegistrationTokens")
    assert answer.headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"


def test_one_rate_changed_leaves_the_others() -> None:
    world = make_world(arm_rates={"reads": [1, 1]})
    assert limits.rate_of(world, "reads") == limits.Rate(1, 1)
    assert limits.rate_of(world, "writes") == limits.Rate(200, 10)


# ---------------------------------------------------------------- rules that are no counts


def test_rights(twin: Twin) -> None:
    add_user(twin.world, User(id=user_id(99), upn="nobody@contoso.example"))
    headers = {"authorization": f"Bearer {token_for(twin.world, user_id(99), 'nobody@contoso.example')}"}
    refused = twin.call("GET", f"{AVD}/hostPools/pool", headers=headers)
    assert (refused.status, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert "Microsoft.DesktopVirtualization/hostpools/read" in refused.json()["error"]["message"]
    set_rules(twin, rights_enforced=False)
    assert twin.call("GET", f"{AVD}/hostPools/pool", headers=headers).status == 200


@pytest.mark.parametrize("delay_s", [0, 100])
def test_the_delay_of_an_assignment(twin: Twin, delay_s: int) -> None:
    set_rules(twin, role_effective_s=[delay_s, delay_s])
    assert assign(GROUP)(twin, 5).status == 201
    headers = {"authorization": f"Bearer {token_for(twin.world, user_id(5), 'user05@contoso.example')}"}
    assert twin.call("GET", GROUP, headers=headers).status == (403 if delay_s else 200)
    assert isinstance(twin.world.clock, ManualClock)
    twin.world.clock.advance(delay_s)
    assert twin.call("GET", GROUP, headers=headers).status == 200


@pytest.mark.parametrize("delay_s", [0, 60])
def test_a_principal_that_is_not_replicated_yet(twin: Twin, delay_s: int) -> None:
    set_rules(twin, principal_replication_s=[delay_s, delay_s])
    new = user_id(60)
    twin.world.state.directory.groups[new] = Group(id=new, display_name="New")
    directory.start_replication(twin.world, new)
    answer = assign(GROUP)(twin, 60)
    if delay_s:
        assert (answer.status, answer.json()["error"]["code"]) == (400, "PrincipalNotFound")
        assert isinstance(twin.world.clock, ManualClock)
        twin.world.clock.advance(delay_s)
        answer = assign(GROUP)(twin, 60)
    # It is a group that was said to be a user: known, and refused for that.
    assert answer.json().get("error", {}).get("code") != "PrincipalNotFound"


@pytest.mark.parametrize("life_s", [300, 3599])
def test_the_life_of_a_token(twin: Twin, life_s: int) -> None:
    set_rules(twin, access_token_s=life_s, clock_skew_s=0)
    headers = {"authorization": f"Bearer {token_for(twin.world)}"}
    assert isinstance(twin.world.clock, ManualClock)
    twin.world.clock.advance(life_s - 1)
    assert twin.call("GET", GROUP, headers=headers).status == 200
    twin.world.clock.advance(2)
    refused = twin.call("GET", GROUP, headers=headers)
    assert (refused.status, refused.json()["error"]["code"]) == (401, "ExpiredAuthenticationToken")


@pytest.mark.parametrize("name", ["ab", "p" * 65, "p&q"])
def test_names(twin: Twin, name: str) -> None:
    path, body = f"{AVD}/hostPools/{name}", {"location": "westeurope", "properties": POOL}
    assert twin.call("PUT", path, body).status == 400
    set_rules(twin, arm_names_enforced=False)
    assert twin.call("PUT", path, body).status == 201


@pytest.mark.parametrize(("rules", "admitted"), [({}, 40), ({"registration_burst": 3}, 3), ({"throttled": False}, 60)])
def test_agents_that_register_at_once(rules: dict[str, Any], admitted: int) -> None:
    world = make_world()
    world.state.settings |= {f"registration_{name}" if name == "throttled" else name: rules[name] for name in rules}
    machine = add_machine(world, "vm")
    assert machine.agent.service is None
    assert sum(agents._admitted(world) for _ in range(60)) == admitted


@pytest.mark.parametrize(("rules", "statuses"), [({}, [200] * 4), ({"classic_rate_per_s": 0.5}, [200, 200, 429, 429])])
def test_the_classic_service_has_a_rate_when_one_is_given(rules: dict[str, Any], statuses: list[int]) -> None:
    desk = Desk()
    desk.set(classic_burst=2, **rules)
    assert [desk.call("GET", "/TenantGroups").status for _ in range(4)] == statuses
    desk.set(limits_enforced=False)
    assert desk.call("GET", "/TenantGroups").status == 200


# ---------------------------------------------------------------- the page


def test_the_page_names_settings_that_there_are_and_every_switch() -> None:
    named = set(re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)[`:]", PAGE.read_text(encoding="utf-8")))
    assert named - DEFAULTS.keys() == set()
    rules = {each for limit in LIMITS.values() for one in (limit.tuned, *limit.off) for each in one} | DOCUMENTED.keys()
    assert rules - named == set()
