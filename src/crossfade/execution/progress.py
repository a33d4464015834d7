"""How far a run has come, by its journal: which operations of its plan are done and stand, and where its hosts are."""

from functools import cached_property

from crossfade.execution.chains import FRAME, JOINT, chain_of, setup_chains
from crossfade.execution.reader import JournalReader
from crossfade.execution.seats import PEOPLE
from crossfade.execution.transitions import FINISHED_STEPS, INITIAL, Kind
from crossfade.execution.undone import standing
from crossfade.plan.plan import Plan


class JournalProgress:
    """Read anew each time: another process may have written since."""

    def __init__(self, journal: JournalReader, plan: Plan) -> None:
        self._journal = journal
        self._plan = plan

    def is_done(self, operation_id: str) -> bool:
        """Whether it was carried out, or looked at and found so, and not taken back since."""
        step = standing(self._journal, f"{self._subjects.get(operation_id, PEOPLE)}/{operation_id}")
        known = self._journal.get(Kind.STEP, step)
        return known is not None and known.state in FINISHED_STEPS

    def host_state(self, host: str) -> str:
        known = self._journal.get(Kind.HOST, host)
        return known.state if known is not None else INITIAL[Kind.HOST]

    @cached_property
    def _subjects(self) -> dict[str, str]:
        """Under which subject an operation's step is; whatever waves publish is under that of people."""
        chains = setup_chains(self._plan)
        named = {FRAME: chains.frame, JOINT: chains.joint} | {chain_of(pool): ids for pool, ids in chains.pools.items()}
        return {name: subject for subject, names in named.items() for name in names}
