"""`who` and `what` tell by which path, and what stands in the way."""

from __future__ import annotations

import msgspec
import pytest
from applied import ANN, CAT, DAN, OFFICE, applied, grouped, inventory, plan_of, snapshot

from crossfade.errors import InputError
from crossfade.inventory.inventory import Inventory
from crossfade.model.ids import fold
from crossfade.verification.after import After
from crossfade.verification.before import Before
from crossfade.verification.explain import Left, matching, what, who
from crossfade.verification.people import People
from crossfade.verification.promised import Promised
from crossfade.verification.verify import sides


def both(*, groups: bool = False) -> tuple[Before, After]:
    found = inventory()
    target = snapshot(found)
    plan = (grouped if groups else plan_of)(found, target)
    return sides(plan, found, applied(plan, target))


def test_a_person_before_and_after() -> None:
    view = who(ANN.upper(), *both(groups=True))
    (had,), (has,) = view.before, view.after or []
    assert view.subject == ANN
    assert had.resource == has.resource == f"{OFFICE}/Desktop Application Group/Remote Desktop"
    assert had.how == "assigned to app group Desktop Application Group of Office"
    assert has.how == (
        "through directory group AVD Office Desktop Application Group, "
        "granted on application group Office-DAG; shown in workspace contoso"
    )


def test_what_nobody_was_taken_out_of_is_open_on_classic_still() -> None:
    before, after = both()
    (had,) = who(ANN, before, after, left=Left()).classic
    assert had == next(iter(before.paths_of(ANN)))
    group = fold(had.resource.rpartition("/")[0])
    assert who(ANN, before, after, left=Left(pairs=frozenset({(group, ANN)}))).classic == []
    assert who(CAT, before, after, left=Left(pairs=frozenset({(group, ANN)}))).classic
    assert who(ANN, before, after, left=Left(all=True)).classic == []
    (excel,) = what("office/excel", before, after, left=Left(read_at="2026-06-08T07:00:00Z"))
    assert [path.person for path in excel.classic if path.opens] == [CAT]
    assert excel.read_at == "2026-06-08T07:00:00Z"


def test_how_a_name_is_spelled_is_no_path_of_its_own() -> None:
    found = inventory()
    shouting = [msgspec.structs.replace(one, upn=one.upn.upper()) for one in found.assignments]
    before = Before(msgspec.structs.replace(found, assignments=[*found.assignments, *shouting]), People(None))
    assert " as " not in next(iter(before.paths_of(ANN))).how


def test_what_stands_in_the_way() -> None:
    view = who(CAT, *both())
    closed = [path for path in view.before if not path.opens]
    assert [path.resource for path in closed] == [f"{OFFICE}/Apps/Hidden"]
    assert "ShowInWebFeed" in closed[0].how
    gone = who("gone@contoso.com", *both())
    assert gone.note == "Cannot sign in: left in 2021"
    assert not any(path.opens for path in gone.before)
    assert gone.after == []


def test_a_personal_desktop_names_its_host() -> None:
    view = who(DAN, *both())
    assert view.before[0].how.endswith("on their own host own-1")
    assert view.after is not None
    assert view.after[0].how.endswith("on their own host own-1")


def test_without_a_target() -> None:
    found = inventory()
    view = who(CAT, Before(found, People(None)), None)
    assert view.after is None
    assert [path.opens for path in view.before] == [True, False]


def test_a_resource_by_its_end_or_the_group_around_it() -> None:
    (excel,) = what("office/EXCEL", *both())
    assert [(path.person, path.opens) for path in excel.before] == [(CAT, True), ("gone@contoso.com", False)]
    assert [path.person for path in excel.after or []] == [CAT]
    assert len(what("Office", *both())) == 2


@pytest.mark.parametrize(
    ("text", "fits"), [("excel", ["p/a/excel"]), ("a", ["p/a/excel", "p/a/word"]), ("p/word", ["p/a/word"]), ("", [])]
)
def test_matching(text: str, fits: list[str]) -> None:
    assert matching(text, ["p/a/excel", "p/a/word"]) == fits


def test_nobody_and_nothing() -> None:
    with pytest.raises(InputError, match=r"Did you mean ann@contoso\.com"):
        who("ann@contoso.de", *both())
    with pytest.raises(InputError, match="Did you mean"):
        what("Exc", *both())
    with pytest.raises(InputError, match="whole user principal name"):
        who("zoe", Before(Inventory(), People([])), None)
    with pytest.raises(InputError, match=r"Did you mean ann@contoso\.com"):
        who("an@contoso.com", Before(inventory(), People(None)), None)


def test_what_the_plan_promises_is_told_before_anything_is_written() -> None:
    found = inventory()
    target = snapshot(found)
    plan = plan_of(found, target)
    before, after = sides(plan, found, target)
    view = who(ANN, before, after, Promised(plan, before))
    assert view.after == []
    (promised,) = view.planned or []
    assert promised.opens
    assert promised.resource == view.before[0].resource
    assert "by name" in promised.how
    plan = grouped(found, target)
    (had,) = what(view.before[0].resource, before, after, Promised(plan, before))
    assert any("through the new group" in path.how for path in had.planned or [])
    assert {path.person for path in had.planned or []} >= {path.person for path in had.before if path.opens}


def test_a_plan_promises_no_desktop_to_somebody_who_has_none_of_their_own() -> None:
    found = inventory()
    owned = next(host for host in found.hosts if host.assigned_user)
    for change, opens in (({}, True), ({"assigned_user": None}, False)):
        hosts = [msgspec.structs.replace(host, **change) if host is owned else host for host in found.hosts]
        less = msgspec.structs.replace(found, hosts=hosts)
        target = snapshot(less)
        plan = plan_of(less, target)
        before, after = sides(plan, less, target)
        (promised,) = who(DAN, before, after, Promised(plan, before)).planned or []
        assert promised.opens is opens
        assert promised.opens is next(iter(before.paths_of(DAN))).opens
        assert ("no desktop is assigned" in promised.how) is not opens
