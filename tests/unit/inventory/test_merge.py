"""What becomes of objects that were read twice, in two casings, without their parents, or not at all."""

from typing import Any

import pytest
from exports_kit import file, host, inventory_of, keys, person, pool, problems_of, tenant

from crossfade.errors import InputError
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.merge import assemble
from crossfade.model.classic import AssignmentType, GroupKind, LoadBalancer
from crossfade.sources.records import Kind, RawRecord, Reading

ROOT = "Default Tenant Group/contoso"


def group(name: str = "Apps", pool: str = "Office", **more: Any) -> dict[str, Any]:
    return keys("contoso", pool, name) | {"ResourceType": 0} | more


def whats(inventory: Inventory, subject: str) -> list[str]:
    return [gap.what for gap in inventory.gaps if gap.subject == subject]


def test_order_of_files_and_records_changes_nothing() -> None:
    rows = [person("b@x"), person("a@x"), person("C@x")]
    one = inventory_of(file("1.json", rows), file("2.json", [pool(), pool("Annex")]))
    other = inventory_of(file("9.json", rows[::-1]), file("2.json", [pool("Annex"), pool()]))
    assert one.substance() == other.substance()
    assert [item.upn for item in one.assignments] == ["a@x", "b@x", "C@x"]


def test_names_take_the_spelling_of_their_object() -> None:
    found = inventory_of(
        file("pools.json", pool("Office Pool")),
        file("users.json", [person("a@x", "APPS", "OFFICE POOL", "Contoso"), person("b@x", "apps", "office pool")]),
        file("groups.json", group("Apps", "oFFICE pOOL")),
    )
    assert {item.key for item in found.assignments} == {"Default Tenant Group/contoso/Office Pool/Apps"}
    assert [item.key for item in found.pools] == ["Default Tenant Group/contoso/Office Pool"]
    assert len(found.tenants) == 1


def test_a_host_and_a_group_of_one_name_keep_their_spellings() -> None:
    found = inventory_of(file("a.json", [host("APPS"), group("Apps")]))
    assert found.hosts[0].key.endswith("/APPS")
    assert found.groups[0].key.endswith("/Apps")


def test_alike_twice_is_once_and_silent() -> None:
    found = inventory_of(file("a.json", pool()), file("b.json", pool()))
    assert len(found.pools) == 1
    assert whats(found, f"host pool {ROOT}/Office") == ["No session hosts in the exported files."]


def test_two_exports_of_different_columns_complete_each_other() -> None:
    found = inventory_of(file("a.json", pool(Ring=3)), file("b.json", pool(FriendlyName="Büro")))
    assert (found.pools[0].ring, found.pools[0].friendly_name) == (3, "Büro")


def test_two_exports_that_disagree_are_a_problem_with_both_places() -> None:
    [problem] = problems_of(file("a.json", pool()), file("b.json", [pool(MaxSessionLimit=2)]))
    assert problem.where == "b.json:2"
    assert "host pool Default Tenant Group/contoso/Office is also in a.json:1" in problem.what
    assert "max_session_limit" in problem.what


def test_a_host_exported_twice_is_taken_at_its_latest_heartbeat() -> None:
    early = host("h", Sessions=1, LastHeartBeat="2020-05-01T00:00:00Z")
    late = host("h", Sessions=5, LastHeartBeat="2020-05-02T00:00:00Z")
    for files in ((early, late), (late, early)):
        found = inventory_of(file("1.json", files[0]), file("2.json", files[1]))
        assert [item.sessions for item in found.hosts] == [5]


def test_one_person_in_two_casings_is_one_and_both_are_told() -> None:
    found = inventory_of(file("a.json", [person("Ann@X"), person("ann@x"), person("ben@x")]))
    assert [item.upn for item in found.assignments] == ["ann@x", "ben@x"]
    assert any(
        "spelled Ann@X and ann@x; counted once." in what for what in whats(found, f"app group {ROOT}/Office/Apps")
    )


def test_parents_are_rebuilt_from_children_with_a_gap_each() -> None:
    found = inventory_of(file("a.json", [person("a@x"), host("h", "Own", AssignedUser="b@x")]))
    assert [item.key for item in found.tenants] == [ROOT]
    assert {item.key: item.personal for item in found.pools} == {f"{ROOT}/Office": False, f"{ROOT}/Own": True}
    assert [item.load_balancer for item in found.pools] == [LoadBalancer.BREADTH_FIRST, LoadBalancer.PERSISTENT]
    for subject in (f"tenant {ROOT}", f"host pool {ROOT}/Own", f"app group {ROOT}/Office/Apps"):
        assert any("It was not read" in what for what in whats(found, subject))


