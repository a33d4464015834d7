"""Single changes of access behind a finished migration are each found, by name; rewrites of the same access raise no
alarm. A thousand of each: `benchmarks/access_changes.py`."""

from __future__ import annotations

import random

import pytest
from planted import CHANGES, REWRITES, Planted, change, rewrite

AT_ONCE = 10


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A whole migration, some seconds, which all tests here share."""
    return Planted(tmp_path_factory.mktemp("planted"))


def seeds(seed: int) -> range:
    return range(seed, seed + AT_ONCE)


@pytest.mark.slow
def test_random_changes_are_found_by_name(planted: Planted, seed: int) -> None:
    wrong = [(number, *found) for number in seeds(seed) if (found := change(planted, number))[1]]
    assert not wrong, wrong


@pytest.mark.slow
def test_random_rewrites_raise_no_alarm(planted: Planted, seed: int) -> None:
    wrong = [(number, *found) for number in seeds(seed) if (found := rewrite(planted, number))[1]]
    assert not wrong, wrong


@pytest.mark.parametrize("act", CHANGES, ids=lambda act: act.__name__)
def test_each_change_can_show(planted: Planted, act: object) -> None:
    """Without asking the product: a change that never shows in the feed, or as a setting, would test nothing."""
    dice = random.Random(1)
    for _ in range(40):
        planted.restore()
        feed, pools = planted.feed(), [pool.properties.copy() for pool in planted.stage.of_type("hostPools")]
        act(planted, dice)  # type: ignore[operator]
        if planted.feed() != feed or [pool.properties for pool in planted.stage.of_type("hostPools")] != pools:
            return
    pytest.fail(f"{act} never shows")


@pytest.mark.parametrize("act", REWRITES, ids=lambda act: act.__name__)
def test_each_rewrite_leaves_the_feed(planted: Planted, act: object) -> None:
    dice = random.Random(2)
    for _ in range(10):
        planted.restore()
        feed = planted.feed()
        act(planted, dice)  # type: ignore[operator]
        assert planted.feed() == feed
