"""Who may do what in Azure: role assignments, role definitions, permissions, quotas."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from crossfade.clock import Clock
from crossfade.cloud.calls import Call
from crossfade.cloud.pipeline import Line
from crossfade.cloud.sdk import Sdk, encoded, listed, sent
from crossfade.errors import CloudError, Conflict, NotFound
from crossfade.model.ids import last_name, same, segments

AUTHORIZATION = "providers/Microsoft.Authorization"
REPLICATION_S = 600.0
"""For how long a principal made moments ago may be unknown to the authorization service (facts/arm-service 5.3)."""


class Access:
    """Scopes are resource ids, with or without a leading slash. Raises CloudError."""

    def __init__(self, sdk: Sdk, line: Line, clock: Clock) -> None:
        self._sdk = sdk
        self._line = line
        self._clock = clock

    async def grant(
        self,
        scope: str,
        name: str,
        *,
        role: str,
        principal_id: str,
        principal_type: str,
        wait_s: float = REPLICATION_S,
        extra: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Assign a role (its GUID) to a principal under `name` (a GUID that a rerun repeats). Returns the assignment:
        the one that is there already under another name, if so. Waits up to `wait_s` for a principal not known yet.
        `principal_type` is always sent: the SDK would say User for a group (facts/arm-service 5.3).
        """
        properties = {
            "roleDefinitionId": f"/{_subscription(scope)}{AUTHORIZATION}/roleDefinitions/{role}",
            "principalId": principal_id,
            "principalType": principal_type,
            **(extra or {}),
        }
        deadline = self._clock.now() + timedelta(seconds=wait_s)
        while True:
            try:
                return await self._put(scope, name, properties)
            except Conflict as error:
                if error.service_code != "RoleAssignmentExists":
                    raise
                conflict = error
            except CloudError as error:
                if error.service_code != "PrincipalNotFound" or self._clock.now() >= deadline:
                    raise
                await self._clock.sleep(10)
                continue
            return await self._existing(scope, role, principal_id, conflict)

    async def _put(self, scope: str, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        operation = self._assignments(scope).create
        call = Call(service="arm", subject=f"a role assignment on {last_name(scope)}", method="PUT")
        body = encoded({"properties": properties})
        return dict(await sent(call, operation, scope.strip("/"), name, parameters=body))

    async def _existing(self, scope: str, role: str, principal_id: str, conflict: Conflict) -> dict[str, Any]:
        for row in await self.grants(scope, f"principalId eq '{principal_id}'"):
            properties = row.get("properties") or {}
            here = same(str(properties.get("scope", "")).strip("/"), scope.strip("/"))
            if here and same(last_name(str(properties.get("roleDefinitionId", ""))), role):
                return row
        raise conflict

    async def find_grant(self, grant_id: str) -> dict[str, Any] | None:
        """A role assignment by its id, or None."""
        call = Call(service="arm", subject=f"role assignment {last_name(grant_id)}", method="GET")
        try:
            return dict(await sent(call, self._assignments(grant_id).get_by_id, grant_id.strip("/")))
        except NotFound:
            return None

    async def revoke(self, grant_id: str) -> None:
        """Delete a role assignment. Absent is fine."""
        call = Call(service="arm", subject=f"role assignment {last_name(grant_id)}", method="DELETE")
        try:
            await sent(call, self._assignments(grant_id).delete_by_id, grant_id.strip("/"))
        except NotFound:
            return

    async def grants(self, scope: str, filter: str | None = None) -> list[dict[str, Any]]:
        """Role assignments at, above and (for a subscription or group) below a scope. `filter`: `atScope()`,
        `principalId eq '…'`, `assignedTo('…')`."""
        operation = self._assignments(scope).list_for_scope
        call = Call(service="arm", subject=f"the role assignments of {scope}", method="GET")
        pages = listed(call, operation, scope.strip("/"), **({"filter": filter} if filter else {}))
        return [row async for page in pages for row in page]

    async def role_definitions(self, scope: str, filter: str | None = None) -> list[dict[str, Any]]:
        operation = self._sdk.authorization(_subscription_of(scope)).role_definitions.list
        call = Call(service="arm", subject=f"the role definitions of {scope}", method="GET")
        pages = listed(call, operation, scope.strip("/"), **({"filter": filter} if filter else {}))
        return [row async for page in pages for row in page]

    async def permissions(self, scope: str) -> list[dict[str, Any]]:
        """What the caller may do at a scope: `{actions, notActions, dataActions, notDataActions}` each. The SDK has no
        such call for a subscription, and makes a double slash for a resource (facts/arm-service 5.4)."""
        path = f"/{scope.strip('/')}/{AUTHORIZATION}/permissions"
        return await self._line.rows(path, subject=f"permissions at {scope}", query={"api-version": "2022-04-01"})

    async def quota(self, subscription: str) -> dict[str, Any]:
        """`roleAssignmentsLimit`, `…CurrentCount`, `…RemainingCount` of a subscription."""
        path = f"/subscriptions/{subscription}/{AUTHORIZATION}/roleAssignmentsUsageMetrics"
        query = {"api-version": "2019-08-01-preview"}
        return (await self._line.send("GET", path, subject="the role assignment quota", query=query)).body or {}

    def _assignments(self, scope: str) -> Any:
        return self._sdk.authorization(_subscription_of(scope)).role_assignments


def _subscription_of(scope: str) -> str:
    """The subscription of a scope; for a scope above subscriptions any will do."""
    return segments(scope).get("subscriptions", "00000000-0000-0000-0000-000000000000")


def _subscription(scope: str) -> str:
    found = segments(scope).get("subscriptions")
    return f"subscriptions/{found}/" if found else ""
