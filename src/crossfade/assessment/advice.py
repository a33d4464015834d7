"""By hand, automated, or rebuild: which way suits a pool, and why, in figures.

Three questions, asked of each pool in this order; the first yes decides.

1. *Is it worth keeping?* A move keeps the VMs as they are. Where a third of the hosts is unwell, or half of them run a
   Windows that is out of support, or the estate is to grow by half within two years, the hosts would be replaced
   anyway: **rebuild**, new VMs from an image into the new pool. An estate that has been as it is for less than three
   months has no settled design that a tool could carry.
2. *Is it small?* Microsoft advises the manual way for small or simple set-ups (facts/classic-service 8.4). Two hosts
   and 25 people are an evening's work, and so is a shrinking pool of up to four hosts: **by hand**. A personal pool is
   never called small: the right person on the right VM is what goes wrong by hand.
3. Everything else is **automated**: the more hosts, people and apps, the more there is to forget.

The thresholds are judgements, kept here as named constants so that they can be argued about.
"""

import re
from collections import Counter

import msgspec

from crossfade.assessment.findings import Advice, Way
from crossfade.inventory.inventory import Inventory
from crossfade.model.classic import HostPool, SessionHost
from crossfade.model.growth import Growth
from crossfade.model.ids import fold, parent_key

FEW_HOSTS = 2
"""Two hosts are moved one after the other, by hand, within an hour."""
FEW_HOSTS_SHRINKING = 4
"""Of a shrinking pool some hosts need not be moved at all."""
FEW_PEOPLE = 25
"""So many assignments can be read, typed and checked by one person without a slip."""
SICK_SHARE = 1 / 3
"""A pool that has lost a third of its hosts is not one that somebody looks after."""
SICK_LEAST = 3
"""One unwell host of two is an accident, no sign."""
OLD_SHARE = 0.5
OLDEST_BUILD = 19041
"""Windows 7 (6.1) is out of support since 2020, multi-session Windows 10 before 2004 (18362, 18363) since 2021.
Build 17763 is left alone: it is also Windows Server 2019."""
SERVER_2019_BUILD = 17763
BIG_GROWTH_PERCENT = 50.0
"""Half as many again: most of the hosts of the year after next do not exist yet."""
SETTLED_MONTHS = 3


class _Pool(msgspec.Struct, frozen=True):
    """A pool's figures."""

    key: str
    hosts: int
    people: int
    apps: int
    personal: bool
    sick: int
    old: int


def advise(inventory: Inventory, growth: Growth) -> list[Advice]:
    """One advice per pool, in order of their keys."""
    return [_advice(figures, growth) for figures in _figures(inventory)]


def _figures(inventory: Inventory) -> list[_Pool]:
    hosts: dict[str, list[SessionHost]] = {}
    people: dict[str, set[str]] = {}
    for host in inventory.hosts:
        hosts.setdefault(fold(parent_key(host.key)), []).append(host)
    for item in inventory.assignments:
        people.setdefault(fold(parent_key(item.key)), set()).add(fold(item.upn))
    apps = Counter(fold(parent_key(parent_key(app.key))) for app in inventory.apps)
    return [_pool(pool, hosts.get(fold(pool.key), []), people, apps) for pool in inventory.pools]


def _pool(pool: HostPool, hosts: list[SessionHost], people: dict[str, set[str]], apps: Counter[str]) -> _Pool:
    key = fold(pool.key)
    return _Pool(
        key=pool.key,
        hosts=len(hosts),
        people=len(people.get(key, ())),
        apps=apps[key],
        personal=pool.personal,
        sick=sum(1 for host in hosts if host.status not in (None, "Available", "Shutdown", "Unavailable")),
        old=sum(1 for host in hosts if _is_old(host)),
    )


def _is_old(host: SessionHost) -> bool:
    """Windows out of support, as far as its version tells."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", host.os_version or "")
    if found is None:
        return False
    return int(found[1]) < 10 or SERVER_2019_BUILD < int(found[3] or 0) < OLDEST_BUILD


def _advice(pool: _Pool, growth: Growth) -> Advice:
    for way, reasons in ((Way.REBUILD, _rebuild(pool, growth)), (Way.BY_HAND, _by_hand(pool, growth))):
        if reasons:
            return Advice(pool=pool.key, way=way, reasons=reasons)
    return Advice(pool=pool.key, way=Way.AUTOMATED, reasons=_automated(pool, growth))


def _rebuild(pool: _Pool, growth: Growth) -> list[str]:
    reasons = []
    if pool.sick >= max(SICK_LEAST, SICK_SHARE * pool.hosts):
        reasons.append(f"{pool.sick} of {pool.hosts} hosts are unwell; moving does not mend them.")
    if pool.hosts and pool.old >= OLD_SHARE * pool.hosts:
        reasons.append(f"{pool.old} of {pool.hosts} hosts run a Windows that is out of support.")
    if growth.hosts_percent >= BIG_GROWTH_PERCENT and not pool.personal:
        more = round(pool.hosts * growth.hosts_percent / 100)
        reasons.append(
            f"The estate is to grow by {growth.hosts_percent:g} %, here about {more} hosts beside {pool.hosts}: "
            "they come from an image anyway."
        )
    if growth.stable_months < SETTLED_MONTHS and not pool.personal:
        reasons.append(
            f"The estate has been as it is for {growth.stable_months} months only: its design is not settled."
        )
    return reasons


def _by_hand(pool: _Pool, growth: Growth) -> list[str]:
    shrinking = growth.hosts_percent < 0 or growth.people_percent < 0
    few = FEW_HOSTS_SHRINKING if shrinking else FEW_HOSTS
    if pool.personal or pool.hosts > few or pool.people > FEW_PEOPLE:
        return []
    reasons = [f"{pool.hosts} host(s), {pool.people} people and {pool.apps} app(s) are an evening's work."]
    if shrinking:
        reasons.append(
            f"It is to shrink (hosts {growth.hosts_percent:+g} %, people {growth.people_percent:+g} %): "
            "some of it need not be moved."
        )
    return reasons


def _automated(pool: _Pool, growth: Growth) -> list[str]:
    reasons = [f"{pool.hosts} hosts, {pool.people} people and {pool.apps} apps are too much to copy without a slip."]
    if pool.personal:
        reasons = [f"{pool.hosts} personal desktops must stay with the right person, one by one."]
    if growth.stable_months >= 12:
        reasons.append(f"It has been as it is for {growth.stable_months} months, so its design is worth carrying.")
    return reasons
