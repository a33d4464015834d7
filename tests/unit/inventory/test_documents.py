"""Documents: one byte form, and every problem of a damaged one at once, with its line."""

import json
from typing import Any

import pytest

from crossfade.errors import InputError
from crossfade.inventory import documents
from crossfade.inventory.documents import decode, digest, encode
from crossfade.inventory.inventory import Gap, Inventory, Origin
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.classic import HostPool, SessionHost
from crossfade.plan.operations import Action, GrantRole
from crossfade.plan.plan import HostMove, Plan

INVENTORY = Inventory(
    made_at="2026-06-08T07:00:00.000Z",
    origins=[Origin(source="live", place="g/HostPools")],
    pools=[HostPool(key="g/t/Büro", custom_rdp_property="")],
    hosts=[SessionHost(key="g/t/Büro/h-0.contoso.com", health={"DomainJoinedCheck": "HealthCheckSucceeded"})],
    gaps=[Gap(subject="s", what="w", why="y", mend="m")],
)
PLAN = Plan(
    operations=[
        GrantRole(
            id="grant",
            subject="x",
            action=Action.CREATE,
            reason="r",
            scope="s",
            role="r",
            principal="p",
            principal_type="User",
            principal_label="l",
        )
    ],
    hosts=[HostMove(source="a", host_name="h", vm="v", source_pool="p", target_pool="q", personal=False, capacity=3)],
)


def problems(data: bytes, kind: type[Any] = Plan) -> list[tuple[str, str]]:
    try:
        decode(data, kind, place="plan.json")
    except InputError as error:
        return [(problem.where, problem.what) for problem in error.problems]
    raise AssertionError("the document was accepted")


def edited(**changes: Any) -> bytes:
    raw = json.loads(encode(PLAN))
    raw |= changes
    return json.dumps(raw, indent=2, sort_keys=True).encode()


@pytest.mark.parametrize("document", [INVENTORY, PLAN, TargetSnapshot(caller="me")])
def test_a_document_reads_back_as_it_was(document: Any) -> None:
    assert decode(encode(document), type(document), place="x.json") == document
    assert encode(decode(encode(document), type(document), place="x.json")) == encode(document)


def test_bytes_are_sorted_readable_and_end_in_a_newline() -> None:
    text = encode(INVENTORY).decode()
    assert "Büro" in text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (b'{\n "format": \xff\n}', "plan.json:2", "byte 13 is not UTF-8."),
        (b'{\n "format":\n', "plan.json:3", "not JSON: Expecting value in column 1."),
        (b"[]", "plan.json: format", "is 'list', this version reads 'crossfade/plan@1'."),
        (b"{}", "plan.json: format", "is None, this version reads 'crossfade/plan@1'."),
        (b'{"format": "crossfade/plan@9"}', "plan.json: format", "is 'crossfade/plan@9', this version reads"),
        (b'{"format": 1, "format": 2}', "plan.json", "one object has two members named 'format'."),
        (b"[" * 100_000, "plan.json", "is nested too deeply"),
    ],
)
def test_what_is_no_document_is_named_with_its_line(data: bytes, where: str, what: str) -> None:
    [(found_where, found_what)] = problems(data)
    assert found_where == where
    assert found_what.startswith(what)


def test_a_plan_edited_into_nonsense_reports_everything() -> None:
    raw = json.loads(edited())
    raw["hosts"].append({"source": 1, "hostname": "x", "capacity": "many"})
    raw["operations"] += [{"kind": "delete-everything"}, 3, {"kind": ["grant-role"]}]
    raw["operations"][0]["action"] = "explode"
    raw["settings"]["headroom"] = "big"
    raw["wavs"] = []
    found = problems(json.dumps(raw, indent=2, sort_keys=True).encode())
    places = {where.partition(": ")[2]: what for where, what in found}
    assert places["operations[0].action"] == "Invalid enum value 'explode'."
    assert places["operations[1].kind"].startswith("is 'delete-everything', none of add-member,")
    assert places["operations[2]"] == "Expected `object`, got `int`."
    assert places["operations[3].kind"].startswith("is ['grant-role'], none of")
    assert places["hosts[1].source"] == "Expected `str`, got `int`."
    assert places["hosts[1].capacity"] == "Expected `int`, got `str`."
    assert "Did you mean 'host_name'?" in places["hosts[1].hostname"]
    assert places["settings.headroom"] == "Expected `float`, got `str`."
    assert "Did you mean 'waves'?" in places["wavs"]
    assert "'vm' is missing." in [what for _, what in found]


def test_lines_are_those_of_the_text() -> None:
    data = edited(mode=7)
    [(where, _)] = problems(data)
    line = int(where.split(":")[1])
    assert data.decode().splitlines()[line - 1].strip() == '"mode": 7,'


def test_an_unknown_member_would_be_lost_and_is_a_problem() -> None:
    [(where, what)] = problems(edited(hots=[]))
    assert where.endswith("hots")
    assert "would be lost. Did you mean 'hosts'?" in what


def test_a_missing_member_that_has_a_default_is_none() -> None:
    raw = json.loads(encode(PLAN))
    del raw["waves"]
    assert decode(json.dumps(raw).encode(), Plan, place="plan.json") == PLAN


def test_thousands_of_problems_are_counted_not_listed() -> None:
    found = problems(edited(hosts=[1] * 5000))
    assert len(found) == documents.PROBLEMS_SHOWN + 1
    assert found[-1][1] == f"{5000 - documents.PROBLEMS_SHOWN} more problems like these."


def test_design_digest_ignores_when_and_live_values_and_nothing_else() -> None:
    host = SessionHost(key="g/t/p/h", sessions=1, status="Available", assigned_user="a@x")
    base = Inventory(hosts=[host]).design_digest()
    moved = SessionHost(key="g/t/p/h", sessions=9, status="Shutdown", assigned_user="a@x", origin=4, health={"a": "b"})
    assert Inventory(made_at="later", hosts=[moved], gaps=INVENTORY.gaps).design_digest() == base
    assert Inventory(hosts=[SessionHost(key="g/t/p/h", assigned_user="b@x")]).design_digest() != base
