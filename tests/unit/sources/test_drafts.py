"""The draft of a reconstructed estate, read as exports are: guesses stay out, and what is not said is named."""

import re
from pathlib import Path
from typing import Any

import pytest
from exports_kit import file, host, inventory_of, keys, person, pool, problems_of

from crossfade.model.provenance import Confidence

DESKTOP = "Desktop Application Group"


def marked(row: dict[str, Any], confidence: str = "stated", sign: str = "the dscextension of h-0") -> dict[str, Any]:
    return row | {"Confidence": confidence, "Sign": sign, "ReadAt": "2026-11-29T10:00:00.000Z"}


def bare(**more: Any) -> dict[str, Any]:
    """A pool as it is known from signs."""
    unknown = dict.fromkeys(("MaxSessionLimit", "LoadBalancerType", "CustomRdpProperty"))
    return pool(**{"Persistent": False, **unknown, **more})


def desktop_group() -> dict[str, Any]:
    return keys("contoso", "Office", DESKTOP) | {"ResourceType": 1}


def said(*files: Any) -> str:
    return "\n".join(f"{gap.subject}: {gap.what} {gap.why} {gap.mend}" for gap in inventory_of(*files).gaps)


def test_a_record_of_a_draft_keeps_its_sign_as_its_origin() -> None:
    found = inventory_of(file("hosts.json", [marked(host("h-0")), marked(host("h-1"), "Derived")]))
    origins = [found.origins[one.origin] for one in found.hosts]
    assert [(one.source, one.place, one.confidence) for one in origins] == [
        ("remains", "the dscextension of h-0", Confidence.STATED),
        ("remains", "the dscextension of h-0", Confidence.DERIVED),
    ]
    assert origins[0].read_at == "2026-11-29T10:00:00.000Z"
    assert found.hosts[0].extra == {}


def test_a_guess_is_left_out_and_told_until_it_is_confirmed() -> None:
    rows = [marked(host("h-0")), marked(host("h-1"), "guessed", "named like the others")]
    assert [one.key.rpartition("/")[2] for one in inventory_of(file("hosts.json", rows)).hosts] == ["h-0"]
    told = said(file("hosts.json", rows))
    assert "hosts.json: 1 session host in it is a guess and left out. named like the others." in told
    rows[1]["Confidence"] = "confirmed"
    assert len(inventory_of(file("hosts.json", rows)).hosts) == 2
    assert "a guess" not in said(file("hosts.json", rows))


def test_what_lies_below_a_guess_is_left_out_too() -> None:
    rows = [marked(bare(Persistent=None), "guessed"), marked(host("h-0")), marked(person("a@x.example", DESKTOP))]
    found = inventory_of(file("all.json", rows))
    assert (found.pools, found.hosts, found.assignments) == ([], [], [])
    assert "with all that is known below it (2 records)" in said(file("all.json", rows))


def test_a_pool_that_was_exported_is_no_guess_whatever_the_draft_says() -> None:
    found = inventory_of(file("a.json", pool()), file("b.json", [marked(bare(), "guessed"), marked(host("h-0"))]))
    assert (len(found.pools), len(found.hosts)) == (1, 1)


def test_a_pool_is_taken_only_when_somebody_says_whether_it_is_personal() -> None:
    (problem,) = problems_of(file("pools.json", [marked(bare(Persistent=None), "confirmed")]))
    assert problem.where == "pools.json:2"
    assert "Persistent says nothing" in problem.what


def test_an_unknown_confidence_is_refused_with_those_that_are_known() -> None:
    (problem,) = problems_of(file("hosts.json", [marked(host("h-0"), "sure")]))
    assert "known are stated, seen, derived, guessed, confirmed" in problem.what


def test_what_no_sign_tells_is_named_until_the_pool_is_confirmed() -> None:
    known = [marked(bare()), marked(desktop_group(), "derived"), marked(person("a@x.example", DESKTOP))]
    told = said(file("d.json", known))
    assert "Its RDP properties, session limit and load balancing in the end are not known" in told
    assert "Whether it had RemoteApps, and for whom, is not known" in told
    assert "Given to a@x.example when it was made; whether it still was theirs in the end is not known" in told
    for row in known:
        row["Confidence"] = "confirmed"
    told = said(file("d.json", known))
    assert "not known" not in told
    assert "when it was made" not in told


def test_absences_of_a_draft_do_not_speak_of_cmdlets_that_nobody_can_run() -> None:
    told = said(file("d.json", [marked(bare()), marked(desktop_group(), "derived")]))
    assert f"contoso/Office/{DESKTOP}: No assigned users known." in told
    assert "in the exported files" not in told
    assert "user sessions" not in told


def test_gaps_are_kept_in_the_draft_until_somebody_takes_them_out() -> None:
    gap = {"Subject": "deployments of rg-x", "What": "Not read.", "Why": "403.", "Mend": "Ask for the right."}
    assert "deployments of rg-x: Not read. 403. Ask for the right." in said(file("gaps.json", [gap]))


def test_an_export_counts_before_the_draft() -> None:
    found = inventory_of(file("a.json", pool(MaxSessionLimit=7)), file("b.json", [marked(bare(MaxSessionLimit=9))]))
    assert found.pools[0].max_session_limit == 7


@pytest.mark.parametrize("again", ["confirmed", "stated"])
def test_two_records_of_a_draft_that_contradict_each_other_are_refused(again: str) -> None:
    rows = [marked(bare()), marked(bare(Persistent=True), again, "another sign")]
    (problem,) = problems_of(file("pools.json", rows))
    assert "with another personal" in problem.what


def test_the_person_of_a_host_may_stand_in_a_record_of_its_own() -> None:
    theirs = keys("contoso", "Office") | {"SessionHostName": "h-0", "AssignedUser": "a@x.example"}
    found = inventory_of(
        file("hosts.json", [marked(host("h-0", AzureVmId=None))]), file("own.json", [marked(theirs, "confirmed")])
    )
    assert [one.assigned_user for one in found.hosts] == ["a@x.example"]


def test_the_patterns_of_the_how_to_are_records() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "how-to" / "restore.md").read_text("utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (role,) = re.findall(r"`(\{\"Scope\".*?\})`", page)
    found = inventory_of(file("a.json", block), file("b.json", role))
    assert (len(found.groups), len(found.apps), len(found.assignments), len(found.roles)) == (1, 1, 1, 1)
    assert found.apps[0].file_path == "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE"
