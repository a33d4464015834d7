"""What was decided about a run, as the journal remembers it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from crossfade.clock import SimulatedClock
from crossfade.execution.journal import Journal
from crossfade.execution.orders import APPROVE, Orders
from crossfade.execution.transitions import Kind
from crossfade.plan.plan import Settings


def test_a_yes_is_no_yes_to_a_wave_that_was_taken_back_since(tmp_path: Path) -> None:
    clock = SimulatedClock(datetime(2026, 6, 1, tzinfo=UTC))
    with Journal.open(tmp_path / "journal.db", clock) as journal:
        orders = Orders(journal, "r", Settings())
        journal.add(Kind.RUN, "r", run_id="r")
        for wave in ("wave-01", "wave-02"):
            journal.add(Kind.WAVE, wave, run_id="r")
            orders.give(APPROVE, wave, actor="olivia")
        for state in ("moving", "soaking", "confirmed"):
            journal.move(Kind.WAVE, "wave-02", state)
        assert orders.approval("wave-02") is not None
        journal.move(Kind.WAVE, "wave-02", "reverting")
        assert orders.approval("wave-02") is None
        assert orders.approval("wave-01") is not None
        orders.give(APPROVE, "wave-02", actor="omar")
        again = orders.approval("wave-02")
        assert (again.actor if again else "") == "omar"
