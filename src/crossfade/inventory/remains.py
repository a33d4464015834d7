"""What is left in Azure -> the draft of a classic estate: files of records in the form of exports, each record with its
sign and how sure it is (docs/decisions/0013). Pure: the same reading gives the same draft."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from crossfade.inventory.rebuild import DEFAULT_GROUP
from crossfade.inventory.remains_gaps import gaps_of, shared_desktops
from crossfade.inventory.remains_hosts import Host, Machines, Uses, hosts_of, placed_by, used, uses_of
from crossfade.inventory.remains_signs import DEFAULT_TENANT_GROUP, PoolNames, Sign, key_of, signs_of
from crossfade.model.ids import fold
from crossfade.model.provenance import Confidence, Gap
from crossfade.sources.drafts import CONFIDENCE, READ_AT, SIGN
from crossfade.sources.remains_records import Connections, RemainsReading

Row = dict[str, Any]
UNKNOWN_TENANT = "unknown"
"""In place of a tenant's name where only logs tell of a pool."""
_SET = "-availabilityset"


class _Pool(msgspec.Struct, kw_only=True):
    """A pool with what was found of it. `personal`: None where no sign says it, or signs contradict each other."""

    names: PoolNames
    signs: list[Sign]
    hosts: list[Host]
    used: list[Connections]
    personal: bool | None
    by_set: str = ""
    """The availability set that tells it, if nothing else does."""

    @property
    def sure(self) -> bool:
        return self.personal is not None and any(host.confidence is not Confidence.GUESSED for host in self.hosts)


def sketched(reading: RemainsReading) -> dict[str, list[Row]]:
    """File name -> its records; no pools at all where nothing tells of a classic estate. Files are sorted by name."""
    signs = signs_of(reading)
    reading = _trusted(reading, signs)
    pools = _known(signs, reading.connections)
    machines = Machines(reading, signs)
    uses = uses_of(reading, machines, {id_: pool for id_, (pool, _) in placed_by(signs).items()})
    hosts = hosts_of(machines, signs, uses, pools)
    found = _pools(pools, signs, hosts, uses)
    files = {
        "host-pools.json": [row for pool in found for row in _pool_rows(pool)],
        "session-hosts.json": [_host(host) for pool in found for host in pool.hosts],
    }
    for pool, name in zip(found, _file_names(found), strict=True):
        files[f"people-{name}.json"] = list(_people(pool))
        files[f"personal-desktops-{name}.json"] = list(_owners(pool, uses))
    files["host-pools.json"] = [*_tenants(found), *files["host-pools.json"]]
    told = {name: [_told(row, reading.read_at) for row in rows] for name, rows in files.items()}
    shared = [gap for pool in found if pool.personal for gap in shared_desktops(pool.hosts, uses)]
    told["gaps.json"] = [_gap(gap) for gap in [*gaps_of(reading, signs, uses), *shared]]
    return {name: told[name] for name in sorted(told) if told[name]}


# ---------------------------------------------------------------- pools


def _trusted(reading: RemainsReading, signs: list[Sign]) -> RemainsReading:
    """The reading, without the pools that connections name if that column holds something else than pools' names."""
    known = {fold(sign.pool[2]) for sign in signs}
    if not known or any(fold(one.pool) in known for one in reading.connections):
        return reading
    bare = [msgspec.structs.replace(one, pool="") for one in reading.connections]
    return msgspec.structs.replace(reading, connections=bare)


def _known(signs: list[Sign], connections: list[Connections]) -> dict[str, PoolNames]:
    """Key -> names of every pool that a template or the logs name. Logs do not tell the tenant."""
    found: dict[str, PoolNames] = {}
    for sign in signs:
        found.setdefault(key_of(sign.pool), sign.pool)
    named = {fold(pool[2]) for pool in found.values()}
    tenants = {fold("/".join(pool[:2])): pool[:2] for pool in found.values()}
    tenant = next(iter(tenants.values())) if len(tenants) == 1 else (DEFAULT_TENANT_GROUP, UNKNOWN_TENANT)
    for name in sorted({one.pool for one in connections if one.pool}):
        if fold(name) not in named:
            named.add(fold(name))
            found[key_of((*tenant, name))] = (*tenant, name)
    return found


