"""A run followed in its own process: drawn in a terminal, told in lines elsewhere, both from the journal alone."""

import io

import pytest
from rich.console import Console
from runs_kit import begin_run, name

from crossfade.cli import status_text
from crossfade.cli.live import WAVES_SHOWN, Figures, around, view
from crossfade.cli.progress import showing
from crossfade.cli.watching import watching
from crossfade.commands.status import WaveStatus, live_status
from crossfade.commands.workspace import Workspace
from crossfade.execution.transitions import HostState, Kind


def drawn(workspace: Workspace, width: int = 110, figures: Figures | None = None) -> str:
    found = live_status(workspace)
    assert found is not None
    console = Console(width=width, file=io.StringIO())
    console.print(view(found, figures))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_view_shows_waves_hosts_waits_seats_and_calls(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    text = drawn(workspace, figures=Figures((20, 30), 1234, 5.0))
    journal.close()
    for part in ("run1 · running", "open seats: 20 classic, 30 target", "1,234 calls", "5 s here", "wave-2"):
        assert part in text
    assert "2 confirmed" in text
    assert "waits for the last session on the host to end" in text
    assert "installing the agent for the target" in text
    assert "enough other seats for everybody while this host moves (1)" in text


@pytest.mark.parametrize("width", [60, 80, 104, 160])
def test_the_view_fits_any_terminal(workspace: Workspace, width: int) -> None:
    journal = begin_run(workspace, hosts=40)
    text = drawn(workspace, width)
    journal.close()
    assert {len(line) for line in text.splitlines()} == {width}


def test_who_needs_somebody_is_named(workspace: Workspace) -> None:
    journal = begin_run(workspace)
    journal.move(Kind.HOST, name(5), HostState.QUARANTINED, reason="the installer is missing")
    text = drawn(workspace)
    journal.close()
    assert "Needs somebody" in text
    assert "vm-5: the installer is missing" in text
    assert text.index("Needs somebody") < text.index("Its hosts"), "a low terminal loses the end"


def test_nothing_is_drawn_before_there_is_a_run(workspace: Workspace) -> None:
    assert live_status(workspace) is None


@pytest.mark.parametrize(("done", "count"), [(0, 3), (0, 9), (9, 9), (0, 30), (3, 30), (15, 30), (30, 30)])
def test_the_waves_that_matter_are_shown(done: int, count: int) -> None:
    waves = [
        WaveStatus(
            wave=f"wave-{at:02}",
            kind="wave",
            state="confirmed" if at < done else "planned",
            hosts=1,
            people=1,
            by_state={},
        )
        for at in range(count)
    ]
    shown, before, after = around(waves)
    assert before + len(shown) + after == count
    assert min(count, WAVES_SHOWN) <= len(shown) <= WAVES_SHOWN + 2
    assert 1 not in (before, after), "a line says that one line is hidden"
    assert done == count or waves[done] in shown


def test_outside_of_a_terminal_a_line_for_whatever_moves(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = begin_run(workspace)
    capsys.readouterr()
    with watching(workspace) as say:
        journal.move(Kind.HOST, name(2), HostState.DRAINED, reason="nobody is signed in")
        say("beside it")
    journal.close()
    said = capsys.readouterr()
    assert said.out == "", "standard output is for the answer"
    lines = said.err.splitlines()
    assert "beside it" in lines
    assert [line for line in lines if line.endswith("host vm-2 drained: nobody is signed in")]
    assert not [line for line in lines if "vm-3" in line], "what was before is not told again"


def test_progress_outside_of_a_terminal_is_quiet_when_quick(capsys: pytest.CaptureFixture[str]) -> None:
    with showing("Reading") as progress:
        for done in range(100):
            progress("hosts", done, 100)
    assert capsys.readouterr().err == ""


def test_progress_tells_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossfade.cli.progress.LINE_EVERY_S", 0.0)
    with showing("Reading") as progress:
        progress("hosts", 1, 2)
        progress("apps", 3, 4)
    assert capsys.readouterr().err.splitlines()[-1] == "Reading: hosts 1 of 2, apps 3 of 4"


@pytest.mark.parametrize(
    ("began", "ended", "told"),
    [
        ("2026-06-26T18:00:00Z", "2026-06-26T18:00:59Z", "0 min"),
        ("2026-06-26T18:00:00Z", "2026-06-26T19:05:00Z", "1 h 5 min"),
        ("2026-06-26T18:00:00Z", "2026-06-28T18:05:00Z", "2 d 5 min"),
    ],
)
def test_spans_as_people_say_them(began: str, ended: str, told: str) -> None:
    assert status_text.span(began, ended) == told


def test_words_are_for_steps_that_there_are() -> None:
    from pathlib import Path

    folder = Path(status_text.__file__).parents[1] / "execution/workflows"
    code = "".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in ("host", "drain", "revert"))
    assert [step for step in status_text.STEPS if f'"{step}"' not in code] == []


def test_a_copy_of_a_disk_is_told_in_words() -> None:
    step = "snapshot-disk:/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/snapshots/crossfade-vm-1"
    assert status_text.in_words(step) == "copying its OS disk"
    assert status_text.in_words(f"{step} (undone)") == "removing the copy of its OS disk"
