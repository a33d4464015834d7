"""Merges that are only told: RemoteApp groups of one pool with exactly the same people."""

from __future__ import annotations

from builders import Estate

from crossfade.inventory.same_people import same_people
from crossfade.model.ids import last_name

KIM, LEE = "kim@contoso.com", "lee@contoso.com"


def test_groups_of_one_pool_with_the_same_people_and_no_others() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=0)
    for name, people in {
        "Word": [KIM, LEE],
        "Excel": [LEE.upper(), KIM],
        "Visio": [KIM],
        "Empty": [],
        "Void": [],
    }.items():
        estate.app(estate.group(pool, name, people=people), "Viewer" if name != "Visio" else name)
    other = estate.pool("Other", people=0)
    estate.group(other, "Word", people=[KIM, LEE])
    (found,) = same_people(estate.inventory())
    assert [last_name(key) for key in found.groups] == ["Excel", "Word"]
    assert (found.pool, found.people, found.apps, found.saved(), found.clashes) == (pool, 2, 2, 1, ["viewer"])
    assert found.told() == "Office: Excel + Word (2 people each, 2 apps, 1 fewer; to rename: viewer)"


def test_the_desktop_of_a_pool_is_never_part_of_it() -> None:
    estate = Estate()
    pool = estate.pool("Office", people=2)
    estate.group(pool, "Apps", people=["office0@contoso.com", "office1@contoso.com"])
    assert same_people(estate.inventory()) == []
