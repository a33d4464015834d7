"""The classic service over azure-core's own pipeline, in-process: what comes over the wire as bytes and headers."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from http.client import HTTPSConnection, RemoteDisconnected
from typing import Any

import pytest
from azure.core import AsyncPipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.core.pipeline.policies import ContentDecodePolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest
from classic_desk import BASE, NAMES, ORIGIN, TENANT_URL, Desk

from avdtwin import clock as twin_clock
from avdtwin.server import serve
from avdtwin.world import World
from crossfade.clock import SystemClock
from crossfade.cloud.transport import AsgiTransport

POOL = TENANT_URL + "/HostPools/Office%20Pool"


def ask(desk: Desk, method: str, url: str, **more: Any) -> AsyncHttpResponse:
    async def run() -> AsyncHttpResponse:
        transport = AsgiTransport(desk.app, SystemClock())
        async with AsyncPipelineClient(ORIGIN, transport=transport, policies=[ContentDecodePolicy()]) as client:
            headers = {"Authorization": f"Bearer {desk.token('admin')}"}
            return await client.send_request(HttpRequest(method, ORIGIN + BASE + url, headers=headers, **more))

    return asyncio.run(run())


def test_objects_lists_and_empty_answers(desk: Desk) -> None:
    made = ask(desk, "POST", POOL, json=NAMES | {"hostPoolName": "Office Pool"})
    assert (made.status_code, made.json()["loadBalancerType"]) == (201, 0)
    assert made.headers["Content-Type"].startswith("application/json")
    listed = ask(desk, "GET", TENANT_URL + "/HostPools", params={"PageSize": "1000", "LastEntry": ""})
    assert listed.json() == [made.json()]
    removed = ask(desk, "DELETE", POOL + "/AppGroups/Desktop%20Application%20Group")
    assert (removed.status_code, removed.content) == (200, b"")


def test_errors_and_the_discovery_answer(desk: Desk) -> None:
    missing = ask(desk, "GET", POOL)
    assert missing.headers["X-MS-Correlation-Id"]
    with pytest.raises(HttpResponseError) as refused:
        missing.raise_for_status()
    assert refused.value.error is not None
    assert (refused.value.status_code, refused.value.error.code) == (404, "HostPoolNotFound")


def test_a_link_can_be_followed_as_it_is(desk: Desk) -> None:
    for name in ("A", "B", "C"):
        desk.pool(f"Pool {name}")
    first = ask(desk, "GET", TENANT_URL + "/HostPools?PageSize=2")
    url = first.headers["link"].partition(">")[0].removeprefix(f"<{ORIGIN}{BASE}")
    second = ask(desk, "GET", url)
    assert [pool["hostPoolName"] for pool in second.json()] == ["Pool C"]
    assert "link" not in second.headers


def test_nobody_answers_once_classic_is_gone(desk: Desk) -> None:
    desk.world.state.classic.alive = False
    with pytest.raises(ServiceRequestError):
        ask(desk, "GET", "/TenantGroups")


def test_over_a_socket_a_dead_service_resets_the_connection(desk: Desk) -> None:
    with serve(World(desk.world.state, twin_clock.SystemClock())) as endpoint:

        def call(path: str) -> int:
            line = HTTPSConnection("localhost", endpoint.port, context=endpoint.ssl_context(), timeout=10)
            with closing(line):
                line.request("GET", path)
                return line.getresponse().status

        assert call("/api/health") == 200
        endpoint.call(lambda world: setattr(world.state.classic, "alive", False))
        with pytest.raises((RemoteDisconnected, ConnectionError, ssl.SSLError)):
            call(BASE + "/TenantGroups")
        assert call("/metadata/endpoints?api-version=2020-06-01"), "the other services live on"
