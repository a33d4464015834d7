"""`apply` and `demo` on the command line: a run, watched, and what became of it."""

from typing import TYPE_CHECKING, Any

from crossfade.cli import status_text
from crossfade.cli.answers import Answer, Here
from crossfade.cli.services import with_services
from crossfade.cli.signals import heard
from crossfade.cli.watching import watching
from crossfade.model.modes import RESTORE
from crossfade.report import words

if TYPE_CHECKING:
    from crossfade.app import Services
    from crossfade.commands.apply import Applied
    from crossfade.commands.demo import DemoResult
    from crossfade.commands.rollback import RolledBack


def apply(here: Here, *, dry_run: bool, database: str = "", without_classic: str = "") -> Answer:
    """`without_classic`: who says that classic has gone."""
    from crossfade.app import durable_engine
    from crossfade.commands import apply as command
    from crossfade.commands.stopping import Stop
    from crossfade.commands.workspace import ENGINE, Workspace

    workspace = Workspace(here.folder, database)
    gone = command.read_plan(workspace).mode == RESTORE or bool(without_classic)
    if database and not dry_run:
        command.keep_in_database(workspace, database)

    async def work(services: "Services") -> "Applied":
        make_engine = durable_engine(services.clock, workspace.engine(ENGINE))
        if dry_run:
            return await command.apply(workspace, services, services.clock, make_engine, dry_run=True)
        stop = Stop()
        with watching(workspace, lambda: sum(services.calls.values())) as say, heard(stop, say):
            return await command.apply(
                workspace, services, services.clock, make_engine, stop=stop, without_classic=without_classic
            )

    applied = with_services(here, work)
    return Answer(applied, _applied(applied, gone=gone), applied.exit_code)


def _applied(applied: "Applied", *, gone: bool = False) -> str:
    """`gone`: there is no classic service any more."""
    if applied.state == "dry-run":
        done = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in applied.summary.items())
        limits = [f"  {quota.told()}" for quota in applied.limits]
        told = [f"Every gate is open. It would be done: {done}.", "Limits of the service, now:", *limits]
        return "\n".join([*(told if limits else told[:1]), "Nothing was written."])
    lines = [f"Run {applied.run_id} is {applied.state}."]
    if applied.error:
        lines += [
            str(applied.error.get("what", "")),
            str(applied.error.get("why", "")),
            str(applied.error.get("mend", "")),
        ]
        if applied.error.get("code") != "stopped":
            lines.append("`crossfade status` shows every host; `crossfade resume` goes on.")
    else:
        stays = "" if gone else " The classic records stay, drained."
        lines.append(f"Next: `crossfade verify`, then `crossfade report`.{stays}")
    return "\n".join(line for line in lines if line)


def go_on(here: Here) -> Answer:
    """With what was interrupted: the run, or its rollback. One that has just ended does not turn into an apply."""
    from crossfade.commands.apply import refuse_unbegun
    from crossfade.commands.rollback import is_rolled_back, under_way
    from crossfade.commands.workspace import Workspace

    workspace = Workspace(here.folder)
    of = under_way(workspace)
    if not of:
        refuse_unbegun(workspace)
    of = of or ("run" if is_rolled_back(workspace) else "")
    return rollback(here, of=of, dry_run=False) if of else apply(here, dry_run=False)


def without_classic(here: Here) -> Answer:
    """With what is left of a run whose classic service has gone."""
    import getpass

    from crossfade.cli import steering
    from crossfade.errors import Refused

    if steering.somebody_works(here):
        mend = "`crossfade abort` it, then try again."
        raise Refused("Nothing was changed.", "A process works on the run and waits for classic.", mend)
    return apply(here, dry_run=False, without_classic=getpass.getuser())


def rollback(here: Here, *, of: str, dry_run: bool) -> Answer:
    from crossfade.app import durable_engine
    from crossfade.commands import rollback as command
    from crossfade.commands.stopping import Stop
    from crossfade.commands.workspace import Workspace

    workspace = Workspace(here.folder)

    async def work(services: "Services") -> "RolledBack":
        make_engine = durable_engine(services.clock, workspace.engine(command.ROLLBACK_ENGINE))
        if dry_run:
            return await command.rollback(workspace, services, services.clock, make_engine, of=of, dry_run=True)
        stop = Stop()
        with watching(workspace, lambda: sum(services.calls.values())) as say, heard(stop, say):
            return await command.rollback(workspace, services, services.clock, make_engine, of=of, stop=stop)

    done = with_services(here, work)
    return Answer(done, _rolled_back(done), done.exit_code)


