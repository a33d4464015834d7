"""RemoteApps that somebody published by a start menu alias: their path and icon, from the start menu as it was read.

The service resolves an alias when an app is published and keeps path and icon (facts/classic-service 1.11, 1.13).
An app with nothing but its alias would be published in the new service, which knows no alias, and not open.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from crossfade.inventory.normalise import Draft
from crossfade.model.ids import classic_key, fold, parent_key
from crossfade.model.provenance import Gap
from crossfade.sources.records import Kind, RawRecord

_PLACE = ("tenantgroupname", "tenantname", "hostpoolname", "appgroupname")


def resolve(drafts: Iterable[Draft], records: Iterable[RawRecord]) -> Iterator[Gap]:
    """Fill in what the start menu of an app's group, else of another group of its pool, says; a gap tells of each."""
    menu = _menu(records)
    for draft in drafts:
        alias = draft.values.get("app_alias")
        if draft.kind is not Kind.APP or not alias or draft.values.get("file_path"):
            continue
        group = fold(parent_key(draft.key))
        found = menu.get((group, fold(alias))) or menu.get((parent_key(group), fold(alias)))
        if not found:
            continue
        icon = {"icon_path": found.get("iconpath"), "icon_index": found.get("iconindex")}
        draft.values["file_path"] = str(found["filepath"])
        draft.values.update({name: value for name, value in icon.items() if draft.values.get(name) is None})
        yield Gap(
            subject=f"RemoteApp {draft.key}",
            what=f"Its alias {alias} stands for {found['filepath']}.",
            why="The record has no file path, and the start menu of its hosts has the alias.",
            mend="Look whether that is the program that people open.",
        )


def _menu(records: Iterable[RawRecord]) -> dict[tuple[str, str], dict[str, Any]]:
    """(folded key of a group or of its pool, folded alias) -> the start menu app, names of properties folded."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for record in records:
        if record.kind is not Kind.START_MENU_APP:
            continue
        data = {name.casefold(): value for name, value in record.data.items()}
        names = [str(data.get(name) or "") for name in _PLACE]
        if not all(names) or not data.get("filepath") or not data.get("appalias"):
            continue
        group, alias = fold(classic_key(*names)), fold(str(data["appalias"]))
        found.setdefault((group, alias), data)
        found.setdefault((parent_key(group), alias), data)
    return found
