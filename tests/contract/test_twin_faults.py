"""Every kind of fault of the twin, seen by a client: Azure's own, unmodified, or one that speaks plain HTTP."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.desktopvirtualization import models as m

sys.path.insert(0, str(Path(__file__).parent))

from _furnished import APP_ID, SECRET
from _inprocess import (
    ORIGIN,
    SUBSCRIPTION,
    TENANT,
    InProcessTransport,
    StaticCredential,
    Twin,
    add_machine,
    make_world,
    sync_client,
    token_for,
)

from avdtwin import agents, faults, registry, sessions, tokens, windows
from avdtwin.arm import session_hosts
from avdtwin.clock import ManualClock, to_datetime
from avdtwin.directory import add_user
from avdtwin.server import Endpoint
from avdtwin.state import ClassicRoleAssignment, ClassicTenant, ClassicTenantGroup, Machine, User
from avdtwin.world import World

RG = "rg"
AVD = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.DesktopVirtualization"
POOL = f"{AVD}/hostPools/pool"
VM = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.Compute/virtualMachines/vm-1"


class Client:
    """The official client without retries, and what it meets."""

    def __init__(self, twin: Twin, **more: Any) -> None:
        self.twin = twin
        self.world = twin.world
        self.sdk = sync_client(twin, retry_total=0, **more)

    def suffers(self, *given: dict[str, Any]) -> None:
        faults.put_in(self.world, given)

    def make(self, name: str = "pool", **more: Any) -> Any:
        body = m.HostPool(
            location="westeurope",
            host_pool_type="Pooled",
            load_balancer_type="BreadthFirst",
            preferred_app_group_type="Desktop",
            **more,
        )
        return self.sdk.host_pools.create_or_update(RG, name, body)

    def get(self, name: str = "pool") -> Any:
        return self.sdk.host_pools.get(RG, name)

    def names(self) -> list[str]:
        return [pool.name for pool in self.sdk.host_pools.list_by_resource_group(RG)]

    def wait(self, seconds: float) -> None:
        assert isinstance(self.world.clock, ManualClock)
        self.world.clock.advance(seconds)
        self.world.settle()


@pytest.fixture
def client(twin: Twin) -> Iterator[Client]:
    twin.world.state.settings["access_token_s"] = 10 * 365 * 86_400
    made = Client(twin)
    made.make()
    with made.sdk:
        yield made


@pytest.fixture
def remote(endpoint: Endpoint, twin: Twin) -> Iterator[Client]:
    """The same client over TLS. Its world is the served one."""
    made = Client(twin, base_url=endpoint.url, connection_verify=str(endpoint.ca_file), read_timeout=0.5)
    made.suffers = lambda *given: endpoint.call(lambda world: faults.put_in(world, given))  # type: ignore[method-assign,assignment,return-value]
    with made.sdk:
        yield made


WRITES = {"service": "arm", "method": "PUT"}


# ---------------------------------------------------------------- answers


def test_delay(client: Client) -> None:
    client.suffers({"kind": "delay", "seconds": [20, 30], "match": {"route": "hostPools/{pool}", "nth": 2}})
    began = client.world.now
    client.get()
    assert client.world.now == began
    client.get()
    assert 20 <= client.world.now - began <= 30


def test_throttled_with_retry_after_which_the_official_client_obeys(client: Client, twin: Twin) -> None:
    client.suffers({"kind": "throttled", "match": WRITES, "times": 1, "retry_after_s": 17})
    with pytest.raises(HttpResponseError) as caught:
        client.make("two")
    assert (caught.value.status_code, caught.value.error.code) == (429, "TooManyRequests")
    assert caught.value.response.headers["retry-after"] == "17"
    client.suffers({"kind": "throttled", "match": WRITES, "times": 2, "retry_after_s": 17})
    began = client.world.now
    with sync_client(twin) as patient:
        patient.host_pools.create_or_update(
            RG,
            "two",
            m.HostPool(
                location="westeurope",
                host_pool_type="Pooled",
                load_balancer_type="BreadthFirst",
                preferred_app_group_type="Desktop",
            ),
        )
    assert client.world.now - began == 34


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("kind", "status"), [("error", 500), ("unavailable", 503)])
def test_errors_before_and_after_the_effect(client: Client, kind: str, status: int, when: str) -> None:
    client.suffers({"kind": kind, "match": WRITES, "when": when})
    with pytest.raises(HttpResponseError) as caught:
        client.make("two")
    assert caught.value.status_code == status
    assert caught.value.error.code
    assert ("two" in client.names()) is (when == "after")


@pytest.mark.parametrize("path", ["/v1.0/users", "/RdsManagement/V1/TenantGroups", f"/{TENANT}/oauth2/v2.0/token"])
def test_errors_in_every_services_envelope(twin: Twin, path: str) -> None:
    faults.put_in(twin.world, [{"kind": "error", "status": 502, "match": {"probability": 1.0}}])
    answer = twin.call("GET", path)
    assert answer.status == 502
    assert answer.json()["error"]


# ---------------------------------------------------------------- connections


@pytest.mark.parametrize("when", ["before", "after"])
def test_reset_over_a_socket(remote: Client, when: str) -> None:
    remote.suffers({"kind": "reset", "match": WRITES, "when": when})
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        remote.make("two")
    assert ("two" in remote.names()) is (when == "after")


@pytest.mark.parametrize("when", ["before", "after"])
def test_reset_in_process(client: Client, when: str) -> None:
    client.suffers({"kind": "reset", "match": WRITES, "when": when})
    with pytest.raises(ConnectionResetError):
        client.make("two")
    assert ("two" in client.names()) is (when == "after")


def test_refused(client: Client) -> None:
    client.suffers({"kind": "refused", "match": WRITES})
    with pytest.raises(ConnectionRefusedError):
        client.make("two")
    assert client.names() == ["pool"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_timeout_over_a_socket(remote: Client, endpoint: Endpoint, when: str) -> None:
    from avdtwin.clock import ScaledClock

    clock = endpoint.call(lambda world: world.clock)
    endpoint.call(lambda world: setattr(world, "clock", ScaledClock(100.0, world.now)))
    try:
        remote.suffers({"kind": "timeout", "seconds": 100, "match": WRITES, "when": when})
        with pytest.raises(ServiceResponseError, match="timed out"):
            remote.make("two")
        assert ("two" in remote.names()) is (when == "after")
    finally:
        endpoint.call(lambda world: setattr(world, "clock", clock))


@pytest.mark.parametrize("when", ["before", "after"])
def test_timeout_in_process(client: Client, when: str) -> None:
    client.suffers({"kind": "timeout", "match": WRITES, "when": when})
    began = client.world.clock.now()
    with pytest.raises(TimeoutError):
        client.make("two")
    assert client.world.clock.now() - began == 300
    assert ("two" in client.names()) is (when == "after")


def test_truncated_over_a_socket(remote: Client) -> None:
    remote.make()
    remote.suffers({"kind": "truncated", "match": {"method": "GET"}, "times": 1})
    with pytest.raises((IncompleteReadError, ServiceResponseError, DecodeError, HttpResponseError)):
        remote.get()
    assert remote.get().name == "pool"


def test_truncated_in_process(client: Client, twin: Twin) -> None:
    client.suffers({"kind": "truncated", "match": {"method": "GET"}, "fraction": 0.25})
    with pytest.raises(DecodeError):
        client.get()
    answer = twin.call("GET", POOL)
    assert len(answer.content) == int(int(answer.headers["content-length"]) * 0.25)


# ---------------------------------------------------------------- what is true


def test_stale_reads(client: Client) -> None:
    client.suffers({"kind": "stale", "seconds": 30, "match": {"service": "desktopvirtualization"}})
    client.make("two")
    assert client.names() == ["pool"], "the list lags behind the write"
    with pytest.raises(ResourceNotFoundError):
        client.get("two")
    client.make(friendly_name="changed")
    assert client.get().friendly_name is None, "as it was before the write"
    client.wait(31)
    assert client.names() == ["pool", "two"]
    assert client.get().friendly_name == "changed"


def test_a_read_repeats_itself_while_stale(client: Client) -> None:
    client.suffers({"kind": "stale", "seconds": 30, "match": {"method": "GET"}})
    assert client.names() == ["pool"]
    client.make("two")
    assert client.names() == ["pool"]
    client.wait(31)
    assert client.names() == ["pool", "two"]


def test_expired_credential_at_arm(client: Client) -> None:
    client.suffers({"kind": "expired_credential", "match": {"nth": 2}})
    client.get()
    with pytest.raises(ClientAuthenticationError) as caught:
        client.get()
    assert (caught.value.status_code, caught.value.error.code) == (401, "ExpiredAuthenticationToken")
    assert client.get().name == "pool"


def test_expired_credential_at_sign_in(twin: Twin) -> None:
    form = f"grant_type=client_credentials&client_id={APP_ID}&client_secret={SECRET.replace(' ', '+')}"
    form += "&scope=https://management.azure.com/.default"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    path = f"/{TENANT}/oauth2/v2.0/token"
    assert twin.call("POST", path, form.encode(), headers=headers).status == 200
    faults.put_in(twin.world, [{"kind": "expired_credential", "match": {"service": "entra"}}])
    refused = twin.call("POST", path, form.encode(), headers=headers)
    assert (refused.status, refused.json()["error_codes"]) == (401, [7000222])


def test_clock_skew_of_a_service(client: Client, twin: Twin) -> None:
    client.world.state.settings["access_token_s"] = 3599
    right = parsedate_to_datetime(twin.call("GET", POOL).headers["date"])
    client.suffers({"kind": "clock_skew", "seconds": 4000, "match": {"service": "arm"}})
    issued = {"authorization": f"Bearer {token_for(client.world)}"}
    answer = twin.call("GET", POOL, headers=issued)
    assert parsedate_to_datetime(answer.headers["date"]) - right == timedelta(seconds=4000)
    assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"
    client.suffers({"kind": "clock_skew", "seconds": -4000, "match": {"service": "arm"}})
    assert twin.call("GET", POOL, headers=issued).json()["error"]["code"] == "InvalidAuthenticationToken"


# ---------------------------------------------------------------- run commands and guests


@pytest.fixture
def machine(client: Client) -> Machine:
    return windows.build(client.world, resource_id=VM, computer_name="vm-1", fqdn="vm-1.ad.contoso.example")


def run(client: Client, *script: str) -> str:
    """The output of an action run command, by the official compute client."""
    with ComputeManagementClient(
        StaticCredential(client.world),
        SUBSCRIPTION,
        base_url=ORIGIN,
        transport=InProcessTransport(client.twin.app),
        retry_total=0,
    ) as compute:
        body: Any = {"commandId": "RunPowerShellScript", "script": list(script)}
        return "".join(
            each.message for each in compute.virtual_machines.begin_run_command(RG, "vm-1", body).result().value
        )


def manage(client: Client, *script: str) -> Any:
    with ComputeManagementClient(
        StaticCredential(client.world),
        SUBSCRIPTION,
        base_url=ORIGIN,
        transport=InProcessTransport(client.twin.app),
        retry_total=0,
    ) as compute:
        body: Any = {"location": "westeurope", "properties": {"source": {"script": "\n".join(script)}}}
        commands = compute.virtual_machine_run_commands
        commands.begin_create_or_update(RG, "vm-1", "move", body).result()
        return commands.get_by_virtual_machine(RG, "vm-1", "move", expand="instanceView").instance_view


def test_run_command_busy(client: Client, machine: Machine) -> None:
    client.suffers({"kind": "run_command_busy", "match": {"host": "vm-*"}, "times": 2})
    with pytest.raises(ResourceExistsError, match="in progress") as caught:
        run(client, "Write-Output 1")
    assert caught.value.error.code == "Conflict"
    with pytest.raises(ResourceExistsError):
        manage(client, "Write-Output 1")
    assert run(client, "Write-Output 1").strip() == "1"


HALF = (
    "New-Item -Path HKLM:\\SOFTWARE\\First -Force | Out-Null",
    "Start-Sleep -Seconds 100",
    "New-Item -Path HKLM:\\SOFTWARE\\Second -Force | Out-Null",
    "Write-Output done",
)


def test_run_command_failing_midway(client: Client, machine: Machine) -> None:
    client.suffers({"kind": "run_command_fails", "fraction": 0.5, "times": 1})
    view = manage(client, *HALF)
    assert (view.execution_state, view.exit_code, view.output) == ("Failed", 1, "")
    assert "hklm:\\software\\first" in machine.registry
    assert "hklm:\\software\\second" not in machine.registry
    assert manage(client, *HALF).output.strip() == "done"


def test_guest_agent_missing(client: Client, machine: Machine) -> None:
    client.suffers({"kind": "guest_agent_missing", "match": {"host": "vm-1", "until": 7200}})
    view = client.twin.call("GET", f"{VM}/instanceView").json()
    assert view["vmAgent"]["statuses"][0]["displayStatus"] == "Not Ready"
    with pytest.raises(HttpResponseError, match="VMAgentStatusCommunicationError"):
        run(client, "Write-Output 1")
    client.wait(7200)
    assert run(client, "Write-Output 1").strip() == "1"


# ---------------------------------------------------------------- agents and hosts


def statuses(client: Client) -> list[str]:
    return [host.status for host in client.sdk.session_hosts.list(RG, "pool")]


def join(client: Client, machine: Machine, life: timedelta = timedelta(hours=4)) -> None:
    """Have the agent start with a fresh token of the pool."""
    expiry = to_datetime(client.world.now) + life
    info = m.RegistrationInfo(expiration_time=expiry, registration_token_operation="Update")
    token = client.make(registration_info=info).registration_info.token
    registry.write(machine, registry.AGENT, "RegistrationToken", token)
    agents.start(client.world, machine)


def test_agent_stuck_until_it_starts_anew(client: Client, machine: Machine) -> None:
    client.suffers({"kind": "agent_stuck", "times": 1})
    join(client, machine)
    client.wait(3600)
    assert statuses(client) == []
    agents.start(client.world, machine)
    client.wait(600)
    assert statuses(client) == ["Available"]


def test_a_machines_clock_skew_makes_its_token_expire(client: Client, machine: Machine) -> None:
    client.suffers({"kind": "host_clock_skew", "seconds": 86_400, "times": 1})
    join(client, machine)
    client.wait(600)
    assert statuses(client) == []
    assert machine.agent.last_error == "EXPIRED_REGISTRATION_TOKEN"


@pytest.fixture
def host(client: Client) -> Machine:
    """A healthy host of the pool."""
    built = windows.build(client.world, resource_id=VM, computer_name="vm-1", fqdn="vm-1.ad.contoso.example")
    found = session_hosts.register(client.world, built, POOL.lower())
    agents.connect(client.world, built, "arm", POOL.lower(), found.name.rpartition("/")[2])
    client.wait(300)
    label = client.get().object_id
    registry.write(built, registry.AGENT, "IsRegistered", 1)
    registry.write(built, registry.AGENT, "BrokerResourceIdURI", f"https://{label}.rdbroker-g-us-r1.wvd.microsoft.com/")
    return built


def test_an_agents_update_hangs_until_it_starts_anew(client: Client, host: Machine) -> None:
    client.suffers({"kind": "agent_update_hangs", "times": 1})
    client.twin.call("POST", "/_twin/agent-release", {"version": "1.0.12000.0", "within_s": 0})
    client.wait(86_400)
    assert statuses(client) == ["Upgrading"]
    agents.leave(client.world, host)
    agents.start(client.world, host)
    client.wait(3600)
    (found,) = client.sdk.session_hosts.list(RG, "pool")
    assert (found.status, found.update_state, found.agent_version) == ("Available", "Succeeded", "1.0.12000.0")


def test_an_agents_update_fails(client: Client, host: Machine) -> None:
    client.suffers({"kind": "agent_update_fails"})
    before = next(iter(client.sdk.session_hosts.list(RG, "pool"))).agent_version
    client.twin.call("POST", "/_twin/agent-release", {"version": "1.0.12000.0", "within_s": 0})
    client.wait(600)
    (found,) = client.sdk.session_hosts.list(RG, "pool")
    assert (found.status, found.update_state, found.agent_version) == ("UpgradeFailed", "Failed", before)
    assert found.update_error_message


def test_heartbeat_lost_and_found(client: Client, host: Machine) -> None:
    client.suffers({"kind": "heartbeat_lost", "match": {"host": "vm-1", "from": 60, "until": 1000}})
    assert statuses(client) == ["Available"]
    client.wait(120)
    assert statuses(client) == ["Disconnected"]
    windows.restart(client.world, host)
    client.wait(700)
    assert statuses(client) == ["NoHeartbeat"], "a restart does not help"
    client.wait(600)
    assert statuses(client) == ["Available"]


def test_machine_off(client: Client, host: Machine) -> None:
    client.suffers({"kind": "machine_off", "match": {"from": 10}})
    client.wait(120)
    assert statuses(client) == ["Shutdown"]


def test_a_session_that_never_ends(client: Client, host: Machine) -> None:
    client.suffers({"kind": "session_never_ends"})
    add_user(client.world, User(id="u", upn="u@contoso.example"))
    session = sessions.open_session(
        client.world,
        host,
        service="arm",
        pool=POOL.lower(),
        user="u",
        upn="u@contoso.example",
        application_type="Desktop",
        client="new",
    )
    client.sdk.user_sessions.delete(RG, "pool", host.fqdn, str(session.id))
    sessions.end(client.world, session, "signed_out")
    client.wait(30 * 86_400)
    (left,) = client.sdk.user_sessions.list(RG, "pool", host.fqdn)
    assert left.session_state == "Disconnected"
    client.sdk.user_sessions.delete(RG, "pool", host.fqdn, str(session.id), force=True)
    assert list(client.sdk.user_sessions.list(RG, "pool", host.fqdn)) == []


# ---------------------------------------------------------------- classic, and somebody else


def classic(client: Client) -> Callable[[], Any]:
    """A tenant that the owner may read; returns the reading."""
    world = client.world
    tenant = ClassicTenant(name="contoso", aad_tenant_id=TENANT)
    world.state.classic.groups["default tenant group"] = ClassicTenantGroup(
        name="Default Tenant Group", tenants={"contoso": tenant}
    )
    owner = "aaaaaaaa-0000-4000-a000-000000000001"
    world.state.classic.role_assignments["owner"] = ClassicRoleAssignment(
        id="owner", scope="/Default Tenant Group", role="RDS Owner", object_id=owner, object_type="User"
    )
    token = tokens.issue_access(
        world, object_id=owner, app_id=None, upn="x@y", audience="https://mrs-prod.ame.gbl/mrs-RDInfra-prod"
    )
    headers = {"authorization": f"Bearer {token}"}
    return lambda: client.twin.call("GET", "/RdsManagement/V1/Tenants/contoso", headers=headers)


def test_classic_disappearing(client: Client) -> None:
    read = classic(client)
    client.suffers({"kind": "classic_gone", "match": {"from": 100, "until": 200}})
    assert read().status == 200
    client.wait(101)
    with pytest.raises(ConnectionRefusedError):
        read()
    client.wait(100)
    assert read().status == 200


def test_classic_disappearing_with_a_call(client: Client) -> None:
    read = classic(client)
    client.suffers({"kind": "classic_gone", "match": {"service": "classic", "nth": 2}})
    assert read().status == 200
    with pytest.raises(ConnectionRefusedError):
        read()
    client.suffers()
    assert read().status == 200, "faults taken out are over"


def test_somebody_else_changes_an_object(client: Client) -> None:
    body = {"properties": {"friendlyName": "theirs"}}
    call = {"method": "PATCH", "path": ".", "body": body}
    client.suffers({"kind": "call", "call": call, "when": "after", "times": 1, "match": {"method": "PUT"}})
    client.make(friendly_name="mine")
    assert client.get().friendly_name == "theirs"
    assert client.world.state.records[-1].data["status"] == 200
    assert client.world.setting("rights_enforced") is True


def test_somebody_else_deletes_an_object(client: Client) -> None:
    client.suffers({"kind": "call", "call": {"method": "DELETE", "path": f"{POOL}?force=true"}, "match": {"from": 50}})
    assert client.get().name == "pool"
    client.wait(51)
    with pytest.raises(ResourceNotFoundError):
        client.get()


def test_somebody_else_deletes_it_under_a_callers_hands(client: Client) -> None:
    client.suffers({"kind": "call", "call": {"method": "DELETE", "path": "."}, "match": {"method": "PATCH", "nth": 1}})
    with pytest.raises(ResourceNotFoundError):
        client.sdk.host_pools.update(RG, "pool", m.HostPoolPatch(friendly_name="x"))


# ---------------------------------------------------------------- the list itself


def test_every_kind_is_described_and_tested() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "twin-faults.md"
    text, own = page.read_text(encoding="utf-8"), Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in faults.KINDS if f"| `{kind}` |" not in text] == []
    shown = dict(re.findall(r"^\| `(\w+)` \| ((?:`test_\w+`(?:, )?)+) \|$", text, re.MULTILINE))
    assert sorted(shown) == sorted(faults.KINDS)
    named = [name for names in shown.values() for name in re.findall(r"`(test_\w+)`", names)]
    assert [name for name in named if f"def {name}(" not in own] == []
    assert [kind for kind in faults.KINDS if f'"kind": "{kind}"' not in own and f'"{kind}", ' not in own] == []


def test_the_same_seed_meets_the_same_faults() -> None:
    def story(seed: int) -> list[int]:
        twin = Twin(make_world())
        twin.world.state.seed = seed
        faults.put_in(twin.world, [{"kind": "unavailable", "match": {"probability": 0.3}}])
        return [twin.call("GET", f"/subscriptions/{SUBSCRIPTION}").status for _ in range(40)]

    assert story(1) == story(1) != story(2)
    assert 3 < story(1).count(503) < 25
    assert faults.drawn(5, 30) == faults.drawn(5, 30) != faults.drawn(6, 30)


def test_a_snapshot_in_between_has_the_same_future(client: Client, host: Machine) -> None:
    client.suffers(
        {"kind": "heartbeat_lost", "match": {"from": 60, "until": 1000}},
        {"kind": "throttled", "match": {"method": "GET", "nth": 3}},
    )
    client.wait(120)
    client.get()
    copy = World.restore(client.world.snapshot(), ManualClock(client.world.now))
    other = Client(Twin(copy))
    for each in (client, other):
        each.get()
        with pytest.raises(HttpResponseError):
            each.get()
        each.wait(1500)
    assert statuses(client) == statuses(other) == ["Available"]


def test_all_faults_at_once_leave_the_twin_alive(client: Client, host: Machine) -> None:
    faults.put_in(client.world, faults.drawn(3, 60, spread_s=1000.0))
    add_machine(client.world, "vm-2")
    for _ in range(100):
        with contextlib.suppress(ConnectionError, TimeoutError, ValueError):
            assert client.twin.call("GET", POOL).status in (200, 401, 429, 500, 503)
        client.wait(15)
    client.suffers()
    client.wait(600)
    assert client.get().name == "pool"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"kind": "reset", "match": {"servise": "arm"}}, "servise"),
        ({"kind": "reset", "seconds": 3}, "reset takes no seconds"),
        ({"kind": "call"}, "call needs call"),
        ({"kind": "error", "status": 200}, "between 400 and 599"),
        ({"kind": "reset", "match": {"probability": 2}}, "between 0 and 1"),
        ({"kind": "delay", "seconds": -1}, "not negative"),
        ({"kind": "reset", "match": {"every": 0}}, "at least 1"),
        ("x", "Expected `object`"),
    ],
)
def test_wrong_faults_are_named(given: Any, problem: str) -> None:
    with pytest.raises(faults.BadFaults, match=problem):
        faults.read([given])


# ---------------------------------------------------------------- our own client


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "delay", "seconds": 5},
        {"kind": "throttled", "retry_after_s": 9},
        {"kind": "unavailable"},
        {"kind": "error"},
        {"kind": "reset"},
        {"kind": "reset", "when": "after"},
        {"kind": "refused"},
        {"kind": "timeout"},
        {"kind": "timeout", "when": "after"},
        {"kind": "truncated"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_our_client_gets_over_a_passing_fault(fault: dict[str, Any]) -> None:
    """A write that is safe to repeat ends well, and once."""
    from _cloud_services import Bench

    bench = Bench()
    body = {
        "location": "westeurope",
        "properties": {
            "hostPoolType": "Pooled",
            "loadBalancerType": "BreadthFirst",
            "preferredAppGroupType": "Desktop",
        },
    }
    faults.put_in(bench.world, [{**fault, "times": 1, "match": {"service": "desktopvirtualization", "method": "PUT"}}])

    async def story(services: Any) -> Any:
        return await services.arm.put(POOL, body)

    assert bench.run(story)["properties"]["hostPoolType"] == "Pooled"
    assert bench.world.state.faults[0].struck == 1
