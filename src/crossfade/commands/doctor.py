"""`crossfade doctor`: whether this machine, the folder, the sign-in, services and rights will do. Only reads."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from crossfade.assessment.assess import mode_of
from crossfade.commands.discover import home_subscriptions
from crossfade.commands.local import saved_inventory, saved_target
from crossfade.commands.workspace import FINDINGS, INTENT, INVENTORY, PLAN, TARGET, Workspace
from crossfade.errors import MigrationError
from crossfade.model.ids import last_name
from crossfade.model.modes import RESTORE
from crossfade.model.rights import NEEDED, allowed
from crossfade.model.target import Permission
from crossfade.plan.plan import Plan
from crossfade.plan.preflight import log_workspace, needed, needed_for_logs
from crossfade.sources.services import Services

LEAST_PYTHON = (3, 11)
CLOCK_S = 90.0
"""So far from Azure's a clock may be: an answer tells its second, and was on its way for some."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at. `mend` is empty when it is well."""

    name: str
    found: str
    mend: str = ""


def exit_code(checks: Sequence[Check]) -> int:
    """0 when all is well, 2 when something needs mending."""
    return 2 if any(check.mend for check in checks) else 0


# ---------------------------------------------------------------- here


def look_here(workspace: Workspace) -> list[Check]:
    """This machine and the folder."""
    return [_python(), _folder(workspace.folder), *_documents(workspace)]


def _python() -> Check:
    here = sys.version_info[:2]
    mend = "" if here >= LEAST_PYTHON else "Use Python 3.11 or later."
    return Check(name="Python", found=".".join(map(str, here)), mend=mend)


def _folder(folder: Path) -> Check:
    """A folder that is not there yet can be made where its nearest parent can be written."""
    import os

    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK):
        return Check(name="folder", found=f"{folder} can be written")
    return Check(name="folder", found=f"{folder} cannot be written", mend="Name another with --dir.")


def _documents(workspace: Workspace) -> list[Check]:
    """Those that are there are read; one that is not there yet is no fault."""
    checks = []
    for file, read in ((INVENTORY, saved_inventory), (TARGET, saved_target)):
        if workspace.has(file):
            checks.append(_document(file.name, file.made_by, lambda read=read: read(workspace)))  # type: ignore[misc]
    present = [file.name for file in (INVENTORY, TARGET, INTENT, FINDINGS, PLAN) if workspace.has(file)]
    return [Check(name="documents", found=", ".join(present) or "none yet"), *checks]


def _document(name: str, made_by: str, read: Callable[[], object]) -> Check:
    try:
        read()
    except MigrationError as error:
        return Check(name=name, found=str(error), mend=f"Make it again: `{made_by}`.")
    return Check(name=name, found="can be read")


# ---------------------------------------------------------------- there


async def look_there(workspace: Workspace, services: Services, subscriptions: Sequence[str] = ()) -> list[Check]:
    """The sign-in, the three services and the rights on each subscription. Never raises for what a service refuses."""
    signed_in = await _asked("sign-in", _caller, services)
    if signed_in.mend:
        return [signed_in]
    checks = [
        signed_in,
        _missed(await _asked("classic service", _classic, services), workspace),
        await _asked("directory", _directory, services),
        await _asked("Azure Resource Manager", _arm, services),
        await _asked("clock", _clock, services),
    ]
    for one in subscriptions or _home(workspace):
        checks += await _rights(services, f"/subscriptions/{one}", _needed(workspace))
    logs, actions = _logs(workspace)
    return [*checks, *(await _rights(services, logs, actions) if actions else [])]


async def _asked(name: str, ask: Callable[[Services], Awaitable[tuple[str, str]]], services: Services) -> Check:
    try:
        found, mend = await ask(services)
    except MigrationError as error:
        return Check(name=name, found=f"{error.what} {error.why}".strip(), mend=error.mend or "Try again later.")
    return Check(name=name, found=found, mend=mend)


