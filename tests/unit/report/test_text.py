"""Text: verdicts, tables, the proof, the plan as a diff, and answers of `who`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from applied import ANN, OFFICE, applied, grouped, inventory, plan_of, snapshot
from samples import documents, finding, story

from crossfade.assessment.findings import Findings, Severity
from crossfade.plan.operations import Action, PutResource
from crossfade.report import access_text, text, words
from crossfade.report.plan_text import plan_text
from crossfade.report.tables import table
from crossfade.report.verdict import verdict
from crossfade.verification.access import Path
from crossfade.verification.explain import Passage, View, who
from crossfade.verification.verification import AccessChange, HostCheck, Unexplained
from crossfade.verification.verify import sides

replace = msgspec.structs.replace
LOST = [AccessChange(person=ANN, resource=f"{OFFICE}/Apps/Excel", why="no grant")]


class TestVerdict:
    @pytest.mark.parametrize(
        ("changed", "tone", "part"),
        [
            ({}, "good", "6 of 6 hosts moved"),
            ({"verification": None}, "warn", "not been verified"),
            ({"verification": None, "story": None}, "open", "The plan is ready: 6 hosts in"),
            ({"verification": None, "story": None, "plan": None}, "open", "Nothing stands in the way"),
            ({"verification": None, "story": story([], "holding", reason="seats")}, "bad", "holds, 0 of 6 hosts"),
            ({"story": story([], "running"), "verification": None}, "open", "is running"),
            ({"story": story([], "rolled_back"), "verification": None}, "warn", "rolled back"),
        ],
    )
    def test_from_what_there_is(self, changed: dict[str, Any], tone: str, part: str) -> None:
        said = verdict(documents(**changed))
        assert said.tone == tone
        assert part in said.sentence

    def test_blockers(self) -> None:
        found = Findings(findings=[finding(Severity.BLOCKER)])
        said = verdict(documents(findings=found, verification=None, story=None, plan=None))
        assert (said.tone, "1 finding must be mended" in said.sentence) == ("warn", True)

    def test_a_proof_that_fails_beats_a_finished_run(self) -> None:
        made = documents()
        broken = replace(made.verification, lost=LOST, unexplained=[Unexplained(subject="x", why="y")])
        said = verdict(replace(made, verification=broken))
        assert said.tone == "bad"
        assert said.rest == "1 right lost by 1 person, 1 thing that could not be judged."

    def test_a_proof_during_the_run_is_no_failure(self) -> None:
        made = documents(story=story([], "running"))
        assert verdict(replace(made, verification=replace(made.verification, lost=LOST))).tone == "open"

    def test_a_host_to_look_at(self) -> None:
        made = documents()
        assert made.verification is not None
        sick = [replace(made.verification.hosts[0], problems=["x"]), *made.verification.hosts[1:]]
        said = verdict(replace(made, verification=replace(made.verification, hosts=sick)))
        assert (said.tone, said.rest) == ("warn", "To look at: 1 host.")


class TestTables:
    def test_aligned_and_cut(self) -> None:
        assert table(("name", "n", "why"), [("a" * 9, 1, "x" * 60), ("b", 1000, "y")], right=(1,), most=6) == [
            "name       n  why",
            "------  ----  ---",
            "aaaaa…     1  " + "x" * 60,
            "b       1000  y",
        ]

    def test_nothing(self) -> None:
        assert table(("a",), []) == []

    def test_escape_sequences_reach_no_terminal(self) -> None:
        shown = table(("a",), [("\x1b[2J\x07a\nb",)])
        assert shown[-1] == "\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}a\N{REPLACEMENT CHARACTER}b"


class TestProof:
    def test_whole(self) -> None:
        made = documents()
        assert made.verification is not None
        told = text.verification(made.verification)
        assert told.startswith("Proven: everybody")
        assert "gone@contoso.com  left in 2021" in told

    def test_each_difference_by_name(self) -> None:
        made = documents()
        sick = HostCheck(source="t/c/p/off-1.contoso.com", vm="/v", state="Unavailable", problems=["its status is x"])
        broken = replace(made.verification, lost=LOST * 25, hosts=[sick])
        told = text.verification(broken)
        assert told.startswith("NOT PROVEN")
        assert f"{ANN}  Office / Apps / Excel  no grant" in told
        assert "… and 5 more" in told
        assert "off-1  Unavailable  its status is x" in told

    def test_summary(self) -> None:
        told = text.summary(documents())
        assert "wave-01  one host first, to try the move" in told
        assert "Sign-ins  1,234" in told


class TestPlan:
    def test_signs_counts_waves_and_what_is_left(self) -> None:
        found = inventory()
        told = plan_text(grouped(found, snapshot(found)))
        assert told.splitlines()[0].startswith("Plan: ")
        assert "+ host pool              Office  (does not exist)" in told
        assert "~ workspace              contoso shows Office-DAG" in told
        assert "+ group member           5, person by person" in told
        assert "sso_adfs_authority = https://sts.contoso.com/adfs" in told
        assert "wave-01  one host first, to try the move" in told
        assert "gone@contoso.com is not in the directory and gets nothing: `crossfade identities`" in told

    def test_every_row_names_people(self) -> None:
        found = inventory()
        plan = plan_of(found, snapshot(found))
        assert f"Office-DAG to {ANN}" in plan_text(plan, every_row=True)
        assert ANN not in plan_text(plan)

    def test_a_second_plan_adopts_and_a_conflict_is_shown(self) -> None:
        found = inventory()
        empty = snapshot(found)
        again = plan_of(found, applied(plan_of(found, empty), empty))
        assert "= host pool              Office  (exists and matches)" in plan_text(again)
        operations = [
            replace(one, action=Action.CONFLICT, reason="exists and differs")
            if isinstance(one, PutResource) and one.subject.endswith("hostPools/Office")
            else one
            for one in again.operations
        ]
        told = plan_text(replace(again, operations=operations))
        assert "! host pool              Office  (exists and differs)" in told
        assert "Conflicts: decide each" in told

    def test_what_cannot_be_undone(self) -> None:
        found = inventory()
        plan = plan_of(found, snapshot(found))
        final = replace(plan.operations[0], irreversible="the provider stays")
        told = plan_text(replace(plan, operations=[final, *plan.operations[1:]]))
        assert "Cannot be undone\n  " in told
        assert "the provider stays" in told


def test_who() -> None:
    found = inventory()
    empty = snapshot(found)
    plan = plan_of(found, empty)
    told = access_text.view(who(ANN, *sides(plan, found, applied(plan, empty))))
    assert told.splitlines()[:6] == [
        ANN,
        "1 opened before, 1 open now: the same.",
        "",
        "opens   Office / Desktop Application Group / Remote Desktop",
        "  before   assigned to app group Desktop Application Group of Office",
        "  now      granted on application group Office-DAG; shown in workspace contoso",
    ]


def paths(*rows: tuple[str, str, bool, str]) -> list[Path]:
    return [
        Path(person=person, resource=f"g/t/{resource}", opens=opens, how=how) for person, resource, opens, how in rows
    ]


def test_what_has_the_same_paths_stands_together_and_what_differs_is_marked() -> None:
    answer = View(
        subject=ANN,
        before=paths(
            (ANN, "a", True, "by x"), (ANN, "b", True, "by x"), (ANN, "c", True, "by y"), (ANN, "e", False, "no")
        ),
        after=paths((ANN, "a", True, "by z"), (ANN, "b", True, "by z"), (ANN, "d", True, "by z")),
    )
    assert access_text.view(answer).splitlines()[1:] == [
        "3 opened before, 3 open now: 1 lost, 1 gained.",
        *("", "opens   a", "opens   b", "  before   by x", "  now      by z"),
        *("", "lost    c", "  before   by y", "  now      nothing"),
        *("", "gained  d", "  before   nothing", "  now      by z"),
        *("", "never   e", "  before   no", "  now      nothing"),
    ]


def test_before_anything_has_moved_nothing_is_called_lost() -> None:
    had = paths((ANN, "a", True, "by x"), (ANN, "b", True, "by x"), (ANN, "c", True, "by x"))
    answer = View(
        subject=ANN,
        before=had,
        classic=had[:2],
        after=paths((ANN, "b", True, "by z"), (ANN, "c", True, "by z")),
        read_at="2026-06-08T07:00:00Z",
        passages=[Passage(at="2026-06-08T06:00:00Z", what="given the target", places=["b", "c"])],
    )
    assert access_text.view(answer).splitlines()[1:] == [
        "3 opened before, 3 open now, 1 of them on classic only: the same.",
        *("", "2026-06-08 06:00  given the target: b, c"),
        *("", "opens   a", "  before   by x", "  now      on classic as before"),
        *("", "opens   b", "  before   by x", "  now      on classic as before; and by z"),
        *("", "opens   c", "  before   by x", "  now      by z"),
        *("", "Now is 2026-06-08 07:00 UTC, when the target was read last; `crossfade verify` reads it anew."),
    ]


def test_somebody_for_whom_nothing_opens_on_either_side() -> None:
    answer = View(subject=ANN, before=paths((ANN, "a", False, "but she left")), after=[])
    assert access_text.view(answer).splitlines()[1] == "Nothing opened before, and nothing opens now."


def test_people_of_a_resource_before_there_is_a_target() -> None:
    answer = View(subject="g/t/a", before=paths((ANN, "a", True, "by x"), ("bob", "a", False, "but he left")))
    assert access_text.view(answer).splitlines() == [
        "g/t/a",
        "1 open today.",
        *("", f"opens   {ANN}", "  before   by x"),
        *("", "never   bob", "  before   but he left"),
        *("", access_text.NOT_READ),
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "nothing"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1, "1"),
        ("", "empty"),
        ({"a_b": 1, "c": None}, "a b 1"),
    ],
)
def test_values(value: Any, told: str) -> None:
    assert words.value(value) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(40, "40 s"), (2700, "45 min"), (7500, "2 h 05 min"), (180_000, "2 d 2 h")]
)
def test_spans(seconds: int, told: str) -> None:
    from datetime import timedelta

    assert words.span(timedelta(seconds=seconds)) == told
