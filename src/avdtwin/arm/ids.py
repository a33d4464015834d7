"""Resource ids as paths: read from a call, written as the provider writes them."""

from functools import lru_cache
from urllib.parse import unquote

import msgspec

NAMESPACE = "Microsoft.DesktopVirtualization"

_KEEPS_ITS_CAPITAL = {"pooledschedules": "pooledSchedules"}


class Place(msgspec.Struct, frozen=True):
    """A resource's place. `types` and `names` run from the outermost: a session host has two of each. Casing is the
    caller's; `key` is what the state is keyed by.
    """

    subscription: str
    group: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def id(self) -> str:
        tail = "/".join(f"{kind}/{name}" for kind, name in zip(self.types, self.names, strict=True))
        return f"{self.group_id}/providers/{self.namespace}/{tail}"

    @property
    def key(self) -> str:
        return self.id.lower()

    @property
    def subscription_key(self) -> str:
        return f"/subscriptions/{self.subscription}".lower()

    @property
    def parent(self) -> "Place":
        """The place one step out; only for children."""
        assert len(self.names) > 1, f"{self.id} is no child"
        return self.cut(len(self.names) - 1)

    def cut(self, depth: int) -> "Place":
        """The same path with its outermost `depth` resources only."""
        return Place(self.subscription, self.group, self.namespace, self.types[:depth], self.names[:depth])

    def child(self, kind: str, name: str) -> "Place":
        return Place(self.subscription, self.group, self.namespace, (*self.types, kind), (*self.names, name))


def place_of(path: str) -> Place:
    """The place a path in a resource group begins with; what follows it (a collection, an action) is left out.
    Raises ValueError when the path is not below a provider of a resource group.
    """
    parts = [unquote(part) for part in path.split("/") if part]
    fixed = [part.lower() for part in parts[:6:2]]
    if len(parts) < 6 or fixed != ["subscriptions", "resourcegroups", "providers"]:
        raise ValueError(f"{path} is no resource id of a resource group")
    tail = parts[6:]
    pairs = len(tail) // 2
    return Place(parts[1], parts[3], parts[5], tuple(tail[0 : 2 * pairs : 2]), tuple(tail[1 : 2 * pairs : 2]))


@lru_cache(maxsize=131072)
def wire_id(resource_id: str) -> str:
    """An id in the provider's spelling: type segments in lower case, names and namespace as they are (facts 2.4)."""
    parts = resource_id.split("/")
    for at in (1, 3, 5, *range(7, len(parts), 2)):
        if at < len(parts):
            lower = parts[at].lower()
            parts[at] = _KEEPS_ITS_CAPITAL.get(lower, lower)
    return "/".join(parts)


@lru_cache(maxsize=1024)
def wire_type(resource_type: str) -> str:
    """`Microsoft.DesktopVirtualization/hostPools/sessionHosts` -> `…/hostpools/sessionhosts`."""
    namespace, *kinds = resource_type.split("/")
    return "/".join([namespace, *(_KEEPS_ITS_CAPITAL.get(kind.lower(), kind.lower()) for kind in kinds)])


@lru_cache(maxsize=131072)
def wire_name(resource_id: str) -> str:
    """`parent/child` for children, the plain name otherwise."""
    return "/".join(resource_id.split("/")[8::2])
