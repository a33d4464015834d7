"""Every form of a value that facts/classic-service 3.4 and 3.5 know becomes one; what would be a guess is refused."""

from typing import Any

import pytest

from crossfade.inventory.fields import HOST_STATES, LOAD_BALANCERS
from crossfade.inventory.values import (
    Unreadable,
    flag,
    guid,
    health,
    moment,
    name_of,
    open_name_of,
    text,
    whole,
)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("/Date(1588314667520)/", "2020-05-01T06:31:07.520Z"),
        (r"\/Date(1588314667520)\/", "2020-05-01T06:31:07.520Z"),
        ("/Date(1588314667520+0200)/", "2020-05-01T06:31:07.520Z"),
        ({"value": "/Date(1588314667520)/", "DateTime": "Freitag, 1. Mai 2020"}, "2020-05-01T06:31:07.520Z"),
        ({"value": "/Date(1588314667520)/", "DisplayHint": 2, "DateTime": "x"}, "2020-05-01T06:31:07.520Z"),
        ("2020-05-01T06:31:07.52Z", "2020-05-01T06:31:07.520Z"),
        ("2020-05-01T06:31:07.5200000Z", "2020-05-01T06:31:07.520Z"),
        ("2020-05-01T08:31:07.52+02:00", "2020-05-01T06:31:07.520Z"),
        ("2020-05-01T06:31:07", "2020-05-01T06:31:07.000Z"),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T23:59:59.9999999-05:00", "9999-12-31T23:59:59.999Z"),
        ("/Date(-62135596800000)/", None),
        ("", None),
        (None, None),
    ],
)
def test_times_become_utc_with_milliseconds(value: Any, wanted: str | None) -> None:
    assert moment(value) == wanted


@pytest.mark.parametrize("value", ["5/1/2020 6:31:07 AM", "01.05.2020 06:31:07", "yesterday", 7, {"DateTime": "x"}])
def test_day_and_month_are_not_guessed(value: Any) -> None:
    with pytest.raises(Unreadable):
        moment(value)


@pytest.mark.parametrize("value", [1, "1", "DepthFirst", "depthfirst"])
def test_an_enum_comes_as_number_text_or_name(value: Any) -> None:
    assert name_of(LOAD_BALANCERS)(value) == "DepthFirst"


@pytest.mark.parametrize("value", [9, "Sideways", True, {}])
def test_an_enum_of_the_design_is_closed(value: Any) -> None:
    with pytest.raises(Unreadable):
        name_of(LOAD_BALANCERS)(value)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(6, "NoHeartbeat"), ("NoHeartBeat", "NoHeartbeat"), (12, "Unknown (12)"), ("Brandnew", "Brandnew"), (None, None)],
)
def test_an_enum_of_the_agent_is_open(value: Any, wanted: str | None) -> None:
    assert open_name_of(HOST_STATES)(value) == wanted


def test_flags_numbers_and_texts() -> None:
    assert [flag(value) for value in (True, "True", "false", "0", 1, None)] == [True, True, False, False, True, None]
    assert [whole(value) for value in (3, "3", " 4 ", None, "")] == [3, 3, 4, None, None]
    assert [guid(value) for value in ("", None, "00000000-0000-0000-0000-000000000000", "a")] == [None, None, None, "a"]
    assert (text(""), text(None)) == ("", None)
    for convert, value in ((flag, "yes"), (whole, True), (whole, "many"), (text, 3), (text, {})):
        with pytest.raises(Unreadable):
            convert(value)


@pytest.mark.parametrize(
    "value",
    [
        '[{"HealthCheckName":"DomainJoinedCheck","HealthCheckResult":"HealthCheckFailed"}]',
        '[{"healthCheckName":0,"healthCheckResult":2}]',
        '{"DomainJoinedCheck":{"HealthCheckResult":2,"AdditionalFailureDetails":{"Message":"no"}}}',
        '{"DomainJoinedCheck":"HealthCheckFailed"}',
        [{"HealthCheckName": "DomainJoinedCheck", "HealthCheckResult": 2}],
    ],
)
def test_health_checks_come_in_many_shapes(value: Any) -> None:
    assert health(value) == {"DomainJoinedCheck": "HealthCheckFailed"}


def test_health_that_is_no_report() -> None:
    assert health(None) == health("") == {}
    for value in ("{", "7", "[[["):
        with pytest.raises(Unreadable):
            health(value)
