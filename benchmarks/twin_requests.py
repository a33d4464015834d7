"""Requests per second: a host-pool PUT and a page of 100 session hosts on the twin, beside moto's server creating an
ECS cluster and describing 100 of them.

    python3 scripts/setup.py --peers
    PYTHONPATH=src .venv/bin/python benchmarks/twin_requests.py

Same client (the standard library's, one connection as long as the server keeps it), one process each, every answer
checked, medians of five. The twin speaks TLS, moto's server plain HTTP. Without `.venv-peers` only the twin is
measured.
"""

import http.client
import json
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MOTO = ROOT / ".venv-peers" / "bin" / "moto_server"
ROUNDS, CALLS = 5, 200
MOTO_PORT = 5959
POOL = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}


class Client:
    """One keep-alive connection; opened anew when the server has closed it."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self._port, self._context = port, context
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = (
                http.client.HTTPSConnection("localhost", self._port, context=self._context)
                if self._context
                else http.client.HTTPConnection("127.0.0.1", self._port)
            )
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        found = json.loads(answer.read() or b"null")
        if answer.will_close:
            self._connection.close()
            self._connection = None
        return answer.status, found


def rate(work: Callable[[int], None], calls: int) -> float:
    """Calls per second, the median of some rounds."""
    found = []
    for turn in range(ROUNDS):
        began = time.perf_counter()
        for number in range(calls):
            work(turn * calls + number)
        found.append(calls / (time.perf_counter() - began))
    return statistics.median(found)


# ---------------------------------------------------------------- the twin


def serve_twin() -> None:
    """In a process of its own: one pool with 100 session hosts, until told to stop."""
    import _big
    import twin_load
    from avdtwin.server import serve

    world = _big.build(1)
    twin_load._arm_pools(world, 1)
    world.state.settings["rights_enforced"] = True
    operator = next(each for each in world.state.directory.service_principals.values() if each.secret)
    from avdtwin import tokens

    token = tokens.issue_access(
        world, object_id=operator.id, app_id=operator.app_id, upn=None, audience="https://management.azure.com"
    )
    subscription = next(iter(world.state.arm.subscriptions))
    with serve(world) as endpoint:
        said = {"port": endpoint.port, "ca": str(endpoint.ca_file), "token": token, "subscription": subscription}
        print(json.dumps(said), flush=True)
        sys.stdin.read()


def measure_twin() -> tuple[float, float]:
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        assert served.stdin is not None
        said = json.loads(served.stdout.readline())
        client = Client(said["port"], ssl.create_default_context(cafile=said["ca"]))
        headers = {"Authorization": f"Bearer {said['token']}", "Content-Type": "application/json"}
        group = f"/subscriptions/{said['subscription']}/resourceGroups/rg-0/providers/Microsoft.DesktopVirtualization"
        version = "api-version=2024-04-03"

        def put(number: int) -> None:
            body = {"location": "westeurope", "properties": POOL}
            status, found = client.call("PUT", f"{group}/hostPools/made-{number}?{version}", body, headers)
            assert (status, found["properties"]["maxSessionLimit"]) == (201, 999999), found

        def page(number: int) -> None:
            path = f"{group}/hostPools/p0/sessionHosts?{version}&pageSize=100"
            status, found = client.call("GET", path, None, headers)
            assert status == 200, found
            assert len(found["value"]) == 100
            assert found["value"][0]["properties"]["resourceId"] is None

        made, listed = rate(put, CALLS), rate(page, CALLS // 2)
        client.close()
        served.stdin.close()
    return made, listed


# ---------------------------------------------------------------- moto


def measure_moto() -> tuple[float, float]:
    command = [str(MOTO), "-p", str(MOTO_PORT)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as served:
        try:
            client = Client(MOTO_PORT, None)
            _until_up(client)

            def ask(action: str, body: Any) -> Any:
                status, found = client.call("POST", "/", body, _aws(action))
                assert status == 200, found
                return found

            def create(number: int) -> None:
                made = ask("CreateCluster", {"clusterName": f"made-{number}", "tags": []})
                assert made["cluster"]["status"] == "ACTIVE"

            made = rate(create, CALLS)
            names = [f"made-{number}" for number in range(100)]

            def describe(number: int) -> None:
                assert len(ask("DescribeClusters", {"clusters": names})["clusters"]) == 100

            return made, rate(describe, CALLS // 2)
        finally:
            served.terminate()


def _aws(action: str) -> dict[str, str]:
    return {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{action}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, "
        "Signature=0",
    }


def _until_up(client: Client) -> None:
    for _ in range(200):
        try:
            client.call("POST", "/", {}, _aws("ListClusters"))
            return
        except OSError:
            client._connection = None
            time.sleep(0.1)
    raise SystemExit("moto's server did not start")


def main() -> None:
    made, listed = measure_twin()
    print(f"twin: {made:.0f} host-pool PUT/s, {listed:.0f} pages of 100 session hosts/s")
    if not MOTO.exists():
        print("moto is not here: python3 scripts/setup.py --peers")
        return
    theirs, described = measure_moto()
    print(f"moto: {theirs:.0f} cluster creations/s, {described:.0f} descriptions of 100 clusters/s")
    print(f"the twin is {made / theirs:.1f} and {listed / described:.1f} times as fast")
    assert made >= theirs
    assert listed >= described


if __name__ == "__main__":
    serve_twin() if sys.argv[1:] == ["serve"] else main()
