"""Worker processes on a PostgreSQL, and a twin over HTTPS that is faster than life. Tests and a benchmark use it.

with Yard("tiny", folder, database_url) as yard:
    yard.queue("all")
    one, two = yard.worker(), yard.worker()
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from stage import QUICK
from worker_process import FastClock

from crossfade.app import services_for
from crossfade.assessment.findings import Findings
from crossfade.cli.answers import Connection
from crossfade.cli.services import endpoints
from crossfade.clock import iso
from crossfade.commands import fleet
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.workspace import INVENTORY, PLAN, TARGET, Workspace
from crossfade.errors import MigrationError
from crossfade.execution.fleet import Entry
from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import Kind
from crossfade.inventory.inventory import Inventory
from crossfade.plan.intent import Access, Azure, Intent, Names, PoolIntent, Waves
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan

PROGRAM = Path(__file__).with_name("worker_process.py")


@dataclass
class WorkerProcess:
    """`said` is its standard error so far, in a file."""

    process: subprocess.Popen[str]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        """As kill -9 does: not a word more from it."""
        self.process.kill()
        self.process.wait(20)

    def stand_still(self) -> None:
        """As a machine that sleeps, or a disk that hangs: alive, and nothing moves."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ended(self, seconds: float) -> dict[str, Any]:
        """What it did, once it has ended."""
        out, _ = self.process.communicate(timeout=seconds)
        assert self.process.returncode == 0, self.said
        return dict(json.loads(out))


@dataclass
class Yard:
    estate: str
    folder: Path
    database: str
    factor: float = 480.0
    silence_s: float = 2400.0
    """Of the twin's time."""
    workers: list[WorkerProcess] = field(default_factory=list)

    def __enter__(self) -> Yard:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "crossfade", "twin", "--estate", self.estate, "--port", "0", "--still"]
        command += ["--time", f"x{self.factor:g}", "--dir", str(self.folder)]
        self.twin = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.twin.stdout is not None
        said = ""
        while "Stop it" not in said:
            line = self.twin.stdout.readline()
            assert line, f"the twin ended: {said}"
            said += line
        told = dict(re.findall(r"export (\w+)=(\S+)", said))
        self.url, self.subscription, self.secret = (
            told[name] for name in ("AVDTWIN_URL", "AZURE_SUBSCRIPTION_ID", "AZURE_CLIENT_SECRET")
        )
        self.ca_file = str(self.folder / "twin/ca.pem")
        self.connection = Connection(
            endpoint=self.url,
            ca_file=self.ca_file,
            sign_in="service-principal",
            tenant_id=told["AZURE_TENANT_ID"],
            client_id=told["AZURE_CLIENT_ID"],
        )
        self.clock = FastClock(self.factor, float(self.ask("time")["epoch"]), time.monotonic())
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
        self.twin.terminate()
        self.twin.wait(20)

    def ask(self, what: str) -> dict[str, Any]:
        """Of the twin's controls."""
        trusted = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(f"{self.url}/_twin/{what}", context=trusted, timeout=60) as answer:
            return dict(json.load(answer))

    def environ(self, secret: str) -> dict[str, str]:
        """What `crossfade` needs to work here; `secret` is the variable that holds it."""
        connection = {f"CROSSFADE_{name.upper()}": value for name, value in self.connection._asdict().items() if value}
        return {**connection, secret: self.secret, "CROSSFADE_DATABASE": self.database}

    # -- runs

    def discover(self) -> None:
        """Both inventories, for all runs of this estate."""

        async def both() -> None:
            environ = {"CROSSFADE_CLIENT_SECRET": self.secret}
            async with services_for(endpoints(self.connection), self.clock, environ=environ) as services:
                inventory = await discover(services)
                base = Workspace(self.folder)
                base.write(INVENTORY, inventory)
                base.write(TARGET, await discover_target(services, inventory, [self.subscription]))

        asyncio.run(both())

    def queue(
        self, name: str, *, pools: Sequence[str] = (), share: int = 100, waves: Waves = QUICK, access: Access = Access()
    ) -> Plan:
        """A planned and queued run of some pools, or all; `discover` was before."""
        from crossfade.inventory.target import TargetSnapshot

        base, workspace = Workspace(self.folder), Workspace(self.folder / name, self.database)
        inventory, target = base.read(INVENTORY, Inventory), base.read(TARGET, TargetSnapshot)
        others = {one.key: PoolIntent(skip=True) for one in inventory.pools if pools and one.key not in pools}
        azure = Azure(subscription=self.subscription, location="westeurope", resource_group=f"rg-{name}")
        intent = Intent(azure=azure, waves=waves, access=access, pools=others, names=Names(workspace=name))
        plan = make_plan(inventory, target, Findings(), intent, today=iso(self.clock.now())[:10])
        for file, document in ((INVENTORY, inventory), (TARGET, target), (PLAN, plan)):
            workspace.write(file, document)
        fleet.queue(workspace, self.database, self.connection._asdict(), name=name, share=share, clock=self.clock)
        return plan

    def runs(self) -> dict[str, Entry]:
        return {each.name: each for each in fleet.fleet(self.database, self.clock).runs}

    def journal(self, name: str) -> JournalReader:
        return JournalReader.look(Workspace(self.folder / name, self.database).journal)

    # -- workers

    def worker(self, **options: Any) -> WorkerProcess:
        told = {
            "database": self.database,
            "factor": self.factor,
            "epoch": self.clock.now().timestamp(),
            "monotonic": time.monotonic(),
            "options": {"silence_s": self.silence_s, "until_done": True, **options},
        }
        log = self.folder / f"worker-{len(self.workers)}.log"
        environ = {**os.environ, "CROSSFADE_CLIENT_SECRET": self.secret, "PYTHONPATH": os.pathsep.join(sys.path)}
        with log.open("w") as said:
            process = subprocess.Popen(
                [sys.executable, str(PROGRAM), msgspec.json.encode(told).decode()],
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=environ,
            )
        self.workers.append(WorkerProcess(process, log))
        return self.workers[-1]

    def mover(self, name: str) -> str:
        """The worker that has this run, once it is moving a host; empty before."""
        entry = self.runs()[name]
        if entry.state != "working":
            return ""
        with contextlib.suppress(MigrationError), self.journal(name) as reader:
            return entry.worker if any(host.state == "moving" for host in reader.all(Kind.HOST)) else ""
        return ""

    def until(self, what: Callable[[], Any], seconds: float = 120.0) -> Any:
        """What `what` gives, as soon as it gives something; real seconds."""
        end = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < end, [worker.said for worker in self.workers]
            time.sleep(0.05)
        return found


def writes_of(calls: dict[str, int]) -> dict[str, int]:
    """What changed something, or asked to, whatever came of it: of the twin's counts, by service and method."""
    found: dict[str, int] = {}
    for call, count in calls.items():
        service, method, _ = call.split()
        if method in ("PUT", "PATCH", "DELETE"):
            found[f"{service} {method}"] = found.get(f"{service} {method}", 0) + count
    return found
