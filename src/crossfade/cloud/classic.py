"""The classic management service: every route of facts/classic-service 2.6, raw JSON in and out, enums as numbers.

Objects are addressed by their key, `tenant group/tenant/pool[/group[/app]]`; session hosts by `…/pool/fqdn`. The names
of a key are sent in each body too, since the service compares them with the URL (7009).
"""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from crossfade.clock import parse_iso
from crossfade.cloud import lists
from crossfade.cloud.calls import Call
from crossfade.cloud.pipeline import Answer, Line
from crossfade.cloud.token import RegistrationToken
from crossfade.errors import NotFound
from crossfade.model.ids import last_name, parent_key

BASE = "/RdsManagement/V1"
PAGE_SIZE = 1000
READ_TIMEOUT_S = 600.0
"""Microsoft's own tool waits up to ten minutes for one call (facts/classic-service 2.10)."""

_PLACES = ("TenantGroups", "Tenants", "HostPools", "AppGroups", "RemoteApps")
_NAMES = ("tenantGroupName", "tenantName", "hostPoolName", "appGroupName", "remoteAppName")

_COLLECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "TenantGroups": ("TenantGroupName", ("tenantGroupName",)),
    "Tenants": ("TenantName", ("tenantName",)),
    "HostPools": ("HostPoolName", ("hostPoolName",)),
    "AppGroups": ("AppGroupName", ("appGroupName",)),
    "SessionHosts": ("SessionHostName", ("sessionHostName",)),
    "Sessions": ("UserPrincipalName", ("sessionHostName", "sessionId")),
    "AssignedUsers": ("UserPrincipalName", ("userPrincipalName",)),
    "RemoteApps": ("RemoteAppName", ("remoteAppName",)),
    "StartMenuApps": ("AppAlias", ("appAlias", "filePath", "friendlyName")),
}
"""By collection: the field it is sorted by, and what tells its rows apart."""

_PRINCIPALS = {"upn": "Users/upn", "appid": "Users/appid", "group": "Groups/azureADObjectId"}


