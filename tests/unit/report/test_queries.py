"""Shipped queries are well formed and use columns that exist; saved ones are rewritten, nothing lost in silence."""

import re
from pathlib import Path

import pytest

from crossfade.cli.main import main
from crossfade.report import queries

ROOT = Path(__file__).parents[3]
STAGES = {"where", "summarize", "project", "extend", "join", "order"}
TABLES = {
    "WVDConnections": {"TimeGenerated", "CorrelationId", "State", "UserName", "_ResourceId"},
    "WVDErrors": {"TimeGenerated", "CodeSymbolic", "Source", "ActivityType", "Message", "ServiceError", "UserName"},
    "WVDAgentHealthStatus": {
        "TimeGenerated",
        "SessionHostName",
        "Status",
        "LastHeartBeat",
        "AllowNewSessions",
        "ActiveSessions",
        "AgentVersion",
        "_ResourceId",
    },
    "WVDActivityV1_CL": {"TimeGenerated", "Type_s", "Id_g", "UserName_s"},
}
"""Of the columns in facts/arm-service 6.3 and classic-service 6.2, those that we use. Every table has TimeGenerated."""
WORDS = {*STAGES, "let", "by", "and", "or", "on", "kind", "inner", "asc", "desc", "ago", "count", "countif", "dcount"}
WORDS |= {"take_any", "max", "arg_max", "percentile", "datetime_diff", "minif", "isnotnull"}


def faults(text: str) -> list[str]:
    """What is wrong with a query, as far as a reader without the service can tell."""
    bare = re.sub(r"//[^\n]*", "", text)
    found = ["a text does not end"] if any(line.count('"') % 2 for line in bare.splitlines()) else []
    bare = re.sub(r'"[^"\n]*"', "", bare)
    depth = 0
    for char in bare:
        depth += {"(": 1, ")": -1}.get(char, 0)
        found += ["a bracket closes nothing"] if depth < 0 else []
    found += ["a bracket stays open"] if depth else []
    stages = [part.split(None, 1)[0] if part.split() else "" for part in bare.split("|")[1:]]
    found += [f"no such stage: {stage!r}" for stage in stages if stage not in STAGES]
    tables = {name for name in TABLES if re.search(rf"\b{name}\b", bare)}
    found += [] if tables else ["reads no table"]
    made = set(re.findall(r"\b(\w+)\s*=(?![=~])", bare))
    known = WORDS | made | tables | {column for name in tables for column in TABLES[name]}
    return found + [f"unknown: {name}" for name in re.findall(r"\b[A-Za-z_]\w*", bare) if name not in known]


@pytest.mark.parametrize("query", queries.shipped(), ids=lambda query: query.name)
def test_a_shipped_query_is_well_formed(query: queries.Query) -> None:
    assert faults(query.text) == []
    assert 20 < len(query.purpose) < 120


@pytest.mark.parametrize(
    "broken",
    [
        "WVDConnections | wehre State == 1",
        "WVDConnections | where (State == 1",
        "WVDConnections | where State) == 1",
        "WVDConnections | where Stat == 1",
        'WVDConnections | where State == "Started',
        "WVDConnection | where State == 1",
        "WVDConnections | | where State == 1",
    ],
)
def test_the_check_finds_what_is_broken(broken: str) -> None:
    assert faults(broken)


def test_the_queries_that_were_asked_for_are_shipped() -> None:
    wanted = {"connections", "errors", "sign-in-time", "hosts-without-heartbeat", "still-on-classic"}
    assert {query.name for query in queries.shipped()} == wanted


def test_an_error_query_is_rewritten_without_a_question() -> None:
    found = queries.rewrite('WVDErrorV1_CL | where ErrorCodeSymbolic_s == "Time_t" // ErrorMessage_s\n| project Time_t')
    assert found.text == 'WVDErrors | where CodeSymbolic == "Time_t" // ErrorMessage_s\n| project TimeGenerated'
    assert found.look_at == []


@pytest.mark.parametrize(("kind", "table"), sorted(queries.columns().activity_tables.items()))
def test_the_type_tells_the_table_of_activities(kind: str, table: str) -> None:
    found = queries.rewrite(f'WVDActivityV1_CL | where Type_s == "{kind}" | count')
    assert found.changed == {"WVDActivityV1_CL": table}
    told = [note for note in found.look_at if "an inference" in note]
    assert [note for note in found.look_at if note not in told] == [
        "Type_s: each type has a table of its own: take this condition out."
    ]
    assert bool(told) == (kind == "RegistrationToken")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("WVDActivityV1_CL | summarize dcount(Id_g)", "does not say of which type"),
        ("WVDActivityV1_CL | where Outcome_s == 'Success'", "Outcome_s"),
        ("WVDActivityV1_CL | where UserName_s == 'a'", "an inference"),
        ("WVDErrorV1_CL | where ErrorInternal_s == 1", "ErrorInternal_s: became ServiceError, an inference"),
        ("WVDErrorV1_CL | summarize dcount(ActivityId_g)", "ActivityId_g: became CorrelationId, an inference"),
        ("WVDErrorV1_CL | where Odd_s == 1", "Odd_s: is in no table of ours"),
        ("WVDErrorV1_CL | where UserName_s == 1", "UserName_s: is in no table of ours"),
        ("WVDTenantScale_CL | where logmessage_s has 'x'", "scaling script"),
        ("Mine_CL | take 1", "Mine_CL: is in no table of ours"),
    ],
)
def test_what_needs_a_person_is_named_on_top(query: str, named: str) -> None:
    found = queries.rewrite(query)
    assert any(named in note for note in found.look_at)
    assert all(f"// LOOK AT: {note}\n" in found.text for note in found.look_at)


def test_the_page_lists_every_column() -> None:
    page = (ROOT / "docs/reference/log-analytics.md").read_text(encoding="utf-8")
    for column in queries.columns().columns:
        becomes = f"`{column.becomes}`" if column.becomes else "–"
        assert f"| `{column.table}` | `{column.column}` | {becomes} |" in page


def test_written_queries_overwrite_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queries", "--out", str(tmp_path / "kql")]) == 0
    assert {path.stem for path in (tmp_path / "kql").iterdir()} == {query.name for query in queries.shipped()}
    (tmp_path / "kql" / "errors.kql").write_text("mine", encoding="utf-8")
    (tmp_path / "kql" / "connections.kql").unlink()
    assert main(["queries", "--out", str(tmp_path / "kql")]) == 1
    assert (tmp_path / "kql" / "errors.kql").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "kql" / "connections.kql").exists()
    assert "errors.kql" in capsys.readouterr().err


def test_a_query_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.kql").write_bytes(b"\xff\xfe")
    assert main(["queries", "no-such"]) == 1
    assert main(["queries", "--rewrite", str(tmp_path / "absent.kql")]) == 1
    assert main(["queries", "--rewrite", str(tmp_path / "bad.kql")]) == 1
    assert main(["queries", "errors", "--rewrite", str(tmp_path / "bad.kql")]) == 1
