"""A diagnostic setting for every host pool, application group and workspace; what is sent already is left alone. Pure.

One category of an object goes to one workspace by one setting only, and an object takes five (facts/arm-service 6.1):
ours sends what no other setting sends there, and none is made where nothing is left to send.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from crossfade.errors import Problem
from crossfade.inventory.target import TargetSnapshot
from crossfade.model import diagnostics
from crossfade.model.ids import fold
from crossfade.model.target import ArmObject
from crossfade.plan.intent import Intent
from crossfade.plan.layout import Layout
from crossfade.plan.operations import Action, SendLogs
from crossfade.plan.plan import NotCarried

UNREAD = "the diagnostic settings"
"""How the subject of a gap begins where they could not be read."""


def send_logs(target: TargetSnapshot, layout: Layout, intent: Intent) -> Iterator[SendLogs]:
    """In the order in which the objects are written; nothing without a workspace in the intent."""
    if not intent.diagnostics.workspace:
        return
    there: dict[str, list[ArmObject]] = {}
    for item in target.objects:
        if item.type == diagnostics.TYPE:
            there.setdefault(fold(diagnostics.resource_of(item.id)), []).append(item)
    decisions = {fold(key): decision for key, decision in intent.conflicts.items()}
    for resource, source in _objects(layout):
        yield _setting(resource, source, there.get(fold(resource), []), intent, decisions)


def problems(target: TargetSnapshot, intent: Intent) -> list[Problem]:
    """What is sent already must be known: the service refuses a category that goes to one place twice."""
    unread = [gap for gap in target.gaps if gap.subject.startswith(UNREAD)] if intent.diagnostics.workspace else []
    mend = "Have Microsoft.Insights/diagnosticSettings/read granted (Monitoring Reader), then discover again."
    return [Problem(gap.subject, f"could not be read: {gap.why}", mend) for gap in unread]


def replaced(row: NotCarried, intent: Intent) -> NotCarried:
    """Classic's link of a tenant: told in any case, and what takes its place where something does."""
    if not intent.diagnostics.workspace or not row.property.startswith("log_analytics"):
        return row
    why = f"diagnostic settings of each new object take its place, to {intent.diagnostics.workspace}"
    return msgspec.structs.replace(row, why=why)


def _objects(layout: Layout) -> Iterator[tuple[str, str]]:
    for pool in layout.pools:
        yield layout.pool_ids[fold(pool.key)], pool.key
    for group in layout.groups:
        yield layout.group_ids[fold(group.key)], group.key
    for resource, (_, tenant) in layout.workspaces.items():
        yield resource, tenant.key


def _setting(resource: str, source: str, there: list[ArmObject], intent: Intent, decisions: dict[str, str]) -> SendLogs:
    wanted, kind = intent.diagnostics, diagnostics.kind_of(resource)
    subject = diagnostics.setting_id(resource, wanted.name)
    own = next((item for item in there if fold(item.id) == fold(subject)), None)
    others = [item for item in there if item is not own]
    sent = diagnostics.sent_to(_properties(others), wanted.workspace, kind)
    left = [name for name in diagnostics.CATEGORIES[kind] if name not in sent]
    action, reason = _decide(left, own, others, wanted.workspace, kind, decisions.get(fold(subject)))
    return SendLogs(
        id=f"send-logs:{resource}",
        subject=subject,
        action=action,
        reason=reason,
        source=source,
        resource=resource,
        workspace=wanted.workspace,
        categories=left,
        offered=[name for name in diagnostics.LATER.get(kind, ()) if name not in sent],
        prior={"properties": own.properties} if own else None,
    )


def _decide(
    left: list[str], own: ArmObject | None, others: list[ArmObject], workspace: str, kind: str, decision: str | None
) -> tuple[Action, str]:
    if not left:
        return Action.ADOPT, f"sent there already by {', '.join(_names(others, workspace))}"
    if own is None and len(others) >= diagnostics.MOST:
        if decision == "adopt":
            return Action.ADOPT, f"has {len(others)} settings, kept as decided"
        return Action.CONFLICT, f"has {len(others)} diagnostic settings and takes no more: remove one, or adopt"
    if own is None:
        return Action.CREATE, "sends nothing yet" if not others else f"the other {len(others)} do not send all of it"
    missing = sorted(set(left) - diagnostics.sent_to(_properties([own]), workspace, kind))
    if not missing:
        return Action.ADOPT, "exists and matches"
    elsewhere = "" if diagnostics.goes_to(own.properties, workspace) else " goes to another place and"
    told = f"the setting of this name{elsewhere} lacks {', '.join(missing)}"
    if decision == "update":
        return Action.UPDATE, f"{told}; to be updated as decided"
    if decision == "adopt":
        return Action.ADOPT, f"{told}; kept as decided"
    return Action.CONFLICT, f"{told}: update or adopt it, or give [diagnostics] another name"


def _properties(items: Iterable[ArmObject]) -> list[dict[str, Any]]:
    return [item.properties for item in items]


def _names(items: list[ArmObject], workspace: str) -> list[str]:
    return [item.name for item in items if diagnostics.goes_to(item.properties, workspace)]
