"""Azure Resource Manager: the desktop objects, their registration tokens, resource groups and providers.

Everything is addressed by resource id; bodies are dicts in the wire's own spelling, in and out. What exists as one
thing with several writers (a workspace list, a pool token) is changed under a lock per object, since the service has
no ETag that would notice a second writer (facts/arm-service 1.7, 2.7).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from crossfade.clock import Clock, parse_iso
from crossfade.cloud.access import Access
from crossfade.cloud.calls import Call
from crossfade.cloud.diagnostics import Diagnostics
from crossfade.cloud.heard import listening
from crossfade.cloud.machines import Machines
from crossfade.cloud.mapping import unusable_error
from crossfade.cloud.pipeline import Answer, Line
from crossfade.cloud.resource_graph import ResourceGraph
from crossfade.cloud.sdk import Sdk, awaited, encoded, listed, sent
from crossfade.cloud.token import RegistrationToken
from crossfade.errors import Conflict, NotFound, OutcomeUnknown, Refused, Rejected
from crossfade.model.ids import fold, last_name, segments

PROVIDER = "microsoft.desktopvirtualization"
TOKEN_AT_LEAST_S = 2 * 3600.0
TOKEN_LIFE_S = 24 * 3600.0
SETTLE_S = 120.0
"""For how long a just emptied pool may still count as in use (facts/arm-service 1.16)."""


class Kind(msgspec.Struct, frozen=True):
    """A type of the desktop provider: the SDK's group of operations, its name for a body, what a call is told."""

    group: str
    body: str
    words: str
    forced: bool = False
    """Whether a delete takes `force`."""
    puts: bool = True
    create: str = "create_or_update"
    """What the SDK calls a PUT."""


KINDS: dict[str, Kind] = {
    "hostpools": Kind("host_pools", "host_pool", "host pool", forced=True),
    "applicationgroups": Kind("application_groups", "application_group", "application group"),
    "applicationgroups/applications": Kind("applications", "application", "application"),
    "applicationgroups/desktops": Kind("desktops", "desktop", "desktop", puts=False),
    "workspaces": Kind("workspaces", "workspace", "workspace"),
    "scalingplans": Kind("scaling_plans", "scaling_plan", "scaling plan", create="create"),
    "hostpools/sessionhosts": Kind("session_hosts", "session_host", "session host", forced=True, puts=False),
    "hostpools/sessionhosts/usersessions": Kind("user_sessions", "", "user session", forced=True, puts=False),
}
_TOP = ("hostpools", "applicationgroups", "workspaces", "scalingplans")
_BY_SUBSCRIPTION = {"hostpools": "list"}


class Place(msgspec.Struct, frozen=True):
    """A desktop resource id taken apart. `kind` is lower-case; `names` begin with the resource group's."""

    id: str
    subscription: str
    kind: str
    names: tuple[str, ...]

    @property
    def subject(self) -> str:
        return f"{KINDS[self.kind].words} {'/'.join(self.names[1:])}"


