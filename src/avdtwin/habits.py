"""When a person does what: the acts of one of their days, the same however often one asks.

A shift holds as many stays as the person has sign-ins a day. A stay begins with `arrive` and ends with `leave`; about
four in ten are broken by `lunch` (the client goes, the session stays) and `back`.
"""

import hashlib
from functools import lru_cache
from typing import NamedTuple

from avdtwin.state import Person

DAY_S = 86_400.0
HOUR_S = 3_600.0

ARRIVE, LUNCH, BACK, LEAVE = "arrive", "lunch", "back", "leave"

LUNCH_CHANCE = 0.4
LUNCH_S = (1_200.0, 2_700.0)
LATE_S = (-1_200.0, 1_800.0)
STAY_SHARE = (0.28, 0.6)
"""How much of its part of the shift a stay fills."""


_NONE: "tuple[Act, ...]" = ()


class Act(NamedTuple):
    at: float
    what: str
    stay: int
    """Which stay of the day, from 0."""


def day_of(person: Person, at: float) -> int:
    """The person's own day at this moment, in days since 1970-01-01."""
    return int((at + person.utc_offset_h * HOUR_S) // DAY_S)


def acts_of(seed: int, person: Person, day: int) -> tuple[Act, ...]:
    """What the person does on this day of theirs, in order; nothing on a day off."""
    if not person.simulated or (day + 3) % 7 not in person.workdays:  # 1970-01-01 was a Thursday
        return _NONE
    midnight = day * DAY_S - person.utc_offset_h * HOUR_S
    begin = midnight + person.shift_start_h * HOUR_S
    return _acts(f"{seed}|{person.user}|{day}", begin, person.shift_hours * HOUR_S, person.sign_ins_per_day)


@lru_cache(maxsize=65_536)
def _acts(text: str, begin: float, length: float, stays: int) -> tuple[Act, ...]:
    draws = _Draws(text)
    begin += draws.between(LATE_S)
    part = length / max(1, stays)
    acts: list[Act] = []
    for stay in range(stays):
        acts += _stay(draws, stay, begin + stay * part, part)
    return tuple(acts)


def _stay(draws: "_Draws", stay: int, begin: float, part: float) -> list[Act]:
    length = part * draws.between(STAY_SHARE)
    arrive = begin + (part - length) * 0.6 * draws.one()
    acts = [Act(arrive, ARRIVE, stay)]
    pause = draws.between(LUNCH_S)
    if draws.one() < LUNCH_CHANCE and length > 3 * pause:
        middle = arrive + 0.4 * length
        acts += [Act(middle, LUNCH, stay), Act(middle + pause, BACK, stay)]
    acts.append(Act(arrive + length, LEAVE, stay))
    return [act._replace(at=float(round(act.at))) for act in acts]


class _Draws:
    """Numbers in [0, 1) that follow from a text."""

    def __init__(self, text: str) -> None:
        self._bytes = hashlib.blake2b(text.encode(), digest_size=64).digest()
        self._next = 0

    def one(self) -> float:
        at = self._next
        self._next = (at + 2) % len(self._bytes)
        return int.from_bytes(self._bytes[at : at + 2], "big") / 65_536

    def between(self, bounds: tuple[float, float]) -> float:
        return bounds[0] + (bounds[1] - bounds[0]) * self.one()


def draw(seed: int, person: Person, what: str, at: float) -> float:
    """A number in [0, 1) for one decision of one person at one moment: the same however the others fare."""
    digest = hashlib.blake2b(f"{seed}|{person.user}|{what}|{at}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
