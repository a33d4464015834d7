"""Messages to people: the shipped texts, the customer's own, and what is in them."""

from __future__ import annotations

import re

import msgspec
import pytest
from applied import inventory, plan_of, snapshot

from crossfade.errors import InputError
from crossfade.model.notices import MOVED, RETURNED, Notice
from crossfade.plan.plan import Plan
from crossfade.report.notices import CLIENTS, EVERYBODY, as_csv, messages, shipped, what_they_open, with_own

NOW = "2026-06-08T08:00:00Z"


@pytest.fixture(scope="module")
def plan() -> Plan:
    found = inventory()
    return plan_of(found, snapshot(found))


def notice_of(plan: Plan, kind: str = MOVED) -> Notice:
    people: dict[str, list[str]] = {}
    for group in plan.access:
        for person in group.people:
            people.setdefault(person, []).append(group.target)
    return Notice(id="notice-001", kind=kind, of="wave-01", people=people, issued_at=NOW, send_from=NOW)


def test_the_shipped_texts_pass_their_own_check() -> None:
    assert with_own({f"notices/{name}.txt": text.encode() for name, text in shipped().items()}) == shipped()


def test_there_is_a_message_for_each_client_and_one_with_all(plan: Plan) -> None:
    found = {each.client: each for each in messages(notice_of(plan), plan, shipped())}
    assert set(found) == {*CLIENTS, EVERYBODY}
    feed, web = plan.settings.feed_address, plan.settings.web_address
    assert feed in found["windows-old"].body
    assert web in found["web"].body
    assert feed not in found["windows-app"].body
    assert {feed, web} <= set(re.findall(r"https://\S+", found[EVERYBODY].body))
    assert not [each for each in found.values() if "{" in each.text() or not each.subject]


def test_who_goes_back_needs_no_steps(plan: Plan) -> None:
    for each in messages(notice_of(plan, RETURNED), plan, shipped()):
        assert "https://" not in each.body


def test_a_message_names_the_workspace_by_its_title(plan: Plan) -> None:
    body = messages(notice_of(plan), plan, with_own({"moved.txt": b"Subject: x\n\n[{workspace}] {steps}"}))[0].body
    title = re.search(r"\[(.*)\]", body)
    assert title is not None
    assert title[1] not in ("", "Azure Virtual Desktop")


def test_everybody_is_listed_with_titles_and_no_cell_is_a_formula(plan: Plan) -> None:
    notice = notice_of(plan)
    assert all(what_they_open(notice, plan)[person] for person in notice.people)
    evil = msgspec.structs.replace(notice, people={"=cmd|x@contoso.com": [], **notice.people})
    rows = as_csv(evil, plan).decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + len(evil.people)
    assert "'=cmd|x@contoso.com," in rows
    assert not [row for row in rows if row.startswith(("=", "+", "-", "@"))]


def test_every_problem_of_the_texts_is_told_with_file_and_line() -> None:
    own = {
        "n/moved.txt": b"Subject: x\n\nHello {nobody}\n{steps}",
        "n/web.txt": b"Heading: x\n{feed.__class__}\n{steps}\n{web",
        "n/reminder.txt": b"no first line",
        "n/other.txt": b"",
        "n/thin-client.txt": b"Heading: x\n\xff",
    }
    with pytest.raises(InputError) as caught:
        with_own(own)
    places = [problem.where for problem in caught.value.problems]
    moved, web, reminder = "n/moved.txt:3", "n/web.txt", "n/reminder.txt"
    others = ["n/other.txt", "n/thin-client.txt:2"]
    assert sorted(places) == sorted([moved, f"{web}:2", f"{web}:3", f"{web}:4", f"{reminder}:1", reminder, *others])
    assert "{nobody} is no field" in str(caught.value)


def test_braces_that_people_are_to_see_are_doubled(plan: Plan) -> None:
    texts = with_own({"moved.txt": b"Subject: {{x}}\n\n{{y}} {steps}"})
    first = messages(notice_of(plan), plan, texts)[0]
    assert first.subject == "{x}"
    assert first.body.startswith("{y} ")
