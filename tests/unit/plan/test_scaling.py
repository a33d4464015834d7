"""A classic scaling script becomes a scaling plan: translated, of the service's own types, off until the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import Estate, applied, plan_of

from crossfade.errors import InputError, PlanConflict
from crossfade.model.classic import LoadBalancer
from crossfade.model.target import ArmObject
from crossfade.plan.intent import PoolIntent, Scaling
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.operations import Action, PatchResource, PutResource
from crossfade.plan.plan import Plan
from crossfade.plan.scaling import TYPE

TYPES = json.loads(
    (Path(__file__).resolve().parents[2] / "contract/types/scalingPlans-2024-04-03.json").read_text("utf-8")
)
SCRIPT = Scaling(
    begin_peak="08:30",
    end_peak="18:00",
    time_zone="W. Europe Standard Time",
    cpus_per_host=4,
    sessions_per_cpu=1.5,
    minimum_hosts=2,
    force_log_off_seconds=610,
    message_title="Good night",
    message_body="Please sign out.",
    exclusion_tag="maintenance",
)


def estate(hosts: int = 3, **members: Any) -> tuple[Estate, str]:
    found = Estate()
    return found, found.pool("Office", hosts=hosts, **members)


def planned(script: Scaling = SCRIPT, **members: Any) -> Plan:
    found, pool = estate(**members)
    return plan_of(found, scaling={pool.upper(): script})


def body(plan: Plan) -> dict[str, Any]:
    (made,) = [op for op in plan.operations if isinstance(op, PutResource) and op.type == TYPE]
    return made.body["properties"]  # type: ignore[no-any-return]


def test_every_parameter_is_translated() -> None:
    found = body(planned(load_balancer=LoadBalancer.DEPTH_FIRST))
    (schedule,) = found.pop("schedules")
    assert found["timeZone"] == "W. Europe Standard Time"
    assert found["exclusionTag"] == "maintenance"
    assert schedule["rampUpStartTime"] == {"hour": 8, "minute": 30}
    assert schedule["peakStartTime"] == {"hour": 9, "minute": 30}
    assert schedule["rampDownStartTime"] == {"hour": 18, "minute": 0}
    assert schedule["offPeakStartTime"] == {"hour": 19, "minute": 0}
    assert schedule["rampUpMinimumHostsPct"] == 67  # 2 of 3, never fewer
    assert schedule["rampUpCapacityThresholdPct"] == 60  # 1.5 x 4 of 10
    assert schedule["rampDownForceLogoffUsers"] is True
    assert schedule["rampDownWaitTimeMinutes"] == 11
    assert schedule["rampDownNotificationMessage"] == "Good night Please sign out."
    assert schedule["peakLoadBalancingAlgorithm"] == "DepthFirst"
    assert len(schedule["daysOfWeek"]) == 7


def test_the_threshold_is_at_most_nine_tenths_and_nobody_is_signed_out_by_default() -> None:
    script = msgspec.structs.replace(SCRIPT, sessions_per_cpu=9.0, force_log_off_seconds=0, end_peak="23:30")
    (schedule,) = body(planned(script))["schedules"]
    assert schedule["peakStartTime"]["hour"] == 9
    assert schedule["rampUpCapacityThresholdPct"] == 90
    assert schedule["rampDownForceLogoffUsers"] is False
    assert schedule["offPeakStartTime"] == {"hour": 23, "minute": 59}


def test_it_balances_as_the_operator_wants_the_pool_to() -> None:
    found, pool = estate()
    choice = {pool: PoolIntent(load_balancer="depth-first")}
    (schedule,) = body(plan_of(found, scaling={pool: SCRIPT}, pools=choice))["schedules"]
    ways = {value for name, value in schedule.items() if name.endswith("LoadBalancingAlgorithm")}
    assert ways == {"DepthFirst"}


def test_it_is_off_and_switched_on_after_the_last_host_only_when_said() -> None:
    plan = planned()
    assert body(plan)["hostPoolReferences"][0]["scalingPlanEnabled"] is False
    assert plan.pools[0].late == []
    assert any("made switched off" in note and "yourself" in note for note in plan.notes)
    plan = planned(msgspec.structs.replace(SCRIPT, enable=True))
    assert body(plan)["hostPoolReferences"][0]["scalingPlanEnabled"] is False
    late = plan.operation(plan.pools[0].late[0])
    assert isinstance(late, PatchResource)
    assert late.body["properties"]["hostPoolReferences"][0]["scalingPlanEnabled"] is True
    assert late.prior["properties"]["hostPoolReferences"][0]["scalingPlanEnabled"] is False
    assert any("Power On Off Contributor" in note for note in plan.notes)


def test_planned_again_after_the_run_it_is_as_it_is() -> None:
    found, pool = estate()
    said = {pool: msgspec.structs.replace(SCRIPT, enable=True)}
    plan = plan_of(found, scaling=said)
    again = plan_of(found, applied(plan, found.target()), scaling=said)
    mine = [op for op in again.operations if isinstance(op, PutResource | PatchResource) and op.type == TYPE]
    assert {op.action for op in mine} == {Action.ADOPT}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"personal": True, "hosts": 4}, "personal pool"),
        ({"max_session_limit": 999_999}, "no MaxSessionLimit"),
        ({"max_session_limit": None}, "no MaxSessionLimit"),
    ],
)
def test_what_cannot_be_carried_is_refused(members: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanConflict) as caught:
        planned(**members)
    assert any(words in problem.what for problem in caught.value.problems)


def test_a_pool_that_another_plan_scales_and_a_key_of_nothing_are_refused() -> None:
    found, pool = estate()
    pool_id = plan_of(found).pools[0].target
    references = {"hostPoolReferences": [{"hostPoolArmPath": pool_id.lower(), "scalingPlanEnabled": True}]}
    home = pool_id.rpartition("/hostPools/")[0]
    other = ArmObject(id=f"{home}/scalingPlans/theirs", type=TYPE, name="theirs", properties=references)
    with pytest.raises(PlanConflict) as caught:
        plan_of(found, found.target(objects=[other]), scaling={pool: SCRIPT, "g/t/none": SCRIPT})
    told = [problem.what for problem in caught.value.problems]
    assert any("theirs has this pool" in what for what in told)
    assert any("names no pool" in what for what in told)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('begin_peak = "8"', "hh:mm"),
        ('end_peak = "08:30"', "more than an hour"),
        ('end_peak = "23:59"', "before 23:59"),
        ("cpus_per_host = 0", "at least 1"),
        ('time_zone = " "', "empty"),
        ('days = ["Mon"]', "days"),
        ("minimum_hosts = -1", "negative"),
    ],
)
def test_a_wrong_setting_is_refused(line: str, words: str) -> None:
    good = {"begin_peak": '"08:00"', "end_peak": '"18:00"', "time_zone": '"UTC"', "cpus_per_host": "4"}
    name, _, value = line.partition(" = ")
    lines = [f"{key} = {text}" for key, text in {**good, name: value}.items()]
    with pytest.raises(InputError) as caught:
        read_intent("\n".join(['[scaling."g/t/p"]', *lines]).encode())
    assert any(words in problem.what for problem in caught.value.problems)


# ---------------------------------------------------------------- the published types


def against(number: str, value: Any, where: str = "") -> list[str]:
    """What of a value does not fit a published type."""
    kind = TYPES["elements"][number]
    return JUDGES[kind["$type"]](kind, value, where)


def _ref(link: dict[str, str]) -> str:
    return link["$ref"].removeprefix("#/")


def _object(kind: dict[str, Any], value: Any, where: str) -> list[str]:
    members = kind["properties"]
    wrong = [f"{where}.{name}: unknown" for name in value if name not in members]
    wrong += [f"{where}.{name}: read-only" for name in value if members.get(name, {}).get("flags", 0) & 2]
    wrong += [f"{where}.{name}: missing" for name, one in members.items() if one["flags"] & 1 and name not in value]
    for name, item in value.items():
        wrong += against(_ref(members[name]["type"]), item, f"{where}.{name}") if name in members else []
    return wrong


def _union(kind: dict[str, Any], value: Any, where: str) -> list[str]:
    literals = {TYPES["elements"][_ref(one)].get("value") for one in kind["elements"]}
    return [] if value in literals else [f"{where}: {value!r} is none of {literals}"]


def _integer(kind: dict[str, Any], value: Any, where: str) -> list[str]:
    good = type(value) is int and kind.get("minValue", value) <= value <= kind.get("maxValue", value)
    return [] if good else [f"{where}: {value!r}"]


JUDGES: dict[str, Any] = {
    "ObjectType": _object,
    "UnionType": _union,
    "IntegerType": _integer,
    "ArrayType": lambda kind, value, where: [
        text for at, item in enumerate(value) for text in against(_ref(kind["itemType"]), item, f"{where}[{at}]")
    ],
    "StringType": lambda kind, value, where: [] if isinstance(value, str) else [f"{where}: {value!r}"],
    "BooleanType": lambda kind, value, where: [] if isinstance(value, bool) else [f"{where}: {value!r}"],
}


def test_it_is_of_the_published_types_and_the_judge_sees_what_is_not() -> None:
    root = str(TYPES["root"])
    for script in (SCRIPT, msgspec.structs.replace(SCRIPT, minimum_hosts=0, days=["Monday"], sessions_per_cpu=0.01)):
        assert against(root, body(planned(script))) == []
    wrong = body(planned())
    wrong["schedules"][0]["rampUpCapacityThresholdPct"] = 0
    wrong["schedules"][0]["daysOfWeek"] = ["Mon"]
    del wrong["timeZone"]
    wrong["objectId"] = "x"
    assert len(against(root, wrong)) == 4
