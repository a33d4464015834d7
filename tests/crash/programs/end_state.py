"""What the twin holds at the end of a program: without times, and without what each call draws anew."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from avdtwin.world import World

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
DRAWN = re.compile(r"eyJ[\w-]+\.[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+Z?|[0-9a-f]{32,}")
LONG_AGO = 1_000_000_000.0
PASSING = ("scripts", "run_commands", "busy_until", "timestamp", "timeStamp", "secrets", "booted")


def end_state(world: World, known: frozenset[str]) -> dict[str, Any]:
    """Everything that the services hold, as they would tell it, and who lost a session. Ids that are not `known` were
    drawn by calls: they are `id`."""
    world.settle()
    state = msgspec.to_builtins(world.state)
    arm = {kind: state["arm"][kind] for kind in ("subscriptions", "resources", "role_assignments")}
    parts = {"directory": state["directory"], "classic": state["classic"], "arm": arm, "machines": state["machines"]}
    sessions = sorted(f"{each['user']} {each['pool']} {each['state']}" for each in state["sessions"].values())
    state["classic"]["removed_hosts"].sort()  # pools are removed side by side
    told = {name: _still(part, known) for name, part in parts.items()}
    return {"sessions": sessions, "lost": of_people(world, "session_lost", "cause"), **told}


def known_ids(path: Path, text: str) -> frozenset[str]:
    """The ids in `text`, as it was when `path` was first asked for."""
    if not path.exists():
        path.write_text("\n".join(sorted({found.lower() for found in GUID.findall(text)})))
    return frozenset(path.read_text().split())


def of_people(world: World, kind: str, member: str) -> dict[str, int]:
    """`user: member` -> how often they were told or lost it."""
    return Counter(f"{one.data['user']}: {one.data[member]}" for one in world.state.records if one.kind == kind)


def _still(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {_text(key, known): _still(each, known) for key, each in value.items() if not _passing(key)}
    if isinstance(value, list):
        return [_still(each, known) for each in value]
    if isinstance(value, float) and value > LONG_AGO:
        return "a time"
    return _text(value, known) if isinstance(value, str) else value


def _passing(name: str) -> bool:
    return name.lower().endswith(("_at", "heartbeat", "time", "_due", "boot", "attempt")) or name in PASSING


def _text(text: str, known: frozenset[str]) -> str:
    text = GUID.sub(lambda found: found[0] if found[0].lower() in known else "id", text)
    return DRAWN.sub("drawn", text)
