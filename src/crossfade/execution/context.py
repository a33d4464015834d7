"""What the workflows of one run share: the plan, the journal, the services seen as a move needs them."""

from typing import Any

from crossfade.clock import Clock
from crossfade.execution.alerts import Alerts
from crossfade.execution.engine import Workflow
from crossfade.execution.handlers.table import Handlers
from crossfade.execution.hooks import Hooks
from crossfade.execution.journal import Journal
from crossfade.execution.machine import Machine
from crossfade.execution.notices import Notices
from crossfade.execution.orders import Orders
from crossfade.execution.progress import JournalProgress
from crossfade.execution.seats import PEOPLE, Seats
from crossfade.execution.shown import Shown
from crossfade.execution.source import Source
from crossfade.execution.steps import Control, Steps
from crossfade.execution.target import Target
from crossfade.execution.target_sessions import TargetSessions
from crossfade.execution.transitions import HOST_FORWARD, HostState, Kind
from crossfade.model.ids import fold
from crossfade.plan.operations import SetIcon
from crossfade.plan.plan import HostMove, Plan, PoolPlan, Settings, Wave

OPERATOR = "the operator"
"""Who sees to what nobody was named for."""
REST_S = 900.0
"""Beside a run command, and the end of one that was left behind, a step has so long for everything else."""


class Context:
    """One run. Bodies get at everything through it; it holds no state of its own beside look-ups and a lock."""

    def __init__(
        self,
        *,
        run_id: str,
        plan: Plan,
        plan_digest: str,
        journal: Journal,
        clock: Clock,
        source: Source,
        target: Target,
        machine: Machine,
        handlers: Handlers,
        orders: Orders,
        seats: Seats,
        sessions: TargetSessions,
        notices: Notices,
        hooks: Hooks,
        alerts: Alerts,
        control: Control,
    ) -> None:
        self.run_id = run_id
        self.plan = plan
        self.plan_digest = plan_digest
        self.journal = journal
        self.clock = clock
        self.source = source
        self.target = target
        self.machine = machine
        self.handlers = handlers
        self.orders = orders
        self.seats = seats
        self.sessions = sessions
        self.notices = notices
        self.hooks = hooks
        self.alerts = alerts
        self.control = control
        self.progress = JournalProgress(journal, plan)
        self.shown = Shown(plan.operations)
        self._moves = {fold(move.source): move for move in plan.hosts}
        self._pools = {fold(pool.source): pool for pool in plan.pools}
        self._waves = {wave.id: wave for wave in plan.waves}
        self._operations = {operation.id: operation for operation in plan.operations}
        self._icons: dict[str, list[SetIcon]] = {}
        for operation in plan.operations:
            if isinstance(operation, SetIcon):
                self._icons.setdefault(fold(operation.pool), []).append(operation)

    def move(self, host: str) -> HostMove:
        return self._moves[fold(host)]

    def find_move(self, host: str) -> HostMove | None:
        """The move of a host, or None for one that the plan leaves where it is."""
        return self._moves.get(fold(host))

    def pool(self, source: str) -> PoolPlan:
        return self._pools[fold(source)]

    def wave(self, wave_id: str) -> Wave:
        return self._waves[wave_id]

    def operation(self, operation_id: str) -> Any:
        return self._operations[operation_id]

    def icons_of(self, pool: str) -> list[SetIcon]:
        """Icons to be set once a host pool (folded id) has a host."""
        return self._icons.get(pool, [])

    @property
    def operations(self) -> dict[str, Any]:
        """By id, in the order of the plan."""
        return self._operations

    @property
    def settings(self) -> Settings:
        """The plan's settings with what the operator has changed since."""
        return self.orders.settings

    def named(self, subject: str) -> str:
        """A wave or the run as a subject of steps: after a rollback of the whole run its steps are done anew."""
        generation = self.orders.generation
        return subject if generation == 1 else f"{subject}.{generation}"

    def steps(self, port: Workflow, subject: str) -> Steps:
        limit_s = 2 * self.settings.step_timeout_s + REST_S
        return Steps(
            port,
            self.journal,
            self.clock,
            run_id=self.run_id,
            subject=subject,
            control=self.control,
            limit_s=limit_s,
        )

    def people(self, port: Workflow) -> Steps:
        """Steps on single people; their subject does not depend on which wave does them."""
        return self.steps(port, PEOPLE)

    def advance(self, host: str, to: str, reason: str = "") -> None:
        """Move a host's state on; harmless when it is there, or further on the way forward."""
        known = self.journal.get(Kind.HOST, host)
        assert known is not None, f"{host} is not in the journal"
        if known.state == to or (known.state in HOST_FORWARD and to in HOST_FORWARD and _further(known.state, to)):
            return
        self.journal.move(Kind.HOST, host, to, reason=reason)

    def owner(self, move: HostMove) -> str:
        """Who sees to a host that is stuck."""
        return self.pool(move.source_pool).owner or self.plan.settings.owner or OPERATOR

    def quarantine(self, move: HostMove, why: str) -> None:
        """A host that is stuck gets an owner; harmless when it is in quarantine already."""
        known = self.journal.get(Kind.HOST, move.source)
        assert known is not None, f"{move.source} is not in the journal"
        if known.state != HostState.QUARANTINED:
            owner = self.owner(move)
            reason = f"{why} Owner: {owner}."
            self.journal.move(Kind.HOST, move.source, HostState.QUARANTINED, reason=reason, data={"owner": owner})

    def settle(self, kind: Kind, subject: str, to: str, reason: str = "") -> None:
        """Move a wave or run; harmless when it is there already."""
        known = self.journal.get(kind, subject)
        assert known is not None, f"{subject} is not in the journal"
        if known.state != to:
            self.journal.move(kind, subject, to, reason=reason)


def _further(state: str, to: str) -> bool:
    return HOST_FORWARD.index(state) > HOST_FORWARD.index(to)
