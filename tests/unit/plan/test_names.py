"""Names: within the limits, without collisions, each change explained, and stable when the estate grows."""

from __future__ import annotations

import re

import pytest
from builders import SUB, Estate, applied, plan_of

from crossfade.errors import PlanConflict
from crossfade.model.ids import last_name
from crossfade.plan.intent import Access, PoolIntent
from crossfade.plan.intent import Names as Templates
from crossfade.plan.names import APPLICATION_LIMIT, OBJECT_LIMIT, Names, fill, shape, shape_resource_group
from crossfade.plan.operations import CreateDirectoryGroup
from crossfade.plan.plan import Plan

ARM_NAME = re.compile(r"[A-Za-z0-9@.\-_ ]{3,64}")


@pytest.mark.parametrize(
    ("wanted", "limit", "name"),
    [
        ("Office", OBJECT_LIMIT, "Office"),
        ("A--B", OBJECT_LIMIT, "A--B"),
        ("Treasury & Tax", OBJECT_LIMIT, "Treasury - Tax"),
        ("Büro Straße", OBJECT_LIMIT, "Buro Strasse"),
        ("x" * 64, OBJECT_LIMIT, "x" * 64),
    ],
)
def test_what_fits_stays_and_what_does_not_is_rewritten(wanted: str, limit: int, name: str) -> None:
    assert shape(wanted, limit) == name


@pytest.mark.parametrize("wanted", ["x" * 65, "ab", "", "営業部", "General Ledger and Consolidation Test", "😀", " a "])
def test_every_name_is_one_that_arm_takes(wanted: str) -> None:
    for limit in (OBJECT_LIMIT, APPLICATION_LIMIT):
        name = shape(wanted, limit)
        assert ARM_NAME.fullmatch(name)
        assert len(name) <= limit
        assert name == shape(wanted, limit)


def test_two_sources_never_share_a_name_and_one_source_always_has_its_own() -> None:
    names = Names()
    first, told = names.give("A&B", scope="s", source="one")
    second, why = names.give("a#b", scope="S", source="two")
    assert first.casefold() != second.casefold()
    assert told
    assert "already called" in why
    assert names.give("A&B", scope="s", source="ONE") == (first, told)
    assert names.give("a#b", scope="s", source="two") == (second, why)
    assert names.give("a#b", scope="other", source="two")[0] == "a-b"


def test_templates_are_filled_once() -> None:
    assert fill("{pool}-{group} {other}", pool="{group}", group="G") == "{group}-G {other}"


def test_resource_groups_have_rules_of_their_own() -> None:
    assert shape_resource_group("rg-avd-Contoso Desktops") == "rg-avd-Contoso-Desktops"
    assert not shape_resource_group("x" * 89 + "..").endswith(".")
    assert len(shape_resource_group("y" * 200)) == 90


# ---------------------------------------------------------------- in a plan


def target_of(plan: Plan, key: str) -> str:
    (found,) = [name.target for name in plan.names if name.source == key]
    return last_name(found)


def test_the_same_group_name_in_every_pool() -> None:
    estate = Estate()
    one, two = estate.pool("Office"), estate.pool("Finance")
    plan = plan_of(estate)
    assert target_of(plan, f"{one}/Desktop Application Group") == "Office-DAG"
    assert target_of(plan, f"{two}/Desktop Application Group") == "Finance-DAG"
    assert all(name.changed for name in plan.names if name.source.endswith("Application Group"))


def test_ids_are_unique_without_case_and_reversible() -> None:
    estate = Estate()
    for name in ("A&B", "A#B", "A-B", "Pool", "Straße 2²", "Strasse 2²"):
        pool = estate.pool(name, hosts=2, people=1)
        group = estate.group(pool, "Apps+")
        estate.group(pool, "Apps#")
        for app in ("Word+", "Word#", "x" * 40, "Fußball", "Fussball"):
            estate.app(group, app)
    names = plan_of(estate).names
    assert len({name.target.casefold() for name in names}) == len(names)
    assert len({name.source for name in names}) == len(names)


