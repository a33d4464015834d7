"""`crossfade init`: begins a migration with a `crossfade.toml` that explains itself. Decides nothing by itself."""

from pathlib import Path

from crossfade.commands.workspace import INTENT, INVENTORY, TARGET, Workspace
from crossfade.errors import Refused
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.growth import Growth
from crossfade.plan.intent import Azure, Intent, Sessions
from crossfade.plan.intent_reader import read_intent
from crossfade.plan.intent_template import render


def init(
    workspace: Workspace,
    *,
    subscription: str = "",
    location: str = "",
    tenant_id: str = "",
    growth: Growth | None = None,
    disconnected: str = Sessions().disconnected,
    active: str = Sessions().active,
    force: bool = False,
) -> Path:
    """Write crossfade.toml with these answers, and with the pools of the inventory and the regions of the target where
    they were discovered. Raises Refused when the file is there (unless `force`), InputError for an answer that is none.
    """
    if workspace.has(INTENT) and not force:
        raise Refused(
            f"{workspace.path(INTENT)} is there already.",
            "It holds what somebody decided.",
            "Edit it, or use another folder.",
        )
    data = initial_intent(
        workspace.read(INVENTORY, Inventory) if workspace.has(INVENTORY) else None,
        workspace.read(TARGET, TargetSnapshot) if workspace.has(TARGET) else None,
        subscription=subscription,
        location=location,
        tenant_id=tenant_id,
        growth=growth,
        disconnected=disconnected,
        active=active,
    )
    return workspace.write_bytes(INTENT, data)


def initial_intent(
    inventory: Inventory | None,
    target: TargetSnapshot | None,
    *,
    subscription: str = "",
    location: str = "",
    tenant_id: str = "",
    growth: Growth | None = None,
    disconnected: str = Sessions().disconnected,
    active: str = Sessions().active,
) -> bytes:
    """The file's bytes. A subscription that is not given is the target's, where it was read from one only.

    Raises InputError for an answer that is none.
    """
    only = target.subscriptions if target and len(target.subscriptions) == 1 else []
    intent = Intent(
        azure=Azure(
            tenant_id=tenant_id or (target.tenant_id if target else ""),
            subscription=subscription or "".join(only),
            location=location.replace(" ", "").casefold(),
        ),
        growth=growth or Growth(),
        sessions=Sessions(disconnected=disconnected, active=active),
    )
    data = render(intent, inventory, target)
    read_intent(data, place=INTENT.name)
    return data
