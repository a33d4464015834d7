"""A run applied again: finished ones write nothing, broken ones go on from where they were."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, personal, pooled, spec_of

from crossfade.execution.transitions import Kind

SMALL = spec_of(pooled(), personal(hosts=1))


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
@pytest.mark.parametrize("store", ["kept", "lost"])
def test_a_finished_plan_applied_again_writes_nothing(tmp_path: Path, engine: str, store: str) -> None:
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    assert stage.apply(engine).state == "finished"
    stage.calls.clear()
    if store == "lost":
        for file in tmp_path.glob("engine.db*"):
            file.unlink()
    again = stage.apply(engine)
    assert (again.state, again.resumed, again.error) == ("finished", True, None)
    assert stage.calls == Counter()
    assert [entity.state for entity in stage.entities(Kind.RUN)] == ["finished"]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """The end of a run that nobody interrupted, and the points it passed."""
    stage = Stage.of(SMALL, tmp_path_factory.mktemp("straight"))
    stage.make_plan()
    points: list[str] = []
    assert stage.apply(hook=points.append).state == "finished"
    return end_of(stage), points


@pytest.mark.parametrize("number", range(6))
def test_a_run_abandoned_anywhere_and_gone_on_with_ends_as_one_that_was_not(
    tmp_path: Path, straight: tuple[dict[str, Any], list[str]], seed: int, number: int
) -> None:
    """Three interruptions each; every process after the first has a fresh engine and the same journal."""
    dice = random.Random(f"{seed} {number}")
    end, points = straight
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    for place in sorted(dice.choice(points) for _ in range(3)):
        stage.interrupt(place.__eq__)
        stage.wait(dice.choice((1, 60, 3600)))
    assert stage.apply().state == "finished"
    assert end_of(stage) == end
    with stage.journal() as reader:
        reader.verify()


def test_the_token_of_an_abandoned_run_is_taken_back_by_the_one_that_goes_on(tmp_path: Path) -> None:
    stage = Stage.of(SMALL, tmp_path)
    stage.make_plan()
    assert stage.interrupt(lambda point: point.startswith("after step") and point.endswith("#there/install done"))
    assert [pool for pool in stage.of_type("hostPools") if "registration" in pool.secrets]
    assert stage.apply().state == "finished"
    assert not [pool.name for pool in stage.of_type("hostPools") if "registration" in pool.secrets]


def end_of(stage: Stage) -> dict[str, Any]:
    """What the services and the journal hold at the end, without times."""
    world = stage.world
    users = world.state.directory.users
    return {
        "hosts": stage.hosts(),
        "steps": sorted(one.id for one in stage.entities(Kind.STEP) if one.state in ("done", "noop")),
        "waves": {one.id: one.state for one in stage.entities(Kind.WAVE)},
        "run": [one.state for one in stage.entities(Kind.RUN)],
        "agents": {name: (one.agent.service, one.agent.pool) for name, one in sorted(world.state.machines.items())},
        "power": {name: one.power for name, one in world.state.machines.items()},
        "arm": {key: (one.type, still(one.properties)) for key, one in world.state.arm.resources.items()},
        "grants": sorted(
            (one.scope, one.role_definition_id, users[one.principal_id].upn if one.principal_id in users else "")
            for one in world.state.arm.role_assignments.values()
        ),
        "classic": [
            (
                pool.name,
                sorted((group.name, *sorted(group.users)) for group in pool.groups.values()),
                sorted((host.name, host.allow_new_session, host.assigned_user) for host in pool.hosts.values()),
            )
            for pool in (stage.pool_record(spec.name) for spec in stage.spec.pools)
        ],
        "messages": len(stage.records("message")),
        "lost": len(stage.records("session_lost")),
    }


DRAWN = ("objectid", "expirationtime", "lastheartbeat", "statustimestamp", "lastupdatetime", "vmid", "timecreated")


def still(value: Any) -> Any:
    """Without times and what a service draws anew for each object."""
    if isinstance(value, dict):
        drawn = (
            "objectid",
            "expirationtime",
            "lastheartbeat",
            "statustimestamp",
            "lastupdatetime",
            "vmid",
            "timecreated",
        )
        return {key: still(one) for key, one in value.items() if key.lower() not in drawn}
    return [still(one) for one in value] if isinstance(value, list) else value
