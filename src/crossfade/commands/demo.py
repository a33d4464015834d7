"""`crossfade demo`: a whole migration on a twin in this process, under virtual time, while its people go on working."""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import tomlkit

from crossfade.clock import SimulatedClock, Stopwatch, iso
from crossfade.commands.apply import Applied, apply
from crossfade.commands.assess import assess
from crossfade.commands.discover import discover, discover_target
from crossfade.commands.init import initial_intent
from crossfade.commands.plan import make
from crossfade.commands.report import write_report
from crossfade.commands.verify import verify
from crossfade.commands.workspace import DEMO, ENGINE, INTENT, INVENTORY, PLAN, TARGET, Workspace
from crossfade.errors import InputError, Problem
from crossfade.execution.reader import JournalReader
from crossfade.execution.run import MakeEngine, Services
from crossfade.execution.transitions import HostState, Kind
from crossfade.model.ids import fold
from crossfade.model.notices import Notice
from crossfade.plan.operations import CreateDirectoryGroup
from crossfade.plan.plan import Plan
from crossfade.report.consolidation import consolidated
from crossfade.verification.verification import Verification

T = TypeVar("T")
Say = Callable[[str], None]
LARGE_HOSTS = 300


class Stage(Protocol):
    """The rehearsal that a demo is played on: services over a twin, its clock, and what its people went through."""

    clock: SimulatedClock

    @property
    def subscription(self) -> str: ...

    def services(self) -> Services: ...

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...

    def tally(self) -> dict[str, Any]: ...

    def tell(self, upns: Iterable[str]) -> None: ...

    def wire_calls(self) -> dict[str, int]: ...

    def same_days_without(self, estate_name: str, until: float) -> dict[str, Any]: ...


class DemoResult(msgspec.Struct, frozen=True, kw_only=True):
    """The counts at the end; names are stable. Seconds; `calls` by service; `throttled` counts 429 answers."""

    estate: str
    seed: int
    state: str
    hosts: int
    hosts_moved: int
    hosts_quarantined: int
    people: int
    people_moved: int
    people_gone: int
    """Assigned in classic, but no longer in the directory."""
    assignments_before: int
    """In classic, person by person."""
    assignments_after: int
    """Role assignments that give the same on the target."""
    groups_made: int
    """New directory groups, which stand for the others."""
    people_told: int
    """By the operator's mail, when the new service was theirs."""
    sign_ins: int
    min_sign_ins_per_person: int
    refused_sign_ins: int
    refused_by_cause: dict[str, int]
    refused_sign_ins_without_migration: int
    sessions_lost_with_notice: int
    sessions_lost_without_notice: int
    peak_sessions: int
    min_sessions_while_moving: int | None
    calls: dict[str, int]
    throttled: int
    lost: int
    gained: int
    swapped: int
    unexplained: int
    verified: bool
    virtual_seconds: float
    real_seconds: float
    report: str

    @property
    def exit_code(self) -> int:
        """0 when the run is finished, nobody was refused for it, and the proof holds; else 1."""
        refused = self.refused_sign_ins > self.refused_sign_ins_without_migration
        bad = refused or self.sessions_lost_without_notice or not self.verified or self.state != "finished"
        return 1 if bad else 0