def _pools(pools: dict[str, PoolNames], signs: list[Sign], hosts: list[Host], uses: Uses) -> list[_Pool]:
    """Every pool with its own, sorted by key."""
    own: dict[str, list[Sign]] = {}
    mine: dict[str, list[Host]] = {}
    for sign in signs:
        own.setdefault(key_of(sign.pool), []).append(sign)
    for host in hosts:
        mine.setdefault(key_of(host.pool), []).append(host)
    times = Counter(fold(host.machine.id) for host in hosts)
    alone = {id_ for id_, count in times.items() if count == 1}
    return [_pool(pools[key], own.get(key, []), mine.get(key, []), alone, uses) for key in sorted(pools)]


def _pool(names: PoolNames, signs: list[Sign], hosts: list[Host], alone: set[str], uses: Uses) -> _Pool:
    """`alone`: folded ids of VMs that are hosts of one pool only."""
    said = {sign.personal for sign in signs if sign.personal is not None}
    in_sets = [host.machine.available for host in hosts if fold(host.machine.available).endswith(_SET)]
    by_set = in_sets[0] if in_sets and not said else ""
    return _Pool(
        names=names,
        signs=signs,
        hosts=sorted(hosts, key=lambda host: (fold(host.name), fold(host.machine.id))),
        used=list(_uses(names, hosts, alone, uses)),
        personal=said.pop() if len(said) == 1 else (False if by_set else None),
        by_set=by_set,
    )


def _uses(names: PoolNames, hosts: list[Host], alone: set[str], uses: Uses) -> Iterator[Connections]:
    """Connections to a pool: those that name it, and those to its hosts that name none."""
    yield from uses.by_pool.get(fold(names[2]), [])
    for id_ in {fold(host.machine.id): None for host in hosts}:
        if id_ in alone:
            yield from (one for one in uses.by_machine.get(id_, []) if not one.pool)


def _tenants(pools: list[_Pool]) -> Iterator[Row]:
    found: dict[str, _Pool] = {}
    for pool in sorted(pools, key=lambda pool: not pool.sure):
        found.setdefault(fold("/".join(pool.names[:2])), pool)
    for _, pool in sorted(found.items()):
        directory = next((sign.directory for sign in pool.signs if sign.directory), None)
        sure = Confidence.STATED if pool.signs else Confidence.GUESSED
        yield _keys(pool.names[:2]) | {"AadTenantId": directory} | _mark(sure, _why(pool))


def _pool_rows(pool: _Pool) -> Iterator[Row]:
    """The pool, and the desktop group that every pool is made with."""
    unknown: Row = dict.fromkeys(("FriendlyName", "Description"))
    balance = "Persistent" if pool.personal else None
    settings = {"LoadBalancerType": balance, "MaxSessionLimit": None, "CustomRdpProperty": None}
    theirs: Row = {} if pool.personal is False else {"AssignmentType": None}
    own = {**unknown, "Persistent": pool.personal, **settings, **theirs}
    yield _keys(pool.names) | own | _mark(*_how_sure(pool))
    group = _keys((*pool.names, DEFAULT_GROUP))
    made = "every pool is made with this group"
    yield group | {"ResourceType": "Desktop"} | _mark(Confidence.DERIVED, made)
    title = pool.names[2] if any(sign.makes for sign in pool.signs) else None
    named = "templates give the desktop the name of its pool" if title else made
    yield group | {"RemoteDesktopName": "Remote Desktop", "FriendlyName": title} | _mark(Confidence.DERIVED, named)


