"""Whom a run tells, beside the services: people by files, operators by files, and programs of their own."""

import os
from collections.abc import Iterator

from crossfade.commands.notices import AlertFiles, NoticeFiles, OnNotice, own_texts
from crossfade.commands.workspace import Workspace
from crossfade.errors import InputError, Problem
from crossfade.execution.outside import Outside
from crossfade.plan.plan import Plan


def outside_of(workspace: Workspace, run_id: str, plan: Plan, on_notice: OnNotice | None = None) -> Outside:
    """Raises InputError with everything that is wrong with the texts of notices, or with the hooks."""
    problems = list(_wrong_hooks(workspace, plan))
    if problems:
        raise InputError("The hooks cannot be used; nothing was written.", problems)
    texts = own_texts(workspace)
    notices = NoticeFiles(workspace, run_id, plan, texts, on_notice)
    alert = AlertFiles(workspace, run_id, texts)
    return Outside(deliver=notices, is_delivered=notices.is_there, alert=alert, folder=workspace.folder)


def _wrong_hooks(workspace: Workspace, plan: Plan) -> Iterator[Problem]:
    for moment, name in plan.settings.hooks.items():
        path = workspace.folder / name
        if not path.exists():
            yield Problem(str(path), f"is not there: hooks.{moment} names it.", "Put it there, or name another.")
        elif not path.is_file():
            yield Problem(str(path), f"is no file: hooks.{moment} names it.", "Name a file that can be run.")
        elif not os.access(path, os.X_OK):
            yield Problem(str(path), f"cannot be run: hooks.{moment} names it.", f"chmod +x {path}")
