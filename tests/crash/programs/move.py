"""A whole small migration by the product itself: one pool of two hosts, the first forward, back, and forward for good.

The official SDKs over the in-process transport; every outgoing call is a place to die, besides every commit.
"""

from __future__ import annotations

import re
from typing import Any

import dbos  # noqa: F401 - the server imports it once for all lives
import msgspec
from harness import End, Life

from avdtwin import estate
from avdtwin.estate.specs import EXCEL, EstateSpec, GroupSpec, PoolSpec
from avdtwin.world import World
from crossfade.app import Rehearsal, twin_clock
from crossfade.assessment.findings import Findings
from crossfade.cloud.services import Services
from crossfade.execution.control import NoControl
from crossfade.execution.journal import Journal
from crossfade.execution.run import carry_out, make_context
from crossfade.execution.transitions import FINISHED_STEPS, Kind
from crossfade.inventory import documents
from crossfade.inventory.asked import asked
from crossfade.inventory.merge import assemble
from crossfade.inventory.snapshot import assemble_target
from crossfade.plan.intent import Azure, Intent, Waves
from crossfade.plan.plan import Plan
from crossfade.plan.planner import make_plan
from crossfade.sources.classic_live import read_classic
from crossfade.sources.target_live import read_target

SEED = 7
POOL = PoolSpec(
    name="Office Pool",
    prefix="off",
    hosts=2,
    desktop_people=3,
    groups=(GroupSpec("Office Apps", 2, (EXCEL,)),),
    limit=10,
)
SPEC = EstateSpec(
    name="crash", tenant="crash", domain="crash.example", ad_domain="ad.crash.example", workspace=False, pools=(POOL,)
)
WRITES = ("PUT", "PATCH", "POST", "DELETE")
CLASSIC = ("AssignedUsers", "SessionHosts", "RegistrationInfos", "Sessions", "HostPools")
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
DRAWN = re.compile(r"eyJ[\w-]+\.[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+Z?|[0-9a-f]{32,}")
PASSING = ("scripts", "run_commands", "busy_until", "timestamp", "timeStamp", "secrets", "booted")


def main(life: Life) -> End:
    rehearsal = _rehearsal(life)
    plan = _plan(life, rehearsal)
    world = rehearsal.world
    known = _known_ids(life, world)
    rehearsal.app = life.calls(_counted(rehearsal.app, world))  # type: ignore[assignment]
    life.keep(world.snapshot)
    with Journal.open(life.folder / "journal.db", life.clock, synchronous="NORMAL", hook=life.point) as journal:
        outcome = life.clock.run(_apply(life, rehearsal.services(), journal, plan))
        states = {kind.value: {each.id: each.state for each in journal.all(kind)} for kind in Kind}
        journal.verify()
    states["step"] = {name: "finished" for name, state in states["step"].items() if state in FINISHED_STEPS}
    same = {"outcome": str(outcome.state), "why": outcome.error, "journal": states, "twin": end_state(world, known)}
    writes = {name: int(count) for name, count in world.state.tallies.items() if name.startswith("write ")}
    return End(same, at_most=writes)


def _rehearsal(life: Life) -> Rehearsal:
    clock = twin_clock(life.clock)
    if life.snapshot is not None:
        return Rehearsal(World.restore(life.snapshot, clock), life.clock, seed=SEED)
    return Rehearsal(estate.build(SPEC, SEED, clock, people=False), life.clock, seed=SEED)


def _plan(life: Life, rehearsal: Rehearsal) -> Plan:
    """Made once, before anything may die."""
    path = life.folder / "plan.json"
    if not path.exists():
        path.write_bytes(documents.encode(life.clock.run(_make_plan(rehearsal))))
    return documents.decode(path.read_bytes(), Plan, place="plan.json")


async def _make_plan(rehearsal: Rehearsal) -> Plan:
    subscription = rehearsal.subscription
    async with rehearsal.services() as services:
        inventory = assemble(await read_classic(services.classic, services.clock), made_at="t")
        wanted = asked(inventory, [subscription])
        reading = await read_target(services.arm, services.graph, services.clock, wanted)
        target = assemble_target(reading, wanted, made_at="t")
    intent = Intent(
        azure=Azure(subscription=subscription, location="westeurope"),
        waves=Waves(last_wave_due_hours=0.2, soak_minutes=2.0, headroom=0.0),
    )
    return make_plan(inventory, target, Findings(), intent, today="2026-06-01")


async def _apply(life: Life, services: Services, journal: Journal, plan: Plan) -> Any:
    async with services:
        context = make_context(plan, plan.digest(), journal, life.clock, services, NoControl())
        return await carry_out(context, life.open_engine)


def _counted(app: Any, world: World) -> Any:
    """Counts writes by what they write, into the twin's own tallies: they survive a death. Looking does not count."""

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        looks = path.endswith(("/crossfade-observe", "/token", "/retrieveRegistrationToken", "/$batch"))
        if scope.get("method") in WRITES and not looks:
            name = f"write {scope['method']} {_collection(path)}"
            world.state.tallies[name] = world.state.tallies.get(name, 0) + 1
        await app(scope, receive, send)

    return counted


def _collection(path: str) -> str:
    return next((part for part in reversed(path.split("/")[:-1]) if part[:1].islower() or part in CLASSIC), path)


# -- the twin at the end, without what each call draws anew and without times


def end_state(world: World, known: frozenset[str]) -> dict[str, Any]:
    """Everything that the services hold, as they would tell it; ids that calls draw are `id`, times are left out."""
    world.settle()
    state = msgspec.to_builtins(world.state)
    arm = {kind: state["arm"][kind] for kind in ("subscriptions", "resources", "role_assignments")}
    parts = {"directory": state["directory"], "classic": state["classic"], "arm": arm, "machines": state["machines"]}
    sessions = sorted(f"{each['user']} {each['pool']} {each['state']}" for each in state["sessions"].values())
    return {"sessions": sessions, **{name: _still(part, known) for name, part in parts.items()}}


def _still(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {_text(key, known): _still(each, known) for key, each in value.items() if not _passing(key)}
    if isinstance(value, list):
        return [_still(each, known) for each in value]
    return _text(value, known) if isinstance(value, str) else value


def _passing(name: str) -> bool:
    return name.lower().endswith(("_at", "heartbeat", "time", "_due", "boot", "attempt")) or name in PASSING


def _text(text: str, known: frozenset[str]) -> str:
    text = GUID.sub(lambda found: found[0] if found[0].lower() in known else "id", text)
    return DRAWN.sub("drawn", text)


def _known_ids(life: Life, world: World) -> frozenset[str]:
    """The ids that were there before the first life's first call."""
    path = life.folder / "ids.txt"
    if not path.exists():
        text = world.snapshot().decode() + (life.folder / "plan.json").read_text()
        path.write_text("\n".join(sorted({found.lower() for found in GUID.findall(text)})))
    return frozenset(path.read_text().split())
