"""The proof: what the plan promised against the target as it is now."""

from crossfade.inventory.documents import digest
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.plan.people import with_todays_names
from crossfade.plan.plan import Plan
from crossfade.verification.after import After
from crossfade.verification.before import Before, machines_of
from crossfade.verification.changes import changes
from crossfade.verification.facts import RunFacts
from crossfade.verification.hosts import check_hosts
from crossfade.verification.people import People
from crossfade.verification.settings import check_settings
from crossfade.verification.verification import Unexplained, Verification


def verify(
    plan: Plan, inventory: Inventory, target: TargetSnapshot, facts: RunFacts | None = None, *, made_at: str
) -> Verification:
    """Everything compared. `inventory` is the one that the plan was made of: the run itself changes classic.

    Whoever left or is disabled counts on neither side and is named in `excluded`; somebody of whom the directory says
    nothing is in `unexplained`, and so is every grant and every read that leaves a doubt.
    """
    facts = facts or RunFacts()
    before, after = sides(plan, inventory, target)
    had, has = before.access(), after.access()
    people = before.people
    found = changes(had, has, why=after.why, label=people.label)
    return Verification(
        made_at=made_at,
        inputs={
            "plan": digest(plan),
            "inventory": inventory.design_digest(),
            "target": target.design_digest(),
        },
        pairs_before=had.pairs(),
        pairs_after=has.pairs(),
        people=len(had.everybody()),
        lost=found.lost,
        gained=found.gained,
        swapped=found.swapped,
        unexplained=[*had.unjudged, *has.unjudged],
        excluded=[Unexplained(subject=people.label(person), why=why) for person, why in before.absent().items()],
        hosts=check_hosts(plan, target, facts, made_at=target.made_at or made_at),
        settings=check_settings(plan, target, facts),
        unseen=sorted(people.label(person) for person in had.everybody() - facts.seen),
    )


def sides(plan: Plan | None, inventory: Inventory, target: TargetSnapshot) -> tuple[Before, After]:
    """Both sides in one language. With a plan: of the pools that it moves, else of everything."""
    known = {upn: object_id for group in plan.access for upn, object_id in group.people.items()} if plan else {}
    people = People(target.identities, known)
    vms = machines_of(inventory, target.machines)
    if plan is None:
        before = Before(inventory, people, vms=vms)
        return before, After(target, people)
    inventory = with_todays_names(inventory, plan.renamed)
    vms |= {fold(move.source): move.vm for move in plan.hosts}
    before = Before(inventory, people, vms=vms, pools={fold(pool.source) for pool in plan.pools})
    pools = {fold(pool.target) for pool in plan.pools}
    return before, After(target, people, names=plan.names, desktops=before.desktops(), pools=pools)
