"""`discover` on the command line: from where, with which progress, and the summary at the end."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossfade.cli.answers import Answer, Here
from crossfade.cli.progress import showing
from crossfade.cli.services import with_services

if TYPE_CHECKING:
    from crossfade.app import Services

SHOWN = 20


def classic(here: Here, *, exports: Path | None, live: bool, tenant_group: str, tenants: Sequence[str]) -> Answer:
    """The estate, from the live service, from exported files or from both."""
    from crossfade.commands import discover as command
    from crossfade.commands.local import CLOCK
    from crossfade.commands.workspace import INVENTORY, Workspace

    calls: dict[str, int] = {}

    async def ask(services: "Services") -> Any:
        with showing("Reading the classic service") as progress:
            found = await command.discover(
                services, tenant_group=tenant_group or None, tenants=tenants, exports=exports, progress=progress
            )
        calls.update(services.calls)
        return found

    if exports is not None and not live:
        Workspace(here.folder).refuse_demo()
        inventory = command.discover_exports(exports, CLOCK)
    else:
        inventory = with_services(here, ask)
    path = Workspace(here.folder).write(INVENTORY, inventory)
    parts = ("tenants", "pools", "hosts", "groups", "apps", "assignments", "sessions", "roles")
    return _answer(path, inventory, {name: len(getattr(inventory, name)) for name in parts}, calls)


def target(here: Here, subscriptions: Sequence[str], *, groups: bool = False) -> Answer:
    """The ARM side of these subscriptions; without any, of those that hold the estate's machines. Looks up whoever,
    whichever group and whichever workspace of logs crossfade.toml names; `groups`: also all that could publish."""
    from crossfade.commands import discover as command
    from crossfade.commands.identities import log_workspace, named
    from crossfade.commands.local import saved_inventory
    from crossfade.commands.workspace import TARGET, Workspace

    workspace = Workspace(here.folder)
    people, known_groups = named(workspace)
    logs = log_workspace(workspace)
    inventory = saved_inventory(workspace)
    calls: dict[str, int] = {}

    async def live(services: "Services") -> Any:
        with showing("Reading the target") as progress:
            found = await command.discover_target(
                services,
                inventory,
                subscriptions,
                people=people,
                groups=known_groups,
                candidates=groups,
                logs=logs,
                progress=progress,
            )
        calls.update(services.calls)
        return found

    snapshot = with_services(here, live)
    path = workspace.write(TARGET, snapshot)
    parts = ("subscriptions", "objects", "grants", "machines", "identities", "directory_groups")
    return _answer(path, snapshot, {name: len(getattr(snapshot, name)) for name in parts}, calls)


def require_alone(option: str, others: Mapping[str, object]) -> None:
    """Raises InputError naming what was given beside an option that goes with none of these."""
    from crossfade.errors import InputError, Problem

    mend = f"Leave one of the two out: {option} is a way of its own."
    problems = [Problem(other, f"was given beside {option}.", mend) for other, given in others.items() if given]
    if problems:
        raise InputError("The options do not go together.", problems)


def remains(here: Here, folder: Path, subscriptions: Sequence[str]) -> Answer:
    """The estate as what is left in Azure tells it, and a draft of it in a folder for somebody to complete."""
    from crossfade.commands import remains as command
    from crossfade.commands.workspace import INVENTORY, Workspace

    calls: dict[str, int] = {}

    async def ask(services: "Services") -> Any:
        with showing("Reading what is left in Azure") as progress:
            found = await command.discover_remains(services, subscriptions, progress=progress)
        calls.update(services.calls)
        return found

    command.require_free(folder)
    found = with_services(here, ask)
    command.write_draft(folder, found.files)
    path = Workspace(here.folder).write(INVENTORY, found.inventory)
    parts = ("tenants", "pools", "hosts", "groups", "assignments")
    answer = _answer(path, found.inventory, {name: len(getattr(found.inventory, name)) for name in parts}, calls)
    data = {**answer.data, "draft": str(folder), "files": sorted(found.files)}
    return Answer(data, f"{answer.text}\n{_next(folder, found.files)}", 2 if answer.data["gaps"] else 0)


def _next(folder: Path, files: Collection[str]) -> str:
    again = f"crossfade discover --from {shlex.quote(str(folder))}"
    return (
        f"Wrote {folder}: {', '.join(sorted(files))}\n"
        f"Complete these files (docs/how-to/restore.md), then read them: {again}"
    )


def _answer(path: Path, document: Any, counts: dict[str, int], calls: dict[str, int]) -> Answer:
    gaps = [{"subject": gap.subject, "what": gap.what, "why": gap.why, "mend": gap.mend} for gap in document.gaps]
    data = {"written": str(path), "counts": counts, "gaps": gaps, "calls": sum(calls.values())}
    return Answer(data, _text(path, counts, gaps, sum(calls.values())))


def _text(path: Path, counts: dict[str, int], gaps: list[dict[str, str]], calls: int) -> str:
    found = ", ".join(f"{count:,} {_noun(name, count)}" for name, count in counts.items())
    lines = [f"Found {found}" + (f" in {calls} calls." if calls else ".")]
    if gaps:
        lines.append(f"What is not known, or was assumed ({len(gaps)}):")
        lines += [f"  {gap['subject']}: {gap['what']} {gap['why']} {gap['mend']}" for gap in gaps[:SHOWN]]
        lines += [f"  … and {len(gaps) - SHOWN} more in the document"] if len(gaps) > SHOWN else []
    return "\n".join([*lines, f"Wrote {path}"])


def _noun(name: str, count: int) -> str:
    """`identities` -> `identity` for one of them."""
    words = name.replace("_", " ")
    if count != 1:
        return words
    return f"{words[:-3]}y" if words.endswith("ies") else words[:-1]