def test_a_session_rebuilds_its_host() -> None:
    row = keys("contoso", "Office") | {"SessionHostName": "h", "SessionId": 2, "UserPrincipalName": "a@x"}
    found = inventory_of(file("a.json", [pool(), row]))
    assert [item.key for item in found.hosts] == [f"{ROOT}/Office/h"]
    assert found.sessions[0].state == "Unknown"


@pytest.mark.parametrize(
    ("extra", "name", "kind"),
    [
        ({"RemoteDesktopName": "Remote Desktop"}, "Odd", GroupKind.DESKTOP),
        ({"RemoteAppName": "Word"}, "Odd", GroupKind.REMOTE_APP),
        ({"UserPrincipalName": "a@x"}, "desktop application group", GroupKind.DESKTOP),
        ({"UserPrincipalName": "a@x"}, "Odd", GroupKind.REMOTE_APP),
    ],
)
def test_the_kind_of_an_unread_group_follows_from_what_it_holds(
    extra: dict[str, Any], name: str, kind: GroupKind
) -> None:
    found = inventory_of(file("a.json", keys("contoso", "Office", name) | extra))
    assert [item.kind for item in found.groups] == [kind]
    assert any("taken for" in what for what in whats(found, f"app group {ROOT}/Office/{name}"))


def test_a_null_takes_the_default_of_the_model() -> None:
    row = pool(Persistent=None, LoadBalancerType=None, AssignmentType=None, ValidationEnv=None)
    found = inventory_of(file("a.json", row)).pools[0]
    assert (found.personal, found.load_balancer, found.assignment, found.validation) == (
        False,
        LoadBalancer.BREADTH_FIRST,
        None,
        False,
    )
    personal = pool(Persistent=True, LoadBalancerType="Persistent", AssignmentType=2, ValdationEnv="True")
    assert inventory_of(file("a.json", personal)).pools[0].assignment is AssignmentType.DIRECT
    assert inventory_of(file("a.json", personal)).pools[0].validation


def test_what_no_file_holds_is_named() -> None:
    found = inventory_of(file("a.json", [tenant(), pool(), group(), group("D", ResourceType=1)]))
    gaps = {(gap.subject, gap.what) for gap in found.gaps}
    for subject, what in (
        (f"host pool {ROOT}/Office", "No session hosts"),
        (f"app group {ROOT}/Office/Apps", "No assigned users"),
        (f"app group {ROOT}/Office/Apps", "No RemoteApps"),
        (f"app group {ROOT}/Office/D", "No desktop"),
        ("user sessions", "None"),
        ("role assignments", "None"),
    ):
        assert (subject, f"{what} in the exported files.") in gaps


# ---------------------------------------------------------------- live


def live(*records: tuple[Kind, dict[str, Any], tuple[str, ...]], source: str = "live") -> Reading:
    reading = Reading()
    origin = reading.origin(source, source, None)
    reading.records = [RawRecord(kind=k, data=d, names=n, origin=origin, where=source) for k, d, n in records]
    return reading


POOL_NAMES = ("Default Tenant Group", "contoso", "Office")


def test_live_wins_over_export_and_says_so() -> None:
    reading = live((Kind.POOL, {"maxSessionLimit": 5}, POOL_NAMES))
    reading.add(live((Kind.POOL, {"MaxSessionLimit": 9, "Ring": 1}, POOL_NAMES), source="export"))
    found = assemble(reading, made_at="now")
    assert (found.pools[0].max_session_limit, found.pools[0].ring) == (5, 1)
    assert any("with another max_session_limit" in gap.what for gap in found.gaps)


def test_a_page_that_overlaps_the_one_before_is_no_problem() -> None:
    rows = [(Kind.HOST, {"status": 0, "assignedUser": None}, (*POOL_NAMES, "h"))] * 2
    assert len(assemble(live(*rows), made_at="now").hosts) == 1


def test_a_value_that_live_does_not_explain_is_a_gap_not_an_abort() -> None:
    found = assemble(live((Kind.POOL, {"loadBalancerType": 7}, POOL_NAMES)), made_at="now")
    assert any("loadBalancerType in live is 7, none of BreadthFirst" in gap.what for gap in found.gaps)
    with pytest.raises(InputError):
        assemble(live((Kind.POOL, {"loadBalancerType": 7}, POOL_NAMES), source="export"), made_at="now")
