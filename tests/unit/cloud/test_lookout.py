"""The more is watched in a subscription, the less often each is looked at."""

import pytest

from crossfade.cloud.lookout import LOOKS_PER_S, Lookout


def test_few_are_looked_at_as_often_as_asked_for():
    with Lookout().watching("A") as every_s:
        assert every_s(15.0) == 15.0


def test_many_share_one_budget_and_leave_it_when_they_end():
    lookout = Lookout()
    with lookout.watching("A") as every_s:
        others = [lookout.watching("a") for _ in range(499)]
        for one in others:
            one.__enter__()
        assert 500 / every_s(15.0) == LOOKS_PER_S
        with lookout.watching("B") as elsewhere:
            assert elsewhere(15.0) == 15.0
        for one in others:
            one.__exit__(None, None, None)
        assert every_s(15.0) == 15.0


def test_a_failure_ends_the_watch_too():
    lookout = Lookout()
    with pytest.raises(OSError), lookout.watching("A"):
        raise OSError
    with lookout.watching("A") as every_s:
        assert every_s(0.0) == 1 / LOOKS_PER_S
