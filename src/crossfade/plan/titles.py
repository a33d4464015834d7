"""The titles that people see in their feed: as classic has them and as they will be. Pure.

A title is the friendly name, else the name (facts/arm-service 1.5, 1.6). An object that exists and is kept as it is
keeps its own.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from crossfade.inventory.inventory import Inventory
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.plan.feed_title import FeedTitle
from crossfade.plan.layout import Layout
from crossfade.plan.operations import Action, Operation, PatchResource, PutResource

DESKTOP = "SessionDesktop"
"""What the service calls every desktop, and its title where nobody gave one."""


def titles(inventory: Inventory, layout: Layout, operations: Iterable[Operation]) -> list[FeedTitle]:
    """Workspace by workspace: its own title, then its desktops and apps by their keys."""
    return list(_Titles(inventory, layout, operations).all())


class _Titles:
    def __init__(self, inventory: Inventory, layout: Layout, operations: Iterable[Operation]) -> None:
        self._inventory = inventory
        self._layout = layout
        self._after = {
            fold(one.subject): _properties(one) for one in operations if isinstance(one, PutResource | PatchResource)
        }

    def all(self) -> Iterator[FeedTitle]:
        listed = [*self._desktops(), *self._apps()]
        for resource, (_, tenant) in self._layout.workspaces.items():
            title = self._title(resource)
            yield FeedTitle(
                kind="workspace",
                source=tenant.key,
                workspace=title,
                before=tenant.friendly_name or last_name(tenant.key),
                after=title,
            )
            mine = [item for place, item in listed if fold(place) == fold(resource)]
            yield from sorted(mine, key=lambda item: fold(item.source))

    def _desktops(self) -> Iterator[tuple[str, FeedTitle]]:
        for item in self._inventory.desktops:
            group = self._layout.group_ids.get(fold(item.key))
            if group:
                workspace = self._workspace_of(item.key)
                yield (
                    workspace,
                    FeedTitle(
                        kind="desktop",
                        source=item.key,
                        workspace=self._title(workspace),
                        before=item.friendly_name,
                        after=self._title(f"{group}/desktops/{DESKTOP}"),
                        shown=item.show_in_web_feed is not False,
                    ),
                )

    def _apps(self) -> Iterator[tuple[str, FeedTitle]]:
        for item in self._inventory.apps:
            resource = self._layout.app_ids.get(fold(item.key))
            if resource:
                workspace = self._workspace_of(parent_key(item.key))
                yield (
                    workspace,
                    FeedTitle(
                        kind="app",
                        source=item.key,
                        workspace=self._title(workspace),
                        before=item.friendly_name or last_name(item.key),
                        after=self._title(resource),
                        shown=item.show_in_web_feed is not False,
                    ),
                )

    def _workspace_of(self, group: str) -> str:
        return self._layout.workspace_of[fold(parent_key(group))]

    def _title(self, resource: str) -> str:
        return str(self._after.get(fold(resource), {}).get("friendlyName") or last_name(resource))


def _properties(operation: PutResource | PatchResource) -> dict[str, Any]:
    """What the object will have. What is adopted keeps what it has; what is patched keeps the rest."""
    before = (operation.prior or {}).get("properties") or {}
    if operation.action in (Action.ADOPT, Action.CONFLICT) and operation.prior is not None:
        return dict(before)
    return {**before, **(operation.body.get("properties") or {}), **_wanted(operation)}


def _wanted(operation: PutResource | PatchResource) -> dict[str, Any]:
    return operation.wanted if isinstance(operation, PatchResource) else {}
