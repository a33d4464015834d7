"""`crossfade notices`: what people are to be told, as files in the run's folder and on the command line.

The journal holds each notice; files and messages are made of it, and can be made again.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from crossfade.commands.kept import kept, of_the_run
from crossfade.commands.workspace import PLAN, File, Workspace, reason
from crossfade.errors import InputError, Problem
from crossfade.execution.notices import issued
from crossfade.execution.reader import JournalReader
from crossfade.execution.run import run_id_of
from crossfade.model.alerts import Alert
from crossfade.model.notices import Notice
from crossfade.plan.plan import Plan
from crossfade.report.alerts import alert_files
from crossfade.report.notices import EVERYBODY, Message, Templates, as_csv, messages, shipped, what_they_open, with_own

MADE_BY = "crossfade apply"
OWN = "notices"
"""Folder of the customer's own texts, beside the documents."""
OnNotice = Callable[[Notice, Path], None]


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A notice with its messages, where its files are, and what each person opens."""

    notice: Notice
    folder: str
    messages: list[Message]
    opens: dict[str, list[str]]

    @property
    def everybody(self) -> Message:
        """The message with the steps for every kind of client."""
        return next(each for each in self.messages if each.client == EVERYBODY)


def own_texts(workspace: Workspace) -> dict[str, str]:
    """The texts that this folder's notices are made of. Raises InputError with all that is wrong with them."""
    folder = workspace.folder / OWN
    try:
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        own = {str(path): path.read_bytes() for path in found if path.is_file() and not path.name.startswith(".")}
    except OSError as error:
        problem = Problem(str(folder), f"cannot be read: {reason(error)}.", "Check the permissions of your own texts.")
        raise InputError("The texts of notices cannot be used.", [problem]) from None
    return with_own(own)


def write_texts(folder: Path) -> list[Path]:
    """The shipped texts as files, to be changed. Raises InputError where one is there already."""
    paths = {folder / f"{name}.txt": text for name, text in shipped().items()}
    there = [Problem(str(path), "is there already.", "Name an empty folder.") for path in paths if path.exists()]
    if there:
        raise InputError("Nothing was written.", there)
    workspace = Workspace(folder)
    return [workspace.write_bytes(File(path.name, MADE_BY), text.encode()) for path, text in paths.items()]


class NoticeFiles:
    """Delivers a notice as a folder of files: who, and a message for each kind of client."""

    def __init__(
        self, workspace: Workspace, run_id: str, plan: Plan, texts: Templates, on_notice: OnNotice | None = None
    ) -> None:
        self._workspace = workspace
        self._run_id = run_id
        self._plan = plan
        self._texts = texts
        self._on_notice = on_notice

    def __call__(self, notice: Notice) -> None:
        """Raises InputError when a file cannot be written."""
        for name, data in self._files(notice).items():
            self._workspace.write_bytes(self._file(notice, name), data)
        if self._on_notice is not None:
            self._on_notice(notice, folder_of(self._workspace, self._run_id, notice))

    def is_there(self, notice: Notice) -> bool:
        """Whether all its files are: a crash may have come between the journal and them."""
        return all(self._workspace.has(self._file(notice, name)) for name in self._files(notice))

    def _files(self, notice: Notice) -> dict[str, bytes]:
        texts = {f"{each.client}.txt": each.text().encode() for each in messages(notice, self._plan, self._texts)}
        return {**texts, "people.csv": as_csv(notice, self._plan)}

    def _file(self, notice: Notice, name: str) -> File:
        return kept(File(f"notices/{notice.id}/{name}", MADE_BY), self._run_id)


class AlertFiles:
    """Delivers an alert as a folder of files: a mail, and messages for chats."""

    def __init__(self, workspace: Workspace, run_id: str, texts: Templates) -> None:
        self._workspace = workspace
        self._run_id = run_id
        self._texts = texts

    def __call__(self, alert: Alert) -> None:
        """Raises InputError when a file cannot be written."""
        for name, data in alert_files(alert, self._texts).items():
            self._workspace.write_bytes(kept(File(f"alerts/{alert.id}/{name}", MADE_BY), self._run_id), data)


def folder_of(workspace: Workspace, run_id: str, notice: Notice) -> Path:
    return workspace.path(kept(File(f"notices/{notice.id}", MADE_BY), run_id))


def notices(workspace: Workspace) -> list[Issued]:
    """Every notice of the run, in order. Raises InputError where there is no run or a text is wrong."""
    plan = workspace.read(of_the_run(workspace, PLAN), Plan)
    run_id, texts = run_id_of(workspace.digest(PLAN)), own_texts(workspace)
    with JournalReader.look(workspace.journal) as reader:
        found = [notice for _, notice in issued(reader, run_id)]
    return [
        Issued(
            notice=notice,
            folder=str(folder_of(workspace, run_id, notice)),
            messages=messages(notice, plan, texts),
            opens=what_they_open(notice, plan),
        )
        for notice in found
    ]
