"""Resource Graph: queries of the table `Resources`, by a small interpreter (facts/arm-service 7.4).

Its rows are the top-level resources and the extensions of VMs. Inferred: that these come with their settings; with
`graph_extension_settings` off they come without. What of the language is known is said in `kql`; the rest is refused as
a bad query.
"""

import base64
import binascii
from typing import Any

from avdtwin import kql
from avdtwin.arm import errors, fields, rights
from avdtwin.arm.errors import GatewayResponse
from avdtwin.arm.scopes import caller_of
from avdtwin.clock import iso
from avdtwin.state import Resource
from avdtwin.wire import Request, Response, Router
from avdtwin.world import World

_MOST = 1000
_EXTENSION = "microsoft.compute/virtualmachines/extensions"
_HIDDEN = ("microsoft.resources/", "microsoft.authorization/")
_POWER = {"running": "VM running", "deallocated": "VM deallocated", "stopped": "VM stopped"}


def register(router: Router) -> None:
    router.add("POST", "/providers/Microsoft.ResourceGraph/resources", query)


def query(world: World, request: Request) -> Response:
    """A page of the rows that the caller may read."""
    body = fields.body_of(request)
    options = fields.section(body, "options") or {}
    table = kql.Table(None, _rows(world, request, body))
    asked = str(body.get("query") or "")
    try:
        found = kql.run(asked, lambda name: _named(name, table), now=world.now, joins=True).rows
    except (kql.BadQuery, TypeError, ArithmeticError) as error:
        text = "Please provide below info when asking for support: timestamp, correlationId."
        raise errors.gateway(400, "BadRequest", f"{text} Query is invalid: {error}") from error
    size = _number(options.get("$top"), _MOST, most=_MOST)
    start = _after(options.get("$skipToken")) or _number(options.get("$skip"), 0)
    page = found[start : start + size]
    more = start + size < len(found)
    answer = {"totalRecords": len(found), "count": len(page), "data": page, "facets": [], "resultTruncated": "false"}
    if more:
        answer["$skipToken"] = base64.b64encode(str(start + size).encode()).decode()
    return GatewayResponse(body=answer, headers=_quota(world, request))


def _named(name: str, table: kql.Table) -> kql.Table | None:
    return table if name.lower() == "resources" else None


def _quota(world: World, request: Request) -> dict[str, str]:
    """15 queries in 5 seconds for one caller, as documented; a setting, 0 for none. Raises 429."""
    key = f"graph-queries|{caller_of(request).object_id}"
    window = world.state.limits.get(key)
    if window is None or world.now >= window[0]:
        window = world.state.limits[key] = [world.now + 5.0, int(world.setting("resource_graph_per_5s"))]
    window[1] -= 1
    left = {"x-ms-user-quota-remaining": str(max(window[1], 0)), "x-ms-user-quota-resets-after": "00:00:05"}
    if window[1] < 0 and world.setting("limits_enforced") and world.setting("resource_graph_per_5s"):
        raise errors.gateway(429, "RateLimiting", "Please slow down.", {**left, "Retry-After": "5"})
    return left


def _number(given: Any, default: int, most: int = 10**9) -> int:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= most:
        raise errors.gateway(400, "BadRequest", f"'{given}' is no valid paging option.")
    return given


def _after(token: Any) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(str(token), validate=True).decode()[:9])
    except (binascii.Error, ValueError) as error:
        raise errors.gateway(400, "BadRequest", "The skip token is invalid.") from error


# ---------------------------------------------------------------- the table


def _rows(world: World, request: Request, body: dict[str, Any]) -> list[kql.Row]:
    asked = body.get("subscriptions")
    if asked is not None and (not isinstance(asked, list) or not all(isinstance(each, str) for each in asked)):
        raise errors.gateway(400, "BadRequest", "subscriptions must be a list of ids.")
    wanted = {each.lower() for each in asked or world.state.arm.subscriptions}
    caller, free = caller_of(request).object_id, not world.setting("rights_enforced")
    readable: dict[str, bool] = {}
    found = []
    for key, resource in world.state.arm.resources.items():
        parts = key.split("/")
        if not _has_row(resource, len(parts)) or parts[2] not in wanted:
            continue
        scope = "/".join(parts[:5]) + "|" + resource.type.lower()
        if scope not in readable:
            readable[scope] = free or rights.allows(world, caller, f"{resource.type}/read", "/".join(parts[:5]))
        if readable[scope] or rights.allows(world, caller, f"{resource.type}/read", resource.id):
            found.append(_row(world, resource, parts[2]))
    return found


def _has_row(resource: Resource, depth: int) -> bool:
    kind = resource.type.lower()
    return (depth == 9 and not kind.startswith(_HIDDEN)) or (depth == 11 and kind == _EXTENSION)


def _row(world: World, resource: Resource, subscription: str) -> kql.Row:
    properties = dict(resource.properties)
    if resource.type.lower() == _EXTENSION and not world.setting("graph_extension_settings"):
        properties.pop("settings", None)
    machine = world.state.machines.get(resource.id.lower())
    if machine is not None:
        power = {"code": f"PowerState/{machine.power}", "displayStatus": _POWER.get(machine.power, machine.power)}
        view = {"powerState": power, "computerName": machine.fqdn}
        properties |= {"vmId": machine.vm_id, "osProfile": {"computerName": machine.computer_name}}
        properties["extended"] = {"instanceView": view}
        properties["timeCreated"] = iso(resource.created_at, 7)
    return {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type.lower(),
        "tenantId": world.state.directory.tenant_id,
        "kind": resource.kind or "",
        "location": resource.location or "",
        "resourceGroup": resource.id.split("/")[4].lower(),
        "subscriptionId": subscription,
        "tags": resource.tags,
        "properties": properties,
    }
