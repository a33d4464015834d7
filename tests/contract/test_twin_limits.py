"""Limits of Compute and of Graph, as their clients see them. ARM's own are in test_arm_quirks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _furnished import user_id
from _inprocess import SUBSCRIPTION, Twin, token_for

from avdtwin.clock import ManualClock
from avdtwin.graph import limits
from avdtwin.world import World

VMS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"


def wait(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(seconds)


def graph(twin: Twin, path: str, body: Any = None) -> Any:
    from avdtwin import tokens

    token = tokens.issue_access(
        twin.world, object_id=user_id(0), app_id="app", upn=None, audience="https://graph.microsoft.com"
    )
    headers = {"authorization": f"Bearer {token}"}
    return twin.call("GET" if body is None else "POST", f"/v1.0{path}", body, headers=headers)


def test_compute_tells_what_is_left(twin: Twin) -> None:
    first = twin.call("GET", VMS).headers
    assert first["x-ms-ratelimit-remaining-resource"] == (
        "Microsoft.Compute/HighCostGet3Min;159,Microsoft.Compute/HighCostGet30Min;799"
    )
    assert first["x-ms-request-charge"] == "1"


def test_compute_refuses_beyond_and_says_for_how_long(twin: Twin) -> None:
    twin.world.state.settings["compute_rates"] = {"HighCostGet": [2, 3]}
    assert [twin.call("GET", VMS).status for _ in range(3)] == [200, 200, 429]
    refused = twin.call("GET", VMS)
    assert refused.json()["error"]["code"] == "OperationNotAllowed"
    assert refused.headers["retry-after"] == "1800", "the longer window is spent as well"
    wait(twin.world, 1800)
    assert twin.call("GET", VMS).status == 200


@pytest.mark.parametrize("switch", ["compute_limits_enforced", "limits_enforced"])
def test_compute_can_be_switched_off(twin: Twin, switch: str) -> None:
    twin.world.state.settings |= {"compute_rates": {"HighCostGet": [1, 1]}, switch: False}
    assert [twin.call("GET", VMS).status for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/users/x", 2),
        ("/users/x?$select=id", 1),
        ("/users?$top=5&$select=id", 1),
        ("/groups/x", 1),
        ("/groups/x/members", 3),
        ("/groups/x/transitiveMembers/microsoft.graph.user", 5),
        ("/groups/x/transitiveMembers?$expand=owners", 6),
    ],
)
def test_resource_units(twin: Twin, path: str, cost: int) -> None:
    assert graph(twin, path).headers.get("x-ms-resource-unit", str(cost)) == str(cost)
    from avdtwin.wire import Request, parse_query

    head, _, query = path.partition("?")
    asked = Request(method="GET", path=f"/v1.0{head}", query=parse_query(query), headers={}, body=b"", origin="")
    assert limits.cost_of(asked) == cost


def test_graph_throttles_by_units_and_says_so_before(twin: Twin) -> None:
    twin.world.state.settings["graph_units_per_10s"] = 10
    answers = [graph(twin, f"/users/{user_id(1)}") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [answer.headers.get("x-ms-throttle-limit-percentage") for answer in answers[2:5]] == [None, "0.80", "1.00"]
    assert answers[-1].headers["retry-after"] == "10"
    assert answers[-1].json()["error"]["code"] == "TooManyRequests"
    wait(twin.world, 10)
    assert graph(twin, f"/users/{user_id(1)}").status == 200


def test_steps_of_a_batch_are_throttled_by_themselves(twin: Twin) -> None:
    twin.world.state.settings["graph_units_per_10s"] = 10
    steps = [{"id": str(number), "method": "GET", "url": f"/users/{user_id(number)}"} for number in range(8)]
    answer = graph(twin, "/$batch", {"requests": steps})
    assert answer.status == 200
    found = {each["status"]: each for each in answer.json()["responses"]}
    assert set(found) == {200, 429}
    assert found[429]["headers"]["Retry-After"] == "10"


def test_graph_writes(twin: Twin) -> None:
    twin.world.state.settings["graph_writes_per_150s"] = 1
    body = {"displayName": "g", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}
    assert [graph(twin, "/groups", body).status for _ in range(2)] == [201, 429]
    twin.world.state.settings["graph_limits_enforced"] = False
    assert graph(twin, "/groups", body | {"displayName": "h", "mailNickname": "h"}).status == 201
    assert token_for(twin.world)
