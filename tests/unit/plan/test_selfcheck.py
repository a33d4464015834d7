"""A plan is whole, and a plan edited into nonsense is told all of it at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from builders import Estate, plan_of

from crossfade.errors import InputError
from crossfade.inventory.documents import decode, encode
from crossfade.plan.intent import Access
from crossfade.plan.plan import Plan
from crossfade.plan.selfcheck import check_plan


def whole() -> Plan:
    estate = Estate()
    estate.pool("Office", hosts=4, people=4)
    estate.pool("Many", hosts=4, people=8)
    own = estate.pool("Own", hosts=2, people=1, personal=True)
    estate.change(f"{own}/own-0.corp.contoso.com", assigned_user="own0@contoso.com")
    return plan_of(estate, access=Access(direct_threshold=5))


def edited(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    raw = json.loads(encode(whole()))
    change(raw)
    return [str(problem) for problem in check_plan(decode(json.dumps(raw).encode(), Plan, place="plan.json"))]


def first(raw: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(item for item in raw["operations"] if item["kind"] == kind)


def person(raw: dict[str, Any]) -> dict[str, Any]:
    return next(item for item in raw["operations"] if item.get("principal_type") == "User")


def publishing(raw: dict[str, Any]) -> dict[str, Any]:
    return next(wave for wave in raw["waves"] if wave["publish"])


def test_what_the_planner_makes_is_whole() -> None:
    assert check_plan(whole()) == []
    assert edited(lambda raw: None) == []


EDITS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an operation twice": (lambda raw: raw["operations"].append(raw["operations"][-1]), "is there 2 times"),
    "an operation gone": (lambda raw: raw["operations"].remove(person(raw)), "does not hold"),
    "a group's grant gone": (lambda raw: raw["operations"].remove(first(raw, "grant-role")), "no operation gives that"),
    "another group": (lambda raw: first(raw, "grant-role").update(principal="everybody"), "none of this plan"),
    "a host gone": (lambda raw: raw["hosts"].pop(), "names a host that the plan does not move"),
    "a host in two waves": (lambda raw: raw["waves"][0]["hosts"].append(raw["waves"][1]["hosts"][0]), "in 2 waves"),
    "a host in no wave": (lambda raw: raw["waves"][1]["hosts"].pop(), "in 0 waves"),
    "another pool": (lambda raw: raw["hosts"][0].update(target_pool="/x"), "not where its pool goes"),
    "another VM": (lambda raw: raw["hosts"][0].update(vm=raw["hosts"][1]["vm"]), "is the VM of 2 moves"),
    "no VM": (lambda raw: raw["hosts"][0].update(vm="web-1"), "no VM resource id"),
    "no seats": (lambda raw: raw["hosts"][0].update(capacity=0), "has no seats"),
    "another host count": (lambda raw: raw["pools"][0].update(host_count=1), "says 1 hosts"),
    "an outage that lasts": (lambda raw: raw["pools"][0].update(outage=True), "must be in one"),
    "a share beyond all": (lambda raw: raw["pools"][0].update(expected_share=7), "figures that cannot be"),
    "published twice": (lambda raw: raw["waves"][-1]["publish"].extend(publishing(raw)["publish"]), "named 2 times"),
    "retracted as publication": (lambda raw: publishing(raw).update(retract=publishing(raw)["publish"]), "not belong"),
    "an unknown kind of wave": (lambda raw: raw["waves"][0].update(kind="tsunami"), "must be one of"),
    "two waves of one name": (lambda raw: raw["waves"][0].update(id=raw["waves"][1]["id"]), "is there 2 times"),
    "somebody else's role": (lambda raw: first(raw, "grant-role").update(role="8e3af657-owner"), "grants the role"),
    "somebody else": (lambda raw: person(raw).update(principal="me"), "do not name"),
    "somewhere else": (lambda raw: first(raw, "grant-role").update(scope="/subscriptions/x"), "no app group"),
    "a robot": (lambda raw: first(raw, "grant-role").update(principal_type="ServicePrincipal"), "grants to a"),
    "a stranger in a group": (lambda raw: first(raw, "add-member").update(member="me"), "do not name them"),
    "a person without operation": (lambda raw: raw["access"][0]["people"].update({"a@b": "1"}), "no operation gives"),
    "another subscription": (lambda raw: raw.update(subscription="other"), "outside the plan's subscription"),
    "a grace of none": (lambda raw: raw["settings"].update(grace_s=0), "must be at least 60"),
    "an unknown policy": (lambda raw: raw["settings"].update(active="sign-out-now"), "must be one of"),
    "published with a host elsewhere": (
        lambda raw: raw["waves"][0].update(publish_by_host={"g/t/p/h": []}),
        "does not move in it",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_that_makes_no_sense_is_found(name: str) -> None:
    change, told = EDITS[name]
    assert any(told in problem for problem in edited(change)), edited(change)


def test_all_of_it_is_told_at_once() -> None:
    def several(raw: dict[str, Any]) -> None:
        for name in ("no seats", "another VM", "a grace of none", "an unknown kind of wave"):
            EDITS[name][0](raw)

    assert len(edited(several)) >= 4


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"format": "crossfade/plan@9"}', "crossfade/plan@9"),
        (b"{", "plan.json:1"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"format": "crossfade/plan@1", "hosts": [{"source": 3}]}', "hosts"),
    ],
)
def test_what_is_no_plan_is_told_with_its_place(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        decode(data, Plan, place="plan.json")
