"""The files of a folder of exports: all of them, or a refusal that names what could not be looked into.

A part of an export that is left out unseen is people who lose what they had. So nothing is passed over in silence:
links are followed, and a folder that may not be opened, or a link that leads nowhere, is a problem.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from crossfade.commands.workspace import reason
from crossfade.errors import InputError, Problem
from crossfade.sources.exports import ExportFile

LARGEST = 256 * 1024 * 1024
"""Bytes of one file: some 500,000 objects (facts/dependencies 7). What is larger is something else, a disk perhaps."""


class _Found(msgspec.Struct):
    """Paths by their names, and what cannot be used."""

    files: dict[str, Path]
    problems: list[Problem]


def export_files(path: Path) -> list[ExportFile]:
    """The files of a folder and its subfolders, hidden ones left out, or one file; names are relative to the folder.

    Raises InputError for a path that is not there, holds nothing, or has files that cannot be read.
    """
    found = _found(path)
    files = []
    for name, each in found.files.items():
        try:
            files.append(ExportFile(name, _content(each)))
        except OSError as error:
            found.problems.append(_unread(name, error))
    if found.problems:
        raise InputError(_REFUSED, found.problems)
    return files


_REFUSED = "The exported files cannot be used; nothing was written."
_LEADS_NOWHERE = (errno.ENOENT, errno.ELOOP)


def _found(path: Path) -> _Found:
    try:
        if path.is_file():
            return _Found({path.name: path}, [])
        there = path.exists()
    except OSError as error:
        raise InputError(_REFUSED, [_unread(str(path), error)]) from error
    if not there:
        mend = "Check the path: it names the folder that holds the exported files."
        raise InputError(_REFUSED, [Problem(str(path), "is not there.", mend)])
    found = _Found({}, [])
    _look_into(path, Path(), frozenset(), found)
    if not found.files and not found.problems:
        mend = "Export the estate into it: docs/exports.md has the commands."
        raise InputError(_REFUSED, [Problem(str(path), "holds no files.", mend)])
    return found


def _look_into(folder: Path, name: Path, above: frozenset[str], found: _Found) -> None:
    """`above`: the folders that this one is in, as they are without links: one of these again would never end."""
    here = os.path.realpath(folder)
    if here in above:
        return
    try:
        entries = sorted(_shown(folder), key=lambda entry: entry.name)
    except OSError as error:
        found.problems.append(_unread(str(folder) if not above else name.as_posix(), error))
        return
    for entry in entries:
        inner = name / entry.name
        try:
            if entry.is_dir():
                _look_into(Path(entry.path), inner, above | {here}, found)
            elif entry.is_file():
                found.files[inner.as_posix()] = Path(entry.path)
            else:
                os.stat(entry.path)  # raises for a link that leads nowhere; a pipe or a socket is no file
        except OSError as error:
            found.problems.append(_unread(inner.as_posix(), error))


def _shown(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if not entry.name.startswith("."))


def _content(path: Path) -> bytes:
    size = path.stat().st_size
    if size > LARGEST:
        raise OSError(None, f"it has {size / 2**20:,.0f} MB, and no export that is read has more than {LARGEST >> 20}")
    return path.read_bytes()


def _unread(name: str, error: OSError) -> Problem:
    if error.errno in _LEADS_NOWHERE:
        mend = "Put the file in its place, or take the link away."
        return Problem(name, "is a link that leads nowhere.", mend)
    mend = "Check its permissions."
    if error.errno is None:
        mend = "Take it out of the folder, or export each pool into a file of its own."
    return Problem(name, f"cannot be read: {reason(error)}.", mend)
