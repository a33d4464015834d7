"""A service that does not answer, or a sign-in that is over, under way: no host is given up for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from back_kit import take_back
from stage import Stage, pooled, spec_of

from avdtwin import faults
from crossfade.errors import CannotRollBack
from crossfade.execution.outages import OUTAGE

ENGINES = ("inprocess", "dbos")
ALL_DONE = {f"off-{n}": "confirmed" for n in range(4)}


def after_canary(folder: Path, engine: str = "inprocess") -> Stage:
    """A run whose first wave, one host, has just been confirmed; then its process was gone."""
    stage = Stage.of(spec_of(pooled(hosts=4)), folder)
    stage.make_plan()
    assert stage.interrupt(confirmed(2), engine)
    return stage


def confirmed(points: int) -> Callable[[str], bool]:
    met: list[str] = []

    def at(point: str) -> bool:
        met.extend([point] if "confirmed" in point else [])
        return len(met) >= points

    return at


def strike(stage: Stage, *these: dict[str, Any]) -> None:
    faults.put_in(stage.world, these)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_credential_that_expires_in_the_night_holds_the_run_with_the_hosts_where_they_are(
    tmp_path: Path, engine: str
) -> None:
    stage = after_canary(tmp_path, engine)
    strike(stage, {"kind": "expired_credential", "match": {"from": 600}})
    held = stage.apply(engine)
    assert held.state == "holding"
    assert held.error is not None
    assert "expired" in held.error["why"]
    assert "crossfade resume" in held.error["mend"]
    assert list(stage.hosts().values()) == ["confirmed", "moving", "moving", "on_source"]
    strike(stage)
    assert stage.apply(engine).state == "finished"
    assert stage.hosts() == ALL_DONE


def test_a_role_that_was_activated_for_some_hours_and_ends_gives_no_host_up(tmp_path: Path) -> None:
    stage = after_canary(tmp_path)
    strike(stage, {"kind": "error", "status": 403, "code": "AuthorizationFailed", "match": {"from": 600}})
    held = stage.apply()
    assert held.error is not None
    assert (held.state, "Activate the role again" in held.error["mend"]) == ("holding", True)
    assert list(stage.hosts().values()) == ["confirmed", "moving", "moving", "on_source"]
    strike(stage)
    assert stage.apply().state == "finished"
    assert stage.hosts() == ALL_DONE


def test_a_credential_that_is_over_when_somebody_goes_on_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    stage = after_canary(tmp_path)
    before = stage.writes()
    strike(stage, {"kind": "expired_credential"})
    held = stage.apply()
    assert (held.state, held.exit_code) == ("holding", 1)
    assert "expired" in str(held.error)
    assert stage.writes() == before


def test_a_short_outage_is_waited_out(tmp_path: Path) -> None:
    stage = after_canary(tmp_path)
    strike(stage, {"kind": "classic_gone", "match": {"until": 1500}})
    assert stage.apply().state == "finished"
    assert stage.hosts() == ALL_DONE
    told = [event.reason for event in stage.events("note") if event.subject == OUTAGE]
    assert "waits where it is" in told[0]
    assert "answers again" in told[-1]


@pytest.mark.parametrize("engine", ENGINES)
def test_classic_that_is_gone_freezes_the_run_and_rules_out_the_way_back(tmp_path: Path, engine: str) -> None:
    stage = after_canary(tmp_path, engine)
    strike(stage, {"kind": "classic_gone"})
    held = stage.apply(engine)
    assert held.state == "frozen"
    assert held.error is not None
    assert "classic could not be used since" in held.error["what"]
    assert "rollback is impossible" in held.error["mend"]
    assert stage.hosts() == {"off-0": "confirmed", "off-1": "staged", "off-2": "staged", "off-3": "on_source"}
    with pytest.raises(CannotRollBack, match="does not answer"):
        take_back(stage)
    strike(stage)
    assert stage.apply(engine).state == "finished"
    assert stage.hosts() == ALL_DONE