async def _caller(services: Services) -> tuple[str, str]:
    caller = await services.caller()
    return f"as {caller.name or caller.app_id or caller.object_id} of directory {caller.tenant_id}", ""


async def _classic(services: Services) -> tuple[str, str]:
    """Any list that whoever is signed in may ask for: the role definitions."""
    roles = await services.classic.role_definitions()
    return f"it answers, and knows {len(roles)} roles", ""


def _missed(classic: Check, workspace: Workspace) -> Check:
    """A service that does not answer is no fault where the estate was read without it."""
    if not classic.mend or not _is_known_without(workspace):
        return classic
    return Check(name=classic.name, found=f"{classic.found} inventory.json was made without it")


def _is_known_without(workspace: Workspace) -> bool:
    try:
        inventory = saved_inventory(workspace)
    except MigrationError:
        return False
    return inventory is not None and mode_of(inventory) == RESTORE


async def _directory(services: Services) -> tuple[str, str]:
    policies = await services.graph.conditional_access_policies()
    if policies is None:
        mend = "Have Policy.Read.All granted, or accept it by name in crossfade.toml: conditional-access:unread."
        return "it answers, but Conditional Access policies may not be read", mend
    return f"it answers; {_many(len(policies), 'Conditional Access policy')} can be read", ""


async def _arm(services: Services) -> tuple[str, str]:
    visible = await services.arm.subscriptions()
    mend = "" if visible else "Have at least Reader granted on the target's subscription."
    return f"{_many(len(visible), 'subscription')} can be seen", mend


def _many(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


async def _clock(services: Services) -> tuple[str, str]:
    """Tokens, quiet hours, and waiting for a host's next sign of life go by this machine's clock."""
    theirs = await services.arm.time()
    if theirs is None:
        return "Azure did not say what time it is", ""
    ahead_s = (services.clock.now() - theirs).total_seconds()
    if abs(ahead_s) < CLOCK_S:
        return "as Azure's", ""
    way = "ahead of" if ahead_s > 0 else "behind"
    mend = "Have a time service set it: tokens, quiet hours and waiting for hosts go by it."
    return f"{abs(ahead_s) / 60:.0f} minutes {way} Azure's", mend


def _home(workspace: Workspace) -> list[str]:
    """Of the target that was read, else of the estate's machines; none where neither is known."""
    try:
        target = saved_target(workspace)
        return list(target.subscriptions) if target else home_subscriptions(saved_inventory(workspace))
    except MigrationError:
        return []


def _needed(workspace: Workspace) -> dict[str, str]:
    """Actions that the plan of the folder needs; without one, those that every plan needs."""
    try:
        return needed(workspace.read(PLAN, Plan)) if workspace.has(PLAN) else NEEDED
    except MigrationError:
        return NEEDED


def _logs(workspace: Workspace) -> tuple[str, dict[str, str]]:
    """The workspace of the logs of the folder's plan, and what is needed there."""
    try:
        plan = workspace.read(PLAN, Plan) if workspace.has(PLAN) else Plan()
    except MigrationError:
        return "", {}
    return log_workspace(plan), needed_for_logs(plan)


async def _rights(services: Services, scope: str, actions: dict[str, str]) -> list[Check]:
    """One row for each action that a migration needs, by effective permission."""
    try:
        rows = await services.arm.access.permissions(scope)
    except MigrationError as error:
        mend = error.mend or "Check the id, and have at least Reader granted there."
        return [Check(name=f"rights on {last_name(scope)}", found=f"{error.what} {error.why}".strip(), mend=mend)]
    mine = [
        Permission(scope=scope, actions=row.get("actions") or [], not_actions=row.get("notActions") or [])
        for row in rows
    ]
    return [
        Check(
            name=action,
            found=f"may {what}" if allowed(action, mine) else f"may not {what}",
            mend="" if allowed(action, mine) else f"Have a role with this action granted on {scope}.",
        )
        for action, what in actions.items()
    ]
