"""The warts of an estate, found in it again: what a migration must not stumble over."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from avdtwin.estate.machines import AGENT_INSTALLER, INSTALLER_FOLDER
from avdtwin.state import AppGroup, ClassicHost, ClassicHostPool, Machine, RemoteApp
from avdtwin.world import World

PLAIN_NAME = re.compile(r"[A-Za-z0-9@.\-_ ]*")
"""What Azure Resource Manager takes in a name (facts/arm-service 1.13)."""


def world_warts(world: World) -> dict[str, list[str]]:
    """Wart -> where it is, sorted; every kind of wart is a key, found or not."""
    found: dict[str, set[str]] = {name: set() for name in WARTS}
    for name, find in WARTS.items():
        found[name].update(find(world))
    return {name: sorted(places) for name, places in found.items()}


# ---------------------------------------------------------------- walking


def _pools(world: World) -> Iterator[ClassicHostPool]:
    for group in world.state.classic.groups.values():
        for tenant in group.tenants.values():
            yield from tenant.pools.values()


def _groups(world: World) -> Iterator[tuple[ClassicHostPool, AppGroup]]:
    for pool in _pools(world):
        for group in pool.groups.values():
            yield pool, group


def _apps(world: World) -> Iterator[tuple[str, RemoteApp]]:
    for pool, group in _groups(world):
        for app in group.apps.values():
            yield f"{pool.name}/{group.name}/{app.name}", app


def _hosts(world: World) -> Iterator[tuple[ClassicHostPool, ClassicHost, Machine | None]]:
    for pool in _pools(world):
        for host in pool.hosts.values():
            yield pool, host, world.state.machines.get(host.vm or "")


def _names(world: World) -> Iterator[str]:
    for pool in _pools(world):
        yield pool.name
        for group in pool.groups.values():
            yield group.name
            yield from (app.name for app in group.apps.values())


# ---------------------------------------------------------------- names


def _spaces(world: World) -> Iterator[str]:
    return (name for name in _names(world) if " " in name)


def _long(world: World) -> Iterator[str]:
    return (name for name in _names(world) if len(name) >= 64)


def _long_apps(world: World) -> Iterator[str]:
    return (path for path, app in _apps(world) if len(app.name) > 24)


def _reserved(world: World) -> Iterator[str]:
    return (name for name in _names(world) if not PLAIN_NAME.fullmatch(name))


def _same_group(world: World) -> Iterator[str]:
    homes: dict[str, list[str]] = {}
    for pool, group in _groups(world):
        homes.setdefault(group.name.lower(), []).append(pool.name)
    return (f"{name}: {len(pools)} pools" for name, pools in homes.items() if len(pools) > 1)


def _prefixes(world: World) -> Iterator[str]:
    labels = sorted(host.name.partition(".")[0].lower() for _, host, _ in _hosts(world))
    for shorter, longer in pairwise(labels):
        if longer.startswith(shorter):
            yield f"{shorter} / {longer}"


# ---------------------------------------------------------------- people


def _recased(world: World) -> Iterator[str]:
    spellings: dict[str, set[str]] = {}
    for _, group in _groups(world):
        for upn, spelling in group.users.items():
            spellings.setdefault(upn, set()).add(spelling)
    return (upn for upn, found in spellings.items() if len(found) > 1)


def _left(world: World) -> Iterator[str]:
    known = world.state.directory.upns
    return (upn for _, group in _groups(world) for upn in group.users if upn not in known)


def _dangling_roles(world: World) -> Iterator[str]:
    users = world.state.directory.users
    for role in world.state.classic.role_assignments.values():
        if role.object_id in users and users[role.object_id].deleted:
            yield f"{role.role} at {role.scope}"


def _roles(world: World) -> Iterator[str]:
    for role in world.state.classic.role_assignments.values():
        yield f"{role.role} for a {role.object_type} at {role.scope}"


def _never_ending(world: World) -> Iterator[str]:
    return (session.key for session in world.state.sessions.values() if session.never_ends)


# ---------------------------------------------------------------- hosts


def _silent(world: World) -> Iterator[str]:
    for _, host, machine in _hosts(world):
        if machine is not None and machine.power == "running" and machine.agent.connected_at is None:
            yield host.name


def _off(world: World) -> Iterator[str]:
    return (host.name for _, host, machine in _hosts(world) if machine is not None and machine.power != "running")


def _drained(world: World) -> Iterator[str]:
    return (host.name for _, host, _ in _hosts(world) if not host.allow_new_session)


def _no_resource_id(world: World) -> Iterator[str]:
    return (host.name for _, host, _ in _hosts(world) if host.azure_resource_id is None)


def _id_casing(world: World) -> Iterator[str]:
    for _, host, machine in _hosts(world):
        if machine is not None and host.azure_resource_id not in (None, machine.resource_id):
            yield host.name


def _no_installers(world: World) -> Iterator[str]:
    path = f"{INSTALLER_FOLDER}\\{AGENT_INSTALLER}".lower()
    return (machine.computer_name for machine in world.state.machines.values() if path not in machine.files)


def _several_agents(world: World) -> Iterator[str]:
    for machine in world.state.machines.values():
        names = [product.name for product in machine.products]
        if len(names) > len(set(names)):
            yield machine.computer_name


# ---------------------------------------------------------------- settings


def _direct(world: World) -> Iterator[str]:
    return (pool.name for pool in _pools(world) if pool.persistent and pool.assignment_type == 2)


def _unassigned(world: World) -> Iterator[str]:
    return (host.name for pool, host, _ in _hosts(world) if pool.persistent and not host.assigned_user)


WARTS: dict[str, Callable[[World], Iterator[str]]] = {
    "spaces in names": _spaces,
    "names of 64 characters": _long,
    "app names over 24 characters": _long_apps,
    "characters that ARM names lack": _reserved,
    "one group name in several pools": _same_group,
    "host name that prefixes another": _prefixes,
    "person assigned under two casings": _recased,
    "assigned person who left": _left,
    "role of somebody who left": _dangling_roles,
    "classic roles": _roles,
    "disconnected session that never ends": _never_ending,
    "host without heartbeat": _silent,
    "vm off": _off,
    "host drained long ago": _drained,
    "host without resource id": _no_resource_id,
    "resource id in another casing": _id_casing,
    "installers missing": _no_installers,
    "several agents installed": _several_agents,
    "custom rdp properties": lambda world: (pool.name for pool in _pools(world) if pool.custom_rdp_property),
    "required command line": lambda world: (path for path, app in _apps(world) if app.command_line_setting == 2),
    "icon of its own": lambda world: (path for path, app in _apps(world) if app.icon_path != app.file_path),
    "store app": lambda world: (path for path, app in _apps(world) if "appsfolder" in (app.file_path or "").lower()),
    "app hidden from the feed": lambda world: (path for path, app in _apps(world) if app.show_in_web_feed is False),
    "validation pool": lambda world: (pool.name for pool in _pools(world) if pool.validation_env),
    "personal pool with direct assignment": _direct,
    "personal host without a person": _unassigned,
    "depth-first pool": lambda world: (pool.name for pool in _pools(world) if pool.load_balancer_type == 1),
    "breadth-first pool": lambda world: (pool.name for pool in _pools(world) if pool.load_balancer_type == 0),
}
"""Every kind of wart and how it is found."""
