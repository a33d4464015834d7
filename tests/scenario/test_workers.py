"""Two worker processes on one PostgreSQL: one is killed in the middle of a host's move, the other one goes on."""

from __future__ import annotations

from pathlib import Path

from stage import QUICK, Stage
from workers_kit import Yard, writes_of

from crossfade.commands.status import status
from crossfade.commands.workspace import Workspace
from crossfade.execution.reader import JournalReader
from crossfade.execution.transitions import Kind
from postgres_kit import PASSWORD, Server


def histories(reader: JournalReader) -> dict[str, list[str]]:
    """Host -> the states that it went through."""
    reader.verify()
    found: dict[str, list[str]] = {}
    for event in reader.events(kind="host"):
        found.setdefault(event.subject, []).append(str(event.to_state))
    return found


def test_a_killed_worker_is_adopted_and_nothing_is_done_twice(tmp_path: Path, postgres_server: Server) -> None:
    calm = Stage.of("tiny", tmp_path / "calm")
    calm.make_plan(waves=QUICK)
    assert calm.apply().state == "finished"
    with calm.journal() as reader:
        undisturbed, writes = histories(reader), writes_of(calm.world.state.calls)

    assert writes["arm PUT"] > 10
    with Yard("tiny", tmp_path / "killed", postgres_server.new_database()) as yard:
        yard.discover()
        run = yard.queue("all") and yard.runs()["all"].run
        first, second = yard.worker(name="first"), yard.worker(name="second")

        def moving() -> str:
            entry = yard.runs()["all"]
            if entry.state != "working":
                return ""
            try:
                with yard.journal("all") as reader:
                    return entry.worker if any(host.state == "moving" for host in reader.all(Kind.HOST)) else ""
            except Exception:
                return ""

        victim = yard.until(moving)
        assert status(Workspace(yard.folder / "all", yard.database)).holder == victim, "status names who works"
        dead, alive = (first, second) if victim == "first" else (second, first)
        dead.kill()
        worked = alive.ended(180)
        assert (worked["finished"], worked["adopted"]) == ([run], [run])
        assert f"Worker {victim} is dead. It had {run}" in alive.said
        entry = yard.runs()["all"]
        assert (entry.state, entry.adopted) == ("finished", 1)
        with yard.journal("all") as reader:
            assert histories(reader) == undisturbed
        more = {call: count - writes.get(call, 0) for call, count in writes_of(yard.ask("calls")).items()}
        assert all(0 <= count <= 1 for count in more.values()), f"at most the call in flight was said again: {more}"
        assert PASSWORD not in alive.said + dead.said
