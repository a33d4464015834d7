"""The twin over a socket, its controls, and `avdtwin serve`."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from _furnished import furnish, user_id
from _inprocess import START, Twin, make_world

from avdtwin import cli
from avdtwin.server import Endpoint, listen, serve
from avdtwin.settings import DEFAULTS, problem
from avdtwin.world import World


def over_tls(url: str, ca_file: Path, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    context = ssl.create_default_context(cafile=str(ca_file))
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


# ---------------------------------------------------------------- TLS


def test_only_its_own_authority_is_trusted(endpoint: Endpoint) -> None:
    assert over_tls(f"{endpoint.url}/_twin/time", endpoint.ca_file)[0] == 200
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{endpoint.url}/_twin/time")


def test_two_twins_at_once() -> None:
    first, second = make_world(), make_world()
    with serve(first) as one, serve(second) as two:
        assert one.port != two.port
        over_tls(f"{one.url}/_twin/settings", one.ca_file, "PATCH", {"rights_enforced": False})
        assert over_tls(f"{two.url}/_twin/settings", two.ca_file)[1]["rights_enforced"] is True


def test_a_port_that_is_taken() -> None:
    taken = listen(0)
    taken.listen()
    with taken, pytest.raises(OSError, match="in use"):
        listen(taken.getsockname()[1])


def test_a_large_body_is_refused_in_the_services_own_words(twin: Twin) -> None:
    large = b"{" + b" " * (16 * 1024 * 1024) + b"}"
    graph = twin.call("POST", "/v1.0/groups", large)
    assert (graph.status, graph.json()["error"]["code"]) == (413, "RequestEntityTooLarge")
    assert twin.call("PUT", "/subscriptions/x", large).json()["error"]["code"] == "RequestContentTooLarge"
    assert twin.call("POST", "/_twin/restore", large).status == 400


def test_a_snapshot_nested_too_deeply_changes_nothing(twin: Twin, world: World) -> None:
    deep = b'{"directory": {"tenant_id": "t"}, "settings": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    answer = twin.call("POST", "/_twin/restore", deep)
    assert (answer.status, "nested too deeply" in answer.json()["error"]) == (400, True)
    assert world.state.directory.tenant_id != "t"


# ---------------------------------------------------------------- controls


def test_overview_lists_its_routes(twin: Twin) -> None:
    body = twin.call("GET", "/_twin").json()
    assert body["holds"]["users"] == 31
    assert "POST /_twin/advance" in body["routes"]


def test_time_moves_when_told(twin: Twin, world: World) -> None:
    assert twin.call("POST", "/_twin/advance", {"seconds": 90}).json()["epoch"] == START + 90
    moved = twin.call("POST", "/_twin/advance", {"to": "2026-12-01T00:00:00Z"}).json()
    assert moved["now"] == "2026-12-01T00:00:00.000000Z"
    world.state.arm.subscriptions["x"] = next(iter(world.state.arm.subscriptions.values()))
    world.schedule(500, "provider registered", subscription="x", namespace="y")
    assert twin.call("POST", "/_twin/advance", {"to": "next"}).json()["epoch"] == moved["epoch"] + 500
    assert twin.call("POST", "/_twin/advance", {"seconds": -1}).status == 400
    assert twin.call("POST", "/_twin/advance", {"to": "tomorrow"}).status == 400


def test_there_and_back(twin: Twin, world: World) -> None:
    held = twin.call("GET", "/_twin/snapshot").content
    then = world.now
    assert twin.call("DELETE", "/v1.0/groups/dddddddd-0000-4000-a000-000000000001").status == 204
    twin.call("POST", "/_twin/advance", {"seconds": 900})
    assert not world.state.directory.groups
    assert twin.call("POST", "/_twin/restore", held).json()["epoch"] == then
    assert list(world.state.directory.groups) == ["dddddddd-0000-4000-a000-000000000001"]
    assert twin.call("GET", "/_twin/time").json()["epoch"] == then
    assert twin.call("POST", "/_twin/restore", b"{}").status == 400


def test_a_restored_world_has_the_same_future() -> None:
    """The same calls after a restore give the same answers, ids included."""

    def play(twin: Twin) -> list[Any]:
        made = {"displayName": "G", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}
        return [twin.call("POST", "/v1.0/groups", made).json()["id"] for _ in range(3)]

    world = furnish(make_world())
    first = Twin(world)
    first.call("GET", "/v1.0/users")
    again = Twin(World.restore(world.snapshot(), world.clock))
    assert play(first) == play(again)


def test_settings(twin: Twin, world: World) -> None:
    answer = twin.call("PATCH", "/_twin/settings", {"rights_enforced": False, "boot_s": [1, 2]}).json()
    assert answer["rights_enforced"] is False
    assert world.setting("boot_s") == [1, 2]
    assert twin.call("PATCH", "/_twin/settings", {"boot_s": None}).json()["boot_s"] != [1, 2]
    for wrong in ({"colour": "red"}, {"boot_s": 3}, {"rights_enforced": 1}, {"heartbeat_s": "x"}):
        assert twin.call("PATCH", "/_twin/settings", wrong).status == 400


@pytest.mark.parametrize("name", sorted(name for name, default in DEFAULTS.items() if default is None))
def test_a_rule_that_is_off_by_default_can_be_tuned(twin: Twin, world: World, name: str) -> None:
    value: Any = {"classic_discovery_authority": "https://x", "classic_start_menu": []}.get(name, 7)
    assert twin.call("PATCH", "/_twin/settings", {name: value}).json()[name] == value
    assert world.setting(name) == value
    for wrong in ({}, True):
        assert twin.call("PATCH", "/_twin/settings", {name: wrong}).status == 400
    assert twin.call("PATCH", "/_twin/settings", {name: None}).json()[name] is None


def test_every_default_is_a_value_that_fits() -> None:
    assert [name for name, default in DEFAULTS.items() if problem(name, default)] == []
    for rates in ({"reads": [1]}, {"reads": 1}, {"walks": [1, 1]}, [1, 1]):
        assert problem("arm_rates", rates)
    assert problem("arm_rates", {"reads": [1, 1]}) is None


def test_records_calls_and_parts_of_the_state(twin: Twin, world: World) -> None:
    world.record("session_lost", user="x")
    world.record("message", user="x")
    found = twin.call("GET", "/_twin/records?kind=message").json()
    assert [each["kind"] for each in found["value"]] == ["message"]
    assert found["total"] == 2
    twin.call("GET", "/v1.0/users")
    assert twin.call("GET", "/_twin/calls").json() == {"graph GET 200": 1}
    user = twin.call("GET", f"/_twin/state/directory.users?key={user_id(4)}").json()
    assert user["upn"] == "user04@contoso.example"
    assert len(twin.call("GET", "/_twin/state/directory.users?keys=true").json()) == 31
    assert twin.call("GET", "/_twin/state/directory.elephants").status == 404
    assert twin.call("GET", "/_twin/state/directory.users?key=x").status == 404
    assert twin.call("GET", "/_twin/nothing").status == 404
    assert twin.call("DELETE", "/_twin/time").status == 405


def test_classic_can_be_switched_off(twin: Twin, world: World) -> None:
    assert twin.call("POST", "/_twin/classic", {"alive": False}).json() == {"alive": False}
    assert world.state.classic.alive is False
    assert twin.call("POST", "/_twin/classic", {}).status == 400


def test_faults_are_kept(twin: Twin, world: World) -> None:
    assert twin.call("PUT", "/_twin/faults", {"value": [{"kind": "delay", "seconds": 3}]}).status == 200
    assert [(fault.kind, fault.seconds) for fault in world.state.faults] == [("delay", 3.0)]
    assert twin.call("PUT", "/_twin/faults", {"value": "x"}).status == 400
    refusal = twin.call("PUT", "/_twin/faults", {"value": [{"kind": "dely"}, {"kind": "delay"}]})
    assert refusal.status == 400
    assert "fault 0: there is no kind dely" in refusal.json()["error"]
    assert "fault 1: delay needs seconds" in refusal.json()["error"]
    assert len(twin.call("PUT", "/_twin/faults", {"seed": 7, "count": 4}).json()["value"]) == 4


# ---------------------------------------------------------------- avdtwin serve


class Served:
    """`avdtwin serve` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "avdtwin.cli", "serve", "--port", "0", "--estate", "tiny", "--seed", "7"]
        command += ["--certificates", str(folder), *arguments]
        source = str(Path(cli.__file__).parents[1])
        environment = os.environ | {"PYTHONPATH": source, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Stop it"):
                break
        self.url = re.findall(r"https://\S+", self.said)[0]
        self.ca_file = folder / "ca.pem"

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def test_serve_keeps_its_state_from_one_run_to_the_next(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = Served(tmp_path, "--state", str(state), "--time", "virtual", "--still")
    assert "export AZURE_CLIENT_SECRET=" in first.said
    moved = over_tls(f"{first.url}/_twin/advance", first.ca_file, "POST", {"seconds": 60})[1]
    assert first.stop() == 0
    assert not (tmp_path / "server.pem").exists()
    second = Served(tmp_path, "--state", str(state), "--time", "virtual")
    assert over_tls(f"{second.url}/_twin/time", second.ca_file)[1]["now"][:19] >= moved["now"][:19]
    assert second.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--estate", "atlantis"], "no estate atlantis"),
        (["--estate", "tiny", "--time", "fast"], "say real, virtual or x<factor>"),
        (["--estate", "tiny", "--time", "x0"], "say real, virtual or x<factor>"),
        (["--state", __file__], "is no snapshot of the twin"),
    ],
)
def test_what_cannot_be_served_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", *arguments]) == cli.EXIT_INPUT
    assert said in capsys.readouterr().err
