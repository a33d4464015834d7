"""One session host between a classic and an ARM pool, and the move script run on it step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from avdtwin import changes, registry, tokens, windows
from avdtwin.arm import registration, store
from avdtwin.classic import pools
from avdtwin.clock import ManualClock
from avdtwin.powershell.run import Run, run
from avdtwin.state import (
    ClassicHost,
    ClassicHostPool,
    ClassicTenant,
    ClassicTenantGroup,
    Machine,
    RegistrationInfo,
    Resource,
)
from avdtwin.world import World

SCRIPT_PATH = Path(__file__).parents[3] / "src/crossfade/execution/vm/move_host.ps1"
SCRIPT = SCRIPT_PATH.read_text(encoding="utf-8")

SUBSCRIPTION = "/subscriptions/00000000-0000-4000-a000-000000000001"
VM = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1"
POOL = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.DesktopVirtualization/hostPools/new"
POOL_OBJECT_ID = "22222222-2222-4222-a222-222222222222"
CLASSIC_POOL = "group/tenant/pool"

PLANTED = "planted-machine-secret"
AGENT_MSI = "C:\\ProgramData\\Crossfade\\Agent Installer.msi"
LOADER_MSI = "C:\\ProgramData\\Crossfade\\loader.msi"
SAVED = "hklm:\\software\\crossfade\\saved\\run-1"


class Result(msgspec.Struct):
    """One step's answer."""

    step: str
    ok: bool
    code: str
    changed: bool
    facts: dict[str, Any]
    run: Run


class Lab:
    """A world with one host on classic, ready to be moved."""

    def __init__(self, script: str = SCRIPT, quirks: tuple[str, ...] = (), seed: int = 0) -> None:
        self.script = script
        self.clock = ManualClock(1_790_000_000.0)
        self.world = World.empty(self.clock, tenant_id="72f988bf-0000-4000-a000-2d7cd011db47", seed=seed)
        self.record = _classic_pool(self.world)
        self.pool = _arm_pool(self.world)
        self.machine = windows.build(
            self.world,
            resource_id=VM,
            computer_name="vm-1",
            fqdn="vm-1.ad.contoso.com",
            older_agents=("1.0.2548.6500", "1.0.2800.2800"),
            registration=windows.Registration(service="classic", pool=CLASSIC_POOL),
            quirks=quirks,
        )
        self.machine.products.append(windows.product(windows.STACK_NAME, "1.0.2006.11001"))
        self.machine.products.append(windows.product("Remote Desktop Connection Manager", "2.8"))
        registry.write(self.machine, registry.AGENT, "MachineIdentity", PLANTED)
        registry.write(self.machine, registry.AGENT + "\\healthcheckreport", "AgentHealthCheckReport", "{}")
        registry.write(self.machine, registry.BOOT_LOADER, "DefaultAgentPath", "C:\\RDAgent_1.0.2990.1500")
        self.token = registration.issue(self.world, self.pool, self.world.now + 86_400.0)
        self.outputs: list[str] = []

    # -- acting

    def step(self, name: str, **parameters: str) -> Result:
        """Run one step to its end, in the twin's time."""
        done = self.begin(name, **parameters)
        self.outputs += [done.stdout, done.stderr]
        self.wait(done.duration_s)
        changes.apply_until(self.world, self.machine, done.changes, done.duration_s)
        return read(done)

    def begin(self, name: str, **parameters: str) -> Run:
        """A step's run, not yet applied."""
        given = {
            "Step": name,
            "RunId": "run-1",
            "AgentInstaller": AGENT_MSI,
            "BootLoaderInstaller": LOADER_MSI,
            "AgentUrl": "https://go.microsoft.com/fwlink/?linkid=2310011",
            "BootLoaderUrl": "https://go.microsoft.com/fwlink/?linkid=2311028",
            "AgentVersion": "1.0.9000.0",
            "BrokerUrl": "https://rdbroker.wvd.microsoft.com/",
        }
        if name in ("install", "repoint"):
            given["RegistrationToken"] = self.token
        given |= parameters
        return run(self.world, self.machine, self.script, [[key, value] for key, value in given.items() if value])

    def good(self, *names: str) -> list[Result]:
        """Steps that must succeed, `restart` among them."""
        found = []
        for name in names:
            if name == "restart":
                self.restart()
                continue
            found.append(self.step(name))
            assert found[-1].ok, (name, found[-1].code, found[-1].facts)
        return found

    def restart(self) -> None:
        self.wait(windows.restart(self.world, self.machine) + 1)
        assert self.machine.power == "running"

    def wait(self, seconds: float = 900.0) -> None:
        self.clock.advance(seconds)
        self.world.settle()

    # -- looking

    def agent_key(self) -> dict[str, Any]:
        return self.machine.registry.get(registry.AGENT, {})

    def ours(self) -> list[str]:
        """Installed components of the service, name and version, sorted."""
        return sorted(f"{p.name} {p.version}" for p in self.machine.products if p.name in windows.COMPONENTS)

    def on_arm(self) -> bool:
        host = store.get(self.world, f"{POOL}/sessionHosts/vm-1.ad.contoso.com")
        agent = self.machine.agent
        connected = agent.service == "arm" and agent.pool == POOL.lower()
        return host is not None and connected and windows.healthy(self.world, self.machine)

    def on_classic(self) -> bool:
        agent = self.machine.agent
        connected = agent.service == "classic" and agent.pool == CLASSIC_POOL
        return connected and windows.healthy(self.world, self.machine)

    def image(self) -> Machine:
        """A copy of the machine as it is."""
        return msgspec.convert(msgspec.to_builtins(self.machine), Machine)

    def classic_token(self) -> str:
        """A token of the classic pool, as an export gives it."""
        expires_at = self.world.now + 86_400.0
        token = tokens.issue_registration(
            self.world, service="classic", pool_object_id=pools.object_id(CLASSIC_POOL), expires_at=expires_at
        )
        pool = self.world.state.classic.groups["group"].tenants["tenant"].pools["pool"]
        pool.registration = RegistrationInfo(token=token, expires_at=expires_at)
        return token


def read(done: Run) -> Result:
    """The result line, which must be the only line and short enough for a run command."""
    assert done.stderr == "", done.stderr
    (line,) = done.stdout.splitlines()
    mark, _, body = line.partition(" ")
    assert mark == "CROSSFADE-RESULT"
    assert len(line.encode()) < 4096
    found = json.loads(body)
    assert list(found) == ["step", "ok", "code", "changed", "facts"]
    assert done.exit_code == (0 if found["ok"] else 1)
    return Result(**found, run=done)


def _classic_pool(world: World) -> ClassicHost:
    record = ClassicHost(
        name="vm-1.ad.contoso.com", vm=VM.lower(), allow_new_session=False, assigned_user="a@contoso.com"
    )
    pool = ClassicHostPool(name="pool", hosts={"vm-1.ad.contoso.com": record})
    tenant = ClassicTenant(name="tenant", aad_tenant_id=world.state.directory.tenant_id, pools={"pool": pool})
    world.state.classic.groups["group"] = ClassicTenantGroup(name="group", tenants={"tenant": tenant})
    return record


def _arm_pool(world: World) -> Resource:
    return store.add(
        world,
        Resource(
            id=POOL,
            type="Microsoft.DesktopVirtualization/hostPools",
            name="new",
            properties={"objectId": POOL_OBJECT_ID, "hostPoolType": "Pooled"},
            location="westeurope",
        ),
    )
