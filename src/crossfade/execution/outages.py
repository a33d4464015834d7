"""A service that cannot be reached, a sign-in or a right that is over, is no host's fault: no host is given up for it.

The step that meets one stays where it is and is tried again, for as long as `PATIENCE_S` says; then the run holds, its
hosts where they are by then, and it says by which command one goes on from there.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from crossfade.clock import Clock, iso
from crossfade.errors import CloudError, Forbidden, StepFailed, Throttled, Unauthorized, Unreachable
from crossfade.execution.journal import Journal
from crossfade.execution.stopping import RESUME

LOOK_S = 60.0
"""Before the first further try; later ones come after a quarter of the time that it has lasted."""
PATIENCE_S: dict[type[CloudError], float] = {Unreachable: 3600.0, Throttled: 3600.0, Unauthorized: 0.0, Forbidden: 0.0}
"""From the first failure to the run's hold. A sign-in or a right that is over does not mend itself while this process
lives."""
RIGHT_IS_OVER = "AuthorizationFailed"
"""How Azure refuses whoever has no right. Each was there when the run began: a role that was activated for some hours
has ended, or was taken away. A policy that forbids one write says something else."""
OUTAGE = "outage"
"""Subject of the notes that tell of one."""

_MENDS: dict[type[CloudError], str] = {
    Unreachable: "When it answers again, `{}` goes on where the hosts are.",
    Throttled: "When its limits have recovered, `{}` goes on where the hosts are.",
    Unauthorized: "Sign in anew; then `{}` goes on where the hosts are.",
    Forbidden: "Activate the role again, or have it granted (see `crossfade doctor`); then `{}` goes on where the hosts"
    " are.",
}
_CLASSIC_GONE = (
    " While classic does not answer nothing can go back to it: rollback is impossible. Hosts that have moved serve on. "
    "If it is switched off for good, `crossfade resume --without-classic` moves what is left, waiting for nobody."
)

GiveUp = Callable[[StepFailed], None]


class Frozen(StepFailed):
    """Classic does not answer any more: the run is frozen, and there is no way back while that is so."""

    code = "classic-gone"


class Outages:
    """Those of one run in this process. `give_up` has the run hold; `goes_on` is the command that goes on then."""

    def __init__(self, journal: Journal, clock: Clock, run_id: str, give_up: GiveUp, goes_on: str = RESUME) -> None:
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._give_up = give_up
        self._goes_on = goes_on
        self._since: dict[str, datetime] = {}

    async def met(self, step_id: str, error: CloudError) -> bool:
        """False for what is no outage. True after a while, when the step is to be tried again. When patience is over
        the run is told to hold, and this returns no more."""
        if not is_outage(error):
            return False
        patience_s = PATIENCE_S[type(error)]
        now = self._clock.now()
        since = self._begun(step_id, error, now)
        if now >= since + timedelta(seconds=patience_s):
            self._give_up(_held(error, since, self._goes_on))
            await asyncio.Event().wait()
        await self._clock.sleep(max(LOOK_S, (now - since).total_seconds() / 4))
        return True

    def over(self, step_id: str, error: CloudError) -> None:
        """The step that met it has got through."""
        since = self._since.pop(error.service, None)
        if since is not None:
            told = f"{error.service} answers again; {step_id} went on. It had begun at {iso(since)}."
            data = {"service": error.service, "step": step_id, "over": True}
            self._journal.note(OUTAGE, told, run_id=self._run_id, data=data)

    def _begun(self, step_id: str, error: CloudError, now: datetime) -> datetime:
        if error.service not in self._since:
            self._since[error.service] = now
            told = f"{step_id} waits where it is: {error.why}"
            until = iso(now + timedelta(seconds=PATIENCE_S[type(error)]))
            data = {"service": error.service, "step": step_id, "why": error.why, "until": until}
            self._journal.note(OUTAGE, told, run_id=self._run_id, data=data)
        return self._since[error.service]


def is_outage(error: CloudError) -> bool:
    """Whether it hits every host alike."""
    return type(error) in PATIENCE_S and (not isinstance(error, Forbidden) or error.service_code == RIGHT_IS_OVER)


def _held(error: CloudError, since: datetime, goes_on: str) -> StepFailed:
    frozen = error.service == "classic" and isinstance(error, Unreachable)
    does = "is frozen" if frozen and goes_on == RESUME else "holds"
    what = f"The run {does}: {error.service} could not be used since {iso(since)[:19].replace('T', ' ')} UTC."
    mend = _MENDS[type(error)].format(goes_on)
    gone = _CLASSIC_GONE if goes_on == RESUME else ""
    return Frozen(what, error.why, mend + gone) if frozen else StepFailed(what, error.why, mend)
