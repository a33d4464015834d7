"""What verbs take beside their own parameters, as tables: every verb --json and --dir, some the connection.

Imports only the standard library and Typer, as all of `cli` does at module level: `crossfade --help` must be instant.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from crossfade.cli.answers import Answer, Connection, Here

Verb = Callable[..., Answer]
KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _option(name: str, flag: str, default: str, metavar: str, help: str) -> inspect.Parameter:
    variable = "CROSSFADE_" + flag.removeprefix("--").replace("-", "_").upper()
    declared = typer.Option(flag, envvar=variable, metavar=metavar, help=help, show_default=bool(default))
    return inspect.Parameter(name, KEYWORD, default=default, annotation=Annotated[str, declared])


COMMON = (
    inspect.Parameter(
        "folder",
        KEYWORD,
        default=Path(".crossfade"),
        annotation=Annotated[
            Path, typer.Option("--dir", envvar="CROSSFADE_DIR", metavar="FOLDER", help="Folder of this migration.")
        ],
    ),
    inspect.Parameter(
        "as_json",
        KEYWORD,
        default=False,
        annotation=Annotated[bool, typer.Option("--json", help="Answer with one JSON object on standard output.")],
    ),
)

CONNECTION = (
    _option("cloud", "--cloud", "public", "NAME", "Cloud: public, usgovernment or china."),
    _option("endpoint", "--endpoint", "", "URL", "Address of one's own in place of a cloud's: a twin, over https."),
    _option("classic_endpoint", "--classic-endpoint", "", "URL", "Address of the classic service, where it differs."),
    _option("ca_file", "--ca-file", "", "FILE", "Certificate authority to trust, as PEM."),
    _option("sign_in", "--sign-in", "default", "HOW", "Sign-in: default, service-principal, device-code or azure-cli."),
    _option("tenant_id", "--tenant-id", "", "ID", "Directory to sign in to."),
    _option("client_id", "--client-id", "", "ID", "Application to sign in as. Its secret is never an option."),
)


def declared(verb: Verb, run: Callable[[Verb, Here, Mapping[str, Any]], int], *, connects: bool) -> Callable[..., None]:
    """The function that Typer sees: the verb's own parameters, then the common ones, then the connection's."""
    signature = inspect.signature(verb)
    own = [each for each in signature.parameters.values() if each.name != "here"]
    parameters = [*own, *COMMON, *(CONNECTION if connects else ())]

    def command(**values: Any) -> None:
        chosen = {name: values.pop(name) for name in Connection._fields if connects}
        connection = Connection(**{name: str(value) for name, value in chosen.items()})
        here = Here(folder=values.pop("folder"), as_json=values.pop("as_json"), connection=connection)
        raise typer.Exit(run(verb, here, values))

    command.__signature__ = signature.replace(parameters=parameters, return_annotation=None)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    command.__doc__ = verb.__doc__
    return command
