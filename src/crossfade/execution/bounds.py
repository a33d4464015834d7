"""The settings that may change while a run goes on, and how far. Imports nothing heavy: steering is instant."""

import msgspec

from crossfade.errors import InputError, Problem


class Bound(msgspec.Struct, frozen=True):
    """A setting of a running migration that may be changed, and how far."""

    name: str
    least: float
    most: float
    whole: bool = False


CHANGEABLE = {
    "parallel_moves": Bound("parallel_moves", 1, 100, whole=True),
    "grace_s": Bound("grace_s", 60, 86_400),
    "headroom": Bound("headroom", 0, 2),
}


def setting(name: str, text: str) -> int | float:
    """A changed setting from what was typed. Raises InputError for one that may not be changed, or not so far."""
    bound = CHANGEABLE.get(name.replace("-", "_"))
    if bound is None:
        mend = f"These can be: {', '.join(sorted(CHANGEABLE))}. Others belong to the plan."
        problem = Problem(name, "cannot be changed while a run goes on.", mend)
        raise InputError("The setting was not changed.", [problem])
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not bound.least <= value <= bound.most or (bound.whole and value != int(value)):
        what = f"{text!r} is not {'a whole number' if bound.whole else 'a number'}"
        what += f" from {bound.least:g} to {bound.most:g}."
        raise InputError("The setting was not changed.", [Problem(name, what, "Give one within these bounds.")])
    return int(value) if bound.whole else value
