"""Machines and their agents: what they do by themselves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import POOL, SUBSCRIPTION, Lab

from avdtwin import agents, products, registry, windows
from avdtwin.arm import session_hosts, store
from avdtwin.clock import ManualClock
from avdtwin.world import World


def give_token(lab: Lab, token: str) -> None:
    """The light way, by hand."""
    registry.write(lab.machine, registry.AGENT, "IsRegistered", 0)
    registry.write(lab.machine, registry.AGENT, "RegistrationToken", token)
    agents.leave(lab.world, lab.machine)
    agents.start(lab.world, lab.machine)


def errors(lab: Lab) -> list[Any]:
    return [record.data["code"] for record in lab.world.state.records if record.kind == "agent_error"]


def test_heartbeats_go_with_the_clock() -> None:
    lab = Lab()
    first = windows.heartbeat(lab.world, lab.machine)
    assert first is not None
    lab.wait(59)
    second = windows.heartbeat(lab.world, lab.machine)
    assert second is not None
    assert second - first in (0.0, 60.0)
    windows.power_off(lab.world, lab.machine)
    assert windows.heartbeat(lab.world, lab.machine) is None
    assert lab.record.last_heartbeat == second


def test_a_restarted_host_comes_back_to_its_pool() -> None:
    lab = Lab()
    lab.restart()
    assert not lab.on_classic()
    lab.wait()
    assert lab.on_classic()


def test_a_token_moves_the_registration() -> None:
    lab = Lab()
    give_token(lab, lab.token)
    lab.wait()
    assert lab.on_arm()
    values = lab.agent_key()
    assert (values["IsRegistered"], values["RegistrationToken"]) == (1, "")
    assert values["BrokerResourceIdURI"].startswith("https://22222222-2222-4222-a222-222222222222.")
    lab.restart()
    lab.wait()
    assert lab.on_arm()
    give_token(lab, lab.classic_token())
    lab.wait()
    assert lab.on_classic()
    assert "BrokerResourceIdURI" not in lab.agent_key()


def test_isregistered_makes_a_token_be_ignored() -> None:
    lab = Lab()
    registry.write(lab.machine, registry.AGENT, "RegistrationToken", lab.token)
    lab.restart()
    lab.wait()
    assert lab.on_classic(), "the pitfall of installing over a registered agent"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "INVALID_REGISTRATION_TOKEN"),
        ("a.b.c", "INVALID_REGISTRATION_TOKEN"),
        ("old", "EXPIRED_REGISTRATION_TOKEN"),
    ],
)
def test_bad_tokens(token: str, code: str) -> None:
    lab = Lab()
    if token == "old":
        token = lab.token
        lab.wait(90_000)
    give_token(lab, token)
    lab.wait()
    assert errors(lab) == [code]
    assert lab.machine.agent.last_error == code
    assert lab.agent_key()["IsRegistered"] == 0
    assert not lab.on_arm()


def test_a_name_that_is_taken() -> None:
    lab = Lab()
    give_token(lab, lab.token)
    lab.wait()
    give_token(lab, lab.token)
    lab.wait()
    assert errors(lab) == ["NAME_ALREADY_REGISTERED"]
    host = store.get(lab.world, f"{POOL}/sessionHosts/vm-1.ad.contoso.com")
    assert host is not None
    session_hosts.delete_record(lab.world, host)
    give_token(lab, lab.token)
    lab.wait()
    assert lab.on_arm()


def test_a_record_that_was_removed_is_not_come_back_to() -> None:
    lab = Lab()
    lab.world.state.classic.groups["group"].tenants["tenant"].pools["pool"].hosts.clear()
    lab.restart()
    lab.wait()
    assert errors(lab) == ["INVALID_FORM"]
    lab.world.state.classic.alive = False
    lab.restart()
    lab.wait()
    assert errors(lab)[-1] == "ENDPOINT_NOT_FOUND"


def test_quirks() -> None:
    lab = Lab(quirks=("never-registers",))
    lab.restart()
    lab.wait(7200)
    assert lab.machine.agent.connected_at is None
    lab = Lab(quirks=("off-for-weeks",))
    lab.restart()
    lab.wait()
    assert errors(lab) == ["EXPIRED_MACHINE_TOKEN"]


def test_broad_registration_is_throttled() -> None:
    lab = Lab()
    lab.world.state.settings |= {"registration_burst": 2, "registration_refill_per_s": 0.01}
    machines = []
    for number in range(6):
        machine = windows.build(
            lab.world,
            resource_id=f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/m-{number}",
            computer_name=f"m-{number}",
            fqdn=f"m-{number}.ad.contoso.com",
        )
        registry.write(machine, registry.AGENT, "RegistrationToken", lab.token)
        agents.start(lab.world, machine)
        machines.append(machine)
    lab.wait(180)
    there = sum(machine.agent.service == "arm" for machine in machines)
    assert 2 <= there <= 4
    lab.wait(1200)
    assert all(machine.agent.service == "arm" for machine in machines)


def test_a_new_stack_listens_after_a_restart() -> None:
    lab = Lab()
    lab.good("stage", "save", "uninstall", "restart", "install")
    lab.wait()
    assert lab.machine.agent.service == "arm"
    assert not windows.healthy(lab.world, lab.machine)
    lab.restart()
    lab.wait()
    assert lab.on_arm()


def test_a_stack_installed_over_a_pending_restart_is_broken() -> None:
    lab = Lab()
    for product in list(lab.machine.products):
        products.uninstall(lab.machine, product.code)
    assert lab.machine.pending_reboot
    products.install_agent(lab.machine, "1.0.11814.0", lab.token)
    products.install_boot_loader(lab.machine, "1.0.11388.1600")
    lab.restart()
    lab.wait(7200)
    assert lab.machine.agent.service == "classic", "never got further"
    assert lab.machine.agent.connected_at is None


def test_power_events_of_the_past_are_dropped() -> None:
    lab = Lab()
    windows.restart(lab.world, lab.machine)
    windows.power_off(lab.world, lab.machine)
    lab.wait()
    assert lab.machine.power == "deallocated"
    assert windows.power_off(lab.world, lab.machine) == 0.0
    delay = windows.power_on(lab.world, lab.machine)
    assert 0 < windows.power_on(lab.world, lab.machine) <= delay
    lab.wait()
    assert lab.machine.power == "running"
    assert windows.power_on(lab.world, lab.machine) == 0.0


@pytest.mark.parametrize("at", [5.0, 40.0, 100.0, 200.0])
def test_a_snapshot_has_the_same_future(at: float) -> None:
    lab = Lab()
    lab.good("stage", "save", "uninstall", "restart", "install")
    windows.restart(lab.world, lab.machine)
    lab.wait(at)
    other = World.restore(lab.world.snapshot(), ManualClock(lab.world.now))
    lab.wait()
    other.settle_until(lab.world.now)
    assert lab.world.snapshot() == other.snapshot()
    assert lab.on_arm()
