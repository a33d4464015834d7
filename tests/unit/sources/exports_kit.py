"""Files of exports for tests: the two hand-written folders, and small ones made in place."""

import json
from pathlib import Path
from typing import Any

from crossfade.errors import InputError, Problem
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.merge import assemble
from crossfade.sources.exports import ExportFile, read_exports
from crossfade.sources.records import Reading

FOLDERS = Path(__file__).resolve().parents[2] / "exports"
GROUP = "Default Tenant Group"


def folder(name: str) -> list[ExportFile]:
    return [ExportFile(path.name, path.read_bytes()) for path in (FOLDERS / name).iterdir()]


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDERS / f"{name}.expected.json").read_text("utf-8"))
    return found


def read(name: str) -> tuple[Reading, Inventory]:
    reading = read_exports(folder(name))
    return reading, assemble(reading, made_at="2026-06-08T07:00:00.000Z")


def utf16(text: str) -> bytes:
    """What Out-File leaves."""
    return b"\xff\xfe" + text.encode("utf-16-le")


def file(name: str, content: Any) -> ExportFile:
    """Bytes as they are, text as UTF-8, anything else as JSON."""
    if isinstance(content, bytes):
        return ExportFile(name, content)
    text = content if isinstance(content, str) else json.dumps(content, indent=4)
    return ExportFile(name, text.encode())


def inventory_of(*files: ExportFile) -> Inventory:
    return assemble(read_exports(files), made_at="2026-06-08T07:00:00.000Z")


def problems_of(*files: ExportFile) -> list[Problem]:
    """The problems of files that cannot be used; none is a failure of the test."""
    try:
        inventory_of(*files)
    except InputError as error:
        return error.problems
    raise AssertionError("the files were accepted")


def keys(*names: str) -> dict[str, Any]:
    """The name columns of an object: tenant, pool, app group, as many as given."""
    columns = ("TenantName", "HostPoolName", "AppGroupName")
    return {"TenantGroupName": GROUP, **dict(zip(columns, names, strict=False))}


def tenant(name: str = "contoso", **more: Any) -> dict[str, Any]:
    return keys(name) | {"AadTenantId": "0b6e2d7a-4f31-4d0c-8c55-9a7e1f2b3c01"} | more


def pool(name: str = "Office", tenant: str = "contoso", **more: Any) -> dict[str, Any]:
    return keys(tenant, name) | {"Persistent": False, "LoadBalancerType": 0, "MaxSessionLimit": 9} | more


def host(name: str, pool: str = "Office", tenant: str = "contoso", **more: Any) -> dict[str, Any]:
    return keys(tenant, pool) | {"SessionHostName": name, "AllowNewSession": True, "Status": 0} | more


def person(upn: str, group: str = "Apps", pool: str = "Office", tenant: str = "contoso") -> dict[str, Any]:
    return keys(tenant, pool, group) | {"UserPrincipalName": upn}
