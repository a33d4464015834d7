"""`status`: what the journal says, and what nobody can know while nobody works on the run."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from runs_kit import StepClock, begin_run, die, name

from crossfade.cli.status_text import line
from crossfade.commands.status import IN_FLIGHT, UNKNOWN, capacities, seats, status
from crossfade.commands.workspace import JOURNAL, Workspace
from crossfade.errors import Unreachable
from crossfade.execution import seats as execution_seats
from crossfade.execution.commands import give
from crossfade.execution.journal import Journal
from crossfade.execution.outages import Outages
from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import Kind
from crossfade.model.modes import RESTORE

Cli = Callable[..., tuple[int, str, str]]


def test_in_flight_is_the_same_set_as_in_the_seat_counts() -> None:
    assert frozenset(map(str, IN_FLIGHT)) == frozenset(map(str, execution_seats.IN_FLIGHT))


def test_of_a_living_run(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    found = status(workspace)
    journal.close()
    assert (found.run, found.state, found.alive, found.holder) == ("run1", "running", True, "test")
    assert found.hosts_by_state == {"on_source": 1, "staged": 1, "draining": 1, "moving": 1, "confirmed": 2}
    assert [(wave.wave, wave.hosts, wave.people) for wave in found.waves] == [("wave-1", 2, 40), ("wave-2", 4, 40)]
    moving = next(host for host in found.hosts if host.host == name(3))
    assert (moving.state, moving.doing, moving.waiting_for) == ("moving", "install", "")
    assert [(each.what, each.subjects) for each in found.waiting] == [
        ("enough other seats for everybody while this host moves", [name(4)]),
        ("the last session on the host to end", [name(2)]),
    ]


def test_a_pool_may_have_a_number_sign_in_its_name(workspace: Workspace) -> None:
    host = "group/tenant/Pool #1/vm-1.ad.example"
    with begin_run(workspace) as journal:
        journal.add(Kind.HOST, host, run_id="run1", parent="wave-1")
        journal.begin(f"{host}#forward/seat", run_id="run1", parent=f"{host}#forward", reason="waiting for a seat")
        found = next(one for one in status(workspace).hosts if one.host == host)
    assert (found.doing, found.waiting_for) == ("seat", "a seat")


def test_after_a_kill_hosts_in_flight_are_unknown_and_no_others(workspace: Workspace) -> None:
    die(begin_run(workspace))
    found = status(workspace)
    assert not found.alive
    states = {host.host: (host.state, host.last_known) for host in found.hosts}
    assert states[name(2)] == (UNKNOWN, "draining")
    assert states[name(3)] == (UNKNOWN, "moving")
    assert {states[name(number)][0] for number in (0, 1, 4, 5)} == {"confirmed", "staged", "on_source"}
    assert found.waiting == []


def test_after_a_stop_in_good_order_it_is_unknown_too(workspace: Workspace) -> None:
    begin_run(workspace).close()
    assert [host.state for host in status(workspace).hosts].count(UNKNOWN) == 2


def test_asking_disturbs_no_writer(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    status(workspace)
    journal.move(Kind.RUN, "run1", "paused")
    journal.heartbeat()
    journal.close()
    with JournalReader.look(workspace.path(JOURNAL)) as reader:
        assert reader.verify() > 0


def test_text_says_what_matters(workspace: Workspace, crossfade: Cli) -> None:
    die(begin_run(workspace))
    code, text, _ = crossfade("status")
    assert code == 0
    assert "No process works on it: it was interrupted" in text
    assert "`crossfade resume` observes, then goes on" in text
    assert f"{UNKNOWN}" in text
    assert "vm-3.contoso.com" in text


def test_text_of_a_living_run_says_what_it_waits_for(workspace: Workspace, crossfade: Cli) -> None:
    journal = begin_run(workspace)
    _, text, _ = crossfade("status")
    journal.close()
    assert "Waiting for" in text
    assert "the last session on the host to end (1), since 2026-06-26" in text


def test_a_service_that_does_not_answer_is_waited_for_until_it_does(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    outages = Outages(journal, StepClock(), "run1", lambda error: None)
    step, error = f"{name(3)}#forward/install", Unreachable("Not read.", "no route.", "m", service="arm")
    assert asyncio.run(outages.met(step, error))
    waits = status(workspace).waiting
    outages.over(step, error)
    after = status(workspace).waiting
    journal.close()
    assert [(each.what, each.subjects) for each in waits if each not in after] == [
        ("arm to answer again: no route", [step])
    ]
    assert waits[0].until == "2026-06-26T19:00:20.000Z"


def test_what_a_former_process_could_not_reach_is_not_waited_for(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    error = Unreachable("Not read.", "no route.", "m", service="arm")
    asyncio.run(Outages(journal, StepClock(), "run1", lambda error: None).met(f"{name(3)}#forward/install", error))
    journal.close()
    later = StepClock()
    later.moment += timedelta(hours=1)
    with Journal.open(workspace.journal, later, holder="another"):
        assert "arm to answer again" not in str(status(workspace).waiting)


def test_a_step_is_told_by_the_names_that_people_use(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    journal.fail(f"{name(3)}#forward/install", Unreachable("Not read.", "no route.", "m", service="arm"))
    told = [line(event) for event in status(workspace).recent]
    journal.close()
    assert any("step vm-3 install failed" in each for each in told)


def test_json_has_stable_names(workspace: Workspace, crossfade: Cli) -> None:
    begin_run(workspace).close()
    code, text, _ = crossfade("status", "--json")
    data = json.loads(text)
    assert code == 0
    assert {"run", "state", "alive", "hosts", "waves", "waiting", "hosts_by_state", "recent"} <= data.keys()
    assert {"host", "pool", "wave", "state", "last_known", "since", "reason"} <= data["hosts"][0].keys()


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be taken for one" * 20])
def test_a_journal_that_is_none_is_refused_in_words(workspace: Workspace, crossfade: Cli, content: bytes) -> None:
    workspace.path(JOURNAL).write_bytes(content)
    code, text, errors = crossfade("status")
    assert (code, text) == (1, "")
    assert errors.startswith("crossfade: ")
    assert "Traceback" not in errors


def test_a_journal_without_a_run_says_so(workspace: Workspace, crossfade: Cli) -> None:
    from runs_kit import StepClock

    from crossfade.execution.journal import Journal

    Journal.open(workspace.path(JOURNAL), StepClock()).close()
    code, _, errors = crossfade("status")
    assert code == 1
    assert "holds no run" in errors


def test_seats_are_counted_by_state(workspace: Workspace) -> None:
    begin_run(workspace).close()
    found = status(workspace)
    assert seats(found, {name(number): 10 for number in range(6)}) == (20, 20)
    assert capacities(workspace) == {}


def test_the_last_time_is_that_of_any_event_and_of_a_life_sign(workspace: Workspace) -> None:
    """A step may take an hour: who watches must see that time goes on."""
    journal = begin_run(workspace)
    journal.note("call", "sent again", run_id="run1")
    journal.heartbeat()
    found = status(workspace)
    journal.close()
    assert found.recent[-1].at < found.last_at < found.seen_at
    assert status(workspace).seen_at == ""


def test_a_classic_that_has_gone_has_no_open_seats(workspace: Workspace) -> None:
    with begin_run(workspace) as journal:
        journal.move(Kind.RUN, "run1", "frozen", data={"mode": RESTORE})
    assert seats(status(workspace), {name(number): 10 for number in range(6)}) == (0, 20)


def test_the_quick_way_and_the_long_way_say_the_same(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    from crossfade.cli.main import main, plain_status

    begin_run(workspace).close()
    quick, long = ["status", "--dir", str(workspace.folder)], ["status", f"--dir={workspace.folder}"]
    assert plain_status(quick) is not None
    assert plain_status(long) is None
    said = []
    for words in (quick, long):
        assert main(words) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "words", [["status", "--dir"], ["status", "--help"], ["status", "x"], ["--json", "status"], []]
)
def test_the_quick_way_leaves_everything_else_alone(words: list[str]) -> None:
    from crossfade.cli.main import plain_status

    assert plain_status(words) is None


def test_a_command_is_told_with_its_verb(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    give(workspace.path(JOURNAL), StepClock(), "skip", actor="ann", subject="vm-5")
    journal.answer(journal.commands()[0], text="It stays.", run_id="run1")
    journal.close()
    last = status(workspace).recent[-1]
    assert (last.kind, last.subject, last.reason) == ("command", "skip vm-5", "It stays.")


def test_steps_that_were_cut_off_are_told_only_of_hosts_in_flight(workspace: Workspace) -> None:
    die(begin_run(workspace))
    doing = {host.host: host.doing for host in status(workspace).hosts if host.doing}
    assert doing == {name(2): "empty", name(3): "install"}
