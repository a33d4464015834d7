"""Agents that take a newer release: when, for how long, and what is seen of it meanwhile."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import POOL, Lab
from test_machines import give_token

from avdtwin import agent_updates, agents, broker, products
from avdtwin.arm import session_hosts, store
from avdtwin.classic import hosts
from avdtwin.state import Resource

NEWER = "1.0.12000.0"


def arm_host(lab: Lab) -> Resource:
    host = store.get(lab.world, f"{POOL}/sessionHosts/vm-1.ad.contoso.com")
    assert host is not None
    return host


def on_the_target() -> Lab:
    lab = Lab()
    give_token(lab, lab.token)
    lab.wait()
    assert lab.on_arm()
    return lab


def test_a_classic_host_is_upgrading_and_then_newer() -> None:
    lab = Lab()
    lab.wait(600)
    agent_updates.release(lab.world, NEWER, within_s=0)
    lab.wait(60)
    pool = lab.machine.agent.pool
    assert pool is not None
    assert hosts.status(lab.world, pool, lab.record) == hosts.UPGRADING
    assert not broker.takes_people(lab.world, "classic", pool, lab.machine), "nobody new"
    assert agents.heartbeat(lab.world, lab.machine) is not None, "but its heartbeats go on"
    lab.wait(180)
    assert hosts.status(lab.world, pool, lab.record) == hosts.AVAILABLE
    assert (lab.record.agent_version, lab.record.update_state) == (NEWER, 3)
    listed = [found.version for found in products.installed(lab.machine, products.AGENT_NAME)]
    assert "1.0.2990.1500" in listed, "the older one stays listed"
    assert listed[-1] == NEWER


def test_a_host_that_registers_later_updates_at_once() -> None:
    lab = Lab()
    agent_updates.release(lab.world, NEWER, within_s=1e9)
    give_token(lab, lab.token)
    seen = []
    for _ in range(120):
        lab.wait(5)
        if lab.machine.agent.service == "arm":
            seen.append(session_hosts.status(lab.world, arm_host(lab)))
    assert seen[0] == "Upgrading", "a first update comes before anybody can be taken"
    assert seen[-1] == "Available"
    assert 120 / 5 - 1 <= seen.count("Upgrading") <= 180 / 5 + 1, "2 to 3 minutes"
    assert arm_host(lab).properties["agentVersion"] == NEWER


def test_flights_spread_a_release_over_days() -> None:
    lab = Lab()
    names = [f"vm-{number}" for number in range(200)]
    shares = []
    for name in names:
        lab.machine.vm = name
        shares.append(agent_updates._flight(lab.machine, NEWER))
    assert 0 <= min(shares) < 0.1
    assert 0.9 < max(shares) < 1
    assert len({round(share * 5) for share in shares}) == 6, "every day has some"


def test_a_pool_has_its_hosts_updated_in_its_windows() -> None:
    lab = on_the_target()
    pool = store.get(lab.world, POOL)
    assert pool is not None
    pool.properties["agentUpdate"] = {
        "type": "Scheduled",
        "maintenanceWindowTimeZone": "W. Europe Standard Time",
        "maintenanceWindows": [{"hour": 3, "dayOfWeek": "Saturday"}, {"hour": 22, "dayOfWeek": "Wednesday"}],
    }
    agent_updates.release(lab.world, NEWER, within_s=0)
    began = None
    for _ in range(7 * 24 * 6):
        lab.wait(600)
        if any(record.kind == "agent_updating" for record in lab.world.state.records):
            began = next(record.at for record in lab.world.state.records if record.kind == "agent_updating")
            break
    assert began is not None
    when = datetime.fromtimestamp(began, UTC).astimezone(agent_updates._zone("w. europe standard time"))
    assert (when.weekday(), when.hour) in {(5, 3), (5, 4), (2, 22), (2, 23)}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-25T21:59:00", "2026-11-25T22:00:00"),
        ("2026-11-25T23:30:00", "2026-11-25T23:30:00"),
        ("2026-11-26T00:00:00", "2026-12-02T22:00:00"),
    ],
)
def test_a_window_lasts_two_hours(now: str, expected: str) -> None:
    due = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = agent_updates._opens(due, {"hour": 22, "dayOfWeek": "Wednesday"})
    assert datetime.fromtimestamp(found, UTC).isoformat() == f"{expected}+00:00"


def test_a_machine_that_goes_off_meanwhile_begins_again() -> None:
    lab = on_the_target()
    agent_updates.release(lab.world, NEWER, within_s=0)
    lab.wait(30)
    lab.restart()
    assert session_hosts.status(lab.world, arm_host(lab)) != "Upgrading"
    lab.wait(1800)
    assert arm_host(lab).properties["agentVersion"] == NEWER


@pytest.mark.parametrize("version", ["", "1.0", "1.0.x.0", "1.0.12000.0.1"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(agent_updates.BadVersion, match="four numbers"):
        agent_updates.release(Lab().world, version)


def test_an_older_release_moves_nobody() -> None:
    lab = on_the_target()
    agent_updates.release(lab.world, "1.0.1.0", within_s=0)
    lab.wait(3600)
    assert session_hosts.status(lab.world, arm_host(lab)) == "Available"
    assert not [record for record in lab.world.state.records if record.kind == "agent_updating"]
