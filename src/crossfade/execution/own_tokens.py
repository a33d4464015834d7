"""Which pools have a registration token that this run has made: notes in its journal, since the run that ends it may be
another process than the one that made it. Names of pools only; the token itself is nowhere."""

from crossfade.execution.journal import Journal

SUBJECT = "registration-token"


class OwnTokens:
    """Noted before a token is made: one too many is revoked in vain, one too few would be left behind."""

    def __init__(self, journal: Journal, run_id: str) -> None:
        self._journal = journal
        self._run_id = run_id
        self._pools: set[str] = set()
        for note in journal.events(kind="note", subject=SUBJECT):
            if note.run_id == run_id:
                self._take(str(note.data["pool"]), made=bool(note.data["made"]))

    def making(self, pool: str) -> None:
        self._note(pool, made=True)

    def revoked(self, pool: str) -> None:
        self._note(pool, made=False)

    def pools(self) -> list[str]:
        """Ids of the pools whose token is ours."""
        return sorted(self._pools)

    def _note(self, pool: str, *, made: bool) -> None:
        if made == (pool in self._pools):
            return
        words = f"{'a token is made for' if made else 'our token is taken from'} {pool}"
        self._journal.note(SUBJECT, words, run_id=self._run_id, data={"pool": pool, "made": made})
        self._take(pool, made=made)

    def _take(self, pool: str, *, made: bool) -> None:
        if made:
            self._pools.add(pool)
        else:
            self._pools.discard(pool)
