"""Our client of Graph, against the twin."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _cloud_services import Bench
from _furnished import APP_ID, GROUP, user_id

from crossfade import errors
from crossfade.cloud.services import Services

UPNS = [f"user{number:02}@contoso.example" for number in range(30)]


def test_many_people_by_upn_in_batches() -> None:
    async def story(services: Services) -> None:
        found = await services.graph.users([*UPNS, "gone#EXT#@contoso.example", "o'hara@contoso.example", UPNS[0]])
        assert len(found) == 32
        person = found[UPNS[7]]
        assert isinstance(person, dict)
        assert person["id"] == user_id(7)
        assert isinstance(found["gone#EXT#@contoso.example"], errors.NotFound)
        assert "user o'hara@contoso.example" in str(found["o'hara@contoso.example"])
        assert services.calls == {"graph POST $batch": 2, "entra POST token": 1}

    Bench().run(story)


def test_objects_by_id() -> None:
    async def story(services: Services) -> set[str]:
        rows = await services.graph.objects([user_id(1), user_id(2), GROUP, "00000000-0000-4000-a000-00000000dead"])
        return {row["id"] for row in rows}

    assert Bench().run(story) == {user_id(1), user_id(2), GROUP}


def test_a_group_is_made_once_and_filled() -> None:
    bench = Bench()

    async def story(services: Services) -> None:
        graph = services.graph
        made = await graph.ensure_group("Office, people of O'Hara", "cf-office", "Made by a plan")
        await bench.clock.sleep(60)
        assert (await graph.ensure_group("Office, people of O'Hara", "cf-office"))["id"] == made["id"]
        assert [row["id"] for row in await graph.groups_named("Office, people of O'Hara")] == [made["id"]]
        ids = [user_id(number) for number in range(25)]
        await graph.add_members(made["id"], ids[:3])
        await graph.add_members(made["id"], ids)
        await bench.clock.sleep(60)
        assert await graph.people_ids(made["id"]) == ids
        await graph.remove_member(made["id"], ids[0])
        await graph.remove_member(made["id"], ids[0])
        rows = [row async for page in graph.members(made["id"]) for row in page]
        assert len(rows) == 24
        await graph.delete_group(made["id"])
        await graph.delete_group(made["id"])
        assert await graph.group(made["id"]) is None

    bench.run(story)


def test_a_group_made_moments_ago_takes_members_as_soon_as_it_is_known() -> None:
    bench = Bench(principal_replication_s=(40.0, 40.0))

    async def story(services: Services) -> list[str]:
        made = await services.graph.ensure_group("New", "cf-new")
        await services.graph.add_members(made["id"], [user_id(1), user_id(2)])
        await bench.clock.sleep(120)
        return await services.graph.people_ids(made["id"])

    assert bench.run(story) == [user_id(1), user_id(2)]


def test_applications_policies_and_who_we_are() -> None:
    async def story(services: Services) -> None:
        principal = await services.graph.service_principal(APP_ID)
        assert principal is not None
        assert principal["appId"] == APP_ID
        assert await services.graph.service_principal("00000000-0000-4000-a000-00000000dead") is None
        assert await services.graph.conditional_access_policies() == []
        assert await services.graph.me() is None

    Bench().run(story)


def test_an_unknown_group_is_not_found() -> None:
    async def story(services: Services) -> None:
        assert await services.graph.group("00000000-0000-4000-a000-00000000dead") is None
        with pytest.raises(errors.NotFound):
            await services.graph.people_ids("00000000-0000-4000-a000-00000000dead")

    Bench().run(story)
