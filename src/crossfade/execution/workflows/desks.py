"""Whose a personal desktop is may change while a run goes on. It and what lies on it go to nobody else: a host whose
person is another one by now stays where it is, and somebody has to look."""

from crossfade.errors import StepFailed
from crossfade.execution.context import Context
from crossfade.model.ids import fold, same
from crossfade.plan.plan import HostMove

NOBODY = "nobody"


async def still_theirs(context: Context, move: HostMove, *, fresh: bool) -> None:
    """Before it leaves classic. Raises StepFailed when it belongs to somebody else than at plan time."""
    found = await context.source.person_of(move, fresh=fresh) if move.personal else None
    now = context.plan.renamed.get(fold(found), found) if found is not None else None
    if now is not None and not same(now, move.assigned_user or ""):
        raise StepFailed(
            f"{move.host_name} belongs to {now or NOBODY} by now.",
            f"The plan would give it to {move.assigned_user or NOBODY}; classic has it for {now or NOBODY}.",
            "It stays on classic. Find out who is right: give it back there and `crossfade retry` it, or "
            "`crossfade skip` it and move it with a later plan.",
        )


async def theirs_on_both_sides(context: Context, move: HostMove) -> None:
    """Before it leaves the target. Raises StepFailed when it would be another person's on classic than it is there."""
    there = await context.target.person_of(move)
    if there is None or same(there, move.assigned_user or ""):
        return
    here = await context.source.person_of(move, fresh=True)
    here = context.plan.renamed.get(fold(here), here) if here is not None else None
    if here is not None and not same(there, here):
        raise StepFailed(
            f"{move.host_name} is not taken back.",
            f"On the target it belongs to {there or NOBODY} by now, on classic it would be that of {here or NOBODY}.",
            "Find out who is right, assign it alike on both sides, then `crossfade rollback` again.",
        )
