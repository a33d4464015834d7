"""The table of verbs, and the command line that Typer makes of it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import typer
import typer.main

from crossfade.cli import verbs
from crossfade.cli.answers import Here
from crossfade.cli.options import Verb, declared

ABOUT = """Move a Windows Virtual Desktop (classic) estate to Azure Virtual Desktop while its users keep working.

Nothing writes to either service but `apply`, `resume`, `rollback`, `complete` and `worker`, and only from saved plans.
`crossfade demo` shows a whole migration on a twin of both services, in this process.

Exit codes: 0 done, 1 failed, 2 changes or findings are pending, 3 refused.
"""


class Row(NamedTuple):
    """A verb, what it does in a few words, and whether it takes a connection to the services."""

    name: str
    short: str
    verb: Verb
    connects: bool = False
    words: Mapping[str, Any] = {}
    """How its words are read, where not as usual; see click's context settings."""


NUMBERS: Mapping[str, Any] = {"ignore_unknown_options": True}
"""`-1` is a number and no option: whoever types one is told its bounds."""

VERBS = (
    Row("discover", "Read the estate: inventory.json, target.json.", verbs.discover, connects=True),
    Row("init", "Begin: write crossfade.toml, where you decide.", verbs.init),
    Row("assess", "Say what stands in the way: findings.json.", verbs.assess),
    Row("plan", "Say exactly what will be done: plan.json.", verbs.plan),
    Row("apply", "Carry the saved plan out, or go on with it.", verbs.apply, connects=True),
    Row("status", "Say where a run stands, at once.", verbs.status),
    Row("journal", "Prove the record of a run, or tell it.", verbs.journal),
    Row("notices", "Say whom to tell what, ready to send.", verbs.notices),
    Row("pause", "Begin nothing new; what is on its way goes on.", verbs.pause),
    Row("resume", "Go on with a paused or interrupted run.", verbs.resume, connects=True),
    Row("approve", "Say yes to a wave that waits for a person.", verbs.approve),
    Row("skip", "Leave a host on classic.", verbs.skip),
    Row("retry", "Try a host again.", verbs.retry),
    Row("set", "Change a setting of a run that goes on.", verbs.change, words=NUMBERS),
    Row("abort", "Stop and hold.", verbs.abort),
    Row("rollback", "Take a host, a wave or the run back to classic.", verbs.rollback, connects=True),
    Row("queue", "Put the saved plan into a queue of runs.", verbs.queue, connects=True),
    Row("worker", "Carry out the runs of a queue.", verbs.worker),
    Row("fleet", "Say where every run of a queue stands.", verbs.fleet),
    Row("verify", "Prove who may open what: verification.json.", verbs.verify, connects=True),
    Row("complete", "Remove the classic objects at the very end.", verbs.complete, connects=True),
    Row("who", "Say what one person may open, and why.", verbs.who),
    Row("what", "Say who may open a desktop or an app, and why.", verbs.what),
    Row("identities", "Say whom the directory does not know.", verbs.identities),
    Row("queries", "Queries for Log Analytics; rewrite a classic one.", verbs.queries),
    Row("report", "Tell the story: report.html.", verbs.report),
    Row("support-bundle", "Zip what a helper needs, without secrets.", verbs.support_bundle),
    Row("demo", "Show a whole migration on a twin, here.", verbs.demo),
    Row("twin", "Serve a twin of both services over HTTPS.", verbs.twin),
    Row("doctor", "Check this machine, the sign-in, the rights.", verbs.doctor, connects=True),
)


Run = Callable[[Verb, Here, Mapping[str, Any]], int]


def command(run: Run) -> Any:
    """The command line as Typer sees it; `run` carries a verb out and gives its exit code."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, help=ABOUT)
    app.callback()(_whole)
    for row in VERBS:
        words = dict(row.words) or None
        app.command(row.name, short_help=row.short, context_settings=words)(
            declared(row.verb, run, connects=row.connects)
        )
    return typer.main.get_command(app)


def _whole(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and leave.")] = False,
) -> None:
    if version:
        from crossfade import __version__

        print(f"crossfade {__version__}")
        raise typer.Exit


_whole.__doc__ = ABOUT