def test_a_pool_added_later_never_takes_a_name_that_fits() -> None:
    estate = Estate()
    estate.pool("A-B")
    before = plan_of(estate)
    estate.pool("A&B")
    after = plan_of(estate)
    assert {(n.source, n.target) for n in before.names} <= {(n.source, n.target) for n in after.names}
    assert target_of(after, "Default Tenant Group/Contoso/A-B") == "A-B"
    assert target_of(after, "Default Tenant Group/Contoso/A&B") != "A-B"


def test_what_an_earlier_plan_made_keeps_its_name_though_a_rival_comes_first_now() -> None:
    estate = Estate()
    estate.pool("A&B")
    first = plan_of(estate)
    made = applied(first, estate.target())
    estate.pool("A#B")
    estate.pool("A-B")
    second = plan_of(estate, estate.target(objects=made.objects))
    assert target_of(second, "Default Tenant Group/Contoso/A&B") == "A-B"
    assert len({name.target.casefold() for name in second.names}) == len(second.names)


def test_keys_that_are_too_long_for_a_tag_are_told_apart_by_it() -> None:
    estate = Estate()
    pool = estate.pool("P" * 128)
    groups = [estate.group(pool, f"{'g' * 120} {number}") for number in (1, 2)]
    plan = plan_of(estate)
    again = plan_of(estate, applied(plan, estate.target()))
    assert [target_of(again, group) for group in groups] == [target_of(plan, group) for group in groups]


def test_one_workspace_by_tenant_and_location() -> None:
    estate = Estate()
    for name in ("East", "North", "West"):
        estate.pool(name)
    key = "Default Tenant Group/Contoso/North"

    plan = plan_of(estate, pools={key: PoolIntent(location="North Europe")})
    workspaces = sorted(last_name(name.target) for name in plan.names if "/workspaces/" in name.target)
    assert workspaces == ["Contoso", "Contoso-northeurope"]
    again = plan_of(
        estate,
        estate.target(objects=applied(plan, estate.target()).objects),
        pools={key: PoolIntent(location="northeurope"), "Default Tenant Group/Contoso/East": PoolIntent(skip=True)},
    )
    assert sorted(last_name(n.target) for n in again.names if "/workspaces/" in n.target) == workspaces


def test_the_operator_renames_anything_and_a_wrong_key_is_told() -> None:
    estate = Estate()
    pool = estate.pool("Office")
    group = estate.group(pool, "Apps")
    app = estate.app(group, "Excel")
    plan = plan_of(estate, rename={pool.upper(): "hp-office", group: "ag-office", app: "xl 2019"})
    assert [target_of(plan, key) for key in (pool, group, app)] == ["hp-office", "ag-office", "xl 2019"]
    assert f"/subscriptions/{SUB}/resourceGroups/rg-avd-Contoso/" in plan.names[-1].target
    with pytest.raises(PlanConflict, match="does not hold"):
        plan_of(estate, rename={"nobody/knows/this": "x"})
    with pytest.raises(PlanConflict, match=r"says one, and .* says two"):
        plan_of(estate, rename={pool: "one"}, pools={pool.upper(): PoolIntent(name="two")})


def test_templates_know_the_location_everywhere() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=2)
    names = Templates(host_pool="{pool}-{location}", desktop_group="{location}-{group}", directory_group="G {location}")
    plan = plan_of(estate, names=names, access=Access(direct_threshold=1))
    assert target_of(plan, pool) == "Office-westeurope"
    assert target_of(plan, f"{pool}/Desktop Application Group") == "westeurope-Desktop Application Group"
    (made,) = [one for one in plan.operations if isinstance(one, CreateDirectoryGroup)]
    assert made.display_name == "G westeurope"