def prepare(folder: Path) -> Workspace:
    """An empty folder for a demo. What an earlier demo left is removed; any other folder with content is refused, and
    one in which somebody has carried out a run of their own, whose engine the demo has not."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / DEMO.name).exists() or (folder / ENGINE.name).exists():
            mend = "Name another folder with --dir, or empty it yourself."
            raise InputError("The demo was not begun.", [Problem(str(folder), "holds something else.", mend)])
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DEMO.name).write_text("This folder was made by `crossfade demo` and may be emptied by the next one.\n")
    return Workspace(folder)


def demo(
    stage: Stage, workspace: Workspace, make_engine: MakeEngine, *, estate: str, seed: int, say: Say
) -> DemoResult:
    """The seven arrows, one after another. Raises MigrationError where a command would."""
    watch = Stopwatch()
    begun = stage.clock.timestamp()
    applied, verification, calls, report, told = stage.run(_all_of_it(stage, workspace, make_engine, say))
    ended = stage.clock.timestamp()
    without = stage.same_days_without(estate, ended)
    return _result(
        stage.tally(),
        without,
        workspace=workspace,
        applied=applied,
        verification=verification,
        calls=calls,
        throttled=_throttled(stage.wire_calls()),
        estate=estate,
        seed=seed,
        virtual_seconds=round(ended - begun, 1),
        real_seconds=round(watch.seconds(), 1),
        report=report,
        told=told,
    )


async def _all_of_it(
    stage: Stage, workspace: Workspace, make_engine: MakeEngine, say: Say
) -> tuple[Applied, Verification, dict[str, int], str, int]:
    async with stage.services() as services:
        await _decide(stage, workspace, services, say)
        say("apply: objects first, then wave after wave; people sign in all the while")
        hook = _Hook(say, stage, workspace.read(PLAN, Plan))
        applied = await apply(
            workspace, services, stage.clock, make_engine, synchronous="NORMAL", hook=hook, on_notice=hook.post
        )
        say(f"apply: the run is {applied.state}" + (f": {applied.error.get('what')}" if applied.error else ""))
        verification = await verify(workspace, services, stage.clock)
        say(
            f"verify: {len(verification.lost)} lost, {len(verification.gained)} gained, "
            f"{len(verification.swapped)} swapped, {len(verification.unexplained)} unexplained"
        )
        report = write_report(workspace, services.cloud.portal, made_at=iso(stage.clock.now()))
        return applied, verification, dict(services.calls), str(report), len(hook.told)


async def _decide(stage: Stage, workspace: Workspace, services: Services, say: Say) -> None:
    """Discover, assess, plan: everything up to the document that somebody would sign."""
    inventory = await discover(services)
    workspace.write(INVENTORY, inventory)
    say(
        f"discover: {len(inventory.pools)} pools, {len(inventory.hosts)} hosts, {len(inventory.apps)} apps, "
        f"{len(inventory.assignments)} assignments, {len(inventory.sessions)} sessions"
    )
    target = await discover_target(services, inventory, [stage.subscription])
    workspace.write(TARGET, target)
    first = initial_intent(inventory, target, subscription=stage.subscription, location="westeurope")
    workspace.write_bytes(INTENT, hurried(first, len(inventory.hosts)))
    findings = assess(workspace, stage.clock).findings.findings
    counts = Counter(str(finding.severity) for finding in findings)
    say(f"assess: {counts['blocker']} blockers, {counts['warning']} warnings, {counts['note']} notes")
    plan = make(workspace, today=iso(stage.clock.now())[:10])
    say(f"plan: {len(plan.operations)} operations, {len(plan.hosts)} hosts in {len(plan.waves)} waves")


def hurried(intent: bytes, hosts: int) -> bytes:
    """The operator's own choices for a demo: larger waves for a larger estate, and a day, not three, for everybody to
    be seen on the target."""
    document = tomlkit.parse(intent.decode())
    waves: Any = document.setdefault("waves", tomlkit.table())
    waves["last_wave_due_hours"] = 24.0
    if hosts > LARGE_HOSTS:
        waves["size"] = hosts // 15
        waves["canary_wave"] = hosts // 50
        waves["parallel_moves"] = hosts // 20
        access: Any = document.setdefault("access", tomlkit.table())
        access["direct_threshold"] = 20
    return tomlkit.dumps(document).encode()


class _Hook:
    """A journal hook. It tells of waves as they begin and end; and it is the operator who sends what the run has issued
    for sending, when it says so: to the people in the file, nobody else."""

    def __init__(self, say: Say, stage: Stage, plan: Plan) -> None:
        self._say = say
        self._stage = stage
        self._waves = {wave.id for wave in plan.waves}
        self._due: list[tuple[str, list[str]]] = []
        self.told: set[str] = set()

    def __call__(self, point: str) -> None:
        subject, _, state = point.removeprefix("after ").rpartition(" ")
        if not point.startswith("after "):
            return
        wave = subject.removeprefix("wave ")
        if wave in self._waves and state in ("moving", "confirmed", "holding"):
            self._say(f"  {iso(self._stage.clock.now())[:16].replace('T', ' ')}  {wave} {state}")
        self._send()

    def post(self, notice: Notice, folder: Path) -> None:
        """Take an issued notice from its files."""
        rows = csv.DictReader(io.StringIO((folder / "people.csv").read_text(encoding="utf-8-sig"), newline=""))
        self._due.append((notice.send_from, [row["person"].removeprefix("'") for row in rows]))

    def _send(self) -> None:
        now = iso(self._stage.clock.now())
        due = [people for send_from, people in self._due if send_from <= now]
        self._due = [(send_from, people) for send_from, people in self._due if send_from > now]
        for people in due:
            self.told |= {fold(person) for person in people}
            self._stage.tell(people)


def _throttled(wire_calls: dict[str, int]) -> int:
    return sum(count for call, count in wire_calls.items() if call.endswith(" 429"))


def _result(
    tally: dict[str, Any],
    without: dict[str, Any],
    *,
    workspace: Workspace,
    applied: Applied,
    verification: Verification,
    calls: dict[str, int],
    told: int,
    **rest: Any,
) -> DemoResult:
    plan = workspace.read(PLAN, Plan)
    with JournalReader.look(workspace.journal) as reader:
        states = Counter(host.state for host in reader.all(Kind.HOST))
    moved = {person for group in plan.access for person in group.people}
    gone = {fold(upn) for group in plan.access for upn in group.missing}
    by_service: Counter[str] = Counter()
    for call, count in calls.items():
        by_service[call.split()[0]] += count
    return DemoResult(
        state=applied.state,
        hosts=len(plan.hosts),
        hosts_moved=states[HostState.CONFIRMED],
        hosts_quarantined=states[HostState.QUARANTINED],
        people=len(moved | gone),
        people_moved=len(moved),
        people_gone=len(gone),
        assignments_before=sum(row.before for row in consolidated(plan)),
        assignments_after=sum(row.after for row in consolidated(plan)),
        groups_made=sum(1 for one in plan.operations if isinstance(one, CreateDirectoryGroup)),
        people_told=told,
        sign_ins=tally["sign_ins"],
        min_sign_ins_per_person=tally["min_sign_ins_per_person"],
        refused_sign_ins=tally["refused_sign_ins"],
        refused_by_cause=tally["refused_by_cause"],
        refused_sign_ins_without_migration=without["refused_sign_ins"],
        sessions_lost_with_notice=tally["sessions_lost_with_notice"],
        sessions_lost_without_notice=tally["sessions_lost_without_notice"],
        peak_sessions=tally["peak_sessions"],
        min_sessions_while_moving=tally["min_sessions_while_moving"],
        calls=dict(sorted(by_service.items())),
        lost=len(verification.lost),
        gained=len(verification.gained),
        swapped=len(verification.swapped),
        unexplained=len(verification.unexplained),
        verified=verification.equivalent(),
        **rest,
    )
