"""The states of a run, a wave, a host and a step, and the moves allowed between them: one table, no code beside it.

The host's states are design section 10:

    on_source → staged → draining → drained → saved → moving → registered → healthy → accepting → confirmed
                          ↘ (a machine gate failed) reverting → on_source | quarantined

A mode without draining (restore) goes from `staged` or `draining` straight to `moving`, and without a way back a host
that fails is quarantined where it is. The store moves an entity only from an allowed state; see `Journal.move`.
"""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What has a state in the journal."""

    RUN = "run"
    WAVE = "wave"
    HOST = "host"
    STEP = "step"


class RunState(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    HOLDING = "holding"
    FROZEN = "frozen"
    FAILED = "failed"
    FINISHED = "finished"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    COMPLETED = "completed"


class WaveState(StrEnum):
    PLANNED = "planned"
    WAITING = "waiting"
    MOVING = "moving"
    SOAKING = "soaking"
    HOLDING = "holding"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    SKIPPED = "skipped"


class HostState(StrEnum):
    ON_SOURCE = "on_source"
    STAGED = "staged"
    DRAINING = "draining"
    DRAINED = "drained"
    SAVED = "saved"
    MOVING = "moving"
    REGISTERED = "registered"
    HEALTHY = "healthy"
    ACCEPTING = "accepting"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    QUARANTINED = "quarantined"


class StepState(StrEnum):
    """`begun` with no outcome after a crash means unknown: observe before anything else."""

    BEGUN = "begun"
    DONE = "done"
    NOOP = "noop"
    FAILED = "failed"


Moves = dict[str, frozenset[str]]


def _moves(*rows: tuple[str, str]) -> Moves:
    """`("a", "b c")`: from a to b or c."""
    return {source: frozenset(targets.split()) for source, targets in rows}


ALLOWED: Final[dict[Kind, Moves]] = {
    Kind.RUN: _moves(
        ("planned", "running"),
        ("running", "paused holding frozen failed finished rolling_back"),
        ("paused", "running holding frozen rolling_back"),
        ("holding", "running frozen rolling_back"),
        ("frozen", "running failed"),
        ("failed", "running rolling_back"),
        ("finished", "running rolling_back completed"),
        ("rolling_back", "rolled_back holding failed"),
        ("rolled_back", "running"),
        ("completed", ""),
    ),
    Kind.WAVE: _moves(
        ("planned", "waiting moving skipped"),
        ("waiting", "moving holding skipped"),
        ("moving", "soaking holding reverting"),
        ("soaking", "confirmed holding reverting"),
        ("holding", "waiting moving soaking reverting"),
        ("confirmed", "reverting waiting"),
        ("reverting", "reverted holding"),
        ("reverted", "waiting moving"),
        ("skipped", "waiting moving"),
    ),
    Kind.HOST: _moves(
        ("on_source", "staged quarantined"),
        ("staged", "draining moving on_source quarantined"),
        ("draining", "drained moving reverting"),
        ("drained", "saved moving reverting"),
        ("saved", "moving reverting quarantined"),
        ("moving", "registered reverting quarantined"),
        ("registered", "healthy reverting quarantined"),
        ("healthy", "accepting reverting quarantined"),
        ("accepting", "confirmed reverting"),
        ("confirmed", "reverting"),
        ("reverting", "on_source quarantined"),
        ("quarantined", "reverting on_source"),
    ),
    Kind.STEP: _moves(
        ("begun", "begun done noop failed"),
        ("failed", "begun"),
        ("done", ""),
        ("noop", ""),
    ),
}

INITIAL: Final[dict[Kind, str]] = {
    Kind.RUN: RunState.PLANNED,
    Kind.WAVE: WaveState.PLANNED,
    Kind.HOST: HostState.ON_SOURCE,
    Kind.STEP: StepState.BEGUN,
}

FINISHED_STEPS: Final = frozenset({StepState.DONE, StepState.NOOP})

HOST_FORWARD: Final = (
    HostState.ON_SOURCE,
    HostState.STAGED,
    HostState.DRAINING,
    HostState.DRAINED,
    HostState.SAVED,
    HostState.MOVING,
    HostState.REGISTERED,
    HostState.HEALTHY,
    HostState.ACCEPTING,
    HostState.CONFIRMED,
)
"""The way forward, in order."""
ARRIVED: Final = frozenset({HostState.ACCEPTING, HostState.CONFIRMED})
"""In service on the target."""
OUT_OF_SERVICE: Final = frozenset({HostState.DRAINED, HostState.SAVED, HostState.MOVING, HostState.REVERTING})
"""On neither side for anybody: only then is a VM's agent touched."""


def sources(kind: Kind, to: str) -> frozenset[str]:
    """The states from which `to` may be reached; empty when nothing leads there."""
    return frozenset(source for source, targets in ALLOWED[kind].items() if to in targets)
