"""What is left in Azure of a classic estate, as it was read: machines, templates' traces, connections. Plain types."""

from typing import Any

import msgspec

from crossfade.model.provenance import Gap


class VirtualMachine(msgspec.Struct, frozen=True, kw_only=True):
    """A VM. `reported`: what its guest calls itself, empty while it is off; `available`: id of its availability set."""

    id: str
    name: str
    vm_id: str = ""
    computer: str = ""
    reported: str = ""
    power: str = ""
    available: str = ""


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """An extension of the VM with id `machine`. `settings`: the public ones."""

    id: str
    machine: str
    publisher: str = ""
    type: str = ""
    settings: dict[str, Any] = {}


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A template's run in a resource group (`group`, an id). `machines`: names of VMs that it says it made."""

    id: str
    group: str
    at: str = ""
    state: str = ""
    parameters: dict[str, Any] = {}
    machines: list[str] = []


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    """How often one person connected to one host, and between when. `pool`: its name, where the log tells it."""

    upn: str
    host: str
    pool: str = ""
    count: int = 0
    first: str = ""
    last: str = ""
    workspace: str = ""
    """Name of the workspace that says so."""


class RemainsReading(msgspec.Struct, kw_only=True):
    """Lists are sorted by id, connections by host and person. `logged`: names of workspaces with classic's logs."""

    read_at: str = ""
    machines: list[VirtualMachine] = []
    extensions: list[Extension] = []
    deployments: list[Deployment] = []
    connections: list[Connections] = []
    logged: list[str] = []
    gaps: list[Gap] = []
