"""Every verb, option, environment variable, exit code and error code is described, and nothing that does not exist."""

import re
from pathlib import Path
from typing import Any

import pytest

from crossfade.cli.main import run
from crossfade.cli.options import COMMON, CONNECTION
from crossfade.cli.table import command
from crossfade.commands import apply
from crossfade.errors import MigrationError

DOCS = Path(__file__).resolve().parents[2] / "docs/reference"
SHARED = {"--help", "--dir", "--json", *("--" + each.name.replace("_", "-") for each in CONNECTION)}
VERBS: dict[str, Any] = command(run).commands


def sections() -> dict[str, str]:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(verb: str) -> set[str]:
    return {name for each in VERBS[verb].params for name in each.opts if name.startswith("--")}


def test_every_verb_has_a_section_and_every_section_a_verb() -> None:
    assert set(sections()) - {"Every command", "Connection"} == set(VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_is_in_its_section_and_no_other(verb: str) -> None:
    rows = re.findall(r"^\| `(--[\w-]+)", sections()[verb], re.MULTILINE)
    own = options(verb) - {"--help"} - ({"--dir", "--json"} | (SHARED if takes_connection(verb) else set()))
    assert set(rows) == own


def takes_connection(verb: str) -> bool:
    return "--sign-in" in options(verb)


def test_the_shared_options_are_described_once() -> None:
    text = sections()
    for each in COMMON:
        assert f"`{each.annotation.__metadata__[0].default}" in text["Every command"]
    for each in CONNECTION:
        declared = each.annotation.__metadata__[0]
        assert f"`{declared.default} {declared.metavar}`" in text["Connection"]
        assert f"`{declared.envvar}`" in text["Connection"]
    listed = text["Connection"].splitlines()[2]
    assert {verb for verb in VERBS if takes_connection(verb)} == set(re.findall(r"`(\w+)`", listed))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_says_what_it_does_and_the_exit_codes(verb: str) -> None:
    assert "Exit codes:" in VERBS[verb].help
    assert "Exit codes:" in sections()[verb]
    assert 10 < len(VERBS[verb].short_help) < 60


def test_every_error_code_is_described() -> None:
    assert apply, "imported, so that the errors of a run are known too"

    def tree(kind: type[MigrationError]) -> set[str]:
        return {kind.code}.union(*(tree(each) for each in kind.__subclasses__()))

    known = tree(MigrationError) | {"usage", "defect", "interrupted"}
    text = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    table = text[text.index("| `code` |") :]
    named = {
        code for cell in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for code in re.findall(r"`([\w-]+)`", cell)
    }
    assert named - {"code"} == known


def test_the_settings_that_may_change_are_described_with_their_bounds() -> None:
    from crossfade.execution.bounds import CHANGEABLE

    for name, bound in CHANGEABLE.items():
        assert f"`{name}` ({bound.least:,} to {bound.most:,})" in sections()["set"]
