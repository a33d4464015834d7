"""Existing groups that could publish something: read when asked for, with what a person needs before a yes."""

from __future__ import annotations

from typing import Any

import pytest
from discover_kit import Bench

from avdtwin.state import Group
from crossfade.cloud.services import Services
from crossfade.commands.discover import discover, discover_target
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.target import CandidateGroup


def group(bench: Bench, name: str, members: list[str], **facts: Any) -> Group:
    made = Group(id=f"00000000-0000-4000-8000-{name:0>12}", display_name=f"Group {name}", **facts)
    made.members = dict.fromkeys(members, 0.0)
    bench.world.state.directory.groups[made.id] = made
    return made


def read(bench: Bench, **options: Any) -> TargetSnapshot:
    async def story(services: Services) -> tuple[Inventory, TargetSnapshot]:
        inventory = await discover(services)
        return inventory, await discover_target(services, inventory, [bench.subscription], **options)

    return bench.run(story)[1]


@pytest.fixture
def bench() -> Bench:
    found = Bench("tiny")
    people = sorted(found.world.state.directory.users)
    inner = group(found, "1", people[:2])
    group(found, "2", [inner.id, people[2]], owners=[people[0]], membership_rule="user.city -eq 'Rome'")
    group(found, "3", people[:3], security_enabled=False, mail_enabled=True)
    group(found, "4", people[:2], on_premises_sync=True, role_assignable=True, group_types=["Unified"])
    return found


def by_name(found: TargetSnapshot) -> dict[str, CandidateGroup]:
    return {item.display_name: item for item in found.candidates}


def test_groups_are_there_with_people_of_nested_ones_and_what_fills_them(bench: Bench) -> None:
    people = sorted(bench.world.state.directory.users)
    found = by_name(read(bench, candidates=True))
    assert found["Group 2"].members == sorted(one.casefold() for one in people[:3])
    assert found["Group 2"].owners == [bench.world.state.directory.users[people[0]].upn]
    assert found["Group 2"].rule == "user.city -eq 'Rome'"
    assert (found["Group 4"].synchronised, found["Group 4"].role_assignable, found["Group 4"].unified) == (True,) * 3
    assert "Group 3" not in found, "no role can be granted to a group that is for mail only"
    assert found["Group 2"].complete


def test_nothing_is_read_unless_it_is_asked_for_and_the_substance_stays(bench: Bench) -> None:
    plain, asked = read(bench), read(bench, candidates=True)
    assert plain.candidates == []
    assert plain.design_digest() == asked.design_digest()


def test_named_groups_are_read_and_no_others(bench: Bench) -> None:
    (name,) = [one for one in bench.world.state.directory.groups if one.endswith("2")]
    (found,) = read(bench, groups=[name, "00000000-0000-4000-8000-00000000dead"]).candidates
    assert (found.id, len(found.members)) == (name, 3)


def test_a_group_larger_than_the_estate_is_not_read_to_its_end(bench: Bench) -> None:
    users = bench.world.state.directory.users
    one = next(iter(users.values()))
    import msgspec

    for number in range(1200):
        made = msgspec.structs.replace(
            one, id=f"11111111-0000-4000-8000-{number:012}", upn=f"x{number}@elsewhere.example"
        )
        users[made.id] = made
    group(bench, "9", [key for key in users if key.startswith("11111111")])
    found = by_name(read(bench, candidates=True))["Group 9"]
    assert (found.complete, found.members) == (False, [])


def test_who_is_asked_for_by_object_id_is_known_by_name(bench: Bench) -> None:
    user = next(iter(bench.world.state.directory.users.values()))
    identity = read(bench, people=[user.id]).identity(user.upn)
    assert identity is not None
    assert identity.object_id == user.id
