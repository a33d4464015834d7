"""Executables of the operator's own, before and after the run, a wave and a host, the same on the way back, at gates
and notices.

| Moment | A no (any exit code but 0, a deadline, a file that cannot be run) means |
|---|---|
| before_run | the run holds; nothing was written |
| before_wave | the wave holds |
| before_host | the host stays on classic, in quarantine, and counts against the failure budget |
| before_rollback | the run holds; nothing was taken back |
| before_host_back | the host stays in service on the target, and the rollback holds |
| before_complete | nothing of classic is removed |
| after_*, at_* | a line in the journal |

A hook that was cut off by a crash runs again.
"""

from collections.abc import Mapping
from pathlib import Path

from crossfade.errors import StepFailed
from crossfade.execution.hook_process import Ended, run_executable
from crossfade.execution.journal import Journal
from crossfade.execution.steps import Facts, Steps
from crossfade.plan.plan import HostMove, Settings

HOOK = "hook"
"""Subject of the notes on hooks that cannot say no."""
PREFIX = "CROSSFADE_"
SAID_LETTERS = 400


class Hooks:
    """The hooks of one run. `folder` is the migration's: relative paths begin there, and hooks run in it."""

    def __init__(self, settings: Settings, journal: Journal, run_id: str, folder: Path | None) -> None:
        self._paths = settings.hooks if folder is not None else {}
        self._deadline_s = settings.hook_deadline_s
        self._journal = journal
        self._run_id = run_id
        self._folder = (folder or Path()).absolute()

    def has(self, moment: str) -> bool:
        return bool(self._paths.get(moment))

    async def before(self, steps: Steps, name: str, moment: str, variables: Mapping[str, str]) -> None:
        """Ask whether something may begin, as a step of that name. Raises StepFailed for a no."""
        if not self.has(moment):
            return

        async def ask() -> Facts:
            ended = await self._run(moment, variables)
            if ended.code == 0:
                return {"hook": self._paths[moment], "output": ended.output}
            raise StepFailed(
                f"The hook {moment} ({self._paths[moment]}) says no.",
                f"It {ended.why}." + (f" It said: {_short(ended.output)}" if ended.output else " It said nothing."),
                "Do what it asks for, then `crossfade resume`: it is asked again.",
            )

        await steps.perform(name, ask, reason=f"the hook {moment} is asked")

    async def after(self, moment: str, variables: Mapping[str, str]) -> Facts:
        """Tell that something has happened. What becomes of the hook is noted and changes nothing."""
        if not self.has(moment):
            return {}
        ended = await self._run(moment, variables)
        told = f"{moment}: {self._paths[moment]} {ended.why or 'is done'}"
        data = {"moment": moment, "code": ended.code, "output": ended.output, "variables": dict(variables)}
        self._journal.note(HOOK, told, run_id=self._run_id, data=data)
        return {"code": ended.code}

    async def noticed(self, facts: Facts) -> Facts:
        """Tell of a notice, where these facts hold one; they are given back."""
        if "notice" in facts:
            await self.after("at_notice", {"NOTICE": facts["notice"], "PEOPLE": str(facts["people"])})
        return facts

    async def _run(self, moment: str, variables: Mapping[str, str]) -> Ended:
        given = {
            "HOOK": moment,
            "RUN": self._run_id,
            "FOLDER": str(self._folder),
            "DEADLINE_S": f"{self._deadline_s:g}",
            **variables,
        }
        environment = {PREFIX + name: value for name, value in given.items()}
        return await run_executable(self._folder / self._paths[moment], environment, self._deadline_s, self._folder)


def host_variables(move: HostMove, wave_id: str) -> dict[str, str]:
    """What the hooks of a host are told."""
    return {
        "HOST": move.host_name,
        "SOURCE": move.source,
        "POOL": move.source_pool,
        "VM": move.vm,
        "PERSON": move.assigned_user or "",
        "WAVE": wave_id,
    }


def _short(output: str) -> str:
    """The end of what it said, on one line."""
    line = " / ".join(part.strip() for part in output.splitlines() if part.strip())
    return line if len(line) <= SAID_LETTERS else f"… {line[-SAID_LETTERS:]}"
