"""What management locks forbid (facts/arm-service 2.5): ReadOnly every change, CanNotDelete what deletes."""

from urllib.parse import unquote

from avdtwin.arm import errors, store
from avdtwin.world import World

_MARK = "/providers/microsoft.authorization/locks/"


def require_unlocked(world: World, subscription: str, method: str, path: str) -> None:
    """Raise 409 when a lock at or above a call's target forbids it; a delete is forbidden by locks below it too."""
    keys = store.keys(world, f"/subscriptions/{subscription}", "locks")
    if not keys:
        return
    target = "/" + "/".join(part for part in unquote(path).lower().split("/") if part)
    held = [key for key in keys if _forbids(world, key, method, target)]
    if held:
        scopes = ", ".join(f"'{world.state.arm.resources[key].id[: key.rindex(_MARK)]}'" for key in held)
        verb = "delete" if method == "DELETE" else "write"
        raise errors.gateway(
            409,
            "ScopeLocked",
            f"The scope '{unquote(path)}' cannot perform {verb} operation because following scope(s) are locked: "
            f"{scopes}. Please remove the lock and try again.",
        )


def _forbids(world: World, key: str, method: str, target: str) -> bool:
    scope = key[: key.rindex(_MARK)]
    if method == "DELETE":
        return target == scope or target.startswith(f"{scope}/") or scope.startswith(f"{target}/")
    read_only = str(world.state.arm.resources[key].properties.get("level")).lower() == "readonly"
    return read_only and (target == scope or target.startswith(f"{scope}/"))
