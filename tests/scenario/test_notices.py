"""People are told when the new service is theirs: once, from files, and again while they have not been seen there."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from back_kit import take_back
from stage import EVENING, QUICK, Stage, personal, pooled, spec_of

from crossfade.commands.notices import notices
from crossfade.errors import InputError
from crossfade.model.notices import MOVED, REMINDER, RETURNED, Notice

TWO_POOLS = spec_of(pooled(), personal())


def issued(stage: Stage) -> list[Notice]:
    return [each.notice for each in notices(stage.workspace)]


def published(stage: Stage) -> set[tuple[str, str]]:
    return {(person, group.target) for group in stage.plan.access for person in group.people}


def told(stage: Stage, kind: str = MOVED) -> Counter[tuple[str, str]]:
    return Counter(
        (p, group) for n in issued(stage) if n.kind == kind for p, groups in n.people.items() for group in groups
    )


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_everybody_is_told_once_of_all_that_is_theirs_in_files(tmp_path: Path, engine: str) -> None:
    stage = Stage.of(TWO_POOLS, tmp_path, start=EVENING)
    stage.make_plan()
    assert stage.apply(engine).state == "finished"
    assert told(stage) == Counter(published(stage))
    for each in notices(stage.workspace):
        folder = Path(each.folder)
        rows = list(csv.DictReader(io.StringIO((folder / "people.csv").read_text(encoding="utf-8-sig"))))
        assert [row["person"] for row in rows] == sorted(each.notice.people)
        assert (folder / "everybody.txt").read_text(encoding="utf-8") == each.everybody.text()
        assert (each.notice.send_from > each.notice.issued_at) is (each.notice.kind == MOVED)


def test_nobody_is_told_before_what_they_are_told_of_is_granted(tmp_path: Path) -> None:
    stage = Stage.of(TWO_POOLS, tmp_path)
    stage.make_plan()
    stage.apply()
    granted = {step.id.partition("/")[2]: step.moved_at for step in stage.entities("step") if step.parent == "people"}
    assert granted
    for notice in issued(stage):
        for operation in stage.plan.operations:
            scope, label = getattr(operation, "scope", ""), getattr(operation, "principal_label", "").lower()
            if scope in notice.people.get(label, []):
                assert granted[operation.id] <= notice.issued_at


def test_whoever_is_not_seen_is_reminded_as_often_as_was_decided(tmp_path: Path) -> None:
    stage = Stage.of(TWO_POOLS, tmp_path)
    waves = msgspec.structs.replace(QUICK, last_wave_due_hours=100.0)
    stage.make_plan(waves=waves)
    assert stage.apply().state == "finished"
    office = {p for group in stage.plan.access if "Office" in group.source for p in group.people}
    times = Counter(person for n in issued(stage) if n.kind == REMINDER for person in n.people)
    assert {times[person] for person in office} == {stage.plan.settings.reminders}


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_a_crash_between_journal_and_files_tells_nobody_twice_and_loses_no_file(tmp_path: Path, engine: str) -> None:
    stage = Stage.of(TWO_POOLS, tmp_path)
    stage.make_plan()
    assert stage.interrupt(lambda point: point == "after note notice", engine)
    first = notices(stage.workspace)[0]
    shutil.rmtree(first.folder, ignore_errors=True)
    assert stage.apply(engine).state == "finished"
    assert (Path(first.folder) / "people.csv").is_file()
    assert told(stage) == Counter(published(stage))


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    stage = Stage.of(TWO_POOLS, tmp_path)
    stage.make_plan()

    def hook(point: str) -> None:
        for run in (tmp_path / "runs").glob("*"):
            if not (run / "notices").exists():
                (run / "notices").write_text("in the way")

    assert stage.apply(hook=hook).state == "finished"
    assert told(stage) == Counter(published(stage))
    noted = [event for event in stage.events("note") if event.subject == "notice-not-delivered"]
    assert len(noted) == len(issued(stage))


def test_wrong_texts_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    stage = Stage.of(TWO_POOLS, tmp_path)
    stage.make_plan()
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "moved.txt").write_text("Subject: x\n{somebody} {steps}")
    before = stage.writes()
    with pytest.raises(InputError, match=r"moved\.txt:2: \{somebody\} is no field"):
        stage.apply()
    assert stage.writes() == before
    (tmp_path / "notices" / "moved.txt").write_text("Subject: Umzug\n\nBitte: {steps}")
    assert stage.apply().state == "finished"
    assert {each.everybody.subject for each in notices(stage.workspace) if each.notice.kind == MOVED} == {"Umzug"}


def test_people_who_are_taken_back_are_told_so_and_of_the_next_move_anew(tmp_path: Path) -> None:
    stage = Stage.of(TWO_POOLS, tmp_path)
    stage.make_plan()
    stage.apply()
    take_back(stage)
    assert told(stage, RETURNED) == Counter(published(stage))
    stage.wait(60.0)
    assert stage.apply().state == "finished"
    assert told(stage) == Counter(dict.fromkeys(published(stage), 2))
