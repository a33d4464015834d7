"""Buckets and windows under virtual time, and what the headers of answers do to them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.core import AsyncPipelineClient
from azure.core.rest import HttpRequest
from wires import ORIGIN, START, Wire, clock

from crossfade.clock import SimulatedClock
from crossfade.cloud.pacing import Bucket, Paced, Pacing, Quota, Window
from crossfade.cloud.transport import AsgiTransport

SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
POOL = f"{SUB}/resourceGroups/g/providers/Microsoft.DesktopVirtualization/hostPools/p"


def seconds_for(at: SimulatedClock, gate: Any, count: int, units: int = 1) -> float:
    before = at.loop.time()

    async def many() -> None:
        await asyncio.gather(*(gate.take(units) for _ in range(count)))

    at.run(many())
    return at.loop.time() - before


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    at = clock()
    bucket = Bucket(at, 200, 10)
    assert seconds_for(at, bucket, 200) == 0
    assert seconds_for(at, bucket, 50) == pytest.approx(5, abs=0.1)
    at.run(at.sleep(1000))
    assert seconds_for(at, bucket, 200) == 0


def test_shares_of_a_rule_come_to_no_more_than_the_rule() -> None:
    at = clock()
    quarters = [Bucket(at, 200, 10, 0.25), Bucket(at, 200, 10, 0.75)]
    assert [seconds_for(at, bucket, 75) for bucket in quarters] == [pytest.approx(10, abs=0.1), 0]
    quarters[1].lower(100)
    assert seconds_for(at, quarters[1], 75) == 0, "three quarters of what is left"
    assert seconds_for(at, quarters[1], 15) == pytest.approx(2, abs=0.1)
    half = Window(at, 10, 300, 0.5)
    assert seconds_for(at, half, 5) == 0
    assert seconds_for(at, half, 1) == pytest.approx(300, abs=0.1)
    quota = Quota(at, 0.5)
    quota.heard("UpdateVM3Min", 10, 180)
    assert seconds_for(at, quota, 5) == 0
    assert seconds_for(at, quota, 1) == pytest.approx(180, abs=1)


def test_what_the_service_says_lowers_a_bucket_and_never_raises_it() -> None:
    at = clock()
    bucket = Bucket(at, 200, 10)
    bucket.lower(5)
    bucket.lower(150)
    assert seconds_for(at, bucket, 5) == 0
    assert seconds_for(at, bucket, 10) == pytest.approx(1, abs=0.1)


def test_a_hold_holds_everybody() -> None:
    at = clock()
    bucket = Bucket(at, 200, 10)
    bucket.hold(30)
    assert seconds_for(at, bucket, 3) == pytest.approx(30, abs=0.1)
    assert seconds_for(at, bucket, 3) == 0


def test_a_window_opens_with_the_first_call_and_ends_whatever_happens() -> None:
    at = clock()
    window = Window(at, 10, 300)
    assert seconds_for(at, window, 10) == 0
    at.run(at.sleep(100))
    assert seconds_for(at, window, 1) == pytest.approx(200)
    assert seconds_for(at, window, 9) == 0


def test_a_window_believes_the_end_that_the_service_names() -> None:
    at = clock()
    window = Window(at, 10, 300)
    assert seconds_for(at, window, 1) == 0
    window.lower(0)
    window.until(START + timedelta(seconds=310))
    assert seconds_for(at, window, 1) == pytest.approx(310)
    window.lower(0)
    window.until(START + timedelta(days=1))  # by a clock that is not ours
    assert seconds_for(at, window, 1) == pytest.approx(600)


def paced(service: str, at: SimulatedClock, wire: Wire) -> Any:
    return AsyncPipelineClient(ORIGIN, policies=[Paced(service, Pacing(at))], transport=AsgiTransport(wire, at))


def ask(client: Any, at: SimulatedClock, method: str, path: str, count: int = 1) -> float:
    """Virtual seconds for so many calls at once."""
    before = at.loop.time()

    async def many() -> None:
        await asyncio.gather(*(client.send_request(HttpRequest(method, ORIGIN + path)) for _ in range(count)))

    at.run(many())
    return at.loop.time() - before


def test_post_actions_are_writes_and_reads_have_a_bucket_of_their_own() -> None:
    at = clock()
    client = paced("arm", at, Wire((200, {}, {})))
    assert ask(client, at, "POST", f"{POOL}/retrieveRegistrationToken", 200) == 0
    assert ask(client, at, "PUT", POOL, 10) == pytest.approx(1, abs=0.1)
    assert ask(client, at, "GET", POOL, 250) == 0
    assert ask(client, at, "DELETE", POOL, 200) == 0


def test_another_subscription_has_its_own_buckets() -> None:
    at = clock()
    client = paced("arm", at, Wire((200, {}, {})))
    assert ask(client, at, "PUT", POOL, 200) == 0
    assert ask(client, at, "PUT", POOL.replace("1111-", "2222-"), 200) == 0


def test_remaining_quota_slows_us_down() -> None:
    at = clock()
    headers = {"x-ms-ratelimit-remaining-subscription-writes": "0"}
    client = paced("arm", at, Wire((200, headers, {})))
    assert ask(client, at, "PUT", POOL) == 0
    assert ask(client, at, "PUT", POOL) == pytest.approx(0.1, abs=0.05)


def test_the_rule_of_the_session_host_list_is_read_from_its_headers() -> None:
    at = clock()
    reset = (START + timedelta(seconds=200)).strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
    headers = {"X-Rate-Limit-Limit": "5m", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset}
    client = paced("arm", at, Wire((200, headers, {})))
    assert ask(client, at, "GET", f"{POOL}/sessionHosts") == 0
    assert ask(client, at, "GET", f"{POOL}/sessionHosts") == pytest.approx(300)
    assert datetime.fromisoformat(reset)


def test_no_rule_is_no_rule() -> None:
    at = clock()
    headers = {"X-Rate-Limit-Limit": "0", "X-Rate-Limit-Remaining": "9223372036854775807", "X-Rate-Limit-Reset": "0"}
    client = paced("arm", at, Wire((200, headers, {})))
    assert ask(client, at, "GET", f"{POOL}/sessionHosts", 200) == 0


def test_a_providers_429_does_not_hold_the_other_providers() -> None:
    at = clock()
    wire = Wire((429, {"Retry-After": "1200"}, None), (200, {}, {}))
    client = paced("arm", at, wire)
    vm = f"{SUB}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v/instanceView"
    assert ask(client, at, "GET", vm) == 0
    assert ask(client, at, "GET", POOL) == 0
    assert ask(client, at, "GET", vm) == pytest.approx(1200, abs=1)


def test_graph_counts_units_and_classic_is_modest() -> None:
    at = clock()
    client = paced("graph", at, Wire((200, {}, {})))
    assert ask(client, at, "GET", "/v1.0/users/1", 1750) == 0
    assert ask(client, at, "GET", "/v1.0/users/1", 175) == pytest.approx(1, abs=0.1)
    client = paced("classic", at, Wire((200, {}, [])))
    assert ask(client, at, "GET", "/RdsManagement/V1/TenantGroups", 120) == pytest.approx(1, abs=0.1)


def test_graph_slows_down_when_it_says_so() -> None:
    at = clock()
    client = paced("graph", at, Wire((200, {"x-ms-throttle-limit-percentage": "1.2"}, {})))
    ask(client, at, "GET", "/v1.0/users/1")
    assert ask(client, at, "GET", "/v1.0/users/1", 35) == pytest.approx(0.2, abs=0.1)


MACHINE = f"{SUB}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"


def test_what_compute_says_is_spent_is_not_asked_for_until_its_window_ends() -> None:
    at = clock()
    told = {"x-ms-ratelimit-remaining-resource": "Microsoft.Compute/UpdateVM3Min;2,Microsoft.Compute/UpdateVM30Min;900"}
    client = paced("arm", at, Wire((200, told, {}), (200, {}, {})))
    assert ask(client, at, "PUT", MACHINE) == 0
    assert ask(client, at, "PUT", MACHINE, 2) == 0
    assert ask(client, at, "GET", MACHINE) == 0, "looks are counted by themselves"
    assert ask(client, at, "DELETE", MACHINE) == pytest.approx(180, abs=1)


def test_after_a_window_nothing_is_known_until_the_next_answer() -> None:
    at = clock()
    quota = Quota(at)
    quota.heard("UpdateVM3Min", 0, 180)
    assert seconds_for(at, quota, 1) == pytest.approx(180, abs=1)
    assert seconds_for(at, quota, 50) == 0
    quota.heard("UpdateVM3Min", 10, 180)
    assert seconds_for(at, quota, 11) == pytest.approx(180, abs=1)
