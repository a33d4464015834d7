"""The official azure-mgmt-compute client, unmodified, sync and async, against the twin's machines."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient as AsyncComputeManagementClient

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import (
    ORIGIN,
    SUBSCRIPTION,
    InProcessAsyncTransport,
    InProcessTransport,
    StaticAsyncCredential,
    StaticCredential,
    Twin,
    add_group,
    grant,
    make_world,
)

from avdtwin import sessions, windows
from avdtwin.clock import ManualClock
from avdtwin.directory import add_user
from avdtwin.state import Machine, User
from avdtwin.world import World

RG = "rg"
VMS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.Compute/virtualMachines"
HELLO = ["param([string]$Name = 'nobody')", 'Write-Output "hello $Name"']


class Driver:
    """One way to call the client: `do` for a value, `all` for a list, `finish` for a long-running operation."""

    def __init__(self, twin: Twin, way: str) -> None:
        self.twin = twin
        self.world: World = twin.world
        self._asynchronous = way == "async"

    def do(self, group: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._call(group, method, args, kwargs, "value")

    def all(self, group: str, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._call(group, method, args, kwargs, "pages"))

    def finish(self, group: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._call(group, method, args, kwargs, "poller")

    def _call(self, group: str, method: str, args: Any, kwargs: Any, what: str) -> Any:
        if self._asynchronous:
            return asyncio.run(self._later(group, method, args, kwargs, what))
        transport = InProcessTransport(self.twin.app)
        with ComputeManagementClient(
            StaticCredential(self.world), SUBSCRIPTION, base_url=ORIGIN, transport=transport
        ) as client:
            found = getattr(getattr(client, group), method)(*args, **kwargs)
            return list(found) if what == "pages" else found.result() if what == "poller" else found

    async def _later(self, group: str, method: str, args: Any, kwargs: Any, what: str) -> Any:
        transport = InProcessAsyncTransport(self.twin.app)
        async with AsyncComputeManagementClient(
            StaticAsyncCredential(self.world), SUBSCRIPTION, base_url=ORIGIN, transport=transport
        ) as client:
            found = getattr(getattr(client, group), method)(*args, **kwargs)
            if what == "pages":
                return [item async for item in found]
            return await (await found).result() if what == "poller" else await found


@pytest.fixture(params=["sync", "async"])
def driver(request: pytest.FixtureRequest) -> Driver:
    return Driver(Twin(make_world()), request.param)


@pytest.fixture
def twin() -> Twin:
    return Twin(make_world())


def machine(world: World, name: str = "vm-1", group: str = RG, **more: Any) -> Machine:
    return windows.build(
        world,
        resource_id=VMS.replace(f"/{RG}/", f"/{group}/") + f"/{name}",
        computer_name=name,
        fqdn=f"{name}.ad.contoso.example",
        **more,
    )


def pass_time(world: World, seconds: float) -> None:
    clock = world.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds)
    world.settle()


def open_session(world: World, host: Machine) -> None:
    sessions.open_session(
        world,
        host,
        service="classic",
        pool="g/t/p",
        user="u",
        upn="u@contoso.example",
        application_type="Desktop",
        client="",
    )


# ---------------------------------------------------------------- machines


def test_model_and_instance_view(driver: Driver) -> None:
    built = machine(driver.world, "VM-1", tags={"a": "b"})
    found = driver.do("virtual_machines", "get", RG, "vm-1")
    assert (found.name, found.vm_id, found.location) == ("VM-1", built.vm_id, "westeurope")
    assert found.os_profile.computer_name == "VM-1"
    assert found.tags == {"a": "b"}
    assert found.provisioning_state == "Succeeded"
    assert found.instance_view is None
    found = driver.do("virtual_machines", "get", RG, "vm-1", expand="instanceView")
    assert found.instance_view.computer_name == "VM-1.ad.contoso.example"
    view = driver.do("virtual_machines", "instance_view", RG, "vm-1")
    assert [status.code for status in view.statuses] == ["ProvisioningState/succeeded", "PowerState/running"]
    assert view.vm_agent.statuses[0].display_status == "Ready"


def test_what_is_not_there(driver: Driver) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        driver.do("virtual_machines", "get", RG, "nowhere")
    assert caught.value.error.code == "ResourceNotFound"
    assert "Microsoft.Compute/virtualMachines/nowhere" in caught.value.error.message
    with pytest.raises(ResourceNotFoundError) as caught:
        driver.do("virtual_machines", "get", "nogroup", "nowhere")
    assert caught.value.error.code == "ResourceGroupNotFound"


def test_lists_with_pages(driver: Driver) -> None:
    driver.world.state.settings["compute_page_size"] = 2
    add_group(driver.world, "other")
    for number in range(5):
        machine(driver.world, f"vm-{number}", power="deallocated" if number == 3 else "running")
    machine(driver.world, "vm-9", group="other")
    assert [vm.name for vm in driver.all("virtual_machines", "list", RG)] == [f"vm-{n}" for n in range(5)]
    assert len(driver.all("virtual_machines", "list_all")) == 6
    expanded = driver.all("virtual_machines", "list", RG, expand="instanceView")
    assert all(vm.instance_view is not None for vm in expanded)
    states = driver.all("virtual_machines", "list_all", status_only="true")
    codes = {vm.name: vm.instance_view.statuses[1].code for vm in states}
    assert codes["vm-3"] == "PowerState/deallocated"
    assert codes["vm-9"] == "PowerState/running"


def test_a_machine_without_guest_agent_says_so(driver: Driver) -> None:
    machine(driver.world, quirks=("guest-agent-missing",))
    view = driver.do("virtual_machines", "instance_view", RG, "vm-1")
    assert view.vm_agent.statuses[0].display_status == "Not Ready"
    assert view.computer_name is None


def test_rights_are_needed(twin: Twin) -> None:
    machine(twin.world)
    add_user(twin.world, User(id="aaaaaaaa-0000-4000-a000-000000000009", upn="reader@contoso.example"))
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    grant(twin.world, "aaaaaaaa-0000-4000-a000-000000000009", reader, f"/subscriptions/{SUBSCRIPTION}")
    credential = StaticCredential(twin.world, "aaaaaaaa-0000-4000-a000-000000000009", "reader@contoso.example")
    client = ComputeManagementClient(credential, SUBSCRIPTION, base_url=ORIGIN, transport=InProcessTransport(twin.app))
    assert client.virtual_machines.get(RG, "vm-1").name == "vm-1"
    with pytest.raises(HttpResponseError) as caught:
        client.virtual_machines.begin_restart(RG, "vm-1")
    assert caught.value.status_code == 403
    assert "Microsoft.Compute/virtualMachines/restart/action" in caught.value.message


# ---------------------------------------------------------------- power


def test_restart_ends_sessions_and_waits_for_windows(driver: Driver) -> None:
    host = machine(driver.world)
    open_session(driver.world, host)
    before = driver.world.now
    driver.finish("virtual_machines", "begin_restart", RG, "vm-1")
    assert host.power == "running"
    assert host.booted_at > before + 59
    assert driver.world.state.sessions == {}
    (lost,) = [record for record in driver.world.state.records if record.kind == "session_lost"]
    assert lost.data["cause"] == "restart"


def test_off_and_on(driver: Driver) -> None:
    host = machine(driver.world)
    driver.finish("virtual_machines", "begin_deallocate", RG, "vm-1")
    assert host.power == "deallocated"
    view = driver.do("virtual_machines", "instance_view", RG, "vm-1")
    assert view.statuses[1].code == "PowerState/deallocated"
    assert view.vm_agent is None
    with pytest.raises(ResourceExistsError) as caught:
        driver.finish("virtual_machines", "begin_restart", RG, "vm-1")
    assert caught.value.error.code == "OperationNotAllowed"
    driver.finish("virtual_machines", "begin_start", RG, "vm-1")
    assert host.power == "running"
    driver.finish("virtual_machines", "begin_power_off", RG, "vm-1")
    assert host.power == "stopped"


def test_headers_of_a_long_running_operation(twin: Twin) -> None:
    machine(twin.world)
    answer = twin.call("POST", f"{VMS}/vm-1/restart", api_version="2024-07-01")
    assert answer.status == 202
    assert answer.content == b""
    assert answer.headers["retry-after"] == "10"
    poll = twin.call("GET", answer.headers["azure-asyncoperation"])
    assert poll.json()["status"] == "InProgress"
    assert twin.call("GET", answer.headers["location"]).status == 202
    pass_time(twin.world, 200)
    poll = twin.call("GET", answer.headers["azure-asyncoperation"])
    assert poll.json()["status"] == "Succeeded"
    assert set(poll.json()) == {"name", "startTime", "endTime", "status"}
    assert twin.call("GET", answer.headers["location"]).status == 200
    assert twin.call("GET", answer.headers["location"].replace("operations/", "operations/x")).status == 404


# ---------------------------------------------------------------- run command, action form


def action(**parameters: str) -> dict[str, Any]:
    pairs = [{"name": name, "value": value} for name, value in parameters.items()]
    return {"commandId": "RunPowerShellScript", "script": HELLO, "parameters": pairs}


def test_action_runs_a_script(driver: Driver) -> None:
    machine(driver.world)
    began = driver.world.now
    found = driver.finish("virtual_machines", "begin_run_command", RG, "vm-1", action(Name="you"))
    assert driver.world.now - began >= 20, "the overhead of run commands"
    assert [status.code for status in found.value] == [
        "ComponentStatus/StdOut/succeeded",
        "ComponentStatus/StdErr/succeeded",
    ]
    assert [status.message for status in found.value] == ["hello you", ""]


def test_action_succeeds_though_the_script_fails(driver: Driver) -> None:
    machine(driver.world)
    body = {"commandId": "RunPowerShellScript", "script": ["Write-Output ('x' * 5000)", "throw 'no'"]}
    found = driver.finish("virtual_machines", "begin_run_command", RG, "vm-1", body)
    assert found.value[0].message == "x" * 4096, "the last 4,096 bytes"
    assert "no" in found.value[1].message
    body = {"commandId": "RunPowerShellScript", "script": ["Remove-Computer -Force"]}
    found = driver.finish("virtual_machines", "begin_run_command", RG, "vm-1", body)
    assert "Unsupported" in found.value[1].message
    assert driver.world.state.records[-1].kind == "script_unsupported"


def test_one_action_at_a_time(twin: Twin) -> None:
    machine(twin.world)
    assert twin.call("POST", f"{VMS}/vm-1/runCommand", action()).status == 202
    refused = twin.call("POST", f"{VMS}/vm-1/runCommand", action())
    assert (refused.status, refused.json()["error"]["code"]) == (409, "Conflict")
    pass_time(twin.world, 120)
    assert twin.call("POST", f"{VMS}/vm-1/runCommand", action()).status == 202


def test_action_needs_a_running_machine_and_a_known_command(twin: Twin) -> None:
    machine(twin.world, power="deallocated")
    refused = twin.call("POST", f"{VMS}/vm-1/runCommand", action())
    assert (refused.status, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
    machine(twin.world, "vm-2")
    assert twin.call("POST", f"{VMS}/vm-2/runCommand", {"commandId": "Nothing"}).status == 404
    assert twin.call("POST", f"{VMS}/vm-2/runCommand", b"{").status == 400
    bad = {**action(), "parameters": [{"name": "Name", "value": 3}]}
    assert twin.call("POST", f"{VMS}/vm-2/runCommand", bad).status == 400


def test_without_a_guest_agent_it_fails_after_long(driver: Driver) -> None:
    machine(driver.world, quirks=("guest-agent-missing",))
    began = driver.world.now
    with pytest.raises(HttpResponseError) as caught:
        driver.finish("virtual_machines", "begin_run_command", RG, "vm-1", action())
    assert "VMAgentStatusCommunicationError" in str(caught.value)
    assert driver.world.now - began >= 1800


def test_a_restart_cuts_a_script_short(twin: Twin) -> None:
    host = machine(twin.world)
    script = [
        "New-Item -Path HKLM:\\SOFTWARE\\First -Force | Out-Null",
        "Start-Sleep -Seconds 300",
        "New-Item -Path HKLM:\\SOFTWARE\\Second -Force | Out-Null",
    ]
    answer = twin.call("POST", f"{VMS}/vm-1/runCommand", {"commandId": "RunPowerShellScript", "script": script})
    pass_time(twin.world, 120)
    assert "hklm:\\software\\first" not in host.registry, "applied when the run ends"
    twin.call("POST", f"{VMS}/vm-1/restart")
    assert "hklm:\\software\\first" in host.registry, "what it had done by then stays"
    assert "hklm:\\software\\second" not in host.registry
    pass_time(twin.world, 600)
    assert twin.call("GET", answer.headers["azure-asyncoperation"]).json()["status"] == "Failed"
    assert "hklm:\\software\\second" not in host.registry


# ---------------------------------------------------------------- run command, managed form

SECRET = "eyJ-planted-protected-value"


def managed(*script: str, **more: Any) -> dict[str, Any]:
    properties = {"source": {"script": "\n".join(script or HELLO)}, **more}
    return {"location": "westeurope", "properties": properties}


def start(driver: Driver, name: str, body: dict[str, Any]) -> Any:
    return driver.finish("virtual_machine_run_commands", "begin_create_or_update", RG, "vm-1", name, body)


def look(driver: Driver, name: str) -> Any:
    return driver.do("virtual_machine_run_commands", "get_by_virtual_machine", RG, "vm-1", name, expand="instanceView")


def test_managed_waits_for_the_script(driver: Driver) -> None:
    machine(driver.world)
    found = start(driver, "one", managed(parameters=[{"name": "Name", "value": "you"}]))
    assert found.provisioning_state == "Succeeded"
    assert found.instance_view is None
    view = look(driver, "one").instance_view
    assert (view.execution_state, view.exit_code, view.output, view.error) == ("Succeeded", 0, "hello you", "")
    assert view.start_time < view.end_time


def test_managed_asynchronous(driver: Driver) -> None:
    machine(driver.world)
    began = driver.world.now
    start(driver, "one", managed("Start-Sleep -Seconds 600", "exit 3", async_execution=True, asyncExecution=True))
    assert driver.world.now - began < 120, "done once the script has started"
    assert look(driver, "one").instance_view.execution_state == "Running"
    pass_time(driver.world, 700)
    found = look(driver, "one")
    assert (found.instance_view.execution_state, found.instance_view.exit_code) == ("Failed", 3)
    assert found.provisioning_state == "Succeeded", "though the script failed"


def test_failure_as_deployment_failure(driver: Driver) -> None:
    machine(driver.world)
    with pytest.raises(HttpResponseError):
        start(driver, "one", managed("exit 3", treatFailureAsDeploymentFailure=True))
    assert look(driver, "one").provisioning_state == "Failed"


def test_several_managed_at_once(twin: Twin) -> None:
    host = machine(twin.world)
    for name in ("one", "two", "three"):
        answer = twin.call("PUT", f"{VMS}/vm-1/runCommands/{name}", managed("Start-Sleep -Seconds 100"))
        assert answer.status == 201
        assert answer.json()["properties"]["provisioningState"] == "Creating"
    assert twin.call("POST", f"{VMS}/vm-1/runCommand", action()).status == 202
    assert len(host.scripts) == 4
    pass_time(twin.world, 300)
    assert host.scripts == {}
    listed = twin.call("GET", f"{VMS}/vm-1/runCommands", **{"$expand": "instanceView"}).json()["value"]
    assert [entry["name"] for entry in listed] == ["one", "three", "two"]
    assert {entry["properties"]["instanceView"]["executionState"] for entry in listed} == {"Succeeded"}


def test_time_out(driver: Driver) -> None:
    host = machine(driver.world)
    make, sleep = "New-Item -Path HKLM:\\SOFTWARE\\{} -Force | Out-Null", "Start-Sleep -Seconds 300"
    script = (make.format("First"), sleep, make.format("Second"))
    start(driver, "one", managed(*script, timeoutInSeconds=60))
    assert look(driver, "one").instance_view.execution_state == "TimedOut"
    pass_time(driver.world, 600)
    assert "hklm:\\software\\first" in host.registry
    assert "hklm:\\software\\second" not in host.registry


def test_delete_cancels(driver: Driver) -> None:
    host = machine(driver.world)
    start(driver, "one", managed("Start-Sleep -Seconds 600", asyncExecution=True))
    driver.finish("virtual_machine_run_commands", "begin_delete", RG, "vm-1", "one")
    assert host.scripts == {}
    with pytest.raises(ResourceNotFoundError):
        look(driver, "one")
    driver.finish("virtual_machine_run_commands", "begin_delete", RG, "vm-1", "one")


def test_put_again_and_blank_script(driver: Driver) -> None:
    host = machine(driver.world)
    start(driver, "one", managed("Start-Sleep -Seconds 600", asyncExecution=True))
    start(driver, "one", managed("Start-Sleep -Seconds 900", asyncExecution=True))
    assert len(host.scripts) == 1
    patch = {"properties": {"source": {"script": " "}}}
    driver.finish("virtual_machine_run_commands", "begin_update", RG, "vm-1", "one", patch)
    assert host.scripts == {}
    assert look(driver, "one").instance_view.execution_state == "Canceled"


def test_protected_parameters_are_echoed_nowhere(driver: Driver) -> None:
    host = machine(driver.world)
    protected = [{"name": "Token", "value": SECRET}]
    body = managed("param([string]$Token)", "Write-Output $Token.Length", protectedParameters=protected)
    answer = driver.twin.call("PUT", f"{VMS}/vm-1/runCommands/one", body)
    assert SECRET not in answer.content.decode()
    pass_time(driver.world, 300)
    found = look(driver, "one")
    assert found.instance_view.output == str(len(SECRET))
    assert found.protected_parameters is None
    raw = driver.twin.call("GET", f"{VMS}/vm-1/runCommands/one", **{"$expand": "instanceView"}).content.decode()
    assert SECRET not in raw
    assert SECRET not in json.dumps([record.data for record in driver.world.state.records], default=str)
    assert SECRET not in driver.world.snapshot().decode(), "dropped when the run ends"
    assert host.scripts == {}


def test_managed_refusals(twin: Twin) -> None:
    machine(twin.world, power="stopped")
    url = f"{VMS}/vm-1/runCommands/one"
    assert twin.call("PUT", url, managed()).json()["error"]["code"] == "OperationNotAllowed"
    machine(twin.world, "vm-2")
    url = f"{VMS}/vm-2/runCommands/one"
    cases: list[tuple[dict[str, Any], int]] = [
        ({"properties": {"source": {"script": "x"}}}, 400),
        ({"location": "westeurope", "properties": {}}, 400),
        (managed(timeoutInSeconds="soon"), 400),
        (managed(protectedParameters=[{"name": "Token", "value": 7}]), 400),
    ]
    for body, status in cases:
        assert twin.call("PUT", url, body).status == status
    assert twin.call("GET", url).status == 404
    assert twin.call("DELETE", url).status == 204


# ---------------------------------------------------------------- snapshots


@pytest.mark.parametrize("at", [1.0, 30.0, 70.0, 150.0])
def test_a_snapshot_in_the_middle_of_a_script_has_the_same_future(twin: Twin, at: float) -> None:
    machine(twin.world)
    body = managed("New-Item -Path HKLM:\\SOFTWARE\\First -Force | Out-Null", "Start-Sleep -Seconds 90")
    twin.call("PUT", f"{VMS}/vm-1/runCommands/one", body)
    pass_time(twin.world, at)
    other = World.restore(twin.world.snapshot(), ManualClock(twin.world.now))
    ends: list[Callable[[], bytes]] = [twin.world.snapshot, other.snapshot]
    for world in (twin.world, other):
        pass_time(world, 600)
    assert ends[0]() == ends[1]()
    assert "hklm:\\software\\first" in other.state.machines[f"{VMS}/vm-1".lower()].registry


def test_extensions_left_by_templates_can_be_read(twin: Twin) -> None:
    from avdtwin.arm import store
    from avdtwin.state import Resource

    host = machine(twin.world)
    extension = Resource(
        id=f"{host.resource_id}/extensions/dscextension",
        type="Microsoft.Compute/virtualMachines/extensions",
        name="dscextension",
        location="westeurope",
        properties={"publisher": "Microsoft.Powershell", "type": "DSC"},
    )
    store.add(twin.world, extension)
    assert twin.call("GET", f"{VMS}/vm-1/extensions/dscextension").json()["properties"]["type"] == "DSC"
    assert len(twin.call("GET", f"{VMS}/vm-1/extensions").json()["value"]) == 1
    assert twin.call("GET", f"{VMS}/vm-1/extensions/x").status == 404
