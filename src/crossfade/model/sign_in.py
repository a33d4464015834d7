"""Conditional Access policies, and which of them treat the two services differently. Pure.

Policies name applications by id, and the services have ids of their own: a policy that covers classic only leaves the
new service open, one that spares classic only stops people on Monday (facts/classic-service 2.2).
"""

from enum import StrEnum
from typing import Any

import msgspec

CLASSIC_APPS: dict[str, str] = {
    "5a0aa725-4958-4b0c-80a9-34562e23f3b7": "Windows Virtual Desktop",
    "fa4345a4-a730-4230-84a8-7d9651b86739": "Windows Virtual Desktop Client",
}
NEW_APPS: dict[str, str] = {
    "9cdead84-a844-4324-93f2-b2e6bb768d07": "Azure Virtual Desktop",
    "a85cf173-4192-42f8-81fa-777a763e6e2c": "Azure Virtual Desktop Client",
}
"""Server and client application of each service: application id -> name."""
CLASSIC_FEED = "https://rdweb.wvd.microsoft.com/api/feeddiscovery/webfeeddiscovery.aspx"
"""What clients subscribe to in classic (facts/classic-service 2.1)."""
UNREAD = "conditional-access:unread"
"""Id of the finding that policies could not be read."""
EVERYTHING = "all"


class SignInPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One policy, ids in lower case. `state`: enabled, enabledForReportingButNotEnforced or disabled. `whole` False: it
    came without its applications, so nobody knows what it covers."""

    id: str
    name: str
    state: str = "enabled"
    included: list[str] = []
    excluded: list[str] = []
    whole: bool = True

    def covers(self, app: str) -> bool:
        return (EVERYTHING in self.included or app in self.included) and app not in self.excluded


class Gap(StrEnum):
    """How a policy treats the services differently."""

    OPEN = "open"
    BARRED = "barred"
    UNKNOWN = "unknown"


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that somebody must look at. `apps`: ids of the new service that it leaves out, or covers anew."""

    policy: SignInPolicy
    gap: Gap
    apps: list[str] = []

    @property
    def finding(self) -> str:
        """Id of the finding by which it is accepted."""
        return f"conditional-access:{self.policy.id}"

    @property
    def what(self) -> str:
        named = " and ".join(f"{NEW_APPS[app]} ({app})" for app in self.apps)
        if self.gap is Gap.OPEN:
            return f"covers the classic service and not {named}."
        if self.gap is Gap.BARRED:
            return f"spares the classic service and covers {named}: people meet it for the first time."
        return "was read without its applications, so nobody knows whether it covers the new service."

    @property
    def mend(self) -> str:
        ids = ", ".join(self.apps)
        if self.gap is Gap.OPEN:
            return f"Add {ids} to its applications."
        if self.gap is Gap.BARRED:
            return f"Exclude {ids} too, or have people ready for what it asks."
        return "Look at it in the portal."


def policy_of(row: dict[str, Any]) -> SignInPolicy:
    """A policy as Graph answers it."""
    applications = (row.get("conditions") or {}).get("applications")
    given = applications if isinstance(applications, dict) else {}
    return SignInPolicy(
        id=str(row.get("id") or "").casefold(),
        name=str(row.get("displayName") or row.get("id") or ""),
        state=str(row.get("state") or "enabled"),
        included=sorted(str(app).casefold() for app in given.get("includeApplications") or []),
        excluded=sorted(str(app).casefold() for app in given.get("excludeApplications") or []),
        whole=isinstance(applications, dict),
    )


def hole_in(policy: SignInPolicy) -> Hole | None:
    """How a policy treats the services differently, or None. One that is disabled does nothing; one that only reports
    counts, since it is there to be switched on."""
    if policy.state.casefold() == "disabled":
        return None
    if not policy.whole:
        return Hole(policy=policy, gap=Gap.UNKNOWN)
    covered = [app for app in NEW_APPS if policy.covers(app)]
    if any(policy.covers(app) for app in CLASSIC_APPS):
        missing = [app for app in NEW_APPS if app not in covered]
        return Hole(policy=policy, gap=Gap.OPEN, apps=missing) if missing else None
    spared = any(app in policy.excluded for app in CLASSIC_APPS)
    return Hole(policy=policy, gap=Gap.BARRED, apps=covered) if spared and covered else None
