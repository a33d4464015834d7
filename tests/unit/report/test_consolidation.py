"""Groups instead of single people: assignments before and after, limits and proposals, as text and on the page."""

from __future__ import annotations

import msgspec
from samples import documents

from crossfade.plan.group_choice import Proposal
from crossfade.plan.operations import CreateDirectoryGroup, GrantRole
from crossfade.plan.plan import Plan
from crossfade.plan.quotas import Quota
from crossfade.report.consolidation import consolidated, total
from crossfade.report.html import html
from crossfade.report.plan_text import plan_text


def planned() -> Plan:
    plan = documents().plan
    assert plan is not None
    return plan


def through_a_group(plan: Plan) -> Plan:
    """The first app group's people come through one new group."""
    first = msgspec.structs.replace(plan.access[0], directory_group="nick")
    group = CreateDirectoryGroup(
        id="g",
        subject="group:nick",
        action="create",  # type: ignore[arg-type]
        reason="r",
        display_name="AVD <Office>",
        mail_nickname="nick",
        description="d",
    )
    others = [one for one in plan.operations if not (isinstance(one, GrantRole) and one.scope == first.target)]
    grant = next(one for one in plan.operations if isinstance(one, GrantRole) and one.scope == first.target)
    operations = [group, *others, msgspec.structs.replace(grant, principal="group:nick", principal_type="Group")]
    return msgspec.structs.replace(plan, access=[first, *plan.access[1:]], operations=operations)


def test_each_app_group_before_and_after() -> None:
    one_by_one = planned()
    people = sum(len(group.people) + len(group.missing) for group in one_by_one.access)
    assert sum(row.before for row in consolidated(one_by_one)) == people
    assert all(row.after == row.before - row.gone and not row.through for row in consolidated(one_by_one))
    first = consolidated(through_a_group(one_by_one))[0]
    assert (first.after, first.through) == (1, ["AVD <Office>"])
    after = sum(row.after for row in consolidated(through_a_group(one_by_one)))
    assert total(consolidated(through_a_group(one_by_one))) == (
        f"{people} assignments in classic, {after} on the new service"
    )


def test_the_page_and_the_text_show_it_with_limits_and_proposals() -> None:
    given = documents()
    quota = Quota(what="role assignments", scope="subscription s", before=3_990, after=3_995, limit=4_000)
    unread = Quota(what="application groups", scope="the tenant", before=1, after=2, limit=0)
    proposed = Proposal(
        source="g/t/Office/Apps",
        group="id",
        display_name="Sales <b>",
        people=3,
        owners=["kim@contoso.com"],
        rule="user.city -eq 'Rome'",
        last_change="made 2020",
        warnings=["dynamic: whoever"],
        means="One assignment in the place of 3.",
    )
    plan = msgspec.structs.replace(through_a_group(planned()), quotas=[quota, unread], proposals=[proposed])
    page = html(msgspec.structs.replace(given, plan=plan))
    assert "AVD &lt;Office&gt;" in page
    assert "Sales &lt;b&gt;" in page
    assert "One assignment in the place of 3." in page
    assert "kim@contoso.com" in page
    assert "<td>3,995</td><td>4,000</td><td>5</td>" in page
    assert "<td>not read</td>" in page
    text = plan_text(plan)
    assert "assignments in classic" in text
    assert "3990 before, 3995 after, limit 4000, 5 free afterwards" in text
    assert "the limit could not be read" in text
