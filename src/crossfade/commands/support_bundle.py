"""`crossfade support-bundle`: what somebody who is to help needs to see, without secrets, in one zip.

Made where something is wrong, so a part that cannot be read is there as its error, and stops no other.
"""

import importlib.metadata
import io
import os
import platform
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from crossfade import __version__
from crossfade.clock import Clock, SystemClock, iso
from crossfade.commands.journal import prove, told
from crossfade.commands.kept import of_the_run
from crossfade.commands.status import status
from crossfade.commands.workspace import FINDINGS, INTENT, INVENTORY, PLAN, VERIFICATION, File, Workspace, reason
from crossfade.errors import InputError, MigrationError, Problem
from crossfade.execution.records import Event
from crossfade.inventory.inventory import Inventory
from crossfade.plan.plan import Plan
from crossfade.report.redaction import HIDDEN, Redaction, is_secret_name

ABOUT = f"""\
A support bundle of Crossfade. Look through it before you send it to anybody.

Left out: tokens, keys, passwords and whatever has the name of a secret; {HIDDEN} stands in its place. The inventory,
the target, notices to people and the engine's store are not in it at all.
People: %s
"""
AS_THEY_ARE = "as they are; --redact-people hides them."
HIDDEN_PEOPLE = (
    "each is person-NNNN, the same one everywhere in this bundle. Names of hosts and groups are as they are."
)
SECRET_VARIABLE = "CROSSFADE_"


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """What was written. `parts`: names in the zip; `unread`: part -> why it holds an error in place of itself."""

    path: str
    parts: list[str]
    unread: dict[str, str]


