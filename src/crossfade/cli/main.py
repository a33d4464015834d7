"""`crossfade`: arguments in, answer and exit code out. It decides nothing.

Exit codes are stable: 0 done, 1 failed, 2 changes or findings are pending, 3 refused (nothing was written).

Typer and the verbs are imported for whatever is not a plain `status`: Typer brings pydantic to convert options, which
takes several times as long as reading a journal.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossfade.cli import failures
from crossfade.cli.answers import Answer, Here

Verb = Callable[..., Answer]


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; its exit code. Prints answers on standard output, errors on standard error (or as JSON)."""
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        return _done(given)
    except KeyboardInterrupt:
        return failures.interrupted(as_json="--json" in given)
    except BrokenPipeError:
        _quiet_at_exit()
        return 0
    except Exception as error:
        as_json = "--json" in given
        code = failures.known(error, as_json=as_json)
        return failures.unexpected(error, as_json=as_json) if code is None else code


def _done(given: list[str]) -> int:
    here = plain_status(given)
    if here is not None:
        from crossfade.cli.telling import status

        return run(status, here, {})
    import typer

    from crossfade.cli.table import command

    try:
        return int(command(run)(args=given, prog_name="crossfade", standalone_mode=False) or 0)
    except typer.Abort:
        return failures.interrupted(as_json="--json" in given)


def plain_status(given: Sequence[str]) -> Here | None:
    """`status` with nothing but --json and --dir, as it is mostly asked; None for anything else."""
    import os

    words = list(given)
    if not words or words.pop(0) != "status":
        return None
    folder, as_json = os.environ.get("CROSSFADE_DIR") or ".crossfade", False
    while words:
        word = words.pop(0)
        if word == "--json":
            as_json = True
        elif word == "--dir" and words and not words[0].startswith("-"):
            folder = words.pop(0)
        else:
            return None
    return Here(folder=Path(folder), as_json=as_json)


def run(verb: Verb, here: Here, values: Mapping[str, Any]) -> int:
    """Carry a verb out and print its answer; its exit code."""
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
        from crossfade.cli.fitting import fitted

        print(answer.text if answer.to_copy else fitted(answer.text, sys.stdout))


def _quiet_at_exit() -> None:
    """Whoever read us has gone: let the interpreter's last flush go nowhere."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
