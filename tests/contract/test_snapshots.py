"""Snapshots of OS disks through the official azure-mgmt-compute client, unmodified, against the twin.

`docs/reference/twin-coverage.md` is made from the marks of this file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute import models as m

sys.path.insert(0, str(Path(__file__).parent))

from _inprocess import ORIGIN, SUBSCRIPTION, InProcessTransport, StaticCredential, Twin, add_group, grant, make_world

from avdtwin import windows
from avdtwin.directory import add_user
from avdtwin.state import User

RG, NAME = "rg", "crossfade-vm-1"
COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RG}/providers/Microsoft.Compute"
DISK = f"{COMPUTE}/disks/vm-1_OsDisk"
SNAPSHOT_ROLE = "7efff54f-a5b4-42b5-a1c5-5411624893ce"
VM_ROLE = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"


class Service:
    """A twin with one VM, and the client before it. `answers`: those of the last call."""

    def __init__(self) -> None:
        self.twin = Twin(make_world())
        self.world = self.twin.world
        windows.build(
            self.world,
            resource_id=f"{COMPUTE}/virtualMachines/vm-1",
            computer_name="vm-1",
            fqdn="vm-1.ad.contoso.example",
        )
        self.answers: list[Any] = []
        self.caller: tuple[str, str] | tuple[()] = ()

    def call(self, method: str, *args: Any) -> Any:
        transport = InProcessTransport(self.twin.app)
        credential = StaticCredential(self.world, *self.caller)
        with ComputeManagementClient(credential, SUBSCRIPTION, base_url=ORIGIN, transport=transport) as client:
            self.answers.clear()
            heard = {"raw_response_hook": lambda answer: self.answers.append(answer.http_response)}
            found = getattr(client.snapshots, method)(*args, **heard)
            return found.result() if method.startswith("begin_") else found

    def take(self, disk: str = DISK, **more: Any) -> Any:
        return self.call("begin_create_or_update", RG, NAME, snapshot(disk, **more))

    def refused(self, method: str, *args: Any) -> tuple[int, str]:
        with pytest.raises(HttpResponseError) as caught:
            self.call(method, *args)
        return caught.value.status_code or 0, str(caught.value.error.code if caught.value.error else "")


def snapshot(disk: str = DISK, *, incremental: bool = True, tags: dict[str, str] | None = None) -> m.Snapshot:
    source = m.CreationData(create_option="Copy", source_resource_id=disk)
    properties = m.SnapshotProperties(creation_data=source, incremental=incremental)
    return m.Snapshot(location="westeurope", properties=properties, tags=tags)


@pytest.fixture
def service() -> Service:
    return Service()


def covers(operation: str, *aspects: str) -> Callable[..., Any]:
    return pytest.mark.covers(f"snapshots.{operation}", *aspects)


@covers("begin_create_or_update", "body")
@covers("get", "body", "repeat")
def test_one_is_taken_and_awaited(service: Service) -> None:
    made = service.take(tags={"a": "b"})
    first = service.answers[0]
    assert first.status_code == 202
    assert {"location", "retry-after", "azure-asyncoperation"} <= set(first.headers)
    assert first.json()["properties"]["provisioningState"] == "Updating"
    assert (made.id, made.tags) == (f"{COMPUTE}/snapshots/{NAME}", {"a": "b"})
    assert (made.properties.provisioning_state, made.properties.incremental) == ("Succeeded", True)
    source = made.properties.creation_data
    assert (source.create_option, source.source_resource_id) == ("Copy", DISK)
    assert made.properties.time_created is not None
    assert service.call("get", RG, NAME) == made == service.call("get", RG, NAME)


@covers("begin_create_or_update", "repeat")
def test_the_same_again_takes_none_anew(service: Service) -> None:
    made = service.take()
    again = service.take()
    assert service.answers[0].status_code == 200
    assert again == made


@covers("begin_create_or_update", "error")
def test_refusals(service: Service) -> None:
    gone = f"{COMPUTE}/disks/nowhere_OsDisk"
    assert service.refused("begin_create_or_update", RG, NAME, snapshot(gone)) == (404, "NotFound")
    refused = service.refused("begin_create_or_update", "nogroup", NAME, snapshot())
    assert refused == (404, "ResourceGroupNotFound")
    assert service.refused("begin_create_or_update", RG, "with space", snapshot())[0] == 400
    nothing = m.Snapshot(location="westeurope")
    assert service.refused("begin_create_or_update", RG, NAME, nothing) == (400, "InvalidParameter")
    assert list(service.call("list")) == []
    service.take()
    full = snapshot(incremental=False)
    assert service.refused("begin_create_or_update", RG, NAME, full) == (409, "PropertyChangeNotAllowed")


@covers("get", "error")
@covers("list_by_resource_group", "body", "error", "repeat")
@covers("list", "body", "repeat")
def test_what_is_there_and_what_is_not(service: Service) -> None:
    service.take()
    for _ in range(2):
        assert [one.name for one in service.call("list_by_resource_group", RG)] == [NAME]
        assert [one.name for one in service.call("list")] == [NAME]
    assert service.refused("get", RG, "other") == (404, "ResourceNotFound")
    with pytest.raises(HttpResponseError, match="nogroup"):
        list(service.call("list_by_resource_group", "nogroup"))


@covers("begin_delete", "body", "repeat")
def test_removed_and_removed_again(service: Service) -> None:
    service.take()
    service.call("begin_delete", RG, NAME)
    assert service.answers[0].status_code == 202
    assert "location" in service.answers[0].headers
    service.call("begin_delete", RG, NAME)
    assert service.answers[0].status_code == 204
    assert list(service.call("list")) == []


@covers("begin_delete", "error")
@covers("list", "error")
def test_rights_are_needed_on_snapshot_and_disk(service: Service) -> None:
    """A copy reads its disk: whoever may write snapshots elsewhere, and not read this disk, is refused."""
    limited, group = "aaaaaaaa-0000-4000-a000-000000000009", f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
    add_user(service.world, User(id=limited, upn="limited@contoso.example"))
    add_group(service.world, "other")
    service.take()
    service.caller = (limited, "limited@contoso.example")
    grant(service.world, limited, VM_ROLE, f"{group}/{RG}")
    assert service.refused("begin_create_or_update", RG, NAME, snapshot()) == (403, "AuthorizationFailed")
    assert service.refused("begin_delete", RG, NAME) == (403, "AuthorizationFailed")
    with pytest.raises(HttpResponseError, match=r"Microsoft\.Compute/snapshots/read"):
        list(service.call("list"))
    grant(service.world, limited, SNAPSHOT_ROLE, f"{group}/other")
    refused = service.refused("begin_create_or_update", "other", NAME, snapshot())
    assert refused == (403, "LinkedAuthorizationFailed")
    grant(service.world, limited, SNAPSHOT_ROLE, f"{group}/{RG}")
    made = service.call("begin_create_or_update", "other", NAME, snapshot())
    assert made.properties.provisioning_state == "Succeeded"
