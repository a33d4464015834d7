"""ARM resources by id, by parent and by subscription. Every look-up is by lower-cased id."""

from avdtwin.index import Index, index_of
from avdtwin.state import Resource
from avdtwin.world import World

_TWO_PROVIDERS = ("workspaces",)
"""Types of two providers: their name goes with the provider's, `Microsoft.DesktopVirtualization/workspaces`."""


def get(world: World, resource_id: str) -> Resource | None:
    """The resource of an id in any casing."""
    return world.state.arm.resources.get(resource_id.lower())


def add(world: World, resource: Resource) -> Resource:
    """Put a resource in, or another one in its place."""
    world.state.arm.resources[resource.id.lower()] = resource
    return resource


def remove(world: World, resource: Resource) -> None:
    """Take out a resource and everything below it."""
    for child in children(world, resource.id):
        remove(world, child)
    key = resource.id.lower()
    if world.state.arm.resources.pop(key, None) is not None:
        _index(world).remove(key)


def keys(world: World, parent_id: str, resource_type: str) -> list[str]:
    """Keys of one type directly below a parent, sorted; the list belongs to the index. The parent of a top-level
    resource is its resource group; its subscription will do too. `resource_type` is the last segment, `sessionHosts`;
    where two providers have it, the provider's name goes before it.
    """
    return _index(world).keys(f"{parent_id}|{resource_type}".lower())


def children(world: World, parent_id: str, resource_type: str = "*") -> list[Resource]:
    """Everything directly below a parent, or what has this type, by name."""
    return _index(world).items(f"{parent_id}|{resource_type}".lower())


def _index(world: World) -> Index[Resource]:
    return index_of(world, "arm.resources", world.state.arm.resources, _buckets_of)


def _buckets_of(key: str, resource: Resource) -> tuple[str, ...]:
    """Below its parent by type, below its parent at all, and in its subscription by type.

    `/subscriptions/s/resourcegroups/g/providers/n/t/x` lies in its group; `…/t/x/u/y` lies in `…/t/x`.
    """
    above, _, _name = key.rpartition("/")
    above, _, kind = above.rpartition("/")
    head, found, namespace = above.rpartition("/providers/")
    top_level = bool(found) and "/" not in namespace
    parent = head if top_level else above
    if kind in _TWO_PROVIDERS:
        kind = f"{namespace}/{kind}"
    buckets = (f"{parent}|{kind}", f"{parent}|*")
    if not top_level:
        return buckets
    subscription = "/".join(key.split("/", 3)[:3])
    return buckets if subscription == parent else (*buckets, f"{subscription}|{kind}")