class Arm:
    """`access`: role assignments and rights. `machines`: virtual machines. `diagnostics`: settings that send logs.
    `resource_graph`: queries over many subscriptions. Raises CloudError."""

    def __init__(self, sdk: Sdk, line: Line, clock: Clock) -> None:
        self._sdk = sdk
        self._line = line
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}
        self.access = Access(sdk, line, clock)
        self.machines = Machines(sdk, clock)
        self.diagnostics = Diagnostics(line)
        self.resource_graph = ResourceGraph(line)

    # -- desktop objects

    async def get(self, resource_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        return await self._one("GET", "get", resource_id)

    async def find(self, resource_id: str) -> dict[str, Any] | None:
        """Like `get`; None for what is absent."""
        try:
            return await self.get(resource_id)
        except NotFound:
            return None

    async def put(self, resource_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create or replace. The answer of a host pool may hold its registration token: it is left out."""
        place = place_of(resource_id)
        kind = KINDS[place.kind]
        assert kind.puts, f"nobody can create a {kind.words}"
        return await self._one("PUT", kind.create, resource_id, body=body)

    async def patch(self, resource_id: str, body: Mapping[str, Any], *, force: bool | None = None) -> dict[str, Any]:
        """Change what `body` holds. `force` is for session hosts whose person is changed."""
        options = {} if force is None else {"force": force}
        return await self._one("PATCH", "update", resource_id, body=body, **options)

    async def delete(self, resource_id: str, *, force: bool | None = None) -> None:
        """Absent is fine. A host pool that still counts as in use moments after its last group went is tried again."""
        kind = KINDS[place_of(resource_id).kind]
        options = {"force": force} if kind.forced and force is not None else {}
        deadline = self._clock.now() + timedelta(seconds=SETTLE_S)
        while True:
            try:
                await self._one("DELETE", "delete", resource_id, **options)
                return
            except NotFound:
                return
            except Conflict as error:
                if "still has ApplicationGroups" not in error.why or self._clock.now() >= deadline:
                    raise
            await self._clock.sleep(10)

    async def _one(
        self, method: str, verb: str, resource_id: str, *, body: Any = None, once: bool = False, **options: Any
    ) -> dict[str, Any]:
        place = place_of(resource_id)
        kind = KINDS[place.kind]
        if body is not None:
            options[kind.body] = encoded(body)
        operation = getattr(getattr(self._sdk.desktop(place.subscription), kind.group), verb)
        call = Call(service="arm", subject=place.subject, method=method, once=once)
        answer = dict(await sent(call, operation, *place.names, **options))
        if method == "GET" and not answer:
            raise unusable_error(call, "It holds no object.")
        return without_token(answer)

    async def pages(
        self, kind: str, parent: str, *, options: Mapping[str, Any] | None = None
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """The objects of a kind, a page at a time. `parent` is a subscription, a resource group or the parent object:
        `pages("hostPools", "/subscriptions/s")`, `pages("hostPools/sessionHosts", pool_id)`."""
        lowered = kind.casefold()
        operation, names = self._lister(lowered, parent)
        call = Call(service="arm", subject=f"the {KINDS[lowered].words}s of {parent}", method="GET")
        async for page in listed(call, operation, *names, **(options or {})):
            yield page

    async def rows(self, kind: str, parent: str, *, options: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """All objects of `pages`."""
        return [row async for page in self.pages(kind, parent, options=options) for row in page]

    def _lister(self, kind: str, parent: str) -> tuple[Callable[..., Any], tuple[str, ...]]:
        parts = segments(parent)
        group = getattr(self._sdk.desktop(parts["subscriptions"]), KINDS[kind].group)
        if kind not in _TOP:
            if kind.endswith("usersessions") and place_of(parent).kind == "hostpools":
                return group.list_by_host_pool, place_of(parent).names
            return group.list, place_of(parent).names
        if "resourcegroups" in parts:
            return group.list_by_resource_group, (parts["resourcegroups"],)
        return (group.list if kind in _BY_SUBSCRIPTION else group.list_by_subscription), ()

    # -- workspaces

    async def publish_in(self, workspace_id: str, group_ids: list[str]) -> list[str]:
        """Have a workspace show these application groups too. Returns its list; writes only what is new."""
        return await self._references(workspace_id, lambda kept: [*kept, *_missing(group_ids, kept)])

    async def withdraw_from(self, workspace_id: str, group_ids: list[str]) -> list[str]:
        """Have a workspace no longer show these application groups. Returns its list."""
        gone = {fold(group_id) for group_id in group_ids}
        return await self._references(workspace_id, lambda kept: [one for one in kept if fold(one) not in gone])

    async def _references(self, workspace_id: str, change: Callable[[list[str]], list[str]]) -> list[str]:
        """Read and write as one: a write that is to be sent again begins with another read. A list that waited out a
        busy service would overwrite what others have written meanwhile."""
        both = Call(service="arm", subject=place_of(workspace_id).subject, method="PATCH")
        async with self._lock(workspace_id):
            return await self._sdk.retries.run(both, lambda: self._changed(workspace_id, change))

    async def _changed(self, workspace_id: str, change: Callable[[list[str]], list[str]]) -> list[str]:
        properties = (await self._one("GET", "get", workspace_id, once=True)).get("properties") or {}
        kept = list(properties.get("applicationGroupReferences") or [])
        wanted = change(kept)
        if wanted != kept:
            body = {"properties": {"applicationGroupReferences": wanted}}
            await self._one("PATCH", "update", workspace_id, body=body, once=True)
        return wanted

    def _lock(self, resource_id: str) -> asyncio.Lock:
        return self._locks.setdefault(fold(resource_id), asyncio.Lock())

    # -- user sessions

    async def message(self, session_id: str, title: str, text: str) -> None:
        body = encoded({"messageTitle": title, "messageBody": text})
        await self._act("message", session_id, "send_message", send_message=body)

    async def disconnect(self, session_id: str) -> None:
        await self._act("disconnect", session_id, "disconnect")

    async def _act(self, verb: str, session_id: str, action: str, **options: Any) -> None:
        place = place_of(session_id)
        operation = getattr(self._sdk.desktop(place.subscription).user_sessions, action)
        call = Call(service="arm", subject=place.subject, method="POST", verb=verb)
        await sent(call, operation, *place.names, **options)

    # -- registration tokens

    async def registration_token(
        self,
        pool_id: str,
        *,
        at_least_s: float = TOKEN_AT_LEAST_S,
        life_s: float = TOKEN_LIFE_S,
        making: Callable[[], None] = lambda: None,
    ) -> RegistrationToken:
        """A token that holds for `at_least_s` more: the pool's own, or (`ours`) a new one that lives `life_s` (1 hour
        to 27 days). One asker per pool at a time. `making` is told right before one is made."""
        async with self._lock(f"{pool_id}#token"):
            present = await self._present_token(pool_id, at_least_s)
            if present:
                return present
            making()
            try:
                return await self._new_token(pool_id, life_s)
            except OutcomeUnknown as error:
                unknown = error
            made = await self._present_token(pool_id, at_least_s)
            if made is None:
                raise unknown
            made.ours = True
            return made

    async def _present_token(self, pool_id: str, at_least_s: float) -> RegistrationToken | None:
        place = place_of(pool_id)
        operation = self._sdk.desktop(place.subscription).host_pools.list_registration_tokens
        call = Call(
            service="arm", subject=f"the registration token of {place.subject}", method="POST", reads=True, verb="read"
        )
        answer = await sent(call, operation, *place.names)
        tokens = [_token(entry) for entry in answer.get("value") or []]
        until = self._clock.now() + timedelta(seconds=at_least_s)
        return next((token for token in tokens if token and token.expires_at >= until), None)

    async def _new_token(self, pool_id: str, life_s: float) -> RegistrationToken:
        expires_at = self._clock.now().astimezone(UTC) + timedelta(seconds=life_s)
        wanted = expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        answer = await self._registration(pool_id, {"expirationTime": wanted, "registrationTokenOperation": "Update"})
        token = _token((answer.get("properties") or {}).get("registrationInfo") or {})
        if token is None:
            what = f"No registration token for {place_of(pool_id).subject}."
            raise Rejected(what, "The service's answer holds none.", "Try again.", service="arm")
        token.ours = True
        return token

    async def revoke_registration_token(self, pool_id: str) -> None:
        async with self._lock(f"{pool_id}#token"):
            await self._registration(pool_id, {"registrationTokenOperation": "Delete"})

    async def _registration(self, pool_id: str, change: Mapping[str, Any]) -> Any:
        place = place_of(pool_id)
        operation = self._sdk.desktop(place.subscription).host_pools.update
        subject = f"the registration token of {place.subject}"
        call = Call(
            service="arm", subject=subject, method="PATCH", repeatable=change["registrationTokenOperation"] == "Delete"
        )
        return await sent(
            call, operation, *place.names, host_pool=encoded({"properties": {"registrationInfo": change}})
        )

    # -- resource groups and providers

    async def group(self, group_id: str) -> dict[str, Any] | None:
        """A resource group, or None."""
        try:
            return await self._group(group_id, "GET", "get")
        except NotFound:
            return None

    async def put_group(self, group_id: str, location: str, tags: Mapping[str, str]) -> dict[str, Any]:
        body = encoded({"location": location, "tags": dict(tags)})
        return await self._group(group_id, "PUT", "create_or_update", parameters=body)

    async def _group(self, group_id: str, method: str, verb: str, **options: Any) -> dict[str, Any]:
        parts = segments(group_id)
        operation = getattr(self._sdk.resources(parts["subscriptions"]).resource_groups, verb)
        call = Call(service="arm", subject=f"resource group {parts['resourcegroups']}", method=method)
        return dict(await sent(call, operation, parts["resourcegroups"], **options))

    async def delete_empty_group(self, group_id: str, *, made_by: tuple[str, str]) -> None:
        """Delete a resource group that we made (`made_by`: tag and value) and that holds nothing: rollback's last step.
        Raises Refused otherwise, since deleting a group deletes what is in it."""
        found = await self.group(group_id)
        if found is None:
            return
        tag, value = made_by
        inside = await self.resources_in(group_id)
        if (found.get("tags") or {}).get(tag) != value or inside:
            why = f"It holds {len(inside)} resources." if inside else "It was not made by this run."
            raise Refused(f"Resource group {last_name(group_id)} stays.", why, "Delete it yourself if you mean it.")
        parts = segments(group_id)
        operation = self._sdk.resources(parts["subscriptions"]).resource_groups.begin_delete
        call = Call(service="arm", subject=f"resource group {parts['resourcegroups']}", method="DELETE")
        await awaited(call, self._sdk.lookout.watching(parts["subscriptions"]), operation, parts["resourcegroups"])

    async def groups(self, subscription: str) -> list[dict[str, Any]]:
        operation = self._sdk.resources(subscription).resource_groups.list
        call = Call(service="arm", subject=f"the resource groups of {subscription}", method="GET")
        return [row async for page in listed(call, operation) for row in page]

    async def resources_in(self, group_id: str) -> list[dict[str, Any]]:
        """Everything in a resource group, as ARM lists it."""
        parts = segments(group_id)
        operation = self._sdk.resources(parts["subscriptions"]).resources.list_by_resource_group
        call = Call(service="arm", subject=f"the contents of {last_name(group_id)}", method="GET")
        return [row async for page in listed(call, operation, parts["resourcegroups"]) for row in page]

    async def provider(self, subscription: str, namespace: str) -> dict[str, Any]:
        """A resource provider as this subscription has it; `registrationState` and its types' locations among that."""
        operation = self._sdk.resources(subscription).providers.get
        return dict(
            await sent(Call(service="arm", subject=f"provider {namespace}", method="GET"), operation, namespace)
        )

    async def register_provider(self, subscription: str, namespace: str) -> str:
        """Begin to register; returns the state. Poll `provider` until it is `Registered`."""
        operation = self._sdk.resources(subscription).providers.register
        call = Call(service="arm", subject=f"provider {namespace}", method="POST", repeatable=True, verb="register")
        return str((await sent(call, operation, namespace)).get("registrationState", ""))

    # -- what no SDK at hand offers

    async def time(self) -> datetime | None:
        """The time that the service says it is, to the second; None where it does not say."""
        with listening(lambda _: None) as heard:
            await self.subscriptions()
        return heard.answered_at

    async def subscriptions(self) -> list[dict[str, Any]]:
        return await self._line.rows("/subscriptions", subject="the subscriptions", query={"api-version": "2022-12-01"})

    async def locations(self, subscription: str) -> list[dict[str, Any]]:
        path = f"/subscriptions/{subscription}/locations"
        return await self._line.rows(path, subject="the locations", query={"api-version": "2022-12-01"})

    async def read(self, path: str, api_version: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """GET anything of ARM's: diagnostic settings, locks, policies, private endpoints."""
        asked = {"api-version": api_version, **(query or {})}
        return (await self._line.send("GET", path, query=asked)).body or {}

    async def read_rows(
        self, path: str, api_version: str, query: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """GET any list of ARM's, all its pages."""
        return await self._line.rows(path, query={"api-version": api_version, **(query or {})})

    async def write(self, path: str, api_version: str, body: Any, *, method: str = "PUT") -> dict[str, Any]:
        """PUT or PATCH anything of ARM's. There is no such DELETE."""
        assert method in ("PUT", "PATCH"), f"{method} is not offered"
        answer: Answer = await self._line.send(method, path, query={"api-version": api_version}, body=body)
        return answer.body or {}


def place_of(resource_id: str) -> Place:
    """A desktop resource id taken apart. Raises Rejected for the id of anything else."""
    parts = resource_id.strip("/").split("/")
    lowered = [part.casefold() for part in parts]
    tail = parts[6:]
    kind = "/".join(part.casefold() for part in tail[::2])
    right = lowered[:1] == ["subscriptions"] and lowered[4:6] == ["providers", PROVIDER] and len(tail) % 2 == 0
    if not right or kind not in KINDS:
        mend = "This is a fault in Crossfade; report it."
        raise Rejected("Not a desktop object.", f"{resource_id!r} is no id of one.", mend, service="arm")
    return Place(resource_id, parts[1], kind, (parts[3], *tail[1::2]))


def without_token(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the registration token that a host pool's writes show (facts/arm-service 2.4)."""
    properties = answer.get("properties")
    if not isinstance(properties, dict) or not properties.get("registrationInfo"):
        return answer
    return {**answer, "properties": {**properties, "registrationInfo": None}}


def _missing(wanted: list[str], kept: list[str]) -> list[str]:
    present = {fold(one) for one in kept}
    return [one for one in wanted if fold(one) not in present]


def _token(entry: Mapping[str, Any]) -> RegistrationToken | None:
    if not entry.get("token") or not entry.get("expirationTime"):
        return None
    return RegistrationToken(str(entry["token"]), parse_iso(str(entry["expirationTime"])))
