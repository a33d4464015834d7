"""A small estate moved from end to end: every host, in the one order, and nothing left behind."""

from __future__ import annotations

import pytest
from stage import Stage, personal, pooled, spec_of

FORWARD = ["on_source", "staged", "draining", "drained", "saved", "moving", "registered", "healthy"]
FOR_GOOD = [*FORWARD, "accepting", "confirmed"]
CANARY = [*FORWARD, "reverting", *FOR_GOOD]
TWO_POOLS = spec_of(pooled(), personal())


@pytest.fixture(scope="module", params=["inprocess", "dbos"])
def moved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage.of(TWO_POOLS, tmp_path_factory.mktemp("moved"))
    stage.make_plan()
    applied = stage.apply(request.param)
    assert applied.state == "finished", applied
    return stage


def test_every_host_is_confirmed(moved: Stage) -> None:
    assert set(moved.hosts().values()) == {"confirmed"}


def test_the_states_come_in_the_one_order_and_the_canary_goes_there_and_back(moved: Stage) -> None:
    canary = moved.plan.waves[0].hosts[0]
    for move in moved.plan.hosts:
        wanted = CANARY if move.source == canary else FOR_GOOD
        assert moved.history(_short(move.source)) == wanted


def test_hosts_are_registered_where_planned_and_nowhere_else(moved: Stage) -> None:
    for move in moved.plan.hosts:
        machine = moved.machine(_short(move.source))
        assert (machine.agent.service, machine.agent.pool) == ("arm", move.target_pool.lower())
        found = moved.arm(_short(move.source))
        assert found is not None
        assert found.properties["allowNewSession"] is True
        record = moved.classic(_short(move.source))
        assert record is not None, "the classic record stays until `complete`"
        assert record.allow_new_session is False


def test_personal_hosts_belong_to_their_people(moved: Stage) -> None:
    for move in moved.plan.hosts:
        found = moved.arm(_short(move.source))
        assert found is not None
        given = str(found.properties.get("assignedUser") or "").lower()
        assert given == (move.assigned_user or "").lower()
        assert bool(given) == move.personal


def test_tokens_are_taken_back(moved: Stage) -> None:
    for pool in moved.of_type("hostPools"):
        assert "registration" not in pool.secrets, pool.name


def test_no_run_command_stays_on_a_vm(moved: Stage) -> None:
    assert not [one for one in moved.world.state.arm.resources.values() if one.type.lower().endswith("/runcommands")]


def test_the_journal_is_whole(moved: Stage) -> None:
    with moved.journal() as reader:
        reader.verify()


def _short(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]
