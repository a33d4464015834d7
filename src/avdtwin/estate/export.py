r"""An estate as a folder of cmdlet exports: what `Get-Rds… | ConvertTo-Json | Out-File` leaves behind in Windows
PowerShell 5.1 (facts/classic-service 3.3 and 3.4).

UTF-16 LE with BOM, CRLF, two spaces after the colon, `& ' < >` escaped, enums as integers, dates as `\/Date(ms)\/`; one
object is an object, several are an array, none is a file that holds a BOM alone.
"""

import json
import re
from codecs import BOM_UTF16_LE
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from avdtwin.classic import (
    app_groups,
    desktops,
    hosts,
    pools,
    registrations,
    remote_apps,
    roles,
    tenant_groups,
    tenants,
    user_sessions,
    users,
)
from avdtwin.clock import parse_iso
from avdtwin.state import AppGroup, ClassicHostPool
from avdtwin.world import World

Rows = list[dict[str, Any]]

_RENAMED = {"ssoSecretType": "SsoClientSecretType"}
_DATES = {"LastHeartBeat", "LastUpdateTime", "CreateTime", "ExpirationTime"}
_ESCAPED = {"&": "\\u0026", "'": "\\u0027", "<": "\\u003c", ">": "\\u003e"}
_SCOPE_NAMES = ("TenantGroupName", "TenantName", "HostPoolName", "AppGroupName")


def export_folder(world: World, path: Path) -> list[Path]:
    """Write every classic object of the world below `path`, which is made; returns the files, sorted."""
    path.mkdir(parents=True, exist_ok=True)
    files = {_file_name(name): rows for name, rows in _collections(world)}
    for name, rows in files.items():
        (path / name).write_bytes(BOM_UTF16_LE + to_json(rows).encode("utf-16-le"))
    return sorted(path / name for name in files)


def to_json(rows: Rows) -> str:
    """What ConvertTo-Json and Out-File make of the rows that a cmdlet put out."""
    if not rows:
        return ""
    value: Any = [_pascal(row) for row in rows]
    text = json.dumps(value[0] if len(value) == 1 else value, indent=4, ensure_ascii=False, separators=(",", ":  "))
    text = re.sub("[&'<>]", lambda found: _ESCAPED[found.group()], text)
    text = re.sub(r'"@Date\((-?\d+)\)"', r'"\\/Date(\1)\\/"', text)
    return text.replace("\n", "\r\n") + "\r\n"


def _pascal(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the wire as the cmdlet's object: names as declared, dates as milliseconds."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        declared = _RENAMED.get(name, name[0].upper() + name[1:])
        if declared in _DATES and isinstance(value, str):
            value = f"@Date({round(parse_iso(value) * 1000)})"
        found[declared] = value
    return found


# ---------------------------------------------------------------- what there is


def _collections(world: World) -> Iterable[tuple[str, Rows]]:
    """(file name without ending, rows) for one call of one cmdlet each; rows by key, as the service lists them."""
    groups = world.state.classic.groups
    yield "tenant groups", [tenant_groups.row(groups[key]) for key in sorted(groups)]
    yield "role assignments", [_role(roles.row(found)) for found in world.state.classic.role_assignments.values()]
    for group in groups.values():
        for tenant in group.tenants.values():
            yield f"tenant {tenant.name}", [tenants.row(world, group.name, tenant)]
            names = {"tenantGroupName": group.name, "tenantName": tenant.name}
            own = [tenant.pools[key] for key in sorted(tenant.pools)]
            yield f"host pools {tenant.name}", [pools.row(names | {"hostPoolName": p.name}, p) for p in own]
            for pool in own:
                yield from _of_pool(world, (group.name, tenant.name, pool.name), pool)


def _of_pool(world: World, path: tuple[str, str, str], pool: ClassicHostPool) -> Iterable[tuple[str, Rows]]:
    names = dict(zip(("tenantGroupName", "tenantName", "hostPoolName"), path, strict=True))
    own = [pool.hosts[key] for key in sorted(pool.hosts)]
    yield f"session hosts {pool.name}", [hosts.row(world, path, names, host) for host in own]
    pool_key = "/".join(path).lower()
    live = [(host, session) for host in own for session in hosts.sessions_of(world, pool_key, host)]
    yield f"sessions {pool.name}", [user_sessions.row(world, names, host.name, session) for host, session in live]
    if pool.registration is not None:
        yield f"registration {pool.name}", [registrations.row(names, pool.registration)]
    groups = [pool.groups[key] for key in sorted(pool.groups)]
    below = [(group, names | {"appGroupName": group.name}) for group in groups]
    yield f"app groups {pool.name}", [app_groups.row(own_names, group) for group, own_names in below]
    for group, own_names in below:
        yield from _of_group(f"{pool.name} - {group.name}", own_names, group)


def _of_group(title: str, names: dict[str, str], group: AppGroup) -> Iterable[tuple[str, Rows]]:
    yield f"users {title}", [users.row(names, group.users[key]) for key in sorted(group.users)]
    if group.desktop is not None:
        yield f"desktop {title}", [desktops.row(names, group.desktop)]
    if group.resource_type == 0:
        yield f"remoteapps {title}", [remote_apps.row(names, group.apps[key]) for key in sorted(group.apps)]


def _role(row: dict[str, Any]) -> dict[str, Any]:
    """With the names that the cmdlet works out from the scope, in their place behind it."""
    parts: list[str | None] = [part for part in str(row["scope"]).split("/") if part]
    parts += [None] * (len(_SCOPE_NAMES) - len(parts))
    found: dict[str, Any] = {}
    for name, value in row.items():
        found["AADTenantId" if name == "aadTenantId" else name] = value
        if name == "scope":
            found |= dict(zip(_SCOPE_NAMES, parts, strict=True))
    return found


def _file_name(title: str) -> str:
    """A file name that every system takes; two titles of one estate never share one."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", title) + ".json"
