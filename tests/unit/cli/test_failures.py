"""What the command line says when something is wrong, and how it leaves."""

import json
from collections.abc import Callable

import pytest

from crossfade.cli import failures, table
from crossfade.cli.answers import Answer, Here
from crossfade.errors import InputError, MigrationError, PlanConflict, Problem, StalePlan, Throttled

Cli = Callable[..., tuple[int, str, str]]
SECRET = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
PROBLEMS = [
    Problem("plan.json:3", "is cut off.", "Plan again."),
    Problem("plan.json:9", "names nobody.", "Plan again."),
]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `assess` raise."""

    def arrange(error: BaseException) -> None:
        def assess(here: Here) -> Answer:
            """Fail."""
            raise error

        rows = [row._replace(verb=assess) if row.name == "assess" else row for row in table.VERBS]
        monkeypatch.setattr(table, "VERBS", tuple(rows))

    return arrange


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MigrationError("It broke.", "It was thin.", "Take a thicker one."), 1),
        (InputError("plan.json cannot be used.", PROBLEMS), 1),
        (StalePlan("The plan is old.", "The estate moved on.", "Plan again."), 3),
        (PlanConflict("No plan exists.", PROBLEMS), 3),
        (Throttled("Too fast.", "429", "Wait.", request_id="r-1", retry_after_s=3.0), 1),
    ],
)
def test_ours_are_told_whole(
    failing: Callable[[BaseException], None], crossfade: Cli, error: Exception, code: int
) -> None:
    failing(error)
    found, out, errors = crossfade("assess")
    assert (found, out) == (code, "")
    for text in _texts(error):
        assert text in errors


@pytest.mark.parametrize("error", [InputError("Bad.", PROBLEMS), MigrationError("Broke.", "Thin.", "Mend.")])
def test_as_json_an_error_is_one_object(
    failing: Callable[[BaseException], None], crossfade: Cli, error: MigrationError
) -> None:
    failing(error)
    code, out, errors = crossfade("assess", "--json")
    assert code == error.exit_code
    assert errors == ""
    assert json.loads(out) == {"error": error.as_data()}


def test_a_defect_is_one_line_without_foreign_words(failing: Callable[[BaseException], None], crossfade: Cli) -> None:
    failing(ValueError(f"Bearer {SECRET}"))
    code, out, errors = crossfade("assess")
    assert (code, out) == (1, "")
    assert "ValueError at cli/" in errors
    assert SECRET not in errors
    assert "Traceback" not in errors


def test_debug_shows_where_and_still_no_secret(
    failing: Callable[[BaseException], None], crossfade: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(failures.DEBUG, "1")
    failing(ValueError(f"Authorization: Bearer {SECRET}"))
    _, _, errors = crossfade("assess")
    assert "Traceback" in errors
    assert "ValueError: Authorization: [removed]" in errors


def test_an_interrupt_says_how_to_go_on(failing: Callable[[BaseException], None], crossfade: Cli) -> None:
    failing(KeyboardInterrupt())
    code, _, errors = crossfade("assess")
    assert code == 130
    assert "crossfade resume" in errors


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("status", "--nonsense"), ("demo", "--seed", "many"), ("who",), ("apply", "extra")]
)
def test_wrong_words_fail_with_the_way_to_help(crossfade: Cli, arguments: tuple[str, ...]) -> None:
    code, out, errors = crossfade(*arguments)
    assert (code, out) == (1, "")
    assert "--help`" in errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--dir", "x", "plan"], True), (["--json", "status"], True), (["plan", "--size", "4"], False), (["paln"], False)],
)
def test_an_option_before_the_command_is_sent_behind_it(
    arguments: list[str], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    from crossfade.cli.main import main

    assert main(arguments) == 1
    said = capsys.readouterr()
    assert ("Options come after the command" in said.out + said.err) == told


@pytest.mark.parametrize("verb", ["status", "pause", "resume"])
def test_without_a_run_there_is_nothing_to_steer(crossfade: Cli, verb: str) -> None:
    code, _, errors = crossfade(verb)
    assert code == 1
    assert "There is no run here" in errors


def _texts(error: Exception) -> list[str]:
    data = error.as_data() if isinstance(error, MigrationError) else {}
    problems = [text for problem in data.get("problems", ()) for text in problem.values()]
    return [str(data[name]) for name in ("what", "why", "mend", "request_id") if data.get(name)] + problems


def test_a_demo_says_what_its_counts_come_to() -> None:
    import msgspec

    from crossfade.cli.running import counts, verdicts
    from crossfade.commands.demo import DemoResult

    kinds: dict[str, object] = {"dict": {}, "str": "x", "int": 0, "float": 0.0, "bool": True}
    blank = {
        each.name: next((value for kind, value in kinds.items() if kind in str(each.type)), None)
        for each in msgspec.structs.fields(DemoResult)
    }
    good = DemoResult(**blank | {"state": "finished", "verified": True})
    assert verdicts(good) == ["Everybody can open exactly what they could before, and nobody was refused for it."]
    bad = msgspec.structs.replace(good, refused_sign_ins=5, refused_by_cause={"profile_locked": 5}, state="holding")
    assert verdicts(bad) == [
        "The run is holding.",
        "5 sign-ins more were refused than on the same days without a migration.",
    ]
    assert "5 (5 profile locked)" in counts(bad)
