"""What to look up on the ARM side for an estate."""

from collections.abc import Iterable

from crossfade.inventory.inventory import Inventory
from crossfade.model.ids import fold, last_name
from crossfade.sources.target_records import Wanted


def asked(
    inventory: Inventory | None,
    subscriptions: list[str],
    pools: list[str] | None = None,
    *,
    people: Iterable[str] = (),
    groups: Iterable[str] = (),
    candidates: bool = False,
    logs: str = "",
) -> Wanted:
    """The lookups for an inventory: its people once each, its machines by all that is known of them. `people`: UPNs or
    object ids to look up besides; `groups`: ids of groups to read; `candidates`: all groups that could publish; `logs`:
    id of the workspace of the logs."""
    if inventory is None:
        return Wanted(subscriptions=subscriptions, pools=pools, upns=_once(people), groups=_once(groups), logs=logs)
    hosts = inventory.hosts
    return Wanted(
        subscriptions=subscriptions,
        upns=_once([*_people(inventory), *people]),
        machines=_once(host.azure_resource_id for host in hosts),
        machine_ids=_once(host.azure_vm_id for host in hosts),
        computers=_once(computer(host.key) for host in hosts),
        pools=pools,
        candidates=candidates,
        groups=_once(groups),
        principals=_once(role.object_id for role in inventory.roles if not role.display_name),
        logs=logs,
    )


def computer(host_key: str) -> str:
    """What a VM is likely to call itself: the first label of its host's name (facts/arm-service 7.1)."""
    return last_name(host_key).partition(".")[0]


def _people(inventory: Inventory) -> list[str]:
    """Who is assigned, who owns a desktop, who administers."""
    return _once(
        [
            *(item.upn for item in inventory.assignments),
            *(host.assigned_user for host in inventory.hosts),
            *(role.sign_in_name for role in inventory.roles if role.object_type in (None, "User")),
        ]
    )


def _once(texts: Iterable[str | None]) -> list[str]:
    """Sorted, without case, none twice; of several casings the one that an inventory takes too."""
    found: dict[str, str] = {}
    for text in texts:
        if text:
            found[fold(text)] = max(found.get(fold(text), text), text)
    return [found[key] for key in sorted(found)]