def support_bundle(
    workspace: Workspace,
    out: Path | None = None,
    *,
    redact_people: bool = False,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> Bundle:
    """Write the zip, by default into the folder of the migration. Raises InputError when `out` is there already, when
    it cannot be written, or when there is no such folder."""
    made_at = iso((clock or SystemClock()).now())
    path = out or workspace.folder / f"support-{made_at[:19].replace(':', '').replace('-', '')}Z.zip"
    _refuse(workspace, path)
    people = _people(workspace) if redact_people else None
    redaction = Redaction(_secrets(os.environ if environ is None else environ), people)
    parts: dict[str, bytes] = {}
    unread: dict[str, str] = {}
    for name, make in _parts(workspace, redaction, made_at).items():
        try:
            parts[name] = make()
        except MigrationError as error:
            unread[name] = redaction.text(str(error))
            parts[name + ".error.txt"] = unread[name].encode()
    parts["README.txt"] = (ABOUT % (HIDDEN_PEOPLE if redact_people else AS_THEY_ARE)).encode()
    Workspace(path.parent).write_bytes(File(path.name, "crossfade support-bundle"), _zipped(parts, made_at))
    return Bundle(path=str(path), parts=sorted(parts), unread=unread)


def _refuse(workspace: Workspace, path: Path) -> None:
    if not workspace.folder.is_dir():
        problem = Problem(str(workspace.folder), "is not there.", "Name the folder of the migration with --dir.")
        raise InputError("There is nothing to bundle.", [problem])
    if path.exists():
        raise InputError("Nothing was written.", [Problem(str(path), "is there already.", "Name another file.")])


# ---------------------------------------------------------------- parts


def _parts(workspace: Workspace, redaction: Redaction, made_at: str) -> dict[str, Callable[[], bytes]]:
    documents = [file for file in (PLAN, FINDINGS, VERIFICATION) if workspace.has(file)]
    return {
        "versions.json": lambda: _json(_versions(made_at)),
        "files.txt": lambda: redaction.text("\n".join(_files(workspace.folder)) + "\n").encode(),
        "status.json": lambda: _json(redaction.data(msgspec.to_builtins(status(workspace)))),
        "journal/events.jsonl": lambda: _lines(redaction, told(workspace)),
        "journal/story.txt": lambda: redaction.text("\n".join(map(_sentence, told(workspace))) + "\n").encode(),
        "journal/proof.json": lambda: _json(msgspec.to_builtins(prove(workspace))),
        **{file.name: lambda file=file: _document(workspace, redaction, file) for file in documents},
        **({INTENT.name: lambda: _intent(workspace, redaction)} if workspace.has(INTENT) else {}),
    }


def _document(workspace: Workspace, redaction: Redaction, file: File) -> bytes:
    """A document as it is on disk, whichever version wrote it."""
    data = workspace.read_bytes(of_the_run(workspace, file))
    try:
        return _json(redaction.data(msgspec.json.decode(data)))
    except msgspec.DecodeError as error:
        problem = Problem(str(workspace.path(file)), f"is no JSON: {error}.", f"`{file.made_by}` makes it anew.")
        raise InputError(f"{file.name} cannot be read.", [problem]) from None


def _intent(workspace: Workspace, redaction: Redaction) -> bytes:
    return redaction.text(workspace.read_bytes(INTENT).decode("utf-8", "replace")).encode()


def _lines(redaction: Redaction, events: Iterable[Event]) -> bytes:
    rows = (msgspec.json.encode(redaction.data(msgspec.to_builtins(event)), order="sorted") for event in events)
    return b"\n".join(rows) + b"\n"


def _sentence(event: Event) -> str:
    moved = f" {event.from_state or ''} -> {event.to_state}" if event.to_state else ""
    calls = f" [{event.request_id} {event.correlation_id}]" if event.request_id or event.correlation_id else ""
    return f"{event.at} {event.kind} {event.subject}{moved}: {' '.join(event.reason.split())}{calls}"


def _versions(made_at: str) -> dict[str, Any]:
    packages = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
    return {
        "crossfade": __version__,
        "made_at": made_at,
        "python": sys.version,
        "platform": platform.platform(),
        "sqlite": sqlite3.sqlite_version,
        "packages": dict(sorted(packages.items(), key=lambda pair: str(pair[0]).casefold())),
    }


def _files(folder: Path) -> Iterator[str]:
    """Size, time and name of each file of the folder."""
    for path in sorted(folder.rglob("*")):
        try:
            if path.is_file():
                found = path.stat()
                yield f"{found.st_size:>12} {int(found.st_mtime)} {path.relative_to(folder).as_posix()}"
        except OSError as error:
            yield f"{reason(error)}: {path.relative_to(folder).as_posix()}"


# ---------------------------------------------------------------- what must not be in it


def _secrets(environ: Mapping[str, str]) -> set[str]:
    """Values that this process was given as secrets."""
    return {value for name, value in environ.items() if is_secret_name(name)}


def _people(workspace: Workspace) -> set[str]:
    """Everybody whom the documents name; others are still recognised by the shape of a UPN."""
    found: set[str] = set()
    if workspace.has(PLAN):
        try:
            plan = workspace.read(of_the_run(workspace, PLAN), Plan)
        except MigrationError:
            plan = Plan()  # damaged: the shape has to do
        for group in plan.access:
            found |= {*group.people, *group.missing}
        found |= {move.assigned_user or "" for move in plan.hosts} | set(plan.renamed) | set(plan.looked_up)
    if workspace.has(INVENTORY):
        try:
            inventory = workspace.read(INVENTORY, Inventory)
        except MigrationError:
            inventory = Inventory()
        found |= {one.upn for one in inventory.assignments}
    return found - {""}


def _json(data: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(data, order="sorted"), indent=2) + b"\n"


def _zipped(parts: Mapping[str, bytes], made_at: str) -> bytes:
    buffer = io.BytesIO()
    moment = tuple(int(part) for part in (made_at[:4], made_at[5:7], made_at[8:10], *made_at[11:19].split(":")))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in sorted(parts.items()):
            entry = zipfile.ZipInfo(f"crossfade-support/{name}", moment)  # type: ignore[arg-type]
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, data)
    return buffer.getvalue()
