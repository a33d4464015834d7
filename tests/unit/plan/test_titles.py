"""Titles in people's feeds: as classic has them, as they will be, and what changes."""

from __future__ import annotations

import msgspec
from builders import Estate, applied, plan_of

from crossfade.plan.plan import Plan


def estate() -> tuple[Estate, str]:
    found = Estate(friendly_name="Contoso desks")
    pool = found.pool("Office")
    apps = found.group(pool, "Apps", people=["zoe@contoso.com"])
    found.app(apps, "Excel", friendly_name="Excel 2019", file_path="C:\\excel.exe")
    found.app(apps, "Word", file_path="C:\\word.exe", show_in_web_feed=False)
    return found, pool


def told(plan: Plan) -> dict[str, tuple[str | None, str, bool]]:
    return {f"{one.kind} {one.source.rsplit('/', 1)[-1]}": (one.before, one.after, one.changed) for one in plan.titles}


def test_each_title_before_and_after() -> None:
    found, _ = estate()
    plan = plan_of(found)
    assert told(plan) == {
        "workspace Contoso": ("Contoso desks", "Contoso desks", False),
        "desktop Desktop Application Group": (None, "SessionDesktop", True),
        "app Excel": ("Excel 2019", "Excel 2019", False),
        "app Word": ("Word", "Word", False),
    }
    assert {one.source.rsplit("/", 1)[-1]: one.shown for one in plan.titles}["Word"] is False
    assert {one.workspace for one in plan.titles} == {"Contoso desks"}


def test_a_title_of_an_object_that_is_kept_is_the_one_it_has() -> None:
    found, _ = estate()
    there = applied(plan_of(found), found.target())
    app = next(item for item in there.objects if item.id.endswith("/applications/Excel"))
    other = msgspec.structs.replace(app, properties={**app.properties, "friendlyName": "Theirs"})
    there = msgspec.structs.replace(there, objects=[other if item.id == app.id else item for item in there.objects])
    for decision, after in (("adopt", "Theirs"), ("update", "Excel 2019")):
        plan = plan_of(found, there, conflicts={app.id: decision})
        assert told(plan)["app Excel"] == ("Excel 2019", after, decision == "adopt")
