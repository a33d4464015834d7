"""`crossfade discover --from-azure`: the estate as what is left in Azure tells it, and the draft that gives it.

The inventory is read from the draft itself, so that the same files read again give the same.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from crossfade.clock import iso
from crossfade.commands.discover import check_visible
from crossfade.commands.workspace import reason
from crossfade.errors import InputError, Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.merge import assemble
from crossfade.inventory.remains import sketched
from crossfade.model.provenance import Gap
from crossfade.sources.exports import ExportFile, read_exports
from crossfade.sources.gather import IN_FLIGHT, Progress, silent
from crossfade.sources.remains_live import read_remains
from crossfade.sources.services import Services

_WRONG = "The draft cannot be written; nothing was read."


class Remains(msgspec.Struct, frozen=True):
    """An inventory, and the files of the draft that it was read from."""

    inventory: Inventory
    files: dict[str, bytes]


async def discover_remains(
    services: Services,
    subscriptions: Sequence[str] = (),
    *,
    in_flight: int = IN_FLIGHT,
    progress: Progress = silent,
) -> Remains:
    """The estate of these subscriptions; without any, of all that the caller can see. Raises InputError for those that
    cannot be seen, and when nothing there tells of a classic estate."""
    caller = await services.caller()
    name = caller.name or caller.object_id
    visible = [str(row["subscriptionId"]) for row in await services.arm.subscriptions()]
    chosen = list(subscriptions) or sorted(visible)
    check_visible(visible, chosen, name, "What is left in Azure cannot be read.")
    reading = await read_remains(
        services.arm, services.logs, services.clock, chosen, in_flight=in_flight, progress=progress
    )
    sketch = sketched(reading)
    if "host-pools.json" not in sketch:
        raise InputError("Nothing of a classic estate was found.", _nothing(chosen, reading.gaps, name))
    files = {name: _text(rows) for name, rows in sketch.items()}
    exported = read_exports([ExportFile(name, data) for name, data in files.items()])
    return Remains(assemble(exported, made_at=iso(services.clock.now())), files)


def _nothing(subscriptions: Sequence[str], gaps: Sequence[Gap], caller: str) -> list[Problem]:
    what = f"{len(subscriptions)} read; no VM, deployment or log there tells of a classic host pool."
    mend = f"Name the subscriptions of the VMs with --subscription, and have at least Reader there as {caller}."
    return [Problem("subscriptions", what, mend), *(Problem(gap.subject, gap.what, gap.mend) for gap in gaps)]


def _text(rows: Sequence[Mapping[str, object]]) -> bytes:
    """One record in a line: an editor's own search and replace confirms many at once."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n".encode()


# ---------------------------------------------------------------- the folder


def require_free(folder: Path) -> None:
    """Raises InputError for a folder that holds something: nobody's corrections are overwritten."""
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise InputError(
            _WRONG, [Problem(str(folder), f"cannot be looked into: {reason(error)}.", "Name another.")]
        ) from error
    if taken:
        mend = "Name a folder that is empty or not there yet; read that one with `crossfade discover --from`."
        raise InputError(_WRONG, [Problem(str(folder), "is there and holds something.", mend)])


def write_draft(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raises InputError naming the file that could not be written."""
    for name, data in files.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        except OSError as error:
            mend = "Check the folder's permissions and the free space, or name another."
            problem = Problem(str(folder / name), f"cannot be written: {reason(error)}.", mend)
            raise InputError("The draft was not written.", [problem]) from error
