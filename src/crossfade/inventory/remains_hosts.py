"""Which VM was a session host of which pool, by templates' traces and by who connected; what is only guessed. Pure."""

from collections.abc import Iterator

import msgspec

from crossfade.inventory.remains_signs import PoolNames, Sign, domains_of, group_of, key_of, prefix_of
from crossfade.model.ids import fold
from crossfade.model.provenance import Confidence
from crossfade.sources.remains_records import Connections, RemainsReading, VirtualMachine


class Host(msgspec.Struct, kw_only=True):
    """A VM as a session host of a pool. `name`: its full name as far as it is known."""

    machine: VirtualMachine
    pool: PoolNames
    name: str
    confidence: Confidence
    sign: str


class Machines:
    """The VMs by what they call themselves. `full`: folded id -> full name, without a domain where nobody tells it."""

    def __init__(self, reading: RemainsReading, signs: list[Sign]) -> None:
        self.by_id = {fold(machine.id): machine for machine in reading.machines}
        joined, said = domains_of(reading), {id_: sign.domain for sign in signs for id_ in sign.machines if sign.domain}
        logged: dict[str, set[str]] = {}
        for one in reading.connections:
            logged.setdefault(_label(one.host), set()).add(fold(one.host))
        self.full = {
            id_: _full(machine, joined.get(id_) or said.get(id_, ""), logged.get(_label(_computer(machine)), set()))
            for id_, machine in self.by_id.items()
        }
        self._by_label: dict[str, list[str]] = {}
        for id_, name in self.full.items():
            self._by_label.setdefault(_label(name), []).append(id_)

    def called(self, host: str) -> list[str]:
        """Folded ids of the VMs that a host of this name may be: those of its full name, else of its first label."""
        found = self._by_label.get(_label(host), [])
        exact = [id_ for id_ in found if fold(self.full[id_]) == fold(host)]
        return exact or [id_ for id_ in found if "." not in self.full[id_] or "." not in host]


class Uses(msgspec.Struct, kw_only=True):
    """Connections by what they tell. `lost`: of hosts that no VM is, or several are, and no pool is told."""

    by_machine: dict[str, list[Connections]] = {}
    by_pool: dict[str, list[Connections]] = {}
    """Folded name of a pool that the log tells."""
    lost: list[Connections] = []


def uses_of(reading: RemainsReading, machines: Machines, placed: dict[str, PoolNames]) -> Uses:
    """`placed`: folded id of a VM -> the pool that a template put it into; it tells VMs of one name apart."""
    uses = Uses()
    for one in reading.connections:
        found = machines.called(one.host)
        if len(found) > 1 and one.pool:
            found = [id_ for id_ in found if id_ in placed and fold(placed[id_][2]) == fold(one.pool)]
        if len(found) == 1:
            uses.by_machine.setdefault(found[0], []).append(one)
        if one.pool:
            uses.by_pool.setdefault(fold(one.pool), []).append(one)
        elif len(found) != 1:
            uses.lost.append(one)
    return uses


def placed_by(signs: list[Sign]) -> dict[str, tuple[PoolNames, str]]:
    """Folded id of a VM -> the pool that templates put it into, and the sign: its own, else that of the latest run."""
    found: dict[str, tuple[PoolNames, str]] = {}
    for sign in sorted(signs, key=lambda one: (one.on_vm, one.at)):
        found.update(dict.fromkeys(sign.machines, (sign.pool, sign.text)))
    return found


def hosts_of(machines: Machines, signs: list[Sign], uses: Uses, pools: dict[str, PoolNames]) -> list[Host]:
    """Every VM that is or may be a session host, by id; one that may be of several pools comes once for each. `pools`:
    names of the known pools by their key."""
    placed, near = placed_by(signs), _near(signs)
    found: list[Host] = []
    for id_, machine in machines.by_id.items():
        name, connections = machines.full[id_], uses.by_machine.get(id_, [])
        if id_ in placed:
            found += _placed(machine, name, *placed[id_], connections, pools)
        else:
            found += list(_by_use(machine, name, connections, pools)) or list(_by_name(machine, name, near))
    return _without_twins(found)


