"""Virtual machines as far as a move needs them: look, start, restart, deallocate, run a command, take a snapshot of the
OS disk. No VM and no disk is deleted."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

from crossfade.clock import Clock
from crossfade.cloud.calls import Call
from crossfade.cloud.sdk import Sdk, awaited, encoded, listed, sent
from crossfade.errors import GateTimedOut, NotFound
from crossfade.model.ids import last_name, segments

RUN_LOOK_S = 15.0
"""At least this long between two looks at a running command."""
ENDED = frozenset({"Succeeded", "Failed", "TimedOut", "Canceled"})


class Machines:
    """VMs are addressed by resource id. Raises CloudError."""

    def __init__(self, sdk: Sdk, clock: Clock) -> None:
        self._sdk = sdk
        self._clock = clock

    async def get(self, vm_id: str) -> dict[str, Any]:
        """The model of a VM. Raises NotFound."""
        subscription, group, name = _names(vm_id)
        operation = self._sdk.compute(subscription).virtual_machines.get
        return dict(await sent(_call("GET", vm_id), operation, group, name))

    async def instance_view(self, vm_id: str) -> dict[str, Any]:
        """What the VM and its guest agent report: `statuses`, `vmAgent`, `computerName`."""
        subscription, group, name = _names(vm_id)
        operation = self._sdk.compute(subscription).virtual_machines.instance_view
        return dict(await sent(_call("GET", vm_id), operation, group, name))

    async def pages(self, scope: str, *, status_only: bool = False) -> AsyncIterator[list[dict[str, Any]]]:
        """The VMs of a subscription or resource group. `status_only` (subscriptions): power states in few calls."""
        parts = segments(scope)
        machines = self._sdk.compute(parts["subscriptions"]).virtual_machines
        call = Call(service="arm", subject=f"the virtual machines of {scope}", method="GET")
        if "resourcegroups" in parts:
            pages = listed(call, machines.list, parts["resourcegroups"])
        else:
            pages = listed(call, machines.list_all, **({"status_only": "true"} if status_only else {}))
        async for page in pages:
            yield page

    async def rows(self, scope: str, *, status_only: bool = False) -> list[dict[str, Any]]:
        """All VMs of `pages`."""
        return [row async for page in self.pages(scope, status_only=status_only) for row in page]

    # -- power: each returns when the operation has ended

    async def start(self, vm_id: str) -> None:
        await self._switch(vm_id, "begin_start", repeatable=True)

    async def restart(self, vm_id: str) -> None:
        """Not sent twice when its outcome is unknown: a second restart would disturb the first."""
        await self._switch(vm_id, "begin_restart", repeatable=False)

    async def deallocate(self, vm_id: str) -> None:
        await self._switch(vm_id, "begin_deallocate", repeatable=True)

    async def _switch(self, vm_id: str, action: str, *, repeatable: bool) -> None:
        subscription, group, name = _names(vm_id)
        operation = getattr(self._sdk.compute(subscription).virtual_machines, action)
        verb = action.removeprefix("begin_")
        call = Call(service="arm", subject=_subject(vm_id), method="POST", repeatable=repeatable, verb=verb)
        await awaited(call, self._sdk.lookout.watching(subscription), operation, group, name)

    # -- snapshots of OS disks

    async def snapshot(self, snapshot_id: str) -> dict[str, Any] | None:
        """A snapshot as it is; None when there is none."""
        subscription, group, name = _snapshot_names(snapshot_id)
        operation = self._sdk.compute(subscription).snapshots.get
        try:
            return dict(await sent(_of_snapshot("GET", snapshot_id), operation, group, name))
        except NotFound:
            return None

    async def snapshots(self, group_id: str) -> list[dict[str, Any]]:
        """The snapshots of a resource group; none where there is no such group."""
        parts = segments(group_id)
        operation = self._sdk.compute(parts["subscriptions"]).snapshots.list_by_resource_group
        call = Call(service="arm", subject=f"the disk snapshots of {group_id}", method="GET")
        try:
            return [row async for page in listed(call, operation, parts["resourcegroups"]) for row in page]
        except NotFound:
            return []

    async def take_snapshot(self, snapshot_id: str, body: dict[str, Any]) -> None:
        """Returns when it is taken. The same again takes none anew."""
        subscription, group, name = _snapshot_names(snapshot_id)
        operation = self._sdk.compute(subscription).snapshots.begin_create_or_update
        call, watching = _of_snapshot("PUT", snapshot_id), self._sdk.lookout.watching(subscription)
        await awaited(call, watching, operation, group, name, snapshot=encoded(body))

    async def remove_snapshot(self, snapshot_id: str) -> None:
        """Absent is fine."""
        subscription, group, name = _snapshot_names(snapshot_id)
        operation = self._sdk.compute(subscription).snapshots.begin_delete
        call, watching = _of_snapshot("DELETE", snapshot_id), self._sdk.lookout.watching(subscription)
        try:
            await awaited(call, watching, operation, group, name)
        except NotFound:
            return

    # -- managed run command

    async def begin_command(
        self,
        vm_id: str,
        name: str,
        *,
        location: str,
        script: str,
        parameters: Mapping[str, str],
        protected: Mapping[str, str],
        timeout_s: int,
    ) -> None:
        """Have a PowerShell script begin on a VM, as SYSTEM; returns when it has. `protected` values are secrets: no
        answer shows them. The same name with the same content begins it anew."""
        subscription, group, vm = _names(vm_id)
        properties = {
            "source": {"script": script},
            "parameters": _pairs(parameters),
            "protectedParameters": _pairs(protected),
            "asyncExecution": True,
            "timeoutInSeconds": timeout_s,
        }
        operation = self._sdk.compute(subscription).virtual_machine_run_commands.begin_create_or_update
        call = Call(service="arm", subject=f"command {name} on {_subject(vm_id)}", method="PUT", repeatable=False)
        body = encoded({"location": location, "properties": properties})
        await awaited(call, self._sdk.lookout.watching(subscription), operation, group, vm, name, run_command=body)

    async def command_view(self, vm_id: str, name: str) -> dict[str, Any] | None:
        """`instanceView` of a command: `executionState`, `exitCode`, `output`, `error`, `startTime`, `endTime`. None
        when there is no such command; empty while nothing is known of it."""
        subscription, group, vm = _names(vm_id)
        operation = self._sdk.compute(subscription).virtual_machine_run_commands.get_by_virtual_machine
        call = Call(service="arm", subject=f"command {name} on {_subject(vm_id)}", method="GET")
        try:
            answer = await sent(call, operation, group, vm, name, expand="instanceView")
        except NotFound:
            return None
        return dict((answer.get("properties") or {}).get("instanceView") or {})

    async def command_ended(self, vm_id: str, name: str, *, within_s: float) -> dict[str, Any]:
        """Wait until a command has ended, well or badly; its `instanceView`. Raises NotFound, GateTimedOut."""
        deadline = self._clock.now() + timedelta(seconds=within_s)
        with self._sdk.lookout.watching(segments(vm_id)["subscriptions"]) as every_s:
            while True:
                view = await self.command_view(vm_id, name)
                if view is None:
                    raise NotFound(f"Command {name} is not on {_subject(vm_id)}.", "It is gone.", "Run it again.")
                if view.get("executionState") in ENDED:
                    return view
                if self._clock.now() >= deadline:
                    why = f"It is {view.get('executionState', 'unknown')} after {within_s:.0f} s."
                    raise GateTimedOut(f"Command {name} on {_subject(vm_id)} has not ended.", why, "Look at the VM.")
                await self._clock.sleep(every_s(RUN_LOOK_S))

    async def forget_command(self, vm_id: str, name: str) -> None:
        """Remove a command's resource from its VM; one that still runs is cancelled. Absent is fine."""
        subscription, group, vm = _names(vm_id)
        operation = self._sdk.compute(subscription).virtual_machine_run_commands.begin_delete
        call = Call(service="arm", subject=f"command {name} on {_subject(vm_id)}", method="DELETE")
        try:
            await awaited(call, self._sdk.lookout.watching(subscription), operation, group, vm, name)
        except NotFound:
            return


def _names(vm_id: str) -> tuple[str, str, str]:
    parts = segments(vm_id)
    return parts["subscriptions"], parts["resourcegroups"], parts["virtualmachines"]


def _snapshot_names(snapshot_id: str) -> tuple[str, str, str]:
    parts = segments(snapshot_id)
    return parts["subscriptions"], parts["resourcegroups"], parts["snapshots"]


def _of_snapshot(method: str, snapshot_id: str) -> Call:
    return Call(service="arm", subject=f"disk snapshot {last_name(snapshot_id)}", method=method)


def _subject(vm_id: str) -> str:
    return f"virtual machine {last_name(vm_id)}"


def _call(method: str, vm_id: str) -> Call:
    return Call(service="arm", subject=_subject(vm_id), method=method)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
