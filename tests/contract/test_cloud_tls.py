"""Our clients over TLS: the ordinary transport, azure-identity's own credentials, a private CA, real sockets."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _cloud_services import GROUP
from _furnished import APP_ID, SECRET, user_id
from _inprocess import SUBSCRIPTION, TENANT

from avdtwin.entra import device
from avdtwin.server import Endpoint
from crossfade import errors
from crossfade.clock import SystemClock
from crossfade.cloud.clouds import custom
from crossfade.cloud.credentials import SignIn
from crossfade.cloud.heard import RetryDetails
from crossfade.cloud.retry import Limits
from crossfade.cloud.services import Services
from crossfade.cloud.transport import TlsTransport
from crossfade.model.ids import arm_id

T = TypeVar("T")
POOL = arm_id(SUBSCRIPTION, "rg", "hostPools", "hp-1")
PRINCIPAL = SignIn(choice="service-principal", tenant_id=TENANT, client_id=APP_ID)


def run(
    url: str, ca_file: Path | None, work: Callable[[Services], Awaitable[T]], sign_in: SignIn = PRINCIPAL, **more: Any
) -> T:
    clock = SystemClock()
    ca = str(ca_file) if ca_file else None

    async def main() -> T:
        async with Services(
            custom(url), sign_in, TlsTransport(clock, ca_file=ca), clock, random.Random(1),
            limits=Limits(attempts=2, base_s=0.01), ca_file=ca,
            environ={"CROSSFADE_CLIENT_SECRET": SECRET}, **more,
        ) as services:  # fmt: skip
            return await work(services)

    return asyncio.run(main())


def test_all_services_over_tls_with_azure_identitys_service_principal(endpoint: Endpoint) -> None:
    async def work(services: Services) -> None:
        assert await services.arm.group(GROUP) is not None
        body = {"location": "westeurope", "properties": {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst",
                "preferredAppGroupType": "Desktop"}}  # fmt: skip
        await services.arm.put(POOL, body)
        found = await services.graph.users(["user01@contoso.example"])
        assert found["user01@contoso.example"]["id"] == user_id(1)  # type: ignore[index]
        with pytest.raises(errors.Forbidden):  # signed in for the classic audience, without a role there
            await services.classic.rows("TenantGroups")
        assert services.sign_ins == 2

    run(endpoint.url, endpoint.ca_file, work)


def test_a_device_code_is_typed_by_a_person(endpoint: Endpoint) -> None:
    endpoint.call(lambda world: world.state.settings.update(device_code_interval_s=1))
    shown: list[str] = []

    def show(address: str, code: str) -> None:
        shown.append(address)
        endpoint.call(lambda world: device.approve(world, code, "user03@contoso.example"))

    async def work(services: Services) -> str:
        return (await services.caller()).object_id

    sign_in = SignIn(choice="device-code", tenant_id=TENANT)
    assert run(endpoint.url, endpoint.ca_file, work, sign_in, show_code=show) == user_id(3)
    assert shown[0].startswith(endpoint.url)


@pytest.mark.parametrize("method", ["read", "write", "graph"])
def test_a_token_that_is_over_for_the_service_and_not_for_us_is_replaced_at_once(
    endpoint: Endpoint, later: Callable[[float], None], method: str
) -> None:
    """The twin's hours pass within the machine's second: azure-identity would give the same token again for an hour."""
    body = {"location": "westeurope", "properties": {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst",
            "preferredAppGroupType": "Desktop"}}  # fmt: skip
    deeds: dict[str, Callable[[Services], Awaitable[Any]]] = {
        "read": lambda services: services.arm.group(GROUP),
        "write": lambda services: services.arm.put(POOL, body),
        "graph": lambda services: services.graph.users(["user01@contoso.example"]),
    }
    told: list[RetryDetails] = []

    async def work(services: Services) -> None:
        await deeds[method](services)
        await asyncio.to_thread(later, 7200.0)
        assert await deeds[method](services)

    run(endpoint.url, endpoint.ca_file, work, hook=told.append)
    assert [(one.error["code"], one.attempt, one.wait_s) for one in told] == [("unauthorized", 1, 0.0)]


def test_a_certificate_of_an_unknown_ca_is_unreachable_and_says_so(endpoint: Endpoint) -> None:
    with pytest.raises(errors.Unreachable, match=r"(?i)certificate"):
        run(endpoint.url, None, lambda services: services.arm.group(GROUP))


def test_nobody_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(errors.Unreachable):
        run(f"https://127.0.0.1:{port}", None, lambda services: services.arm.group(GROUP))


def test_a_server_that_hangs_up_after_the_request_leaves_the_outcome_unknown() -> None:
    """azure-core's own transport says that such a request was never sent."""
    from azure.core.exceptions import ServiceResponseError
    from azure.core.rest import HttpRequest

    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()

    async def send() -> None:
        async with TlsTransport(SystemClock()) as transport:
            await transport.send(HttpRequest("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/x", json={}))

    with pytest.raises(ServiceResponseError):
        asyncio.run(send())
    thread.join()
    listener.close()
