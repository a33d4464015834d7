"""Microsoft Graph: people, groups, members, and the policies that a move must know of.

New objects take seconds to minutes to be known everywhere; what then answers "does not exist" is asked again
(facts/arm-service 8).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from crossfade.clock import Clock
from crossfade.cloud import mapping
from crossfade.cloud.calls import Call
from crossfade.cloud.pipeline import Line
from crossfade.cloud.retry import Retries
from crossfade.errors import CloudError, Conflict, Forbidden, NotFound, OutcomeUnknown
from crossfade.model.ids import url_path

T = TypeVar("T")

BATCH = 20
"""Requests per `$batch`, and references per PATCH of members."""
BATCHES_AT_ONCE = 4
IDS_PER_CALL = 1000
REPLICATION_S = 300.0
SHOWN_WITHIN_S = 120.0
"""For how long a group is looked for whose creation was not answered: a second one would be another group."""
USER_FIELDS = "id,userPrincipalName,accountEnabled,onPremisesSamAccountName,userType"
GROUP_FIELDS = (
    "id,displayName,description,mailNickname,securityEnabled,mailEnabled,groupTypes,membershipRule,"
    "onPremisesSyncEnabled,createdDateTime,isAssignableToRole,onPremisesLastSyncDateTime"
)
_EVENTUAL = {"ConsistencyLevel": "eventual"}


class Graph:
    """Raises CloudError."""

    def __init__(self, line: Line, clock: Clock, retries: Retries) -> None:
        self._line = line
        self._clock = clock
        self._retries = retries

    # -- people

    async def users(self, upns: Iterable[str]) -> dict[str, dict[str, Any] | CloudError]:
        """People by UPN as given: the directory's object, or the error for this one (NotFound for the unknown)."""
        wanted = list(dict.fromkeys(upns))
        paths = [f"/users/{url_path(upn)}?$select={USER_FIELDS}" for upn in wanted]
        subjects = [f"user {upn}" for upn in wanted]
        answers = await self.batch(paths, subjects)
        return dict(zip(wanted, answers, strict=True))

    async def by_address(self, addresses: Iterable[str]) -> dict[str, str]:
        """UPNs of today of whoever has one of these addresses, and has it alone: an old UPN often stays one."""
        wanted = list(dict.fromkeys(addresses))
        filters = [f"mail eq {_literal(one)} or proxyAddresses/any(a:a eq {_literal(f'smtp:{one}')})" for one in wanted]
        paths = [f"/users?$filter={url_path(text)}&$select={USER_FIELDS}" for text in filters]
        answers = await self.batch(paths, [f"who has the address {one}" for one in wanted])
        found = {}
        for address, answer in zip(wanted, answers, strict=True):
            rows = answer.get("value") or [] if isinstance(answer, dict) else []
            if len(rows) == 1 and rows[0].get("userPrincipalName"):
                found[address] = str(rows[0]["userPrincipalName"])
        return found

    async def batch(self, paths: Sequence[str], subjects: Sequence[str]) -> list[dict[str, Any] | CloudError]:
        """Many GETs, twenty per call, several calls at a time; answers in the order of `paths`. Throttled ones are
        asked again. Raises only when a whole batch fails."""
        asked = list(zip(paths, subjects, strict=True))
        room = asyncio.Semaphore(BATCHES_AT_ONCE)

        async def some(part: list[tuple[str, str]]) -> list[dict[str, Any] | CloudError]:
            async with room:
                return await self._batch(part)

        parts = [asked[at : at + BATCH] for at in range(0, len(asked), BATCH)]
        return [answer for answers in await asyncio.gather(*map(some, parts)) for answer in answers]

    async def _batch(self, asked: list[tuple[str, str]]) -> list[dict[str, Any] | CloudError]:
        answers: dict[int, dict[str, Any] | CloudError] = {}
        attempt, waited_s = 0, 0.0
        left = list(range(len(asked)))
        while left:
            attempt += 1
            answers |= await self._batch_once(asked, left)
            waits = {index: self._wait_s(asked[index][1], answers[index], attempt, waited_s) for index in left}
            left = [index for index in left if waits[index] is not None]
            if left:
                wait_s = max(waits[index] or 0.0 for index in left)
                await self._clock.sleep(wait_s)
                waited_s += wait_s
        return [answers[index] for index in range(len(asked))]

    def _wait_s(self, subject: str, answer: Any, attempt: int, waited_s: float) -> float | None:
        if not isinstance(answer, CloudError):
            return None
        call = Call(service="graph", subject=subject, method="GET")
        return self._retries.wait_s(call, answer, attempt, waited_s)

    async def _batch_once(
        self, asked: list[tuple[str, str]], which: list[int]
    ) -> dict[int, dict[str, Any] | CloudError]:
        requests = [{"id": str(index), "method": "GET", "url": asked[index][0]} for index in which]
        answer = await self._post("/$batch", {"requests": requests}, "a batch", reads=True, units=len(which))
        said = {str(one.get("id")): one for one in answer.get("responses") or []}
        found = {index: (asked[index][1], said.get(str(index))) for index in which}
        return {index: _inner(subject, one) if one else _unanswered(subject) for index, (subject, one) in found.items()}

    async def objects(self, ids: Iterable[str], types: Sequence[str] = ("user", "group")) -> list[dict[str, Any]]:
        """Directory objects by id, in no order; unknown ids are left out."""
        wanted = list(dict.fromkeys(ids))
        found: list[dict[str, Any]] = []
        for at in range(0, len(wanted), IDS_PER_CALL):
            body = {"ids": wanted[at : at + IDS_PER_CALL], "types": list(types)}
            answer = await self._post("/directoryObjects/getByIds", body, "directory objects", reads=True, units=3)
            found += answer.get("value") or []
        return found

    # -- groups

    async def group(self, group_id: str) -> dict[str, Any] | None:
        try:
            return await self._get(f"/groups/{url_path(group_id)}?$select={GROUP_FIELDS}", f"group {group_id}")
        except NotFound:
            return None

    async def groups_named(self, display_name: str) -> list[dict[str, Any]]:
        """All groups with this display name: it need not be the only one."""
        return await self._groups(f"displayName eq {_literal(display_name)}", f"groups named {display_name}")

    async def _groups(self, filter: str, subject: str) -> list[dict[str, Any]]:
        query = {"$filter": filter, "$select": GROUP_FIELDS, "$top": "999"}
        return await self._line.rows("/v1.0/groups", subject=subject, query=query, link="@odata.nextLink")

    async def ensure_group(
        self, display_name: str, nickname: str, description: str = "", owners: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The security group with this mail nickname, made with these `owners` (object ids) when there is none. The
        nickname is its identity here: choose one that only this group of this plan can have, and a rerun finds what an
        earlier try made."""
        filter, subject = f"mailNickname eq {_literal(nickname)}", f"group {display_name}"
        present = await self._groups(filter, subject)
        if present:
            return present[0]
        try:
            return await self._create_group(display_name, nickname, description, owners)
        except OutcomeUnknown as error:
            unknown = error
        for _ in range(round(SHOWN_WITHIN_S / 15)):
            await self._clock.sleep(15)
            if made := await self._groups(filter, subject):
                return made[0]
        raise unknown

    async def _create_group(
        self, display_name: str, nickname: str, description: str, owners: Sequence[str]
    ) -> dict[str, Any]:
        """Owners go with the creation, as Graph's reference has it; that is not among the confirmed facts."""
        body = {
            "displayName": display_name,
            "mailNickname": nickname,
            "mailEnabled": False,
            "securityEnabled": True,
            **({"description": description} if description else {}),
            **({"owners@odata.bind": [self._reference(one) for one in owners]} if owners else {}),
        }
        return await self._post("/groups", body, f"group {display_name}")

    async def delete_group(self, group_id: str) -> None:
        """Absent is fine."""
        await self._gone("DELETE", f"/groups/{url_path(group_id)}", f"group {group_id}")

    # -- members

    def members(self, group_id: str) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of direct members, of any type."""
        path = f"/v1.0/groups/{url_path(group_id)}/members"
        query = {"$select": "id,displayName,userPrincipalName,accountEnabled", "$top": "999"}
        subject = f"members of group {group_id}"
        return self._line.pages(path, subject=subject, query=query, link="@odata.nextLink", units=3)

    def people_in(self, group_id: str) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of the users in a group, those of nested groups included."""
        path = f"/v1.0/groups/{url_path(group_id)}/transitiveMembers/microsoft.graph.user"
        query = {"$select": "id,userPrincipalName,accountEnabled", "$top": "999", "$count": "true"}
        subject = f"people in group {group_id}"
        return self._line.pages(path, subject=subject, query=query, link="@odata.nextLink", headers=_EVENTUAL, units=5)

    async def some_people_in(self, group_id: str, limit: int | None) -> dict[str, str] | None:
        """Object id -> UPN of the users in a group; None when there are more than `limit`: reading stops there."""
        found: dict[str, str] = {}
        async for page in self.people_in(group_id):
            found |= {str(row["id"]): str(row.get("userPrincipalName") or "") for row in page}
            if limit is not None and len(found) > limit:
                return None
        return found

    async def owners_of(self, group_id: str) -> list[str]:
        """UPNs of a group's owners, or their names where they have none."""
        path, subject = f"/v1.0/groups/{url_path(group_id)}/owners", f"owners of group {group_id}"
        query = {"$select": "id,displayName,userPrincipalName", "$top": "999"}
        rows = await self._line.rows(path, subject=subject, query=query, link="@odata.nextLink")
        return sorted(str(row.get("userPrincipalName") or row.get("displayName") or row["id"]) for row in rows)

    async def groups_for_roles(self) -> list[dict[str, Any]]:
        """All groups that a role can be granted to: those for mail only are left out by the directory."""
        return await self._groups("securityEnabled eq true", "the groups of the directory")

    async def people_ids(self, group_id: str) -> list[str]:
        """Object ids of the users in a group, sorted."""
        return sorted([str(row["id"]) async for page in self.people_in(group_id) for row in page])

    async def add_members(self, group_id: str, ids: Sequence[str]) -> None:
        """Add people to a group, twenty per call. Who is in already is fine: the call that fails for one is made again
        person by person."""
        for at in range(0, len(ids), BATCH):
            await self._add_some(group_id, list(ids[at : at + BATCH]))

    async def _add_some(self, group_id: str, ids: list[str]) -> None:
        references = [self._reference(one) for one in ids]
        path, subject = f"/groups/{url_path(group_id)}", f"members of group {group_id}"
        try:
            await self._known(lambda: self._send("PATCH", path, subject, {"members@odata.bind": references}))
        except Conflict:
            for one in ids:
                await self._add_one(group_id, one)

    async def _add_one(self, group_id: str, one: str) -> None:
        path, subject = f"/groups/{url_path(group_id)}/members/$ref", f"member {one} of group {group_id}"
        body = {"@odata.id": self._reference(one)}
        try:
            # Twice added is once added: the second try answers "already there".
            await self._known(lambda: self._send("POST", path, subject, body, repeatable=True))
        except Conflict:
            return

    async def remove_member(self, group_id: str, member_id: str) -> None:
        """Absent is fine."""
        path = f"/groups/{url_path(group_id)}/members/{url_path(member_id)}/$ref"
        await self._gone("DELETE", path, f"member {member_id} of group {group_id}")

    def _reference(self, object_id: str) -> str:
        return f"{self._line.origin}/v1.0/directoryObjects/{object_id}"

    async def _known(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with objects that may be too new to be known everywhere."""
        deadline = self._clock.now() + timedelta(seconds=REPLICATION_S)
        while True:
            try:
                return await work()
            except NotFound:
                if self._clock.now() >= deadline:
                    raise
            await self._clock.sleep(10)

    # -- applications and policies

    async def service_principal(self, app_id: str) -> dict[str, Any] | None:
        """The directory's instance of an application, or None."""
        query = {"$filter": f"appId eq {_literal(app_id)}", "$select": "id,appId,displayName,accountEnabled"}
        path, subject = "/v1.0/servicePrincipals", f"application {app_id}"
        rows = await self._line.rows(path, subject=subject, query=query, link="@odata.nextLink")
        return rows[0] if rows else None

    async def conditional_access_policies(self) -> list[dict[str, Any]] | None:
        """All policies; None when we may not read them, which is not the same as none."""
        path, subject = "/v1.0/identity/conditionalAccess/policies", "the Conditional Access policies"
        try:
            return await self._line.rows(path, subject=subject, link="@odata.nextLink")
        except Forbidden:
            return None

    async def me(self) -> dict[str, Any] | None:
        """The person signed in; None for an application."""
        try:
            return await self._get(f"/me?$select={USER_FIELDS}", "the person signed in")
        except (NotFound, Forbidden):
            return None
        except CloudError as error:
            if error.status == 400:
                return None
            raise

    # -- the wire

    async def _get(self, path: str, subject: str) -> dict[str, Any]:
        return (await self._line.send("GET", f"/v1.0{path}", subject=subject)).body or {}

    async def _post(
        self, path: str, body: Any, subject: str, *, reads: bool | None = None, units: int = 1
    ) -> dict[str, Any]:
        answer = await self._line.send(
            "POST",
            f"/v1.0{path}",
            subject=subject,
            body=body,
            reads=reads,
            units=units,
            verb="read" if reads else "create",
        )
        return answer.body or {}

    async def _send(
        self, method: str, path: str, subject: str, body: Any = None, *, repeatable: bool | None = None
    ) -> None:
        await self._line.send(method, f"/v1.0{path}", subject=subject, body=body, repeatable=repeatable)

    async def _gone(self, method: str, path: str, subject: str) -> None:
        try:
            await self._send(method, path, subject)
        except NotFound:
            return


def _literal(text: str) -> str:
    """A text in an OData filter."""
    return "'" + text.replace("'", "''") + "'"


def _inner(subject: str, one: dict[str, Any]) -> dict[str, Any] | CloudError:
    """One answer of a batch: its object, or its error."""
    told, body = str(one.get("status")), one.get("body")
    status = int(told) if told.isdecimal() else 0
    if 200 <= status < 300:
        return body if isinstance(body, dict) else {}
    call = Call(service="graph", subject=subject, method="GET")
    headers = {str(name): str(value) for name, value in (one.get("headers") or {}).items()}
    return mapping.answer_error(call, status or 500, headers, mapping.encoded(body))


def _unanswered(subject: str) -> CloudError:
    call = Call(service="graph", subject=subject, method="GET")
    return mapping.answer_error(call, 503, {}, b"The batch was answered without this request.")
