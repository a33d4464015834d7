"""By hand, automated or rebuild: on both sides of each threshold, with figures in every reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from builders import Estate

from crossfade.assessment.advice import advise
from crossfade.assessment.findings import Advice, Way
from crossfade.model.growth import Growth


def advice(hosts: int, people: int, growth: Growth | None = None, *, sick: int = 0, **members: Any) -> Advice:
    estate = Estate()
    os_version = members.pop("os_version", "10.0.19044")
    pool = estate.pool("Pool", hosts=0, people=people, **members)
    for number in range(hosts):
        status = "NoHeartbeat" if number < sick else "Available"
        estate.host(pool, f"h-{number}", status=status, os_version=os_version)
    (found,) = advise(estate.inventory(), growth or Growth())
    assert all(re.search(r"\d", reason) for reason in found.reasons)
    return found


@pytest.mark.parametrize(
    ("hosts", "people", "way"),
    [(2, 25, Way.BY_HAND), (3, 25, Way.AUTOMATED), (2, 26, Way.AUTOMATED), (40, 600, Way.AUTOMATED)],
)
def test_small_pools_are_done_by_hand(hosts: int, people: int, way: Way) -> None:
    assert advice(hosts, people).way is way


@pytest.mark.parametrize(("hosts", "way"), [(4, Way.BY_HAND), (5, Way.AUTOMATED)])
def test_of_a_shrinking_estate_more_is_small(hosts: int, way: Way) -> None:
    found = advice(hosts, 20, Growth(people_percent=-30))
    assert found.way is way
    assert (way is Way.BY_HAND) is any("shrink" in reason for reason in found.reasons)


def test_a_personal_pool_is_never_small() -> None:
    assert advice(1, 1, personal=True).way is Way.AUTOMATED


@pytest.mark.parametrize(
    ("hosts", "sick", "way"), [(9, 3, Way.REBUILD), (10, 3, Way.AUTOMATED), (2, 2, Way.BY_HAND), (3, 3, Way.REBUILD)]
)
def test_sick_pools_are_rebuilt(hosts: int, sick: int, way: Way) -> None:
    assert advice(hosts, 10, sick=sick).way is way


@pytest.mark.parametrize(
    ("version", "way"),
    [
        ("6.1.7601", Way.REBUILD),
        ("10.0.18363", Way.REBUILD),
        ("10.0.17763", Way.AUTOMATED),
        ("10.0.19041", Way.AUTOMATED),
        ("unknown", Way.AUTOMATED),
    ],
)
def test_windows_out_of_support_is_rebuilt(version: str, way: Way) -> None:
    assert advice(5, 50, os_version=version).way is way


@pytest.mark.parametrize(("percent", "way"), [(49, Way.AUTOMATED), (50, Way.REBUILD)])
def test_an_estate_that_grows_much_is_rebuilt(percent: float, way: Way) -> None:
    assert advice(10, 100, Growth(hosts_percent=percent)).way is way


@pytest.mark.parametrize(("months", "way"), [(2, Way.REBUILD), (3, Way.AUTOMATED), (24, Way.AUTOMATED)])
def test_an_unsettled_estate_is_rebuilt(months: int, way: Way) -> None:
    found = advice(10, 100, Growth(stable_months=months))
    assert found.way is way
    assert (months == 24) is any("24 months" in reason for reason in found.reasons)


def test_one_advice_for_each_pool() -> None:
    estate = Estate()
    keys = [estate.pool(name) for name in ("A", "B")]
    assert [found.pool for found in advise(estate.inventory(), Growth())] == keys