def _how_sure(pool: _Pool) -> tuple[Confidence, str]:
    if pool.sure:
        sign = f"{_why(pool)}; not personal, since its VMs are in {pool.by_set}" if pool.by_set else _why(pool)
        return Confidence.DERIVED if pool.by_set else Confidence.STATED, sign
    if pool.personal is not None:
        return Confidence.GUESSED, f"{_why(pool)}; no VM is known for certain to be its host"
    said = len({sign.personal for sign in pool.signs if sign.personal is not None})
    doubt = (
        "signs contradict each other about whether it is personal" if said else "nothing says whether it is personal"
    )
    return Confidence.GUESSED, f"{_why(pool)}; {doubt}: write true or false for Persistent"


def _why(pool: _Pool) -> str:
    """The best sign of a pool: the trace that made it, else the first of any."""
    if not pool.signs:
        return used(pool.used)
    return next((sign for sign in pool.signs if sign.makes), pool.signs[0]).text


def _file_names(pools: list[_Pool]) -> list[str]:
    """A part of a file name for each: of its name what every system takes, none twice."""
    found: list[str] = []
    for pool in pools:
        plain = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in pool.names[2]).split())[:40]
        name, number = plain or "pool", 1
        while fold(name) in map(fold, found):
            number += 1
            name = f"{plain or 'pool'}-{number}"
        found.append(name)
    return found


# ---------------------------------------------------------------- hosts and people


def _host(host: Host) -> Row:
    machine = host.machine
    own = {"SessionHostName": host.name, "AzureVmId": machine.vm_id or None, "AzureResourceId": machine.id}
    return _keys(host.pool) | own | _mark(host.confidence, host.sign)


def _people(pool: _Pool) -> Iterator[Row]:
    """Whom templates gave the desktop, and who else connected: which app group that was through is not recorded."""
    group = _keys((*pool.names, DEFAULT_GROUP))
    given = {fold(upn): (upn, sign.text) for sign in pool.signs for upn in reversed(sign.people or [])}
    seen: dict[str, list[Connections]] = {}
    for one in pool.used:
        seen.setdefault(fold(one.upn), []).append(one)
    for key in sorted(given.keys() | seen.keys()):
        upn = given[key][0] if key in given else seen[key][0].upn
        yield group | {"UserPrincipalName": upn} | _person(given.get(key), seen.get(key, []))


def _person(given: tuple[str, str] | None, seen: list[Connections]) -> Row:
    if given and seen:
        return _mark(Confidence.SEEN, f"{given[1]}; {used(seen)}")
    if given:
        return _mark(Confidence.STATED, given[1])
    return _mark(Confidence.GUESSED, f"{used(seen)}; which app group that was through is recorded nowhere")


def _owners(pool: _Pool, uses: Uses) -> Iterator[Row]:
    """Of each personal desktop that one person alone used, that person; a guess, since a desktop is nobody else's."""
    if pool.personal is False:
        return
    for host in pool.hosts:
        connections = uses.by_machine.get(fold(host.machine.id), [])
        people = {fold(one.upn): one.upn for one in connections}
        if len(people) == 1:
            own = {"SessionHostName": host.name, "AssignedUser": next(iter(people.values()))}
            sign = f"{used(connections)}, and nobody else's"
            yield _keys(host.pool) | own | _mark(Confidence.GUESSED, sign)


def _told(row: Row, read_at: str) -> Row:
    """A record as it is written: how sure it is where everybody sees it, what it rests on behind what it says."""
    own = {name: value for name, value in row.items() if name not in (CONFIDENCE, SIGN)}
    return {CONFIDENCE: row[CONFIDENCE], **own, SIGN: row[SIGN], READ_AT: read_at}


def _keys(names: Iterable[str]) -> Row:
    return dict(zip(("TenantGroupName", "TenantName", "HostPoolName", "AppGroupName"), names, strict=False))


def _mark(confidence: Confidence, sign: str) -> Row:
    return {CONFIDENCE: confidence.value, SIGN: sign}


def _gap(gap: Gap) -> Row:
    return {"Subject": gap.subject, "What": gap.what, "Why": gap.why, "Mend": gap.mend}
