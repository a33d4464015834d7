"""How often a host was tried, and how the last try ended: read from the journal, so that whoever goes on with a run
after an interruption finds a host that was given up, and leaves it alone until somebody resumes the wave."""

from crossfade.execution.context import Context
from crossfade.execution.steps import Facts
from crossfade.execution.transitions import FINISHED_STEPS, Kind
from crossfade.plan.plan import HostMove

THERE = "there"
FORWARD = "forward"
GIVE_UP = "give-up"
ARRIVED = "arrived"
WAITING = "waiting"
"""Given up because people of its wave go first."""


def named(way: str, number: int) -> str:
    """`forward`, `forward-2`, `forward-3`: each try has steps of its own."""
    return way if number == 0 else f"{way}-{number + 1}"


async def find_try(context: Context, move: HostMove, time: int) -> Facts:
    """The `number` of the try that belongs to this `time` of the wave, what became of the one before (`last`), and
    whether this one is `given_up` already."""
    number, last = 0, None
    while (ended := _given_up(context, move.source, number)) is not None:
        if ended["time"] == time:
            return {"number": number, "last": last, "given_up": ended}
        number, last = number + 1, ended
    return {"number": number, "last": last, "given_up": None}


def _given_up(context: Context, host: str, number: int) -> Facts | None:
    found = (step_facts(context, f"{host}#{named(way, number)}/{GIVE_UP}") for way in (THERE, FORWARD))
    return next((facts for facts in found if facts is not None), None)


def next_try(context: Context, host: str) -> int:
    """The number of the try that is under way, or comes next, or has arrived."""
    number = 0
    while _given_up(context, host, number) is not None:
        number += 1
    return number


def has_arrived(context: Context, host: str) -> bool:
    """Whether the last try of a host went through to its end, and nobody took it back since."""
    return step_facts(context, f"{host}#{named(FORWARD, next_try(context, host))}/{ARRIVED}") is not None


def has_failed(context: Context, host: str) -> bool:
    """Whether the last try of a host was given up, and nobody decided to leave it alone. One that only waited for its
    people has not failed."""
    number = next_try(context, host)
    last = _given_up(context, host, number - 1) if number else None
    if last is None or last["at"] == WAITING or has_arrived(context, host):
        return False
    return not last["left"] and context.orders.leave(host) is None


def to_be_tried(context: Context, host: str) -> bool:
    """Whether somebody asked for another try of this host, and it has not had it."""
    asked = context.orders.retry(host)
    if asked is None or context.orders.leave(host) is not None or has_arrived(context, host):
        return False
    return next_try(context, host) == int(asked.values["number"])


def step_facts(context: Context, step_id: str) -> Facts | None:
    """The facts of a finished step, None for any other."""
    known = context.journal.get(Kind.STEP, step_id)
    return dict(known.data["facts"]) if known is not None and known.state in FINISHED_STEPS else None
