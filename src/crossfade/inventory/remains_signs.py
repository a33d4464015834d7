"""What the traces of Microsoft's classic templates say: which VMs went into which pool, and what the pool was made as.
Pure. Source of names and shapes: facts/classic-service 5.5."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from crossfade.model.ids import fold, last_name, segments
from crossfade.sources.remains_records import Deployment, Extension, RemainsReading

DEFAULT_TENANT_GROUP = "Default Tenant Group"
_NUMBERED = re.compile(r"(?P<prefix>.+)-\d+")
_QUOTES = re.compile(r"[\"'\s]")

PoolNames = tuple[str, str, str]
"""Tenant group, tenant and pool."""


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """What one trace says of one pool. `text`: the trace, for people; `at`: when it was left, where it says so;
    `on_vm`: it is an extension, not a deployment; `machines`: folded ids of VMs that it puts into the pool; `gone`:
    names of VMs that it names and nobody has.

    `personal` and `people` are None where it does not say; `people` were given the desktop group. `makes`: it is a run
    that made the pool. `done`: the run went well, or left an extension.
    """

    pool: PoolNames
    text: str
    at: str = ""
    on_vm: bool = False
    directory: str = ""
    personal: bool | None = None
    people: list[str] | None = None
    domain: str = ""
    prefix: str = ""
    machines: list[str] = []
    gone: list[str] = []
    makes: bool = False
    done: bool = True


def signs_of(reading: RemainsReading) -> list[Sign]:
    """All signs, those of extensions first. A run that failed counts where an extension names its pool too."""
    extended = [sign for one in reading.extensions if (sign := _of_extension(one)) is not None]
    known = {key_of(sign.pool) for sign in extended}
    here: dict[str, dict[str, str]] = {}
    for machine in reading.machines:
        here.setdefault(group_of(machine.id), {})[fold(machine.name)] = fold(machine.id)
    deployed = (_of_deployment(one, here.get(fold(one.group), {})) for one in reading.deployments)
    return [*extended, *(sign for sign in deployed if sign and (sign.done or key_of(sign.pool) in known))]


def group_of(resource_id: str) -> str:
    """Folded id of the resource group that a resource lies in."""
    return fold(resource_id.partition("/providers/")[0])


def key_of(pool: PoolNames) -> str:
    """The key under which a pool is looked up."""
    return fold("/".join(pool))


def domains_of(reading: RemainsReading) -> dict[str, str]:
    """Folded id of a VM -> the domain that its extension joined it to."""
    found = ((one.machine, one.settings.get("name")) for one in reading.extensions if fold(one.type) == _JOIN)
    return {fold(machine): str(name) for machine, name in found if name}


_JOIN, _DSC = "jsonaddomainextension", "dsc"


def _of_extension(one: Extension) -> Sign | None:
    """The sign of a DSC extension that a classic template left; None of any other."""
    inner = one.settings.get("properties")
    if fold(one.type) != _DSC or fold(one.publisher) != "microsoft.powershell" or not isinstance(inner, dict):
        return None
    tenant, pool = str(inner.get("TenantName") or "").strip('"'), str(inner.get("HostPoolName") or "").strip('"')
    if not tenant or not pool:
        return None
    name = last_name(one.machine)
    return Sign(
        pool=(str(inner.get("DefinedTenantGroupName") or DEFAULT_TENANT_GROUP), tenant, pool),
        on_vm=True,
        text=f"extension {last_name(one.id)} of VM {name} in {segments(one.machine).get('resourcegroups', '')}",
        directory=str(inner.get("AadTenantId") or ""),
        personal=_truth(inner.get("EnablePersistentDesktop")),
        people=_people(inner.get("defaultDesktopUsers")),
        prefix=prefix_of(name),
        machines=[fold(one.machine)],
        makes="EnablePersistentDesktop" in inner,
    )


def _of_deployment(one: Deployment, here: dict[str, str]) -> Sign | None:
    """The sign of a run of a classic template; None of any other. `here`: the VMs of its resource group by name."""
    said = one.parameters
    tenant, pool = said.get("existingTenantName"), said.get("hostPoolName") or said.get("existingHostpoolName")
    if not tenant or not pool:
        return None
    names = list(_named(one))
    state = "" if _went_well(one) else f", which ended as {one.state}"
    return Sign(
        pool=(str(said.get("existingTenantGroupName") or DEFAULT_TENANT_GROUP), str(tenant), str(pool)),
        text=f"deployment {last_name(one.id)} in {last_name(one.group)} of {one.at[:10] or 'an unknown day'}{state}",
        at=one.at,
        directory=str(said.get("aadTenantId") or ""),
        personal=_truth(said.get("enablePersistentDesktop")),
        people=_people(said.get("defaultDesktopUsers")),
        domain=str(said.get("domainToJoin") or ""),
        prefix=_prefix(one),
        machines=[here[fold(name)] for name in names if fold(name) in here],
        gone=[name for name in names if fold(name) not in here],
        makes="hostPoolName" in said,
        done=_went_well(one),
    )


def prefix_of(name: str) -> str:
    """`off` of `off-12`; empty of a name without a number."""
    match = _NUMBERED.fullmatch(name)
    return match["prefix"] if match else ""


def _prefix(one: Deployment) -> str:
    return str(one.parameters.get("rdshNamePrefix") or one.parameters.get("newRdshNamePrefix") or "")


def _named(one: Deployment) -> Iterator[str]:
    """Names of VMs that a run says it made, or else those that its template gives them."""
    count = one.parameters.get("rdshNumberOfInstances")
    if one.machines:
        yield from one.machines
    elif _prefix(one) and isinstance(count, int):
        yield from (f"{_prefix(one)}-{number}" for number in range(min(count, 10_000)))


def _went_well(one: Deployment) -> bool:
    return fold(one.state) in ("", "succeeded")


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(fold(str(value)))


def _people(value: Any) -> list[str] | None:
    """The template drops quotes and blanks, then splits at commas."""
    if value is None:
        return None
    return [one for one in _QUOTES.sub("", str(value)).split(",") if "@" in one]
