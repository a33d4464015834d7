"""The folder of one migration: its documents, by one table of names. Imports no service and no engine.

Documents are written whole or not at all: to a file beside, flushed to disk, then renamed.
"""

import contextlib
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from crossfade.errors import InputError, Problem, Refused
from crossfade.execution.places import Place, PostgresPlace
from crossfade.inventory.documents import decode, digest_of, encode

Document = TypeVar("Document")

DEFAULT_FOLDER = ".crossfade"


class File(msgspec.Struct, frozen=True):
    """A file of the folder, and the command that makes it."""

    name: str
    made_by: str


INVENTORY = File("inventory.json", "crossfade discover")
TARGET = File("target.json", "crossfade discover --target")
FINDINGS = File("findings.json", "crossfade assess")
INTENT = File("crossfade.toml", "crossfade init")
PLAN = File("plan.json", "crossfade plan")
VERIFICATION = File("verification.json", "crossfade verify")
REPORT = File("report.html", "crossfade report")
JOURNAL = File("journal.db", "crossfade apply")
ENGINE = File("engine.db", "crossfade apply")
DEMO = File("demo.marker", "crossfade demo")
"""In the folder of a demo, which the next demo empties."""
DATABASE = File("database.json", "crossfade apply --database")
DATABASE_VARIABLE = "CROSSFADE_DATABASE"


class KeptIn(msgspec.Struct, frozen=True, kw_only=True):
    """The database that the journal of this folder's run lies in. Never a password: see `Workspace.journal`."""

    url: str
    schema: str


class Workspace:
    """The files of a folder. Reading raises InputError with the mend; a folder that is not there is made on writing.

    `database` is a URL that may hold the password of the database that the journal is in; without it the environment
    is asked.
    """

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        self._database = database

    def refuse_demo(self) -> None:
        """Raises Refused in the folder of a demo: what it is about has ended with its process, and what is written into
        it is removed by the next demo."""
        if self.has(DEMO):
            raise Refused(
                f"{self.folder} holds a demo.",
                "Its services were a twin inside the process of the demo, and the next demo empties the folder.",
                "Keep what is yours in another folder: name it with --dir or CROSSFADE_DIR, or work elsewhere.",
            )

    def path(self, file: File) -> Path:
        return self.folder / file.name

    def has(self, file: File) -> bool:
        return self.path(file).is_file()

    @property
    def journal(self) -> Place:
        """Where the journal is. One in a database is found by database.json; its password comes from the URL we were
        given, or the one in CROSSFADE_DATABASE, if that is the same database, or from where libpq looks: PGPASSWORD,
        ~/.pgpass."""
        if not self.has(DATABASE):
            return self.path(JOURNAL)
        kept = self.read(DATABASE, KeptIn)
        place = PostgresPlace(kept.url, kept.schema)
        given = self._database or os.environ.get(DATABASE_VARIABLE)
        also = PostgresPlace(given, kept.schema) if given else place
        return also if also.url == place.url else place

    def has_journal(self) -> bool:
        """Whether a run was begun here. Raises JournalMismatch when its database does not say."""
        place = self.journal
        if isinstance(place, Path):
            return place.is_file()
        from crossfade.execution.reader import JournalReader

        try:
            JournalReader.look(place).close()
        except InputError:
            return False
        return True

    def engine(self, file: File) -> Place:
        """Where an engine's store is: beside the journal, in a schema of its own."""
        place = self.journal
        return self.path(file) if isinstance(place, Path) else place.in_schema(f"{place.schema}_{Path(file.name).stem}")

    def keep_in_database(self, url: str, schema: str) -> None:
        """From now on the journal of this folder is there. Raises Refused when it is elsewhere already, InputError for
        what is no URL."""
        place = PostgresPlace(url, schema)
        if self.has(DATABASE):
            known = self.read(DATABASE, KeptIn)
            if known.url != place.url:
                mend = "Leave --database out, or use a folder of its own."
                raise Refused(f"{place.url} was not used.", f"The journal of this folder is in {known.url}.", mend)
            return
        if self.has(JOURNAL):
            mend = "Leave --database out, or apply the plan in a folder of its own."
            raise Refused(f"{place.url} was not used.", f"The run of this folder has {self.path(JOURNAL)}.", mend)
        self.write(DATABASE, KeptIn(url=place.url, schema=schema))

    def read(self, file: File, kind: type[Document]) -> Document:
        """A document. Raises InputError when it is missing, or with all that is wrong with it."""
        return decode(self.read_bytes(file), kind, place=str(self.path(file)))

    def read_bytes(self, file: File) -> bytes:
        """Raises InputError naming the command that makes the file."""
        path = self.path(file)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            mend = f"Run `{file.made_by}` first, or name the folder that has it with --dir."
            problem = Problem(str(path), "is not there.", mend)
        except OSError as error:
            problem = Problem(str(path), f"cannot be read: {reason(error)}.", "Check the path and its permissions.")
        raise InputError(f"{file.name} is needed.", [problem])

    def digest(self, file: File) -> str:
        """Digest of a document's file, whichever version reads it. Raises InputError when there is none."""
        return digest_of(self.read_bytes(file))

    def write(self, file: File, document: Any) -> Path:
        """Write a document; whoever reads meanwhile sees the old one or the new one, whole."""
        return self.write_bytes(file, encode(document))

    def write_bytes(self, file: File, data: bytes) -> Path:
        path = self.path(file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, data)
        except OSError as error:
            mend = "Check the folder's permissions and the free space, or name another with --dir."
            problem = Problem(str(path), f"cannot be written: {reason(error)}.", mend)
        else:
            return path
        raise InputError(f"{file.name} was not written.", [problem])


def reason(error: OSError) -> str:
    """What the system says, without the path that our sentence has already."""
    return error.strerror or type(error).__name__


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last. Not every system can open a folder; there the rename is as safe as the system makes it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
