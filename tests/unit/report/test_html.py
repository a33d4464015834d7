"""The page: it says what happened, stands by itself, and takes every name for data."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import pytest
from applied import OFFICE, TENANT, inventory
from samples import documents, finding, story

from crossfade.assessment.findings import Findings
from crossfade.inventory.inventory import Inventory
from crossfade.model.classic import RemoteApp, Tenant
from crossfade.report.documents import Documents
from crossfade.report.gantt import Axis, timeline
from crossfade.report.html import html
from crossfade.report.page import Links
from crossfade.report.words import parse
from crossfade.verification.verification import AccessChange, Swap, Unexplained

replace = msgspec.structs.replace
EVIL = '<script>alert("x")</script><img src=x onerror=y>'
VOID = {"meta", "link", "br", "line", "rect", "input", "img"}


class Checked(HTMLParser):
    """Tags in order; every one that opens must close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_what_a_manager_reads_first() -> None:
    page = html(documents())
    assert "Everybody opens exactly what they opened before: 5 people" in page
    assert "6 of 6" in page
    assert "one host first, to try the move" in page
    assert "1,234" in page
    assert "typically took 18 min" in page
    assert "sso_adfs_authority" in page
    Checked(page)


def test_stands_by_itself() -> None:
    page = html(documents())
    tags = Checked(page).tags
    assert not [tag for tag, _ in tags if tag in ("script", "img", "iframe", "object", "embed", "form")]
    sources = [given.get("src") or given.get("href") or "" for tag, given in tags if tag != "a"]
    assert {source for source in sources if source} == {"data:,"}
    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import", page)
    assert not [name for _, given in tags for name in given if name.startswith("on")]


def test_what_stands_between_backquotes_is_code() -> None:
    told = finding(mend=f"Run `crossfade who {EVIL}`, then look; a lone ` stays.")
    page = html(replace(documents(), findings=Findings(findings=[told])))
    assert "Run <code>crossfade who &lt;script&gt;" in page
    assert "</code>, then look; a lone ` stays." in page
    Checked(page)


def test_links_lead_to_the_clouds_portal() -> None:
    made = documents()
    page = html(made)
    assert made.plan is not None
    pool = made.plan.pools[0].target.replace(" ", "%20")
    assert f'href="https://portal.azure.com/#@{made.plan.tenant_id}/resource{pool}"' in page
    assert not [given for tag, given in Checked(html(replace(made, portal=""))).tags if tag == "a"]


def test_links_are_made_of_ids_only() -> None:
    links = Links("https://portal.azure.cn/", "a/b")
    assert links.to('/subscriptions/s/x"><b>') == (
        "https://portal.azure.cn/#@a%2Fb/resource/subscriptions/s/x%22%3E%3Cb%3E"
    )
    assert links.to("javascript:alert(1)") == ""
    assert Links("javascript:", "t").to("/subscriptions/s") == ""


def evil() -> Documents:
    """Hostile text wherever a name can be."""
    apps = [RemoteApp(key=f"{OFFICE}/Apps/{EVIL.replace('/', '')}", file_path=EVIL, extra={"x": EVIL})]
    found = inventory(tenants=[Tenant(key=TENANT, friendly_name=EVIL, sso_client_id=EVIL)], apps=apps)
    made = documents(found)
    assert made.verification is not None
    assert made.plan is not None
    told = [AccessChange(person=EVIL, resource=EVIL, why=EVIL)]
    proof = replace(
        made.verification,
        lost=told,
        gained=told,
        swapped=[Swap(person=EVIL, before=EVIL, after=EVIL)],
        unexplained=[Unexplained(subject=EVIL, why=EVIL)],
        excluded=[Unexplained(subject=EVIL, why=EVIL)],
        hosts=[replace(check, problems=[EVIL], state=EVIL) for check in made.verification.hosts],
        settings=[replace(check, verdict="different", found=EVIL) for check in made.verification.settings],
        unseen=[EVIL, "=cmd()|' /C calc'!A0"],
        inputs={EVIL: EVIL},
    )
    run = story([move.source for move in made.plan.hosts], counts={EVIL: EVIL}, reason=EVIL)
    run = replace(run, waves=[replace(wave, id=EVIL, kind=EVIL) for wave in run.waves])
    plan = replace(made.plan, notes=[EVIL])
    given = finding(subject=EVIL, what=EVIL, why=EVIL, mend=EVIL)
    return replace(made, verification=proof, story=run, plan=plan, findings=Findings(findings=[given]))


def test_names_are_data() -> None:
    page = html(evil())
    tags = Checked(page).tags
    assert "<script" not in page
    assert not [tag for tag, _ in tags if tag in ("script", "img")]
    assert "&lt;script&gt;" in page
    assert "=cmd()|&#39; /C calc&#39;!A0" in page


@pytest.mark.parametrize(
    "changed",
    [
        {"plan": None, "verification": None, "story": None, "findings": None},
        {"verification": None, "story": None},
        {"verification": None},
        {"story": None},
        {"findings": None, "made_at": "", "portal": ""},
    ],
)
def test_whatever_there_is_so_far(changed: dict[str, None]) -> None:
    Checked(html(documents(**changed)))


def test_an_empty_estate() -> None:
    Checked(html(Documents(inventory=Inventory())))


class TestTimeline:
    def test_a_row_for_each_wave_that_began(self) -> None:
        drawn = str(timeline(story(["a"])))
        assert drawn.count('class="name"') == 1
        assert drawn.count("<rect") == 2
        assert "hosts move, 2026-06-08 08:00 to 09:10 UTC, 1 h 10 min" in drawn

    def test_nothing_began(self) -> None:
        assert timeline(story(["a"], waves=[])) == ""

    @pytest.mark.parametrize("until", ["2026-06-08T08:20:00Z", "2026-06-08T20:00:00Z", "2026-07-20T08:00:00Z"])
    def test_few_ticks_within_the_drawing(self, until: str) -> None:
        first, last = parse("2026-06-08T08:00:00Z"), parse(until)
        assert first is not None
        assert last is not None
        ticks = Axis(first, last).ticks()
        assert 1 < len(ticks) <= 10
        assert all(first <= tick <= last for tick in ticks)
