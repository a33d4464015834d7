"""What this run has written and not taken back, told from its steps; and the names under which it is written again.

A finished step is finished for ever. Taking an operation back is a step of its own, named after the one it undoes; the
operation is then open again, under the next name. So is one whose effect somebody else has undone, once that was seen.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crossfade.execution.reader import JournalReader
from crossfade.execution.records import Entity, Standing
from crossfade.execution.transitions import FINISHED_STEPS, Kind, StepState
from crossfade.plan.operations import Action

UNDONE = " (undone)"
GONE = "gone"
"""In the facts of a step: who has left the directory, so that it wrote nothing."""
_AGAIN = re.compile(r" \(again \d+\)$")
ONLY_LOOKED = frozenset({Action.ADOPT, Action.NO_OP})


def standing(journal: JournalReader, step_id: str) -> str:
    """The id under which a step counts now: its own, or after having been undone the next."""
    number, name = 1, step_id
    while _finished(journal.get(Kind.STEP, name + UNDONE)):
        number += 1
        name = f"{step_id} (again {number})"
    return name


def taken_back(journal: JournalReader, step_id: str) -> str:
    """The id of the step that took this one back the last time; empty when none did."""
    found, now = "", standing(journal, step_id)
    number, name = 1, step_id
    while name != now:
        found, number = name + UNDONE, number + 1
        name = f"{step_id} (again {number})"
    return found


def written(steps: Sequence[Entity | Standing]) -> set[str]:
    """Ids of the operations that these steps, all of one subject, have done and nobody took back."""
    finished = {step.id for step in steps if step.state in FINISHED_STEPS}
    left = {name for name in finished if not name.endswith(UNDONE) and name + UNDONE not in finished}
    parents = {step.id: step.parent or "" for step in steps}
    return {operation_of(name, parents[name]) for name in left}


def operation_of(step_id: str, parent: str) -> str:
    return _AGAIN.sub("", step_id.removeprefix(f"{parent}/"))


class Effect(msgspec.Struct, frozen=True):
    """An operation that this run has, or may have, carried out. `sure`: its step is done; else look first."""

    operation: str
    subject: str
    step: str
    """The step's name below its subject."""
    sure: bool


def effects(journal: JournalReader, run_id: str, operations: Mapping[str, Any]) -> list[Effect]:
    """What is to be taken back when everything is, in the order of the plan. What was so already is nobody's work."""
    steps = [step for step in journal.all(Kind.STEP) if step.run_id == run_id]
    gone = {step.id.removesuffix(UNDONE) for step in steps if step.id.endswith(UNDONE) and _finished(step)}
    found = []
    for step in steps:
        name = operation_of(step.id, step.parent or "")
        if step.id in gone or name not in operations or step.state == StepState.NOOP or wrote_nothing(step):
            continue
        if operations[name].action not in ONLY_LOOKED:
            sure = step.state == StepState.DONE
            found.append(Effect(name, step.parent or "", step.id.removeprefix(f"{step.parent}/"), sure))
    order = {name: place for place, name in enumerate(operations)}
    return sorted(found, key=lambda effect: (order[effect.operation], effect.step))


def wrote_nothing(step: Entity) -> bool:
    """Whether it was for somebody who has left the directory."""
    return GONE in step.data.get("facts", {})


def _finished(step: Entity | None) -> bool:
    return step is not None and step.state in FINISHED_STEPS