def _rolled_back(done: "RolledBack") -> str:
    if done.state == "dry-run":
        kinds = ", ".join(f"{number} {name}" for name, number in done.summary.get("by_kind", {}).items())
        hosts, operations = (
            words.count(done.summary["hosts"], "host"),
            words.count(done.summary["operations"], "operation"),
        )
        told = f"It would be taken back: {hosts}, {operations}" + (f" ({kinds})" if kinds else "")
        return f"{told}.\nNothing was written."
    became = "Not all is taken back yet" if done.error else "Taken back"
    lines = [f"{became}: {done.of}. Run {done.run_id} is {done.state}."]
    lines += [f"Not let into classic again, the person has left the directory: {one}" for one in done.left_out]
    lines += [str(done.error.get(name, "")) for name in ("what", "why", "mend")] if done.error else []
    return "\n".join(line for line in lines if line)


# ---------------------------------------------------------------- demo


def demo(here: Here, *, estate: str, seed: int) -> Answer:
    from crossfade.app import Rehearsal, in_process_engine
    from crossfade.commands import demo as command
    from crossfade.errors import InputError, Problem

    workspace = command.prepare(here.folder)
    try:
        stage = Rehearsal.of_estate(estate, seed=seed)
    except KeyError as error:
        mend = "Use contoso, fabrikam, tiny or small-<number>."
        raise InputError("The demo was not begun.", [Problem("--estate", f"{error.args[0]}.", mend)]) from None
    try:
        with watching(workspace, lines=False) as say:
            result = command.demo(stage, workspace, in_process_engine(stage.clock), estate=estate, seed=seed, say=say)
    finally:
        stage.clock.close()
    return Answer(result, counts(result), result.exit_code)


def counts(result: "DemoResult") -> str:
    """The counts at the end, as a person reads them."""
    rows: list[tuple[str, Any]] = [
        ("Hosts moved", f"{result.hosts_moved} of {result.hosts}" + _besides(result.hosts_quarantined, "quarantined")),
        ("People moved", f"{result.people_moved} of {result.people}" + _besides(result.people_gone, "have left")),
        (
            "Assignments before, after",
            f"{result.assignments_before:,}, {result.assignments_after:,}{_besides(result.groups_made, 'new groups')}",
        ),
        ("Sign-ins meanwhile", f"{result.sign_ins:,}, at least {result.min_sign_ins_per_person} per person"),
        ("Refused sign-ins", f"{result.refused_sign_ins}{_causes(result.refused_by_cause)}"),
        ("  the same days without a migration", result.refused_sign_ins_without_migration),
        ("Sessions lost without notice", result.sessions_lost_without_notice),
        ("Sessions ended after notice", result.sessions_lost_with_notice),
        ("Sessions at the peak", f"{result.peak_sessions}" + _least(result)),
        ("Access lost, gained, swapped, unexplained", _access(result)),
        ("Calls", ", ".join(f"{count:,} {service}" for service, count in result.calls.items())),
        ("Answers 429", result.throttled),
        ("Duration", f"{duration(result.virtual_seconds)} of virtual time in {result.real_seconds:.0f} s"),
        ("Report", result.report),
    ]
    return "\n".join(
        [
            status_text.table(
                (f"Estate {result.estate}, seed {result.seed}", result.state), [(a, str(b)) for a, b in rows]
            ),
            "",
            *verdicts(result),
        ]
    )


def verdicts(result: "DemoResult") -> list[str]:
    """What the counts come to, in sentences: the good one, or each bad one."""
    more = result.refused_sign_ins - result.refused_sign_ins_without_migration
    bad = (
        (result.state != "finished", f"The run is {result.state}."),
        (not result.verified, "The proof does not hold: see the report."),
        (more > 0, f"{more} sign-ins more were refused than on the same days without a migration."),
        (
            result.sessions_lost_without_notice,
            f"{result.sessions_lost_without_notice} sessions were lost without notice.",
        ),
    )
    found = [sentence for holds, sentence in bad if holds]
    return found or ["Everybody can open exactly what they could before, and nobody was refused for it."]


def _besides(count: int, what: str) -> str:
    return f", {count} {what}" if count else ""


def _causes(by_cause: dict[str, int]) -> str:
    told = ", ".join(f"{count} {cause.replace('_', ' ')}" for cause, count in by_cause.items() if count)
    return f" ({told})" if told else ""


def _least(result: "DemoResult") -> str:
    least = result.min_sessions_while_moving
    return f", at least {least} while hosts moved" if least is not None else ""


def _access(result: "DemoResult") -> str:
    return f"{result.lost}, {result.gained}, {result.swapped}, {result.unexplained}"


def duration(seconds: float) -> str:
    minutes = round(seconds) // 60
    days, rest = divmod(minutes, 1440)
    return (f"{days} d " if days else "") + f"{rest // 60} h {rest % 60} min"
