"""The Graph SDK, unmodified, against the twin over TLS (facts: arm-service 8). `make peers` installs it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("msgraph", reason="needs msgraph-sdk: run `make peers`")

import httpx
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.user import User
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core import GraphClientFactory

from avdtwin import estate
from avdtwin.clock import ScaledClock
from avdtwin.server import Endpoint, serve

pytestmark = [pytest.mark.peers, pytest.mark.slow]
FASTER = 200.0
"""How much faster than the client's clock the twin's runs: what was made is known everywhere within a wink."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    world = estate.build("tiny", 1, ScaledClock(FASTER, estate.DEMO_START), people=False)
    world.state.settings |= {"access_token_s": 10_000_000, "latency_s": [0, 0]}
    with serve(world) as found:
        yield found


def ask(endpoint: Endpoint, story: Callable[[GraphServiceClient], Awaitable[Any]]) -> Any:
    """What a story with a signed-in client comes to."""

    async def run() -> Any:
        tenant = endpoint.call(lambda world: world.state.directory.tenant_id)
        trust = ssl.create_default_context(cafile=str(endpoint.ca_file))
        credential = ClientSecretCredential(
            tenant,
            estate.OPERATOR_APP_ID,
            estate.OPERATOR_SECRET,
            authority=endpoint.url,
            disable_instance_discovery=True,
            connection_verify=str(endpoint.ca_file),
        )
        host = urlsplit(endpoint.url).hostname or ""
        provider = AzureIdentityAuthenticationProvider(
            credential, scopes=[f"{endpoint.url}/.default"], allowed_hosts=[host]
        )
        base = f"{endpoint.url}/v1.0"
        async with httpx.AsyncClient(verify=trust, base_url=base, timeout=30) as http, credential:
            with_middleware = GraphClientFactory.create_with_default_middleware(client=http, host=endpoint.url)
            adapter = GraphRequestAdapter(provider, client=with_middleware)
            adapter.base_url = base
            return await story(GraphServiceClient(request_adapter=adapter))

    return asyncio.run(run())


def test_users_are_listed_page_by_page_and_found_by_name(endpoint: Endpoint) -> None:
    known = endpoint.call(
        lambda world: sorted(user.upn for user in world.state.directory.users.values() if not user.deleted)
    )

    async def story(graph: GraphServiceClient) -> tuple[list[str], list[str]]:
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters
        found: list[str] = []
        page = await graph.users.get(RequestConfiguration(query_parameters=query(top=5, select=["userPrincipalName"])))
        while page is not None:
            found += [str(user.user_principal_name) for user in page.value or []]
            page = await graph.users.with_url(page.odata_next_link).get() if page.odata_next_link else None
        wanted = query(filter=f"userPrincipalName eq '{known[0]}'")
        one = await graph.users.get(RequestConfiguration(query_parameters=wanted))
        return found, [str(user.user_principal_name) for user in (one and one.value) or []]

    found, one = ask(endpoint, story)
    assert sorted(found) == known
    assert one == [known[0]]


def test_a_group_is_made_filled_and_its_members_are_told_through_groups(endpoint: Endpoint) -> None:
    users = endpoint.call(lambda world: sorted(world.state.directory.users)[:3])

    async def story(graph: GraphServiceClient) -> tuple[list[str], list[str], int | None]:
        made = []
        for name in ("inner", "outer"):
            wanted = Group(display_name=name, mail_nickname=name, mail_enabled=False, security_enabled=True)
            group = await graph.groups.post(wanted)
            assert group is not None
            made.append(str(group.id))
        await asyncio.sleep(1)
        inner, outer = (graph.groups.by_group_id(each) for each in made)
        bound = [f"{graph.request_adapter.base_url}/directoryObjects/{each}" for each in users]
        await inner.patch(Group(additional_data={"members@odata.bind": bound}))
        reference = ReferenceCreate(odata_id=f"{graph.request_adapter.base_url}/directoryObjects/{made[0]}")
        await outer.members.ref.post(reference)
        await asyncio.sleep(1)
        direct, through = await outer.members.get(), await outer.transitive_members.get()
        assert direct is not None
        assert through is not None
        people = [str(each.id) for each in through.value or [] if isinstance(each, User)]
        query = GroupsRequestBuilder.GroupsRequestBuilderGetQueryParameters(
            filter="startswith(displayName,'outer')", count=True, top=1
        )
        options = RequestConfiguration(query_parameters=query)
        options.headers.add("ConsistencyLevel", "eventual")
        counted = await graph.groups.get(options)
        assert counted is not None
        return [str(each.id) for each in direct.value or []] == [made[0]] and people, users, counted.odata_count

    people, wanted, count = ask(endpoint, story)
    assert sorted(people) == sorted(wanted)
    assert count == 1


def test_many_calls_in_one_batch(endpoint: Endpoint) -> None:
    """Sent by the adapter itself: the batch classes of msgraph-core 1.x import a package that it does not require."""
    users = endpoint.call(lambda world: sorted(world.state.directory.users)[:3])

    async def story(graph: GraphServiceClient) -> dict[str, int]:
        calls = [
            {"id": user, "method": "GET", "url": f"/users/{user}"}
            for user in [*users, "00000000-0000-4000-a000-000000000000"]
        ]
        batch = RequestInformation(method=Method.POST, url_template="{+baseurl}/$batch")
        batch.set_stream_content(json.dumps({"requests": calls}).encode(), "application/json")
        answer = await graph.request_adapter.send_primitive_async(batch, "bytes", {})
        assert isinstance(answer, bytes)
        return {each["id"]: each["status"] for each in json.loads(answer)["responses"]}

    found = ask(endpoint, story)
    assert found == dict.fromkeys(users, 200) | {"00000000-0000-4000-a000-000000000000": 404}


def test_conditional_access_policies_are_read(endpoint: Endpoint) -> None:
    known = endpoint.call(lambda world: [each["displayName"] for each in world.state.directory.conditional_access])

    async def story(graph: GraphServiceClient) -> list[str]:
        page = await graph.identity.conditional_access.policies.get()
        return [str(each.display_name) for each in (page and page.value) or []]

    assert ask(endpoint, story) == known
    assert known, "the estate has no policy to read"


def test_what_is_not_there_is_an_error_of_the_sdk(endpoint: Endpoint) -> None:
    async def story(graph: GraphServiceClient) -> None:
        await graph.groups.by_group_id("00000000-0000-4000-a000-000000000000").get()

    with pytest.raises(ODataError) as caught:
        ask(endpoint, story)
    assert caught.value.response_status_code == 404
    assert caught.value.error is not None
    assert caught.value.error.code == "Request_ResourceNotFound"
