"""Somebody gets a personal desktop, or another's, while the run goes on: nobody gets what is another's, or loses it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from back_kit import say, take_back
from stage import QUICK, Stage, personal, spec_of


def test_a_desktop_given_to_somebody_else_meanwhile_stays_where_it_is(tmp_path: Path) -> None:
    stage = Stage.of(spec_of(personal(hosts=1, assigned=0)), tmp_path)
    stage.make_plan(waves=msgspec.structs.replace(QUICK, canary_return=False))
    last = stage.plan.waves[-1].hosts[-1]
    name = last.rpartition("/")[2].partition(".")[0]
    other = next(upn for upn in sorted(stage.world.state.directory.upns) if not upn.startswith("admin"))
    record = stage.classic(name)
    assert record is not None

    def reassigned(point: str) -> None:
        if point.endswith(f"step {last}#forward/seat begun"):
            record.assigned_user = other

    stage.apply(hook=reassigned)
    assert (stage.hosts()[name], stage.arm(name)) == ("on_source", None)
    assert record.allow_new_session, "its person works on it"
    assert f"{name}.ad.stage.example belongs to {other} by now" in stage.events("host")[-1].reason

    record.assigned_user = None
    say(stage, "retry", name)
    assert stage.apply().state == "finished"
    there = stage.arm(name)
    assert there is not None
    there.properties["assignedUser"] = other
    back = take_back(stage, name)
    assert stage.arm(name) is not None, "on classic it would be somebody else's"
    assert f"it belongs to {other} by now" in str(back.error)
    record.assigned_user = other
    assert take_back(stage, name).error is None
    assert (stage.hosts()[name], record.assigned_user) == ("on_source", other)
