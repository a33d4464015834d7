"""The verbs, thin: options to a command of `commands`, its result to an `Answer`. Commands are imported when called."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.cli.answers import Answer, Here

if TYPE_CHECKING:
    from crossfade.commands.workspace import Workspace

Many = list[str] | None
PENDING = 2


def _workspace(here: Here) -> "Workspace":
    from crossfade.commands.workspace import Workspace

    return Workspace(here.folder)


# ---------------------------------------------------------------- what is there


def discover(
    here: Here,
    *,
    exports: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="Read files that the classic cmdlets exported, not the service."),
    ] = None,
    azure: Annotated[
        Path | None,
        typer.Option(
            "--from-azure",
            metavar="FOLDER",
            help="Read what is left in Azure of an estate whose classic service has gone; write a draft into FOLDER.",
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="With --from: ask the service too; the files give what it does not.")
    ] = False,
    target: Annotated[
        bool, typer.Option("--target", help="Read the ARM side into target.json in place of the classic estate.")
    ] = False,
    subscription: Annotated[
        Many,
        typer.Option(
            "--subscription",
            metavar="ID",
            help="With --target or --from-azure: subscription to read; may be repeated.",
        ),
    ] = None,
    groups: Annotated[
        bool, typer.Option("--groups", help="With --target: also existing Entra groups that could publish something.")
    ] = False,
    tenant_group: Annotated[
        str, typer.Option("--tenant-group", metavar="NAME", help="Classic tenant group.", show_default=False)
    ] = "",
    tenant: Annotated[
        Many, typer.Option("--tenant", metavar="NAME", help="Only this classic tenant; may be repeated.")
    ] = None,
) -> Answer:
    """Read the classic estate into inventory.json; with --target, the ARM side into target.json.

    Writes nothing else, but for the draft of --from-azure.

    Exit codes: 0 read, also where parts could not be (they are named as gaps); 1 not read; 2 with --from-azure: read,
    and you have to complete the draft.
    """
    from crossfade.cli import discovering

    if azure is not None:
        discovering.require_alone("--from-azure", {"--from": exports, "--live": live, "--target": target})
        return discovering.remains(here, azure, subscription or [])
    if target:
        discovering.require_alone(
            "--target", {"--from": exports, "--live": live, "--tenant-group": tenant_group, "--tenant": tenant}
        )
        return discovering.target(here, subscription or [], groups=groups)
    return discovering.classic(
        here, exports=exports, live=live or exports is None, tenant_group=tenant_group, tenants=tenant or []
    )


def init(
    here: Here,
    *,
    subscription: Annotated[
        str | None, typer.Option("--subscription", metavar="ID", help="Where the new objects go.")
    ] = None,
    location: Annotated[
        str | None, typer.Option("--location", metavar="REGION", help="Region of their metadata.")
    ] = None,
    tenant_id: Annotated[
        str, typer.Option("--tenant-id", envvar="CROSSFADE_TENANT_ID", metavar="ID", help="Their directory.")
    ] = "",
    hosts_percent: Annotated[
        float | None,
        typer.Option("--hosts-percent", metavar="N", help="Expected growth in hosts within two years, per cent."),
    ] = None,
    people_percent: Annotated[
        float | None, typer.Option("--people-percent", metavar="N", help="Expected growth in people, likewise.")
    ] = None,
    stable_months: Annotated[
        int | None, typer.Option("--stable-months", metavar="N", help="How long the estate has been as it is.")
    ] = None,
    active: Annotated[
        str | None,
        typer.Option(
            "--active", metavar="POLICY", help="People at work on a draining host: wait, log-off-after-grace."
        ),
    ] = None,
    disconnected: Annotated[
        str | None,
        typer.Option("--disconnected", metavar="POLICY", help="Sessions left disconnected there: the same two."),
    ] = None,
) -> Answer:
    """Begin a migration: write crossfade.toml, where you decide. What is not given is asked for at a terminal.

    Exit codes: 0 written; 1 not; 3 there is one already.
    """
    from crossfade.cli import deciding

    said = deciding.Answers(subscription, location, hosts_percent, people_percent, stable_months, active, disconnected)
    return deciding.init(here, said, tenant_id=tenant_id)


def assess(here: Here) -> Answer:
    """Say what stands in the way, why, and what mends it: findings.json.

    Exit codes: 0 nothing that needs a decision; 2 blockers or warnings are open; 1 not assessed.
    """
    from crossfade.cli import deciding

    return deciding.assess(here)


def plan(
    here: Here,
    *,
    every_row: Annotated[
        bool, typer.Option("--every-row", help="Print every person's row too, not only their number.")
    ] = False,
) -> Answer:
    """Write plan.json: what exactly will be done, and when. Prints it as a diff that people can sign.

    Exit codes: 0 there is nothing to do; 2 changes are pending; 3 no valid plan exists; 1 not planned.
    """
    from crossfade.cli import deciding

    return deciding.plan(here, every_row=every_row)


# ---------------------------------------------------------------- the run


def apply(
    here: Here,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, write nothing, say what would be done.")
    ] = False,
    database: Annotated[
        str,
        typer.Option("--database", metavar="URL", help="Keep the journal in this PostgreSQL. Passwords: PGPASSWORD."),
    ] = "",
) -> Answer:
    """Carry the saved plan out: objects first, then wave after wave. Goes on where an interrupted one stopped.

    Exit codes: 0 the run is finished; 1 it holds or failed; 2 a dry run found work to do; 3 refused, nothing written.
    """
    from crossfade.cli import running

    return running.apply(here, dry_run=dry_run, database=database)


Database = Annotated[
    str,
    typer.Option("--database", envvar="CROSSFADE_DATABASE", metavar="URL", help="The fleet's PostgreSQL."),
]


def queue(
    here: Here,
    *,
    database: Database = "",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="How people call this run (its folder's).")] = "",
    share: Annotated[
        int | None,
        typer.Option("--share", metavar="PERCENT", help="Its part of its subscriptions' limits (100)."),
    ] = None,
) -> Answer:
    """Put the saved plan into a queue, for `crossfade worker` to carry out. The connection is kept with it, no secret.
    Queued again, a run keeps the name, the share and the connection that are not said anew.

    Exit codes: 0 it is queued, or queued again; 1 not; 3 refused: a worker has it.
    """
    from crossfade.cli import fleeting

    return fleeting.queue(here, database, name, share)


def worker(
    here: Here,
    *,
    database: Database = "",
    at_once: Annotated[int, typer.Option("--at-once", metavar="N", help="Carry so many runs out side by side.")] = 4,
    silence: Annotated[
        float, typer.Option("--silence", metavar="SECONDS", help="Silent for so long, this worker counts as dead.")
    ] = 60.0,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when nothing of the queue waits or works any more.")
    ] = False,
) -> Answer:
    """Carry out the runs of a queue, and go on with those of dead workers, until it is asked to end.

    Exit codes: 0 it was asked to end, or all is done; 1 a run that it had holds, or the database does not answer.
    """
    from crossfade.cli import fleeting

    return fleeting.worker(here, database, at_once=at_once, silence_s=silence, until_done=until_done)


def fleet(here: Here, *, database: Database = "") -> Answer:
    """Say where every run of a queue stands, and which workers there are.

    Exit codes: 0 told; 1 there is no queue in this database; 2 a run needs a person.
    """
    from crossfade.cli import fleeting

    return fleeting.fleet(here, database)


def status(here: Here) -> Answer:
    """Say where a run stands, from any terminal, at once. Hosts whose state nobody knows are said to be unknown.

    Exit codes: 0 told; 1 there is no run, or its journal cannot be read.
    """
    from crossfade.cli import telling

    return telling.status(here)


def notices(
    here: Here,
    name: Annotated[str, typer.Argument(metavar="NOTICE", help="Print this one: its number or name.")] = "",
    *,
    texts: Annotated[
        Path | None, typer.Option("--texts", metavar="FOLDER", help="Write the shipped texts there, to be changed.")
    ] = None,
) -> Answer:
    """Say whom to tell what about the move: a message for each kind of client, ready to send. Sends nothing.

    Exit codes: 0 told; 1 there is no run, or a text of your own is wrong.
    """
    from crossfade.cli import noticing

    return noticing.notices(here, name, texts)


def pause(here: Here) -> Answer:
    """Begin nothing new until `crossfade resume`; hosts on their way go on.

    Exit codes: 0 paused; 2 the run has not answered yet; 3 refused.
    """
    from crossfade.cli import steering

    return steering.steer(here, "pause")


def resume(
    here: Here,
    *,
    without_classic: Annotated[
        bool, typer.Option("--without-classic", help="Classic is switched off for good: move what is left, at once.")
    ] = False,
) -> Answer:
    """Go on: with a paused run in its own process, or with an interrupted one (or its rollback) in this process.

    Exit codes: 0 it goes on, or is finished; 1 it holds or failed; 2 the run has not answered yet; 3 refused.
    """
    from crossfade.cli import running, steering

    if without_classic:
        return running.without_classic(here)
    if steering.somebody_works(here):
        return steering.steer(here, "resume")
    return running.go_on(here)


def journal(
    here: Here,
    act: Annotated[str, typer.Argument(metavar="ACT", help="verify or show.")],
    subject: Annotated[str, typer.Argument(metavar="OF", help="With show: only what has this in its name.")] = "",
) -> Answer:
    """Prove that nobody has edited the record of a run (verify), or tell it as a story (show). Changes nothing.

    Exit codes: 0 whole, or told; 1 edited, damaged, or there is none.
    """
    from crossfade.cli import journal as command
    from crossfade.errors import InputError, Problem

    acts = {"verify": lambda: command.verify(here), "show": lambda: command.show(here, subject)}
    if act not in acts:
        raise InputError("Nothing was done.", [Problem(act, "is no act of the journal.", "Say verify or show.")])
    return acts[act]()


def abort(here: Here) -> Answer:
    """Stop: steps in flight end, none begins, the run holds. Hosts stay where they are by then.

    Exit codes: 0 heard; 2 the run has not answered yet; 3 refused, or nobody works on the run.
    """
    from crossfade.cli import steering

    return steering.steer(here, "abort")


def approve(
    here: Here,
    wave: Annotated[str, typer.Argument(metavar="WAVE", help="The wave; without it, the one that waits.")] = "",
) -> Answer:
    """Say yes to a wave that waits for a person.

    Exit codes: 0 done; 2 the run has not answered yet; 3 refused.
    """
    from crossfade.cli import steering

    return steering.steer(here, "approve", wave)


def skip(here: Here, host: Annotated[str, typer.Argument(metavar="HOST", help="Its name or classic key.")]) -> Answer:
    """Leave a host on classic, unless it is on its way already.

    Exit codes: 0 done; 2 the run has not answered yet; 3 refused.
    """
    from crossfade.cli import steering

    return steering.steer(here, "skip", host)


def retry(here: Here, host: Annotated[str, typer.Argument(metavar="HOST", help="Its name or classic key.")]) -> Answer:
    """Try a host again that was quarantined, came back or was skipped.

    Exit codes: 0 done; 2 the run has not answered yet; 3 refused.
    """
    from crossfade.cli import steering

    return steering.steer(here, "retry", host)


def change(
    here: Here,
    name: Annotated[str, typer.Argument(metavar="SETTING", help="One that may change while a run goes on.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="A number within its bounds.")],
) -> Answer:
    """Change a setting of a run that goes on, within safe bounds.

    Exit codes: 0 done; 2 the run has not answered yet; 3 refused.
    """
    from crossfade.cli import steering

    return steering.steer(here, "set", args={"name": name, "value": value})


def rollback(
    here: Here,
    of: Annotated[str, typer.Argument(metavar="OF", help="A host, a wave, or run for all of it.")] = "run",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, say what would be taken back.")] = False,
) -> Answer:
    """Take hosts, a wave or the whole run back to classic, with the same care. Stop a working run with `abort` first.

    Exit codes: 0 back; 1 it holds; 2 a dry run found work to do; 3 refused, or there is no way back.
    """
    from crossfade.cli import running

    return running.rollback(here, of=of, dry_run=dry_run)


def complete(
    here: Here,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write completion.json, say what would be removed, remove nothing.")
    ] = False,
) -> Answer:
    """Remove the classic objects of a finished, proven and rested migration: those that completion.json lists.
    Where classic has gone, only the snapshots of OS disks that the run took.

    Exit codes: 0 removed; 1 not all of it; 2 a dry run found something to remove; 3 refused, nothing removed.
    """
    from crossfade.cli import ending

    return ending.complete(here, dry_run=dry_run)


# ---------------------------------------------------------------- the proof


def verify(here: Here) -> Answer:
    """Prove who may open what, before and after; hosts and settings too: verification.json.

    Exit codes: 0 only for zero lost, zero gained, zero swapped, zero unexplained; 2 otherwise; 1 not verified; 3 the
    run was rolled back.
    """
    from crossfade.cli import proving

    return proving.verify(here)


def who(
    here: Here,
    person: Annotated[str, typer.Argument(metavar="UPN", help="For instance alice@contoso.com.")],
) -> Answer:
    """Say what one person may open, before and after, and by which path.

    Exit codes: 0 told; 1 not known.
    """
    from crossfade.cli import proving

    return proving.who(here, person)


def what(
    here: Here,
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="A desktop or app by the end of its path: Office/Excel.")
    ],
) -> Answer:
    """Say who may open a desktop or an app, before and now, and by which path; of a pool or group, each of its own.

    Exit codes: 0 told; 1 not known.
    """
    from crossfade.cli import explaining

    return explaining.what(here, resource)


def identities(
    here: Here,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write them as a table (CSV) to fill in.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--in", metavar="FILE", help="Take a filled-in table into crossfade.toml.")
    ] = None,
) -> Answer:
    """Say whom the directory does not know by their classic name, and take in who they are now.

    Exit codes: 0 everybody is known or decided about; 2 somebody waits for a decision; 1 not done.
    """
    from crossfade.cli import explaining

    return explaining.identities(here, out, into)


def queries(
    here: Here,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Print this query; without it, list all.")] = "",
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write them as .kql files; overwrites none.")
    ] = None,
    rewrite: Annotated[
        Path | None, typer.Option("--rewrite", metavar="FILE", help="Print a saved classic query with the new names.")
    ] = None,
) -> Answer:
    """List, print or write the queries for Log Analytics; rewrite one that was saved for classic's tables.

    Exit codes: 0 done; 2 a rewritten query has places to look at, told in its first lines; 1 not done.
    """
    from crossfade.cli import querying

    return querying.queries(here, name, out, rewrite)


def report(
    here: Here,
    *,
    cloud: Annotated[
        str,
        typer.Option(
            "--cloud",
            envvar="CROSSFADE_CLOUD",
            metavar="NAME",
            help="Whose portal to link: public, usgovernment, china.",
        ),
    ] = "public",
) -> Answer:
    """Write report.html, one self-contained page, and print the summary.

    Exit codes: 0 written; 1 not.
    """
    from crossfade.cli import proving

    return proving.report(here, cloud)


# ---------------------------------------------------------------- beside


def support_bundle(
    here: Here,
    *,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Name of the zip.")] = None,
    redact_people: Annotated[
        bool, typer.Option("--redact-people", help="Make strangers of people: person-0001 and so on.")
    ] = False,
) -> Answer:
    """Zip what somebody who is to help needs to see: plan, journal, status, versions. Without secrets. Sends nothing.

    Exit codes: 0 written, also where a part could not be read; 1 not written.
    """
    from crossfade.cli import supporting

    return supporting.support_bundle(here, out, redact_people=redact_people)


def demo(
    here: Here,
    *,
    estate: Annotated[
        str, typer.Option("--estate", metavar="NAME", help="contoso, fabrikam, tiny or small-<n>.")
    ] = "contoso",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="What chance draws from.")] = 1,
) -> Answer:
    """Show a whole migration of a made-up estate on a twin in this process, under virtual time. Needs no cloud.

    Exit codes: 0 nobody was refused or lost and the proof holds; 1 otherwise.
    """
    from crossfade.cli import running

    return running.demo(here, estate=estate, seed=seed)


def twin(
    here: Here,
    *,
    estate: Annotated[
        str, typer.Option("--estate", metavar="NAME", help="contoso, fabrikam, late, tiny or small-<n>.")
    ] = "contoso",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="What chance draws from.")] = 1,
    port: Annotated[int, typer.Option("--port", metavar="N", help="Port on loopback; 0 for a free one.")] = 8443,
    time: Annotated[
        str, typer.Option("--time", metavar="HOW", help="real, virtual (moves when told to) or x<factor>.")
    ] = "real",
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="Snapshot: read at the start, written at the end.")
    ] = None,
    still: Annotated[bool, typer.Option("--still", help="Nobody comes to work: no simulated people.")] = False,
) -> Answer:
    """Serve a twin of both services over HTTPS on loopback, until interrupted. Its ca.pem is in the folder's `twin`.

    Exit codes: 0 interrupted; 1 it could not be served.
    """
    from crossfade.app import serve_twin

    options: list[tuple[bool, list[str]]] = [
        (True, ["--estate", estate, "--seed", str(seed), "--port", str(port), "--time", time]),
        (True, ["--certificates", str(here.folder / "twin")]),
        (state is not None, ["--state", str(state)]),
        (still, ["--still"]),
    ]
    code = serve_twin([word for wanted, words in options for word in words if wanted])
    return Answer({"exit_code": code}, "", code)


def doctor(
    here: Here,
    *,
    subscription: Annotated[
        Many, typer.Option("--subscription", metavar="ID", help="Subscription to check rights on; may be repeated.")
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Check this machine and the folder only.")] = False,
) -> Answer:
    """Check this machine, the folder, the sign-in, the services and the rights that a migration needs. Changes nothing.

    Exit codes: 0 all is well; 2 something needs mending.
    """
    from crossfade.cli import proving

    return proving.doctor(here, subscriptions=subscription or [], local=local)