class Classic:
    """Raises CloudError: NotFound for what is absent, Conflict for what is in the way, and so on."""

    def __init__(self, line: Line) -> None:
        self._line = line

    # -- lists

    async def pages(self, collection: str, key: str = "") -> AsyncIterator[list[dict[str, Any]]]:
        """The rows of a collection below the object `key`, a page of at most 1,000 at a time, no row twice.

        Follows `Link: rel=next` where the service sends one; else asks again after a full page, with the last key.
        """
        sort_field, identity = _COLLECTIONS[collection]
        path, query = f"{_place(key)}/{collection}", _first_page(sort_field)
        subject = f"the {collection} of {key or 'the deployment'}"
        seen: set[tuple[str, ...]] = set()
        asked: set[tuple[str, str]] = set()
        while path and (path, query.get("LastEntry", "")) not in asked:
            asked.add((path, query.get("LastEntry", "")))
            answer = await self._get(path, subject, query)
            rows = self._rows(answer, subject)
            fresh = [row for row in rows if not _known(row, identity, seen)]
            if fresh:
                yield fresh
            path, query = _next(path, query, answer, rows, fresh)

    async def rows(self, collection: str, key: str = "") -> list[dict[str, Any]]:
        """All rows of `pages`."""
        return [row async for page in self.pages(collection, key) for row in page]

    async def role_assignments(self, scope: str = "", **who: str) -> list[dict[str, Any]]:
        """Role assignments visible at a scope (a key; empty: the deployment). `who`: upn, appId or azureADObjectId."""
        return await self._all(f"{_place(scope)}/Rds.Authorization/roleAssignments", "role assignments", who)

    async def role_definitions(self) -> list[dict[str, Any]]:
        return await self._all(f"{BASE}/Rds.Authorization/roleDefinitions/", "role definitions")

    async def diagnostics(self, scope: str = "", **filters: str) -> list[dict[str, Any]]:
        """Diagnostic activities of a tenant group or tenant (a key), by the filters of facts/classic-service 2.7."""
        place = _place(scope).removeprefix(BASE)
        return await self._all(f"{BASE}/DiagnosticActivities{place}", "diagnostic activities", filters)

    # -- single objects

    async def get(self, key: str) -> dict[str, Any]:
        """A tenant group, tenant, pool, app group or RemoteApp, by how many names its key has."""
        return _object(await self._get(_place(key), key))

    async def deployment(self) -> dict[str, Any]:
        return _object(await self._get(f"{BASE}/Deployments", "the deployment"))

    async def desktop(self, group: str) -> dict[str, Any]:
        """The one desktop of a Desktop app group."""
        return _object(await self._get(f"{_place(group)}/Desktop", f"the desktop of {group}"))

    async def session_host(self, host: str) -> dict[str, Any]:
        return _object(await self._get(_host(host), f"session host {host}"))

    async def assigned_user(self, group: str, upn: str) -> dict[str, Any]:
        return _object(await self._get(f"{_place(group)}/AssignedUsers/{_enc(upn)}", f"{upn} in {group}"))

    async def role_definition(self, *, name: str = "", guid: str = "", scope: str = "") -> dict[str, Any]:
        last = f"Id/{_enc(guid)}" if guid else _enc(name)
        place = f"{_place(scope)}/Rds.Authorization/roleDefinitions/{last}"
        return _object(await self._get(place, f"role {name or guid}"))

    async def create(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST an object whose key has one to five names; the names are added to the body."""
        return _object(await self._write("POST", _place(key), key, {**_names(key), **body}, verb="create"))

    async def change(self, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """PATCH: members that are absent stay as they are."""
        return _object(await self._write("PATCH", _place(key), key, {**_names(key), **body}))

    async def change_desktop(self, group: str, body: Mapping[str, Any]) -> dict[str, Any]:
        place = f"{_place(group)}/Desktop"
        return _object(await self._write("PATCH", place, f"the desktop of {group}", {**_names(group), **body}))

    async def delete(self, key: str) -> None:
        """Absent is fine. Raises Conflict while something below is in the way."""
        await self._gone(_place(key), key)

    async def change_deployment(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """For the operators of the service only."""
        return _object(await self._write("PATCH", f"{BASE}/Deployments", "the deployment", body))

    # -- people

    async def assign_user(self, group: str, upn: str) -> None:
        """Give a person an app group."""
        body = {**_names(group), "userPrincipalName": upn}
        await self._write(
            "POST", f"{_place(group)}/AssignedUsers/{_enc(upn)}", f"{upn} in {group}", body, verb="assign"
        )

    async def unassign_user(self, group: str, upn: str) -> None:
        """Take an app group from a person. Absent is fine."""
        await self._gone(f"{_place(group)}/AssignedUsers/{_enc(upn)}", f"{upn} in {group}")

    async def assign_role(self, scope: str, role: str, kind: str, who: str, tenant_id: str | None = None) -> Any:
        """`kind`: upn, appid or group (by object id). `tenant_id`: the directory to look the principal up in."""
        place = _role_place(scope, role, kind, who, tenant_id)
        return (await self._write("PUT", place, f"role {role} of {who} at {scope or '/'}")).body

    async def unassign_role(self, scope: str, role: str, kind: str, who: str, tenant_id: str | None = None) -> None:
        """Absent is fine."""
        await self._gone(_role_place(scope, role, kind, who, tenant_id), f"role {role} of {who} at {scope or '/'}")

    # -- session hosts

    async def drain(self, host: str, *, allow_new_session: bool = False) -> dict[str, Any]:
        """Let no new session onto a host, or, with `allow_new_session`, let them again."""
        return await self._change_host(host, {"allowNewSession": allow_new_session})

    async def assign(self, host: str, upn: str) -> dict[str, Any]:
        """Give a personal desktop to a person."""
        return await self._change_host(host, {"assignedUser": upn})

    async def _change_host(self, host: str, change: Mapping[str, Any]) -> dict[str, Any]:
        body = {**_names(parent_key(host)), "sessionHostName": last_name(host), **change}
        return _object(await self._write("PATCH", _host(host), f"session host {host}", body))

    async def delete_host(self, host: str, *, force: bool = False) -> None:
        """Remove the record of a host; the VM is untouched. Absent is fine. Raises Conflict while it
        has sessions, but for `force`."""
        await self._gone(_host(host) + ("?Force=True" if force else ""), f"session host {host}")

    async def message(self, host: str, session_id: int, title: str, text: str) -> None:
        """Show a message in a session. Title and text travel in the query (facts/classic-service 2.7)."""
        await self._act(
            "message", host, session_id, f"send-message-user?MessageTitle={_enc(title)}&MessageBody={_enc(text)}"
        )

    async def disconnect(self, host: str, session_id: int) -> None:
        await self._act("disconnect", host, session_id, "disconnect-user")

    async def log_off(self, host: str, session_id: int, *, force: bool = False) -> None:
        await self._act("log off", host, session_id, "logoff-user" + ("?force=true" if force else ""))

    async def _act(self, verb: str, host: str, session_id: int, action: str) -> None:
        # Ids are used again for other people's sessions: an action whose outcome is unknown is not sent twice.
        place = f"{_host(host)}/Sessions/{session_id}/actions/{action}"
        await self._write("POST", place, f"session {session_id} on {host}", {}, verb=verb)

    # -- registration

    async def registration(self, pool: str) -> RegistrationToken | None:
        """The pool's registration token, or None. It may have expired: at most one exists, expired or not."""
        path = f"{_place(pool)}/RegistrationInfos/actions/export"
        try:
            answer = await self._get(path, f"the registration token of {pool}")
        except NotFound:
            return None
        return _token(answer.body)

    async def create_registration(self, pool: str, expires_at: datetime) -> RegistrationToken:
        """A new token. Raises Conflict while there is one: export that, or delete it first."""
        body = {**_names(pool), "expirationTime": expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
        place = f"{_place(pool)}/RegistrationInfos"
        answer = await self._write("POST", place, f"the registration token of {pool}", body, verb="create")
        token = _token(answer.body)
        return token if token else _require(await self.registration(pool), pool)

    async def delete_registration(self, pool: str) -> None:
        """Absent is fine."""
        await self._gone(f"{_place(pool)}/RegistrationInfos", f"the registration token of {pool}")

    # -- the wire

    async def _get(self, path: str, subject: str, query: Mapping[str, str] | None = None) -> Answer:
        return await self._line.send("GET", path, subject=subject, query=query)

    async def _all(self, path: str, subject: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """A list that comes in one piece."""
        return self._rows(await self._get(path, subject, query), subject)

    def _rows(self, answer: Answer, subject: str) -> list[dict[str, Any]]:
        """A bare array, or a bare `null` for none (facts/classic-service 2.10)."""
        call = Call(service=self._line.service, subject=subject, method="GET")
        if answer.blank:
            raise lists.without_list(call)
        return lists.rows(call, answer.body)

    async def _write(self, method: str, path: str, subject: str, body: Any = None, *, verb: str = "") -> Answer:
        return await self._line.send(method, path, subject=subject, body=body, verb=verb)

    async def _gone(self, path: str, subject: str) -> None:
        """DELETE. What is absent is as wanted, also when a first try's answer was lost."""
        try:
            await self._write("DELETE", path, subject)
        except NotFound:
            return


def _enc(name: str) -> str:
    return quote(name, safe="")


def _place(key: str) -> str:
    """URL path of an object, from its key."""
    names = key.split("/") if key else []
    return BASE + "".join(f"/{word}/{_enc(name)}" for word, name in zip(_PLACES, names, strict=False))


def _host(host: str) -> str:
    return f"{_place(parent_key(host))}/SessionHosts/{_enc(last_name(host))}"


def _names(key: str) -> dict[str, Any]:
    return dict(zip(_NAMES, key.split("/"), strict=False))


def _role_place(scope: str, role: str, kind: str, who: str, tenant_id: str | None) -> str:
    directory = f"?aadTenantId={_enc(tenant_id)}" if tenant_id else ""
    place = f"{_place(scope)}/Rds.Authorization/roleAssignments"
    return f"{place}/{_enc(role)}/{_PRINCIPALS[kind]}/{_enc(who)}{directory}"


def _first_page(sort_field: str) -> dict[str, str]:
    """The parameters and their order are those of the service's own module (facts/classic-service 2.5)."""
    size = str(PAGE_SIZE)
    return {
        "PageSize": size,
        "LastEntry": "",
        "SortField": sort_field,
        "IsDescending": "False",
        "InitialSkip": "0",
    }


def _known(row: Mapping[str, Any], identity: tuple[str, ...], seen: set[tuple[str, ...]]) -> bool:
    """Whether a row was seen before; remembers it. A row that lacks what tells it apart always counts as new."""
    mark = tuple(str(row.get(name, "")).casefold() for name in identity)
    if not any(mark):
        return False
    known = mark in seen
    seen.add(mark)
    return known


def _next(
    path: str, query: dict[str, str], answer: Answer, rows: list[dict[str, Any]], fresh: list[dict[str, Any]]
) -> tuple[str, dict[str, str]]:
    """Path and query of the next page; an empty path when there is none."""
    link = next_link(answer.headers.get("link", ""))
    if link:
        parts = urlsplit(link)
        return (f"{parts.path}?{parts.query}", {}) if fresh or not rows else ("", {})
    if "?" in path or len(rows) < PAGE_SIZE or not fresh:
        return "", {}
    sort_field = query["SortField"]
    member = sort_field[:1].lower() + sort_field[1:]
    return path, {**query, "LastEntry": str(rows[-1].get(member) or "")}


_NEXT = re.compile(r"""<([^>]*)>[^,]*;\s*rel\s*=\s*"?next"?""", re.I)


def next_link(header: str) -> str:
    """The target of `rel=next` in a Link header; empty when there is none."""
    found = _NEXT.search(header)
    return found.group(1) if found else ""


def _object(answer: Answer) -> dict[str, Any]:
    return answer.body if isinstance(answer.body, dict) else {}


def _token(body: Any) -> RegistrationToken | None:
    if not isinstance(body, dict) or not body.get("token"):
        return None
    return RegistrationToken(str(body["token"]), parse_iso(str(body["expirationTime"])))


def _require(token: RegistrationToken | None, pool: str) -> RegistrationToken:
    if token is None:
        raise NotFound(
            f"No registration token for {pool}.", "The service made one and does not give it.", "Delete it, try again."
        )
    return token
