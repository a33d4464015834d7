"""Icons on the twin: made before any host, an app has the default one; with the first host it gets its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stage import Stage, pooled, spec_of

from avdtwin.arm import applications, errors
from avdtwin.arm import icons as twin
from avdtwin.estate.specs import EXCEL, GroupSpec
from avdtwin.state import Resource
from avdtwin.world import World
from crossfade.commands.verify import verify
from crossfade.execution.transitions import Kind
from crossfade.verification.verification import Verification

DEFAULT = twin._icon("default application")["iconHash"]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage.of(spec_of(pooled(hosts=2, groups=(GroupSpec("Office Apps", 2, (EXCEL,)),))), tmp_path)
    made.make_plan()
    return made


def app(stage: Stage) -> Resource:
    (found,) = stage.of_type("applicationGroups/applications")
    return found


def icon_rows(stage: Stage) -> list[tuple[Any, str]]:
    proof: Verification = stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))
    return [(row.found, row.verdict) for row in proof.settings if row.property == "icon"]


def test_default_when_made_its_own_once_a_host_is_there(stage: Stage) -> None:
    seen: list[str] = []

    def tap(scope: dict[str, Any]) -> None:
        if "runcommand" in str(scope.get("path")).lower():
            seen.append(app(stage).properties["iconHash"])

    stage.taps.append(tap)
    assert stage.apply().state == "finished"
    assert seen[0] == DEFAULT
    assert app(stage).properties["iconHash"] != DEFAULT
    (step,) = [step for step in stage.entities(Kind.STEP) if step.id.startswith("icons/")]
    assert step.data["facts"]["before"] == DEFAULT
    patches = [call for call in stage.calls if call.startswith("PATCH") and "/applications/" in call]
    assert [stage.calls[call] for call in patches] == [1]
    assert icon_rows(stage) == [("its own", "equal")]


def test_an_icon_that_somebody_chose_meanwhile_is_left(stage: Stage) -> None:
    def tap(scope: dict[str, Any]) -> None:
        if "runcommand" in str(scope.get("path")).lower() and app(stage).properties["iconHash"] == DEFAULT:
            app(stage).properties |= {"iconPath": "C:\\theirs.ico", "iconHash": "theirs"}

    stage.taps.append(tap)
    assert stage.apply().state == "finished"
    assert app(stage).properties["iconHash"] == "theirs"
    (step,) = [step for step in stage.entities(Kind.STEP) if step.id.startswith("icons/")]
    assert "somebody" in step.data["facts"]["left"]
    assert icon_rows(stage) == [("its own", "equal")]


def test_one_that_no_host_can_show_is_named_and_holds_nobody_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin, "_readable", lambda world, pool: False)
    assert stage.apply().state == "finished"
    assert app(stage).properties["iconHash"] == DEFAULT
    assert icon_rows(stage) == [("the default one", "different")]


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_a_service_that_refuses_to_set_one_holds_nobody_up(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    refused: list[str] = []

    def read(world: World, group: Resource, found: Resource) -> None:
        if found.properties.get("iconHash") == DEFAULT:
            refused.append(found.name)
            raise errors.provider(400, "the icon cannot be read")
        normal(world, group, found)

    normal = applications._read_icon
    monkeypatch.setattr(applications, "_read_icon", read)
    assert stage.apply(engine).state == "finished"
    assert len(refused) >= 2  # tried again with each wave
    assert icon_rows(stage) == [("the default one", "different")]
