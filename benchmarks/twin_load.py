"""A twin of 50,000 hosts, 500 pools and 1,000,000 assignments: how long it takes to make and to load, how much memory,
and how long a page takes as an estate grows.

    PYTHONPATH=src .venv/bin/python benchmarks/twin_load.py

Bounds: made, and loaded from a file, in under 60 s and 3 GiB each, and flat pages.
"""

import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _big
from avdtwin import tokens
from avdtwin.asgi import TwinApp
from avdtwin.clock import ManualClock
from avdtwin.state import ClassicRoleAssignment, Resource
from avdtwin.wire import Request
from avdtwin.world import World

BOUND_S, BOUND_GIB = 60.0, 3.0
SIZES = (5, 50, 500)
"""Pools of the estates on the curve."""
TIMES = 30
AUDIENCES = {"arm": "https://management.azure.com", "classic": "https://mrs-prod.ame.gbl/mrs-RDInfra-prod"}
CALLER = "00000000-0000-4000-a000-00000000beef"


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def make(path: str) -> None:
    """Make the large estate and write its snapshot."""
    began = time.perf_counter()
    world = _big.build(SIZES[-1])
    took, peak = time.perf_counter() - began, peak_gib()
    pools, hosts, assigned = _big.counts(world)
    print(f"made: {hosts:,} hosts, {pools} pools, {assigned:,} assignments in {took:.1f} s, {peak:.2f} GiB")
    assert (pools, hosts, assigned) == (500, 50_000, 1_000_000)
    assert took < BOUND_S
    assert peak < BOUND_GIB
    world.save(Path(path))


def load(path: str) -> None:
    """Load the snapshot and answer a first call."""
    began = time.perf_counter()
    world = World.load(Path(path), ManualClock(0.0))
    world.clock = ManualClock(world.now)
    asyncio.run(page_s(world, *_pages(world)["classic: 1,000 assigned users of a group"]))
    took, peak = time.perf_counter() - began, peak_gib()
    size = Path(path).stat().st_size / 2**20
    print(f"loaded: a snapshot of {size:.0f} MiB, and a first page, in {took:.1f} s, {peak:.2f} GiB")
    assert took < BOUND_S
    assert peak < BOUND_GIB


def curve() -> None:
    """Milliseconds a page, for estates of growing size."""
    rows: dict[str, list[float]] = {}
    for pools in SIZES:
        world = _big.build(pools)
        _arm_pools(world, pools)
        for name, (service, url) in _pages(world).items():
            took = statistics.median(asyncio.run(page_s(world, service, url)) for _ in range(TIMES))
            rows.setdefault(name, []).append(took * 1000)
    print("ms a page, medians of", TIMES, "for", ", ".join(f"{each * _big.HOSTS:,}" for each in SIZES), "hosts:")
    for name, found in rows.items():
        print(f"  {name:45}", "  ".join(f"{each:7.2f}" for each in found))
        assert found[-1] < 3 * found[0] + 1, f"{name} grows with the estate"


def _arm_pools(world: World, pools: int) -> None:
    """As many ARM host pools with 100 session hosts each."""
    subscription = next(iter(world.state.arm.subscriptions))
    world.state.arm.subscriptions[subscription].providers["microsoft.desktopvirtualization"] = "Registered"
    machines = iter(world.state.machines.values())
    for number in range(pools):
        group = f"/subscriptions/{subscription}/resourceGroups/rg-{number // 10}"
        path = f"{group}/providers/Microsoft.DesktopVirtualization/hostPools/p{number}"
        kind = "Microsoft.DesktopVirtualization/hostPools"
        given = {"hostPoolType": "Pooled", "objectId": world.guid("object")}
        pool = Resource(id=path, type=kind, name=f"p{number}", location="westeurope", properties=given)
        world.state.arm.resources[path.lower()] = pool
        for _ in range(_big.HOSTS):
            machine = next(machines)
            host = f"{path}/sessionHosts/{machine.fqdn}"
            world.state.arm.resources[host.lower()] = Resource(
                id=host, type=f"{kind}/sessionHosts", name=machine.fqdn, properties={}, vm=machine.vm
            )


def _pages(world: World) -> dict[str, tuple[str, str]]:
    """Name -> service and address of a page of 100 or 1,000 rows."""
    world.state.settings["rights_enforced"] = False
    world.state.classic.role_assignments["bench"] = ClassicRoleAssignment(
        id="bench", scope="/", role="RDS Owner", object_id=CALLER, object_type="User"
    )
    tenant = "/RdsManagement/V1/TenantGroups/Default%20Tenant%20Group/Tenants/Big"
    subscription = next(iter(world.state.arm.subscriptions))
    desktop = f"/subscriptions/{subscription}/resourceGroups/rg-0/providers/Microsoft.DesktopVirtualization"
    pool = f"{tenant}/HostPools/Pool%20000"
    return {
        "classic: 100 session hosts of a pool": ("classic", f"{pool}/SessionHosts?PageSize=100"),
        "classic: 1,000 assigned users of a group": (
            "classic",
            f"{pool}/AppGroups/Desktop%20Application%20Group/AssignedUsers?PageSize=1000",
        ),
        "classic: 100 host pools": ("classic", f"{tenant}/HostPools?PageSize=100"),
        "arm: 100 session hosts of a pool": (
            "arm",
            f"{desktop}/hostPools/p0/sessionHosts?api-version=2024-04-03&pageSize=100",
        ),
        "arm: 100 virtual machines of a subscription": (
            "arm",
            f"/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01",
        ),
    }


async def page_s(world: World, service: str, url: str) -> float:
    """Seconds for one page, the encoding of its body left out."""
    from avdtwin.wire import parse_query

    token = tokens.issue_access(
        world, object_id=CALLER, app_id=None, upn="bench@big.example", audience=AUDIENCES[service]
    )
    path, _, query = url.partition("?")
    request = Request(
        method="GET",
        path=path,
        query=parse_query(query),
        headers={"authorization": f"Bearer {token}"},
        body=b"",
        origin="https://twin.invalid",
    )
    tokens.read_access(world, request.headers["authorization"])
    app = TwinApp(world)
    began = time.perf_counter()
    response = await app.answer(request)
    took = time.perf_counter() - began
    assert response.status == 200, (response.status, response.body)
    return took


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "big.json")
        for part in ("make", "load"):
            subprocess.run([sys.executable, __file__, part, path], check=True)
    curve()


if __name__ == "__main__":
    {"make": make, "load": load}[sys.argv[1]](sys.argv[2]) if len(sys.argv) > 1 else main()
