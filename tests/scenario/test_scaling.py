"""Scaling on the twin: the plan is there and off while hosts move, and on after the last one where that was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from back_kit import take_back, target_of
from stage import Stage, pooled, spec_of

from crossfade.commands.discover import discover_target
from crossfade.commands.workspace import INVENTORY
from crossfade.inventory.inventory import Inventory
from crossfade.plan.intent import Scaling
from crossfade.verification.settings import check_settings


def make(stage: Stage, *, enable: bool) -> None:
    script = Scaling(begin_peak="07:00", end_peak="17:00", time_zone="UTC", cpus_per_host=4, enable=enable)
    stage.discover()
    pools = stage.workspace.read(INVENTORY, Inventory).pools
    stage.make_plan(outage="when-empty", scaling={pool.key: script for pool in pools})


def is_on(stage: Stage) -> bool | None:
    plans = stage.of_type("scalingPlans")
    return bool(plans[0].properties["hostPoolReferences"][0]["scalingPlanEnabled"]) if plans else None


@pytest.mark.parametrize("enable", [True, False])
def test_off_while_hosts_move_then_as_said_and_gone_after_a_rollback(tmp_path: Path, enable: bool) -> None:
    stage = Stage.of(spec_of(pooled()), tmp_path)
    before = target_of(stage)
    seen: list[bool | None] = []

    def tap(scope: dict[str, Any]) -> None:
        if "runcommand" in str(scope.get("path")).lower():
            seen.append(is_on(stage))

    stage.taps.append(tap)
    make(stage, enable=enable)
    assert stage.apply().state == "finished"
    assert set(seen) == {False}
    assert is_on(stage) is enable
    inventory = stage.workspace.read(INVENTORY, Inventory)
    target = stage.with_services(lambda services: discover_target(services, inventory, [stage.rehearsal.subscription]))
    checks = check_settings(stage.plan, target)
    assert [check for check in checks if check.verdict == "different"] == []
    assert "schedules" in {check.property for check in checks}
    stage.of_type("scalingPlans")[0].properties["exclusionTag"] = "theirs"
    if not enable:  # they may switch it on themselves
        stage.of_type("scalingPlans")[0].properties["hostPoolReferences"][0]["scalingPlanEnabled"] = True
    target = stage.with_services(lambda services: discover_target(services, inventory, [stage.rehearsal.subscription]))
    assert [one.property for one in check_settings(stage.plan, target) if one.verdict == "different"] == [
        "exclusionTag"
    ]

    assert take_back(stage).state == "rolled_back"
    assert target_of(stage) == before
