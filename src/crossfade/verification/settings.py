"""Settings, property by property: what the plan wrote against what is there, and what was never carried.

Verdicts: `equal` (as in classic), `translated` (as planned, in the new service's own terms), `not-carried` (reported,
or kept as the operator decided), `different`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from crossfade.inventory.target import TargetSnapshot
from crossfade.model import diagnostics
from crossfade.model.ids import fold, last_name
from crossfade.model.target import ArmObject
from crossfade.plan.compare import same_value
from crossfade.plan.operations import (
    Action,
    PatchHostPool,
    PatchResource,
    PutResource,
    ReferenceGroup,
    SendLogs,
    SetIcon,
)
from crossfade.plan.plan import Plan
from crossfade.verification.facts import RunFacts
from crossfade.verification.verification import SettingCheck

EQUAL, TRANSLATED, NOT_CARRIED, DIFFERENT = "equal", "translated", "not-carried", "different"
RESOURCE_GROUPS = "Microsoft.Resources/resourceGroups"
NEW_TERMS = frozenset(
    {
        "hostPoolType",
        "hostPoolArmPath",
        "loadBalancerType",
        "preferredAppGroupType",
        "personalDesktopAssignmentType",
        "applicationGroupType",
        "applicationType",
        "commandLineSetting",
        "showInPortal",
        "showInFeed",
        "validationEnvironment",
        "startVMOnConnect",
        "ssoadfsAuthority",
        "ssoClientId",
        "ssoClientSecretKeyVaultPath",
        "ssoSecretType",
        "location",
        "timeZone",
        "exclusionTag",
        "schedules",
        "hostPoolReferences",
        "workspace",
        "exists",
    }
)
"""Properties that classic has in other terms or not at all (facts/classic-service 8.3)."""

UNREAD_LOGS = "the diagnostic settings"
"""How the subject of a gap begins where they could not be read."""
NOT_READ = "could not be read"
REFERENCES = "hostPoolReferences"

Bodies = PutResource | PatchResource | PatchHostPool


def check_settings(plan: Plan, target: TargetSnapshot, facts: RunFacts | None = None) -> list[SettingCheck]:
    """By object in the plan's order, then what was not carried."""
    objects = {fold(item.id): item for item in target.objects}
    names = {name for pool in plan.pools for name in pool.late}
    changes = [op for op in plan.operations if isinstance(op, PatchHostPool | PatchResource) and op.id in names]
    late = {fold(op.subject): op.body["properties"] for op in changes}
    return [
        *(
            check
            for op in _written(plan)
            if op.id not in names
            for check in _object(op, objects.get(fold(op.subject)), late)
        ),
        *_titles(plan, objects),
        *_references(plan, objects),
        *_logs(plan, target),
        *_icons(plan, objects, (facts or RunFacts()).icons),
        *(
            SettingCheck(
                subject=left.subject, property=left.property, wanted=left.value, found=None, verdict=NOT_CARRIED
            )
            for left in plan.not_carried
        ),
    ]


def _written(plan: Plan) -> Iterator[PutResource | PatchResource]:
    """Where an object that exists was adopted, its location and tags are its owner's."""
    for operation in plan.operations:
        if isinstance(operation, PutResource | PatchResource) and operation.type != RESOURCE_GROUPS:
            yield operation


def _object(
    operation: PutResource | PatchResource, found: ArmObject | None, late: dict[str, dict[str, Any]]
) -> Iterator[SettingCheck]:
    if found is None:
        yield _check(operation, "exists", True, False)
        return
    whole = operation.wanted if isinstance(operation, PatchResource) else {}
    changed = late.get(fold(operation.subject), {})
    wanted = {**(whole or operation.body.get("properties", {})), **changed}
    for name, value in sorted(wanted.items()):
        there = found.properties.get(name)
        if name == REFERENCES and name not in changed:  # whoever is to switch a scaling plan on may have done so
            value, there = _switched_off(value), _switched_off(there)
        yield _check(operation, name, value, there)
    location = operation.body.get("location")
    if location:
        yield _check(operation, "location", location, (found.location or "").replace(" ", "").casefold())


def _switched_off(references: Any) -> list[dict[str, Any]]:
    return [{**one, "scalingPlanEnabled": False} for one in references or []]


def _check(operation: PutResource | PatchResource, name: str, wanted: Any, found: Any) -> SettingCheck:
    if same_value(name, wanted, found):
        verdict = TRANSLATED if name in NEW_TERMS else EQUAL
    else:
        verdict = NOT_CARRIED if _kept(operation, name, found) else DIFFERENT
    return SettingCheck(subject=operation.subject, property=name, wanted=wanted, found=found, verdict=verdict)


