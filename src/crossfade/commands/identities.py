"""`crossfade identities`: the people whom the directory does not know, out as a table and back into crossfade.toml."""

from pathlib import Path

import msgspec
import tomlkit

from crossfade.commands.workspace import INTENT, INVENTORY, TARGET, Workspace, reason
from crossfade.errors import InputError, Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold
from crossfade.plan.intent import Intent
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.people import Unresolved, looked_up, unresolved
from crossfade.report.identities import as_csv, from_csv


class Identities(msgspec.Struct, frozen=True, kw_only=True):
    """`people`: everybody whom the directory does not know; `written`: the file, empty for none."""

    people: list[Unresolved]
    written: str = ""

    @property
    def open(self) -> list[Unresolved]:
        return [one for one in self.people if not one.decided]

    @property
    def exit_code(self) -> int:
        """2 while somebody waits for a decision."""
        return 2 if self.open else 0


def listed(workspace: Workspace) -> Identities:
    """Who is not known, with what was decided. Raises InputError where a document is missing or damaged."""
    inventory = workspace.read(INVENTORY, Inventory)
    target = workspace.read(TARGET, TargetSnapshot)
    return Identities(people=unresolved(inventory, target, intent_of(workspace).people))


def write_out(workspace: Workspace, path: Path) -> Identities:
    """The table, to be filled in. Raises InputError when it cannot be written."""
    found = listed(workspace)
    try:
        path.write_bytes(as_csv(found.people))
    except OSError as error:
        problem = Problem(str(path), f"cannot be written: {reason(error)}.", "Check the path.")
        raise InputError("The table was not written.", [problem]) from None
    return msgspec.structs.replace(found, written=str(path))


def take_in(workspace: Workspace, path: Path) -> Identities:
    """The decisions of a filled-in table, into [people] of crossfade.toml; everything else there stays as it is.

    Raises InputError with every problem of the table, or of what crossfade.toml would become; nothing is written then.
    """
    found = listed(workspace)
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = Problem(str(path), f"cannot be read: {reason(error)}.", "Check the path.")
        raise InputError("The table cannot be used.", [problem]) from None
    decided = from_csv(data, [one.upn for one in found.people], place=str(path))
    text = with_people(workspace.read_bytes(INTENT), decided)
    read_intent(text, place=str(workspace.path(INTENT)))
    written = workspace.write_bytes(INTENT, text)
    return msgspec.structs.replace(listed(workspace), written=str(written))


def with_people(text: bytes, decided: dict[str, str]) -> bytes:
    """crossfade.toml with these decisions; an empty one takes the line out. Comments and order stay."""
    document = tomlkit.parse(text.decode("utf-8-sig"))
    if "people" not in document:
        document["people"] = tomlkit.table()
    people = document["people"]
    assert isinstance(people, dict), "read_intent has looked at it"
    known = {fold(name): name for name in people}
    for name, meant in decided.items():
        key = known.get(fold(name), name)
        if meant:
            people[key] = meant
        elif key in people:
            del people[key]
    return tomlkit.dumps(document).encode()


def intent_of(workspace: Workspace) -> Intent:
    """What was decided so far; nothing where there is no crossfade.toml yet."""
    if not workspace.has(INTENT):
        return Intent()
    return read_intent(workspace.read_bytes(INTENT), place=str(workspace.path(INTENT)))


def named(workspace: Workspace) -> tuple[list[str], list[str]]:
    """UPNs and object ids, and groups, that crossfade.toml names: a discovery of the target looks them up too."""
    intent = intent_of(workspace)
    return looked_up(intent.people, intent.access.group_owners), sorted(
        {one for ids in intent.groups.values() for one in ids}
    )


def log_workspace(workspace: Workspace) -> str:
    """Id of the workspace of the logs that crossfade.toml names, empty for none: a discovery of the target looks there
    too."""
    return intent_of(workspace).diagnostics.workspace
