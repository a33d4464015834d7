"""Which mode applies is probed, never assumed (design 2): nothing is moved without waiting for people while classic
still serves them."""

import msgspec

from crossfade.errors import (
    CloudError,
    Forbidden,
    InputError,
    NotFound,
    Problem,
    ServiceFailed,
    Throttled,
    Unauthorized,
)
from crossfade.execution.run import Services
from crossfade.model.ids import fold
from crossfade.plan.plan import Plan

CLASSIC = "the classic service"
MEND = (
    "It would take hosts from under people's work. Read the live estate (`crossfade discover`), assess and plan "
    "anew; if that run is frozen or holds, `crossfade resume` goes on with classic."
)


GONE = "classic:gone"
"""What somebody answers for who knows that classic has gone though it only says that they may not look."""


HIDES = (Unauthorized, Forbidden, Throttled)
"""How a service that is there refuses whoever asks."""


class Probe(msgspec.Struct, frozen=True):
    """What classic says of the plan's hosts. `hosts`: records it still answers with; `told`: why there are none;
    `hidden`: something answers there, and does not say: we may not look, or not now."""

    hosts: int
    told: str = ""
    hidden: bool = False


async def probe(plan: Plan, services: Services) -> Probe:
    """Ask classic for the hosts of one pool after another, until it answers with some or does not answer at all."""
    told = "It has none of the plan's hosts."
    try:
        classic = services.classic
    except InputError:
        return Probe(0, "No address of it is known.")
    for pool in plan.pools:
        try:
            rows = await classic.rows("SessionHosts", pool.source)
        except NotFound as error:
            told = str(error)
        except CloudError as error:
            return Probe(0, str(error), hidden=_hides(error))
        else:
            if rows:
                return Probe(len(rows))
    return Probe(0, told)


def _hides(error: CloudError) -> bool:
    """Whether somebody answers and does not say. So does whatever stands between us and the service, under a good
    status: a proxy's page, an empty answer."""
    return isinstance(error, HIDES) or (isinstance(error, ServiceFailed) and not error.status)


def alive(found: Probe, plan: Plan) -> list[Problem]:
    """The problem with leaving classic aside, if it answers."""
    if not found.hosts:
        return []
    what = f"answers, with {found.hosts} hosts of the first of the plan's {len(plan.pools)} pools that has any."
    return [Problem(CLASSIC, what, MEND)]


def not_gone(found: Probe, plan: Plan, accepted: frozenset[str], *, then: str = "plan") -> list[Problem]:
    """The same, and whether nobody could look. `accepted`: findings that somebody answers for today; `then`: what is
    done once somebody does."""
    if not found.hidden or fold(GONE) in map(fold, accepted):
        return alive(found, plan)
    what = f"may still serve people: {found.told}"
    mend = (
        "Try again later, sign in as somebody who may read it, or answer for it by name in crossfade.toml: "
        f'[[accepted]] finding = "{GONE}", and {then}.'
    )
    return [Problem(CLASSIC, what, mend)]