def _kept(operation: PutResource | PatchResource, name: str, found: Any) -> bool:
    """Whether the operator decided to keep what an adopted object had."""
    if operation.action is not Action.ADOPT or not operation.prior:
        return False
    prior = operation.prior.get("properties") or {}
    return name in prior and same_value(name, prior[name], found)


def _titles(plan: Plan, objects: dict[str, ArmObject]) -> Iterator[SettingCheck]:
    """Whether people read the title that the plan promised, where it is the object's name: a friendly name that it has
    got since would be what they read instead. Those with a friendly name are judged by that."""
    given = {fold(op.subject) for op in _written(plan) if _gives_title(op)}
    targets: dict[str, list[str]] = {}
    for name in plan.names:
        targets.setdefault(fold(name.source), []).append(name.target)
    for title in plan.titles:
        inside = "/desktops/SessionDesktop" if title.kind == "desktop" else ""
        made = targets.get(fold(title.source), [])
        for target in made:
            found = objects.get(fold(target + inside))
            other = len(made) > 1 and last_name(target) != title.after  # of a tenant with several workspaces
            if found is not None and fold(found.id) not in given and not other:
                read = str(found.properties.get("friendlyName") or last_name(found.id))
                verdict = EQUAL if read == title.after else DIFFERENT
                yield SettingCheck(subject=found.id, property="title", wanted=title.after, found=read, verdict=verdict)


def _gives_title(operation: PutResource | PatchResource) -> bool:
    wanted = operation.wanted if isinstance(operation, PatchResource) else {}
    return "friendlyName" in {**operation.body.get("properties", {}), **wanted}


def _references(plan: Plan, objects: dict[str, ArmObject]) -> Iterator[SettingCheck]:
    """Whether each group is in the workspace that shows it."""
    for operation in plan.operations:
        if isinstance(operation, ReferenceGroup):
            workspace = objects.get(fold(operation.subject))
            listed = _listed(workspace.properties.get("applicationGroupReferences") or [] if workspace else [])
            inside = fold(operation.group) in listed
            yield SettingCheck(
                subject=operation.group,
                property="workspace",
                wanted=operation.subject,
                found=operation.subject if inside else None,
                verdict=TRANSLATED if inside else DIFFERENT,
            )


def _logs(plan: Plan, target: TargetSnapshot) -> Iterator[SettingCheck]:
    """Whether every object sends its categories to the workspace, by whichever of its settings."""
    there: dict[str, list[ArmObject]] = {}
    for item in target.objects:
        if item.type == diagnostics.TYPE:
            there.setdefault(fold(diagnostics.resource_of(item.id)), []).append(item)
    unread = any(gap.subject.startswith(UNREAD_LOGS) for gap in target.gaps)
    for operation in plan.operations:
        if isinstance(operation, SendLogs):
            check = _logged(operation, there.get(fold(operation.resource), []))
            yield msgspec.structs.replace(check, found=NOT_READ) if unread and not check.found else check


def _icons(plan: Plan, objects: dict[str, ArmObject], made: dict[str, str]) -> Iterator[SettingCheck]:
    """Whether apps that were made before any host have an icon of their own, now that there is one."""
    peopled = {fold(item.id).rpartition("/sessionhosts/")[0] for item in objects.values()}
    for operation in plan.operations:
        if isinstance(operation, SetIcon) and fold(operation.pool) in peopled:
            before, app = made.get(fold(operation.subject)), objects.get(fold(operation.subject))
            if before and app is not None:
                default = app.properties.get("iconHash") == before
                yield SettingCheck(
                    subject=operation.subject,
                    property="icon",
                    wanted="its own",
                    found="the default one" if default else "its own",
                    verdict=DIFFERENT if default else EQUAL,
                )


def _logged(operation: SendLogs, there: list[ArmObject]) -> SettingCheck:
    kind = diagnostics.kind_of(operation.resource)
    wanted = set(diagnostics.CATEGORIES[kind])
    found = diagnostics.sent_to((item.properties for item in there), operation.workspace, kind)
    kept = operation.action is Action.ADOPT and operation.categories
    return SettingCheck(
        subject=operation.resource,
        property="diagnostics",
        wanted=sorted(wanted),
        found=sorted(found),
        verdict=TRANSLATED if wanted <= found else NOT_CARRIED if kept else DIFFERENT,
    )


def _listed(references: Iterable[Any]) -> set[str]:
    return {fold(str(reference)) for reference in references}
