"""The Azure clouds: where each service answers, and the audience its tokens are for."""

from urllib.parse import quote

import msgspec

from crossfade.errors import InputError, Problem

CLASSIC_AUDIENCE = "https://mrs-prod.ame.gbl/mrs-RDInfra-prod"
"""Resource of the classic service in every client that was found (facts/classic-service 2.2)."""


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """Origins have no trailing slash. `classic` is None where no address of the classic service is known."""

    name: str
    arm: str
    authority: str
    graph: str
    classic: str | None
    portal: str
    logs: str
    """Queries of Log Analytics; its audience is its address."""
    arm_audience: str
    graph_audience: str
    classic_audience: str = CLASSIC_AUDIENCE
    known_authority: bool = True
    """Whether the sign-in library may ask the public directory about the authority (instance discovery)."""

    @property
    def arm_scope(self) -> str:
        return f"{self.arm_audience}/.default"

    @property
    def graph_scope(self) -> str:
        return f"{self.graph_audience}/.default"

    @property
    def logs_scope(self) -> str:
        return f"{self.logs}/.default"

    @property
    def classic_scope(self) -> str:
        return f"{self.classic_audience}/.default"

    def classic_origin(self) -> str:
        """Where the classic service answers. Raises InputError where nobody knows."""
        if self.classic is None:
            mend = "Give its address with the setting `classic_endpoint`."
            raise InputError("No classic service is known.", [Problem(f"cloud {self.name}", "has no address.", mend)])
        return self.classic

    def portal_link(self, tenant_id: str, resource_id: str) -> str:
        """The page of a resource in this cloud's portal."""
        return f"{self.portal}/#@{quote(tenant_id, safe='')}/resource{quote(resource_id)}"


PUBLIC = Cloud(
    name="public",
    arm="https://management.azure.com",
    authority="https://login.microsoftonline.com",
    graph="https://graph.microsoft.com",
    classic="https://rdbroker.wvd.microsoft.com",
    portal="https://portal.azure.com",
    logs="https://api.loganalytics.io",
    arm_audience="https://management.azure.com",
    graph_audience="https://graph.microsoft.com",
)
US_GOVERNMENT = Cloud(
    name="usgovernment",
    arm="https://management.usgovcloudapi.net",
    authority="https://login.microsoftonline.us",
    graph="https://graph.microsoft.us",
    classic=None,
    portal="https://portal.azure.us",
    logs="https://api.loganalytics.us",
    arm_audience="https://management.usgovcloudapi.net",
    graph_audience="https://graph.microsoft.us",
)
CHINA = Cloud(
    name="china",
    arm="https://management.chinacloudapi.cn",
    authority="https://login.chinacloudapi.cn",
    graph="https://microsoftgraph.chinacloudapi.cn",
    classic=None,
    portal="https://portal.azure.cn",
    logs="https://api.loganalytics.azure.cn",
    arm_audience="https://management.chinacloudapi.cn",
    graph_audience="https://microsoftgraph.chinacloudapi.cn",
)
KNOWN = {cloud.name: cloud for cloud in (PUBLIC, US_GOVERNMENT, CHINA)}


def named(name: str) -> Cloud:
    """The cloud of that name, in any casing. Raises InputError."""
    cloud = KNOWN.get(name.casefold())
    if cloud is None:
        mend = f"Use one of {', '.join(sorted(KNOWN))}, or give the endpoints."
        raise InputError("The cloud is not known.", [Problem("cloud", f"is {name!r}.", mend)])
    return cloud


def custom(origin: str, *, authority: str | None = None, graph: str | None = None, classic: str | None = None) -> Cloud:
    """A cloud at addresses of one's own, the twin among them: everything at `origin` unless said otherwise.

    Tokens for ARM, Graph and logs are asked for their own address. Raises InputError for an origin that is not https:
    neither the SDKs nor the sign-in library send a token over plain http (facts/dependencies 2).
    """
    places = {"origin": origin, "authority": authority, "graph": graph, "classic": classic}
    problems = [
        Problem(name, f"is {place!r}, which is not https.", "Use an https address.")
        for name, place in places.items()
        if place is not None and not place.startswith("https://")
    ]
    if problems:
        raise InputError("The endpoints cannot be used.", problems)
    arm, at_graph = origin.rstrip("/"), (graph or origin).rstrip("/")
    return Cloud(
        name="custom",
        arm=arm,
        authority=(authority or origin).rstrip("/"),
        graph=at_graph,
        classic=(classic or origin).rstrip("/"),
        portal=PUBLIC.portal,
        logs=arm,
        arm_audience=arm,
        graph_audience=at_graph,
        known_authority=False,
    )