def _placed(
    machine: VirtualMachine,
    name: str,
    pool: PoolNames,
    sign: str,
    connections: list[Connections],
    pools: dict[str, PoolNames],
) -> list[Host]:
    """Where the template put it; a guess, if it was used in another pool since."""
    latest = max((one for one in connections if one.pool), key=lambda one: one.last, default=None)
    if latest is None or fold(latest.pool) == fold(pool[2]):
        return [Host(machine=machine, pool=pool, name=name, confidence=Confidence.STATED, sign=sign)]
    text = f"{sign} says {pool[2]}, but people connected to it in {latest.pool} until {latest.last}"
    others = [one for one in pools.values() if fold(one[2]) == fold(latest.pool)]
    return [
        Host(machine=machine, pool=one, name=name, confidence=Confidence.GUESSED, sign=text) for one in [pool, *others]
    ]


def _by_use(
    machine: VirtualMachine, name: str, connections: list[Connections], pools: dict[str, PoolNames]
) -> Iterator[Host]:
    """A VM that no template made, in the pools that people reached it through."""
    told = {fold(one.pool) for one in connections if one.pool}
    known = [one for one in pools.values() if fold(one[2]) in told]
    text = used(connections)
    sure = len(known) == len(told) == 1
    for pool in known:
        confidence = Confidence.SEEN if sure else Confidence.GUESSED
        yield Host(machine=machine, pool=pool, name=name, confidence=confidence, sign=text)


Near = dict[tuple[str, str], dict[str, PoolNames]]
"""Resource group and prefix of names, both folded -> the pools whose VMs are named so there, by their key."""


def _near(signs: list[Sign]) -> Near:
    found: Near = {}
    for sign in signs:
        for group in {group_of(id_) for id_ in sign.machines}:
            found.setdefault((group, fold(sign.prefix)), {}).setdefault(key_of(sign.pool), sign.pool)
    return found


def _by_name(machine: VirtualMachine, name: str, near: Near) -> Iterator[Host]:
    """A VM that only looks like those of a pool in its resource group."""
    prefix = prefix_of(machine.name)
    for pool in near.get((group_of(machine.id), fold(prefix)), {}).values() if prefix else ():
        text = f"VM {machine.name} is only named like those of pool {pool[2]} beside it; nothing says that it was one"
        yield Host(machine=machine, pool=pool, name=name, confidence=Confidence.GUESSED, sign=text)


def _without_twins(hosts: list[Host]) -> list[Host]:
    """Two VMs of one name cannot both be one host of a pool: which one was it is anybody's guess."""
    alike: dict[tuple[str, str], list[Host]] = {}
    for host in hosts:
        alike.setdefault((key_of(host.pool), fold(host.name)), []).append(host)
    for twins in alike.values():
        if len(twins) > 1:
            ids = " and ".join(sorted(host.machine.id for host in twins))
            for host in twins:
                host.confidence = Confidence.GUESSED
                host.sign = f"{len(twins)} VMs call themselves {host.name}, and only one can be the host: {ids}"
    return hosts


def used(connections: list[Connections]) -> str:
    """What connections say, for people; of one person, without saying who."""
    count, people = sum(one.count for one in connections), len({fold(one.upn) for one in connections})
    until = max((one.last for one in connections), default="")
    who = "" if people == 1 else f" by {people} people"
    times = "1 connection" if count == 1 else f"{count} connections"
    names = ", ".join(sorted({one.workspace for one in connections}))
    return f"{times}{who} until {until} (logs of workspace {names})"


def _computer(machine: VirtualMachine) -> str:
    return machine.computer or machine.name


def _full(machine: VirtualMachine, domain: str, logged: set[str]) -> str:
    """What the guest reports, else its name and the domain that it was joined to, else the one name in the logs."""
    if "." in machine.reported:
        return machine.reported
    if domain:
        return f"{_computer(machine)}.{domain}".lower()
    dotted = [name for name in logged if "." in name]
    return dotted[0] if len(dotted) == 1 else _computer(machine)


def _label(name: str) -> str:
    return fold(name.partition(".")[0])
