"""The journal names the calls: ids of what was answered, and each call that was sent again."""

from __future__ import annotations

import pytest
from stage import Stage, pooled, spec_of

from avdtwin import faults
from crossfade.execution.steps import RETRY


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage.of(spec_of(pooled(hosts=2)), tmp_path_factory.mktemp("run"))
    stage.make_plan()
    match = {"service": "arm", "method": "PUT", "route": "runCommands/{name}", "nth": 1}
    faults.put_in(stage.world, [{"kind": "throttled", "match": match, "retry_after_s": 17}])
    assert stage.apply().state == "finished"
    return stage


def test_a_call_that_is_sent_again_is_in_the_journal_with_its_step(stage: Stage) -> None:
    (told,) = [event for event in stage.events("note") if event.subject == RETRY]
    assert "429" in told.reason
    assert told.data["step"].endswith("off-0.ad.stage.example#there/stage")
    assert told.data["wait_s"] >= 17
    assert told.request_id
    assert told.correlation_id


def test_a_step_that_wrote_names_the_call_by_which_the_vendor_finds_it(stage: Stage) -> None:
    done = {event.subject.rpartition("/")[2]: event for event in stage.events("step") if event.to_state == "done"}
    assert done["close"].request_id
    assert done["close"].correlation_id
    assert not done["healthy"].request_id, "it only looked"
