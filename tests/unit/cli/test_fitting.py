"""Prose in a terminal: broken at words, never within a command; anywhere else as it is."""

import io
import os

import pytest

from crossfade.cli.fitting import fitted, folded

LONG = "  Mend: Stop that first with `crossfade abort`, wait until its process has ended, then `crossfade rollback`."


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_every_word_stays_and_no_line_is_too_long(width: int) -> None:
    lines = folded(LONG, width).split("\n")
    assert max(map(len, lines)) <= width
    assert " ".join(line.strip() for line in lines) == LONG.strip()
    assert {line[:8] for line in lines[1:]} == {" " * 8}


@pytest.mark.parametrize("width", range(40, 110))
def test_a_command_can_be_copied(width: int) -> None:
    folded_line = folded(LONG, width)
    assert "`crossfade abort`" in folded_line
    assert "`crossfade rollback`" in folded_line


def test_a_row_of_a_table_keeps_its_columns_and_hangs() -> None:
    row = f"vm-1        wave-05  quarantined  {'why ' * 20}".rstrip()
    first, *more = folded(row, 80).split("\n")
    assert first.startswith("vm-1        wave-05  quarantined  why")
    assert all(line.startswith("    why") for line in more)


def test_what_is_indented_stays_so() -> None:
    lines = folded(" " * 6 + "Have the missing right granted. " * 5, 60).split("\n")
    assert {len(line) - len(line.lstrip()) for line in lines} == {6}


def test_what_is_longer_than_a_line_is_not_cut() -> None:
    path = "/subscriptions/" + "x" * 100
    assert path in folded(f"crossfade: {path} is locked.", 60)


def test_only_a_terminal_is_fitted() -> None:
    assert fitted(LONG, io.StringIO()) == LONG
    leader, follower = pytest.importorskip("pty").openpty()
    with os.fdopen(follower, "w") as terminal:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        assert fitted(LONG, terminal) == folded(LONG, 60)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 10, 0, 0))
        assert fitted(LONG, terminal) == LONG, "too narrow to be of use"
    os.close(leader)
