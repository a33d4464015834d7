"""One step of a run: intent into the journal, observe, act, outcome into the journal.

A step that was begun and has no outcome is unknown; a step that failed may have had half of its effect. So every try
observes first: is it already so?
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from crossfade.clock import Clock, iso, parse_iso
from crossfade.cloud.heard import RetryDetails, listening
from crossfade.errors import CloudError, GateTimedOut, MigrationError, StepFailed
from crossfade.execution.engine import Workflow, error_as_data, error_from_data
from crossfade.execution.journal import Context, Journal
from crossfade.execution.transitions import Kind
from crossfade.execution.undone import standing

Facts = dict[str, Any]
"""What a step leaves behind: ids, counts and names; never a secret."""
Act = Callable[[], Awaitable[Facts]]
Observe = Callable[[], Awaitable[Facts | None]]
"""Facts when it is already so, else None."""
LIMIT_S = 4_500.0
"""A run command of 30 minutes, the end of one that was left behind, and a quarter of an hour for the rest."""


class Control(Protocol):
    """Whether the run may go on: asked before anything new is begun."""

    async def checkpoint(self) -> None:
        """Returns when work may begin; waits while the run is paused."""
        ...

    async def gate(self) -> None:
        """Returns when a step may begin; never again once the run is being stopped."""
        ...

    async def outage(self, step_id: str, error: CloudError) -> bool:
        """Whether a step that met this error is to be tried again where it stands; after a while, if so."""
        ...

    def outage_over(self, step_id: str, error: CloudError) -> None:
        """A step got through that had met this error."""
        ...


RETRY = "retry"
"""Subject of the notes that tell of a call sent again."""


class Steps:
    """The steps of one subject (a host, a chain) of one run, in one workflow."""

    def __init__(
        self,
        port: Workflow,
        journal: Journal,
        clock: Clock,
        *,
        run_id: str,
        subject: str,
        control: Control,
        limit_s: float = LIMIT_S,
    ) -> None:
        """`limit_s`: how long one try of a step that does something may take."""
        self._port = port
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._control = control
        self._limit_s = limit_s
        self.subject = subject

    async def perform(
        self,
        name: str,
        act: Act,
        *,
        observe: Observe | None = None,
        only_again: bool = False,
        undoable: bool = False,
        within_s: float | None = None,
        reason: str = "",
        then: Callable[[Facts], None] | None = None,
    ) -> Facts:
        """Do a step once, whatever happens to this process. Gives its facts, also when it was done before.

        `only_again`: the step before has just looked, so observe only when an earlier try of this one may have acted.
        `undoable`: a rollback may have taken it back since; then it is done again (see `undone`).
        `within_s`: it is over by then, counted from its first beginning, and sees to that by itself. Any other step is
        cut off when one try of it takes longer than the limit. Either is told in the journal as `until`.
        `then` runs between the effect and its outcome in the journal, so perhaps twice and never for a step that is
        finished: it must be harmless when repeated at once (moving the host's state on).
        Raises the step's MigrationError; a later call tries anew.
        """

        async def once() -> Facts:
            step_id = f"{self.subject}/{name}"
            step_id = standing(self._journal, step_id) if undoable else step_id
            await self._control.gate()
            return await self._through(step_id, lambda: try_it(step_id))

        async def try_it(step_id: str) -> Facts:
            if within_s is None:
                data = {"until": iso(self._clock.now() + timedelta(seconds=self._limit_s))}
                limited = partial(self._limited, step_id, act)
                return await self._once(step_id, limited, observe, only_again, reason, then, data)
            data = {"until": iso(self.deadline(name, within_s))}
            return await self._once(step_id, act, observe, only_again, reason, then, data)

        return dict(await self._port.step(name, once))

    async def _through(self, step_id: str, work: Callable[[], Awaitable[Facts]]) -> Facts:
        """A step's tries through an outage, if it meets one."""
        outage: CloudError | None = None
        while True:
            try:
                facts = await work()
            except CloudError as error:
                if not await self._control.outage(step_id, error):
                    raise
                outage = error
            else:
                if outage is not None:
                    self._control.outage_over(step_id, outage)
                return facts

    async def _once(
        self,
        step_id: str,
        act: Act,
        observe: Observe | None,
        only_again: bool,
        reason: str,
        then: Callable[[Facts], None] | None,
        data: Facts | None = None,
    ) -> Facts:
        attempt = self._journal.begin(step_id, run_id=self._run_id, parent=self.subject, reason=reason, data=data)
        if attempt is None:
            return self._facts(step_id)
        try:
            with listening(partial(self._retried, step_id)) as heard:
                looks = observe is not None and (attempt.number > 1 or not only_again)
                found = await observe() if observe is not None and looks else None
                facts = found if found is not None else await act()
            if then is not None:
                then(facts)
        except Exception as error:
            known = error if isinstance(error, MigrationError) else error_from_data(error_as_data(error, step_id))
            self._journal.fail(step_id, known)
            raise
        already = found is not None and not attempt.unknown and attempt.number == 1
        ids = Context(request_id=heard.request_id, correlation_id=heard.correlation_id)
        self._journal.finish(step_id, noop=already, data={"facts": facts}, context=ids)
        return facts

    async def _limited(self, step_id: str, act: Act) -> Facts:
        """What `act` gives. Raises StepFailed when it takes too long: what it has done by then is not known."""
        try:
            async with asyncio.timeout(self._limit_s) as limit:
                return await act()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise StepFailed(
                f"{step_id} had not ended after {self._limit_s:.0f} s.",
                "It was cut off; what it has done by then is not known.",
                "Whoever tries it again looks first. See `crossfade status` for its host.",
            ) from error

    def _retried(self, step_id: str, details: RetryDetails) -> None:
        when = f"in {details.wait_s:.1f} s" if details.wait_s else "at once, with a new token"
        told = f"{details.error['what']} {details.error['why']} Sent again {when}."
        data = {"attempt": details.attempt, "waited_s": details.waited_s, "wait_s": details.wait_s}
        ids = Context(
            request_id=details.error.get("request_id", ""), correlation_id=details.error.get("correlation_id", "")
        )
        self._journal.note(RETRY, told, run_id=self._run_id, data={"step": step_id, **data}, context=ids)

    def _facts(self, step_id: str) -> Facts:
        known = self._journal.get(Kind.STEP, step_id)
        assert known is not None, "a step that may be skipped is in the journal"
        return dict(known.data.get("facts", {}))

    def deadline(self, name: str, seconds: float) -> datetime:
        """When a step's time is up, counted from its first beginning, so that a restart gives no more time.

        Only inside the step itself.
        """
        known = self._journal.get(Kind.STEP, f"{self.subject}/{name}")
        begun = parse_iso(known.added_at) if known else self._clock.now()
        return begun + timedelta(seconds=seconds)

    async def look(self, name: str, observe: Act) -> Facts:
        """Only look: nothing is left in the journal, and each call looks anew. An outage is outlasted as elsewhere."""

        async def once() -> Facts:
            await self._control.gate()
            return await self._through(f"{self.subject}/{name}", observe)

        return dict(await self._port.step(name, once))

    async def until(
        self,
        name: str,
        look: Observe,
        *,
        every_s: float,
        within_s: float,
        waiting_for: str,
        then: Callable[[Facts], None] | None = None,
        told: Callable[[], Awaitable[str]] | None = None,
    ) -> Facts:
        """Look again and again until there are facts. Raises GateTimedOut when the time is up; `told` says what there
        is instead.
        """

        async def act() -> Facts:
            deadline = self.deadline(name, within_s)
            while True:
                facts = await look()
                if facts is not None:
                    return facts
                if self._clock.now() >= deadline:
                    raise GateTimedOut(
                        f"{self.subject} waited {within_s:.0f} s for {waiting_for}.",
                        "It did not come." if told is None else f"It did not come. {await told()}",
                        "See `crossfade status` for the host, mend it and retry, or move it in a later plan.",
                    )
                await self._clock.sleep(every_s)

        return await self.perform(name, act, within_s=within_s, reason=f"waiting for {waiting_for}", then=then)


async def insist(
    port: Workflow, work: Callable[[], Awaitable[Facts]], *, tries: int, pause_s: float, on: tuple[type[Exception], ...]
) -> Facts:
    """Try `work` several times, pausing between. For failures that pass by themselves: a busy VM, a slow service."""
    for left in range(tries - 1, -1, -1):
        try:
            return await work()
        except on:
            if left == 0:
                raise
            await port.sleep(pause_s)
    raise AssertionError("tries is at least one")
