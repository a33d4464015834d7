"""`crossfade`: arguments in, answer and exit code out. A table of verbs over `commands`; it decides nothing.

Exit codes are stable: 0 done, 1 failed, 2 changes or findings are pending, 3 refused (nothing was written).
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer
import typer.main

from crossfade.cli import failures, verbs
from crossfade.cli.options import Answer, Here, Verb, declared

ABOUT = """Move a Windows Virtual Desktop (classic) estate to Azure Virtual Desktop while its users keep working.

Nothing writes to either service but `apply` and `resume`, and those only from a saved plan.
`crossfade demo` shows a whole migration on a twin of both services, in this process.

Exit codes: 0 done, 1 failed, 2 changes or findings are pending, 3 refused.
"""


class Row(NamedTuple):
    """A verb, what it does in a few words, and whether it takes a connection to the services."""

    name: str
    short: str
    verb: Verb
    connects: bool = False


VERBS = (
    Row("discover", "Read the estate: inventory.json, target.json.", verbs.discover, connects=True),
    Row("init", "Begin: write crossfade.toml, where you decide.", verbs.init),
    Row("assess", "Say what stands in the way: findings.json.", verbs.assess),
    Row("plan", "Say exactly what will be done: plan.json.", verbs.plan),
    Row("apply", "Carry the saved plan out, or go on with it.", verbs.apply, connects=True),
    Row("status", "Say where a run stands, at once.", verbs.status),
    Row("pause", "Let steps in flight end, begin nothing new.", verbs.pause),
    Row("resume", "Go on with a paused or interrupted run.", verbs.resume, connects=True),
    Row("verify", "Prove who may open what: verification.json.", verbs.verify, connects=True),
    Row("who", "Say what one person may open, and why.", verbs.who),
    Row("report", "Tell the story: report.html.", verbs.report),
    Row("demo", "Show a whole migration on a twin, here.", verbs.demo),
    Row("twin", "Serve a twin of both services over HTTPS.", verbs.twin),
    Row("doctor", "Check this machine, the sign-in, the rights.", verbs.doctor, connects=True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; its exit code. Prints answers on standard output, errors on standard error (or as JSON)."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    as_json = "--json" in given
    try:
        done = command()(args=given, prog_name="crossfade", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return failures.interrupted(as_json=as_json)
    except BrokenPipeError:
        _quiet_at_exit()
        return 0
    except Exception as error:
        code = failures.known(error, as_json=as_json)
        return failures.unexpected(error, as_json=as_json) if code is None else code
    return int(done or 0)


def command() -> Any:
    """The command line as Typer and its tests see it."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, help=ABOUT)
    app.callback()(_whole)
    for row in VERBS:
        app.command(row.name, short_help=row.short)(declared(row.verb, _run, connects=row.connects))
    return typer.main.get_command(app)


def _whole(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and leave.")] = False,
) -> None:
    if version:
        from crossfade import __version__

        print(f"crossfade {__version__}")
        raise typer.Exit


_whole.__doc__ = ABOUT


def _run(verb: Verb, here: Here, values: Mapping[str, Any]) -> int:
    try:
        answer = verb(here, **values)
    except KeyboardInterrupt:  # Typer would make a silent exit of it
        return failures.interrupted(as_json=here.as_json)
    _print(answer, here)
    return answer.exit_code


def _print(answer: Answer, here: Here) -> None:
    if here.as_json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(answer.data, order="sorted"), indent=2).decode())
    elif answer.text:
        print(answer.text)


def _quiet_at_exit() -> None:
    """Whoever read us has gone: let the interpreter's last flush go nowhere."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
