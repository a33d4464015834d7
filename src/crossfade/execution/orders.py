"""What was decided about a run since it was planned: notes in its journal, so that every process finds them again.

A host is tried again, left alone or was taken back; a wave is approved; a setting was changed; the run was rolled back,
or goes on without classic.
"""

from typing import Any

import msgspec

from crossfade.execution.journal import Context, Journal
from crossfade.execution.transitions import Kind, WaveState
from crossfade.model.ids import fold
from crossfade.model.modes import CROSSFADE, RESTORE
from crossfade.plan.plan import Settings

ORDER = "order"
"""Subject of the notes; `data` holds `word`, `of` (folded) and what the word needs."""
RETRY = "retry"
SKIP = "skip"
TAKEN_BACK = "taken-back"
APPROVE = "approve"
SET = "set"
ROLLED_BACK = "rolled-back"
WITHOUT_CLASSIC = "without-classic"
"""Classic has gone while the run was under way: it goes on as a plan of restore mode would."""
BACK = WaveState.REVERTING
CHANGES = frozenset({SET, WITHOUT_CLASSIC})
LEAVES = frozenset({SKIP, TAKEN_BACK})


class Order(msgspec.Struct, frozen=True, kw_only=True):
    word: str
    of: str
    actor: str = ""
    why: str = ""
    seq: int = 0
    values: dict[str, Any] = {}


class Orders:
    """The orders of one run. One process writes, so what it read once stays right."""

    def __init__(self, journal: Journal, run_id: str, settings: Settings, mode: str = CROSSFADE) -> None:
        self._journal = journal
        self.run_id = run_id
        self._planned = settings
        self._mode = mode
        notes = journal.events(kind="note", subject=ORDER)
        self._orders = [_order(note) for note in notes if note.run_id == run_id]
        self._settings = self._changed()

    def give(
        self, word: str, of: str, *, actor: str = "crossfade", why: str = "", values: dict[str, Any] | None = None
    ) -> None:
        """Note an order. Committed when this returns."""
        data = {"word": word, "of": fold(of), "values": values or {}}
        reason = why or f"{actor} asked for it"
        self._journal.note(ORDER, f"{word} {of}: {reason}", run_id=self.run_id, data=data, context=Context(actor=actor))
        order = Order(
            word=word, of=fold(of), actor=actor, why=reason, seq=self._journal.last_seq(), values=values or {}
        )
        self._orders.append(order)
        if word in CHANGES:
            self._settings = self._changed()

    # -- hosts

    def retry(self, host: str) -> Order | None:
        """The last word that asked for another try; `values.number` is which."""
        mine = self._of(RETRY, host)
        return mine[-1] if mine else None

    def leave(self, host: str) -> Order | None:
        """The order by which a host stays where it is; None when it is to be moved. Where classic has gone, nothing
        was taken back to a place that anybody could use."""
        words = (RETRY, *LEAVES)
        after = self.begun_after
        mine = [one for one in self._orders if one.of == fold(host) and one.word in words and one.seq > after]
        stays = LEAVES - {TAKEN_BACK} if self.without_classic else LEAVES
        return mine[-1] if mine and mine[-1].word in stays else None

    # -- waves, the run

    def approval(self, wave: str) -> Order | None:
        """The yes for a wave, given since the run or this wave was last taken back: what somebody was content with is
        not what comes after that."""
        taken_back = (one.seq for one in self._journal.events(kind=Kind.WAVE, subject=wave) if one.to_state == BACK)
        after = max(self.begun_after, *taken_back, 0)
        mine = [order for order in self._of(APPROVE, wave) if order.seq > after]
        return mine[-1] if mine else None

    @property
    def generation(self) -> int:
        """1, and one more with each time that the whole run was rolled back."""
        return 1 + len([order for order in self._orders if order.word == ROLLED_BACK])

    @property
    def begun_after(self) -> int:
        """The last event before this generation: who was seen on the target earlier is to be seen again."""
        return max((order.seq for order in self._orders if order.word == ROLLED_BACK), default=0)

    @property
    def without_classic(self) -> bool:
        """Whether there is no classic service to keep a seat on or to go back to."""
        return self._mode == RESTORE or any(order.word == WITHOUT_CLASSIC for order in self._orders)

    def is_rolled_back(self, number: int) -> bool:
        """Whether the rollback of this number has said already that the run was rolled back."""
        return any(order.word == ROLLED_BACK and order.values.get("rollback") == number for order in self._orders)

    # -- settings

    @property
    def settings(self) -> Settings:
        """The plan's settings with what was changed since."""
        return self._settings

    def _changed(self) -> Settings:
        changes: dict[str, Any] = {}
        for order in self._orders:
            if order.word in CHANGES:
                changes |= order.values
        return msgspec.structs.replace(self._planned, **changes)

    def _of(self, word: str, of: str) -> list[Order]:
        return [order for order in self._orders if order.word == word and order.of == fold(of)]


def _order(note: Any) -> Order:
    data = note.data
    return Order(
        word=data["word"],
        of=data["of"],
        actor=note.actor,
        why=note.reason,
        seq=note.seq,
        values=data.get("values", {}),
    )
