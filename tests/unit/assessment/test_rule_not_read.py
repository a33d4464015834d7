"""not-read: something could not be read."""

from __future__ import annotations

from asking import asked, without_target
from builders import Estate

from crossfade.assessment.rules.not_read import RULE
from crossfade.model.provenance import Gap


def test_holds_once_per_subject() -> None:
    estate = Estate()
    estate.gaps += [
        Gap(subject="app group x", what="A.", why="W.", mend="M."),
        Gap(subject="app group x", what="B.", why="W.", mend="M."),
    ]
    target = estate.target(gaps=[Gap(subject="quota", what="Q.", why="W.", mend="M.")])
    group, quota = asked(RULE, estate, target)
    assert (group.what, group.why, quota.subject) == ("A. B.", "W.", "quota")


def test_does_not_hold() -> None:
    assert asked(RULE, Estate()) == without_target(RULE, Estate()) == []
