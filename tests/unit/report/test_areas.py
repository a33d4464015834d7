"""Settings by area: each in one, all of them counted, and on the page."""

from __future__ import annotations

import re

import msgspec
from samples import documents

from crossfade.plan.feed_title import FeedTitle
from crossfade.plan.role_proposal import RoleProposal
from crossfade.report.areas import AREAS, OTHER, areas
from crossfade.report.html import html
from crossfade.report.plan_text import plan_text
from crossfade.verification.settings import NEW_TERMS
from crossfade.verification.verification import SettingCheck


def row(name: str, verdict: str) -> SettingCheck:
    return SettingCheck(subject="x", property=name, wanted=1, found=1, verdict=verdict)


def test_six_areas_and_the_rest() -> None:
    assert len(AREAS) == 6
    names = [name for named in AREAS.values() for name in named]
    assert len(names) == len(set(names))
    found = areas([row("customRdpProperty", "equal"), row("icon", "different"), row("role", "not-carried")])
    assert [area.name for area in found] == [*AREAS, OTHER]
    assert sum(sum(area.counts.values()) for area in found) == 3
    assert {area.name: area.counts["different"] for area in found}["Apps: paths, arguments, icons"] == 1
    assert found[-1].counts["not-carried"] == 1


def test_what_the_new_service_words_otherwise_has_its_area() -> None:
    beside = {"hostPoolArmPath", "applicationGroupType", "location", "exists"}
    assert NEW_TERMS - beside <= {name for named in AREAS.values() for name in named}


def test_the_page_lists_every_area_and_marks_titles_that_change() -> None:
    given = documents()
    assert given.plan is not None
    listed = [
        FeedTitle(kind="app", source="g/t/p/a/Excel", workspace="W", before="Excel", after="Excel"),
        FeedTitle(kind="desktop", source="g/t/p/d", workspace="W", before="Old <b>", after="New", shown=False),
    ]
    plan = msgspec.structs.replace(given.plan, titles=listed)
    page = html(msgspec.structs.replace(given, plan=plan))
    for name in AREAS:
        assert name.replace("'", "&#39;") in page
    assert "1 title will read differently" in page
    assert "Old &lt;b&gt;" in page
    assert len(re.findall(r"tag warning\">changed", page)) == 1
    text = plan_text(plan)
    assert re.search(r"\*\s+desktop\s+Old <b>\s+New\s+hidden", text)
    assert "1 stay as they are." in text
    assert "Excel" in plan_text(plan, every_row=True)


def test_the_page_tells_the_difference_in_power_and_each_application_once() -> None:
    given = documents()
    assert given.plan is not None
    one = RoleProposal(
        id="x",
        source="g/t",
        classic_role="RDS Contributor",
        principal="p",
        principal_type="ServicePrincipal",
        principal_label="robot <i>",
        role_name="Desktop Virtualization Contributor",
        scope="/subscriptions/s/resourceGroups/rg",
        reason="r",
        difference="Less: nothing over VMs.",
        automation="Ask for other tokens.",
        app_id="app-1",
    )
    plan = msgspec.structs.replace(given.plan, roles=[one, msgspec.structs.replace(one, decision="grant")])
    page = html(msgspec.structs.replace(given, plan=plan))
    assert page.count("Less: nothing over VMs.") == 2
    assert page.count("Ask for other tokens.") == 1
    assert "robot &lt;i&gt;" in page
    assert "undecided" in page
    assert "granted" in page
