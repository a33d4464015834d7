"""Icons of applications and desktops: read from a healthy session host when there is one, else the default ones.

The real content is about 60 KB for each application (facts/arm-service 1.5); here it is short. Equal icons have equal
hashes, so a default one can be told by its hash.
"""

import base64
import hashlib

from avdtwin import agents
from avdtwin.arm import store
from avdtwin.state import Resource
from avdtwin.world import World

_HEAD = b"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00"


def of_application(world: World, pool: Resource | None, path: str | None, index: int) -> dict[str, str]:
    """`iconHash` and `iconContent` as the service can make them now."""
    if pool is None or not path or not _readable(world, pool):
        return _icon("default application")
    return _icon(f"{path.lower()},{index}")


def of_desktop() -> dict[str, str]:
    return _icon("default desktop")


def _readable(world: World, pool: Resource) -> bool:
    """Whether a session host of the pool can be asked for a file's icon."""
    return any(reachable(world, host) for host in store.children(world, pool.id, "sessionHosts"))


def reachable(world: World, host: Resource) -> bool:
    """Whether a session host's agent is connected and healthy."""
    machine = world.state.machines.get(host.vm or "")
    return machine is not None and machine.agent.service == "arm" and agents.healthy(world, machine)


def of_file(name: str) -> str:
    """The content of the icon that a file or package carries."""
    return _icon(name.lower())["iconContent"]


def _icon(what: str) -> dict[str, str]:
    digest = hashlib.sha256(what.encode()).digest()
    return {
        "iconHash": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "iconContent": base64.b64encode(_HEAD + digest).decode(),
    }
