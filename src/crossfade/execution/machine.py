"""The inside of a VM: the move script run step by step, power, and what the script says it saw.

The script goes as a managed run command, so that the token is a protected parameter; its resource is removed from the
VM as soon as its result is read. It answers with one line, `CROSSFADE-RESULT {json}`.
"""

import json
from datetime import timedelta
from importlib import resources
from typing import Any

from crossfade.clock import Clock, parse_iso
from crossfade.cloud.arm import Arm
from crossfade.cloud.machines import ENDED
from crossfade.cloud.token import RegistrationToken
from crossfade.errors import CloudError, GateTimedOut, NotFound, StepFailed
from crossfade.execution.source import Source
from crossfade.execution.steps import Facts
from crossfade.execution.target import Target
from crossfade.plan.plan import HostMove, Settings

MARK = "CROSSFADE-RESULT "
BOOT_WITHIN_S = 900.0
BOOT_LOOK_S = 60.0
_PARAMETERS = {
    "agent": "AgentInstaller",
    "boot_loader": "BootLoaderInstaller",
    "agent_url": "AgentUrl",
    "boot_loader_url": "BootLoaderUrl",
    "agent_version": "AgentVersion",
    "signer": "Signer",
    "minimum_free_bytes": "MinimumFreeBytes",
    "broker_url": "BrokerUrl",
}


class ScriptFailed(StepFailed):
    """A step of the move script said no; `code` of its result is in `why`."""

    code = "script-failed"


class Machine:
    """Run commands and power of the VMs of one run."""

    def __init__(self, arm: Arm, target: Target, clock: Clock, settings: Settings, run_id: str) -> None:
        self._machines = arm.machines
        self._target = target
        self._clock = clock
        self._settings = settings
        self._run_id = run_id
        self._locations: dict[str, str] = {}

    # -- the script

    async def script(self, move: HostMove, step: str) -> Facts:
        """Run a step that needs no token; its facts. Raises ScriptFailed when it says no, CloudError when it cannot."""
        return await self._run(move, step, {})

    async def install(self, move: HostMove) -> Facts:
        """Install with the target pool's token, which is read here and goes nowhere else."""
        token = await self._target.token(move.target_pool)
        return await self._run(move, "install", {"RegistrationToken": token.value})

    async def install_classic(self, move: HostMove, source: Source) -> Facts:
        """Install with a classic token (way b)."""
        token: RegistrationToken = await source.token(move.source_pool)
        return await self._run(move, "install", {"RegistrationToken": token.value})

    async def is_installed(self, move: HostMove) -> Facts | None:
        """Facts when the new agent is there and registered with the new service.

        An install that a crash cut off from us ends first: looked at half way, it would pass for done.
        """
        await self._clear(move.vm, "crossfade-install")
        facts = await self.script(move, "observe")
        return facts if facts.get("brokerKind") == "arm" and facts.get("isRegistered") else None

    async def is_installed_classic(self, move: HostMove) -> Facts | None:
        """Facts when an agent is there and registered with classic (way b)."""
        facts = await self.script(move, "observe")
        return facts if facts.get("brokerKind") == "classic" and facts.get("isRegistered") else None

    async def is_bare(self, move: HostMove) -> bool:
        """Whether no agent is on the VM at all: one whose installation is not told yet is to keep its registration."""
        return not (await self.script(move, "observe"))["products"]

    async def boot_time(self, move: HostMove) -> Facts:
        facts = await self.script(move, "observe")
        return {"booted_at": facts["bootTime"]}

    async def booted_since(self, move: HostMove, before: str) -> Facts | None:
        facts = await self.boot_time(move)
        return facts if parse_iso(facts["booted_at"]) > parse_iso(before) else None

    async def _run(self, move: HostMove, step: str, protected: dict[str, str]) -> Facts:
        name = f"crossfade-{step}"
        await self._clear(move.vm, name)
        await self._machines.begin_command(
            move.vm,
            name,
            location=await self._location(move.vm),
            script=script_text(),
            parameters={"Step": step, "RunId": self._run_id, **self._parameters()},
            protected=protected,
            timeout_s=int(self._settings.step_timeout_s),
        )
        view = await self._machines.command_ended(move.vm, name, within_s=self._settings.step_timeout_s + 300.0)
        await self._machines.forget_command(move.vm, name)
        return read_result(view, step, move.host_name)

    async def _clear(self, vm: str, name: str) -> None:
        """A command that an earlier try left behind ends first: two at once would disturb each other."""
        view = await self._machines.command_view(vm, name)
        if view is None:
            return
        if view.get("executionState") not in ENDED:
            await self._machines.command_ended(vm, name, within_s=self._settings.step_timeout_s)
        await self._machines.forget_command(vm, name)

    def _parameters(self) -> dict[str, str]:
        chosen = self._settings.installers
        return {parameter: chosen[name] for name, parameter in _PARAMETERS.items() if chosen.get(name)}

    async def _location(self, vm: str) -> str:
        if vm not in self._locations:
            self._locations[vm] = (await self._machines.get(vm))["location"]
        return self._locations[vm]

    # -- power

    async def is_running(self, vm: str) -> Facts | None:
        view = await self._machines.instance_view(vm)
        codes = {status.get("code") for status in view.get("statuses") or []}
        return {"power": "running"} if "PowerState/running" in codes else None

    async def exists(self, vm: str) -> bool:
        try:
            await self._machines.get(vm)
        except NotFound:
            return False
        return True

    async def start(self, vm: str) -> Facts:
        await self._machines.start(vm)
        return {"power": "running"}

    async def deallocate(self, vm: str) -> Facts:
        await self._machines.deallocate(vm)
        return {"deallocated": True}

    async def restart(self, move: HostMove, before: str) -> Facts:
        """Restart, and wait until the guest answers with a later boot time."""
        await self._machines.restart(move.vm)
        deadline = self._clock.now() + timedelta(seconds=BOOT_WITHIN_S)
        while True:
            try:
                facts = await self.booted_since(move, before)
            except (CloudError, ScriptFailed):
                facts = None
            if facts is not None:
                return facts
            if self._clock.now() >= deadline:
                raise GateTimedOut(
                    f"{move.host_name} did not come up after its restart.",
                    f"It said nothing for {BOOT_WITHIN_S:.0f} s.",
                    "Look at the VM's boot diagnostics.",
                )
            await self._clock.sleep(BOOT_LOOK_S)


def script_text() -> str:
    """The move script, as it is shipped."""
    return resources.files("crossfade.execution.vm").joinpath("move_host.ps1").read_text(encoding="utf-8")


def read_result(view: dict[str, Any], step: str, host: str) -> Facts:
    """The facts of a run command's result line. Raises ScriptFailed when there is none or it says no."""
    lines = [line for line in (view.get("output") or "").splitlines() if line.startswith(MARK)]
    if not lines:
        raise ScriptFailed(
            f"Step {step} on {host} gave no result.",
            f"The run command ended as {view.get('executionState')}, exit code {view.get('exitCode')}.",
            "Look at the guest agent of the VM; the step is tried again.",
        )
    result = json.loads(lines[-1].removeprefix(MARK))
    if not result.get("ok"):
        facts = result.get("facts") or {}
        raise ScriptFailed(
            f"Step {step} on {host} failed.",
            f"{result.get('code')}: {facts.get('message') or facts}",
            "See docs/reference/move-script.md for the code.",
        )
    return dict(result.get("facts") or {})
