"""`crossfade verify`: the proof against the target as it is now. Reads both services' answers, writes one document."""

from crossfade.clock import Clock, iso
from crossfade.commands.discover import discover_target
from crossfade.commands.kept import inventory_of, target_of
from crossfade.commands.rollback import is_rolled_back
from crossfade.commands.who import TARGET_NOW
from crossfade.commands.workspace import PLAN, VERIFICATION, Workspace
from crossfade.errors import Refused
from crossfade.execution.chains import made_in
from crossfade.execution.reader import JournalReader
from crossfade.execution.run import run_id_of
from crossfade.execution.seats import SEEN_NOTE
from crossfade.execution.transitions import Kind
from crossfade.execution.undone import standing
from crossfade.inventory.inventory import Inventory
from crossfade.model.ids import fold
from crossfade.plan.operations import SetIcon
from crossfade.plan.plan import Plan
from crossfade.sources.gather import Progress, silent
from crossfade.sources.services import Services
from crossfade.verification.facts import RunFacts
from crossfade.verification.verification import Verification
from crossfade.verification.verify import verify as prove

NOT_PROVEN = 2


async def verify(
    workspace: Workspace, services: Services, clock: Clock, *, progress: Progress = silent
) -> Verification:
    """Read the target anew into target-now.json, compare, and write verification.json. Writes to neither service.

    Raises InputError for missing documents, StalePlan when the inventory that the plan was made of is gone, Refused for
    a run that was rolled back, CloudError when the target cannot be read.
    """
    plan, inventory = documents(workspace)
    _refuse_rolled_back(workspace)
    pools = [pool.target for pool in plan.pools]
    subscriptions = _subscriptions(workspace, plan)
    target = await discover_target(
        services, inventory, subscriptions, pools=pools, people=plan.looked_up, progress=progress
    )
    verification = prove(plan, inventory, target, run_facts(workspace, plan), made_at=iso(clock.now()))
    workspace.write(TARGET_NOW, target)
    workspace.write(VERIFICATION, verification)
    return verification


def _refuse_rolled_back(workspace: Workspace) -> None:
    """Nobody is to open anything on the target then: whoever were compared would all count as lost."""
    if workspace.has_journal() and is_rolled_back(workspace):
        raise Refused(
            "There is nothing to prove on the target.",
            "The run of this plan was rolled back: people work on classic, as before.",
            "`crossfade discover` reads what classic has now; `crossfade apply` moves once more.",
        )


def exit_code(verification: Verification) -> int:
    """0 only for zero lost, gained, swapped and unexplained."""
    return 0 if verification.equivalent() else NOT_PROVEN


def documents(workspace: Workspace) -> tuple[Plan, Inventory]:
    """The plan and the inventory it was made of: the run itself changes classic, so a later one proves nothing."""
    plan = workspace.read(PLAN, Plan)
    return plan, inventory_of(workspace, plan)


def run_facts(workspace: Workspace, plan: Plan) -> RunFacts:
    """States of the hosts and people seen, from the journal of this plan's run; empty when there is none."""
    if not workspace.has_journal():
        return RunFacts()
    run_id = run_id_of(workspace.digest(PLAN))
    with JournalReader.look(workspace.journal) as reader:
        hosts = [host for host in reader.all(Kind.HOST) if host.run_id == run_id]
        icons = {fold(one.subject): _made_with(reader, one) for one in plan.operations if isinstance(one, SetIcon)}
        notes = [note for note in reader.events(kind="note", subject=SEEN_NOTE) if note.run_id == run_id]
    return RunFacts(
        states={fold(host.id): host.state for host in hosts},
        reasons={fold(host.id): host.reason for host in hosts},
        icons={app: icon for app, icon in icons.items() if icon},
        seen=frozenset(fold(person) for note in notes for _, person in note.data["pairs"]),
    )


def _made_with(reader: JournalReader, operation: SetIcon) -> str:
    """Hash of the icon that an app was made with, empty when nobody noted it."""
    step = reader.get(Kind.STEP, standing(reader, made_in(operation)))
    return str(((step.data if step else {}).get("facts") or {}).get("icon") or "")


def _subscriptions(workspace: Workspace, plan: Plan) -> list[str]:
    """Those that the plan was made for."""
    target = target_of(workspace)
    return list(dict.fromkeys([*(target.subscriptions if target is not None else []), plan.subscription]))
