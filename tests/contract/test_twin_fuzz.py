"""Malformed, oversized and hostile calls on every route of every service: the service's own kind of error, never a 500,
and never the end of the twin.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from _furnished import SECRET, furnish
from _inprocess import START, SUBSCRIPTION, TENANT, Answer, Twin, add_machine, ask, make_world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from avdtwin import arm, classic, control, entra, estate, graph, logs, tokens, windows
from avdtwin.clock import ManualClock
from avdtwin.state import ClassicRoleAssignment
from avdtwin.world import World

ADMIN = "aaaaaaaa-0000-4000-a000-000000000001"
AUDIENCES = {
    "arm": "https://management.azure.com",
    "graph": "https://graph.microsoft.com",
    "classic": "https://mrs-prod.ame.gbl/mrs-RDInfra-prod",
    "logs": "https://api.loganalytics.io",
}
BASE = "/RdsManagement/V1"


def routes() -> list[tuple[str, str, str]]:
    """(service, method, template) of every route of the twin."""
    found = [("arm", each) for each in arm._router().templates()]
    found += [("classic", _below(each)) for each in classic.ROUTER.templates()]
    found += [("classic", each) for each in classic.OPEN.templates()]
    found += [("graph", each) for each in graph._ROUTER.templates()]
    found += [("logs", each) for each in logs._ROUTER.templates()]
    found += [("entra", each) for each in entra._ROUTER.templates()]
    found += [("control", each) for each in control._ROUTER.templates()]
    return [(service, *each.split(" ", 1)) for service, each in found]  # type: ignore[misc]


def _below(route: str) -> str:
    method, template = route.split(" ", 1)
    return f"{method} {BASE}{template}"


ROUTES = routes()
UNSAFE = {"/_twin/restore"}
"""Takes a whole world: told apart below."""


def make() -> Twin:
    """A world with something of everything in it."""
    world = estate.build("tiny", 1, ManualClock(START), people=False)
    world.state.settings |= {"latency_s": (0.0, 0.0), "limits_enforced": False, "rights_enforced": False}
    world.state.settings["access_token_s"] = 10**8
    furnish(world) if SUBSCRIPTION in world.state.arm.subscriptions else None
    group = next(iter(world.state.classic.groups.values()))
    world.state.classic.role_assignments["fuzz"] = ClassicRoleAssignment(
        id="fuzz", scope=f"/{group.name}", role="RDS Owner", object_id=ADMIN, object_type="User"
    )
    return Twin(world)


@pytest.fixture(scope="module")
def fuzzed() -> Twin:
    return make()


def names_of(world: World) -> dict[str, list[str]]:
    """What a parameter may be called, by the wording of the template, so that calls get behind the first door."""
    subscription = next(iter(world.state.arm.subscriptions))
    group = next(iter(world.state.classic.groups.values()))
    tenant = next(iter(group.tenants.values()))
    pool = next(iter(tenant.pools.values()))
    machine = next(iter(world.state.machines.values()))
    parts = machine.resource_id.split("/")
    user = next(iter(world.state.directory.users.values()))
    return {
        "subscription": [subscription],
        "group": [parts[4], next(iter(pool.groups.values())).name],
        "vm": [parts[8]],
        "scope": [f"subscriptions/{subscription}", f"subscriptions/{subscription}/resourceGroups/{parts[4]}"],
        "tenant_group": [group.name],
        "tenant": [tenant.name, TENANT, world.state.directory.tenant_id],
        "pool": [pool.name],
        "host": [next(iter(pool.hosts.values())).name if pool.hosts else machine.fqdn],
        "user": [user.upn, user.id],
        "part": ["machines", "arm.resources", "now"],
    }


ODD_TEXT = st.one_of(
    st.sampled_from(
        [
            "..",
            ".",
            "%2e%2e",
            "%00",
            "%2F",
            "'",
            '"',
            "a b",
            "é",
            "🙂",
            "-1",
            "0",
            "null",
            "*",
            "%",
            "%zz",
            "$",
            "x" * 300,
        ]
    ),
    st.text(max_size=12),
)
LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20), st.just(2**70)
)
KNOWN = [
    "properties",
    "location",
    "tags",
    "name",
    "id",
    "value",
    "requests",
    "members@odata.bind",
    "commandId",
    "script",
    "parameters",
    "source",
    "hostPoolType",
    "loadBalancerType",
    "registrationInfo",
    "schedules",
    "seed",
    "kind",
    "applicationGroupReferences",
    "roleDefinitionId",
    "principalId",
    "ExpirationUtc",
    "displayName",
    "seconds",
    "query",
    "options",
]
JSON = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
BODIES = st.one_of(
    st.just(b""),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(KNOWN), JSON, max_size=5).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"[" * 5000,
            b'{"a":' * 3000,
            b"\xff\xfe{}",
            b"nan",
            b'{"properties": NaN}',
            b'{"a":1}{',
            b'"\\ud800"',
            b'{"properties": {"friendlyName": "\\ud800"}}',
            b"grant_type=client_credentials&client_id=%ff&scope=%00",
        ]
    ),
)
QUERY_NAMES = [
    "api-version",
    "$filter",
    "$top",
    "$skiptoken",
    "$select",
    "$expand",
    "pageSize",
    "initialSkip",
    "force",
    "key",
    "isDescending",
    "PageSize",
    "LastEntry",
    "SortField",
    "IsDescending",
    "InitialSkip",
    "monitor",
    "since",
    "limit",
    "statusOnly",
    "$count",
    "$search",
    "$orderby",
]
QUERIES = st.dictionaries(
    st.sampled_from(QUERY_NAMES), ODD_TEXT | st.sampled_from(["2024-04-03", "true", "5"]), max_size=4
)


def send(
    twin: Twin, service: str, method: str, path: str, query: dict[str, str], body: bytes, **headers: str
) -> Answer:
    if service in AUDIENCES:
        token = tokens.issue_access(
            twin.world, object_id=ADMIN, app_id=None, upn="fuzz@contoso.example", audience=AUDIENCES[service]
        )
        headers = {"authorization": f"Bearer {token}", **headers}
    text = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in query.items())
    return asyncio.run(ask(twin.app, method, f"{path}?{text}" if text else path, headers, body))


def fits_envelope(service: str, answer: Answer, method: str) -> bool:
    """Whether an error looks as the service's errors do."""
    if answer.status < 400 or method == "HEAD":
        return True
    if answer.status in (404, 405, 413) and service == "entra" and not answer.content:
        return True
    if service == "classic" and answer.status == 429:
        return True
    if answer.content.startswith(b"<!doctype html>"):
        return service == "entra"  # the page on which a person enters a device code
    error = answer.json()["error"]
    if service in ("entra", "control"):
        return isinstance(error, str)
    return bool(error["code"]) and bool(error["message"])


@pytest.mark.parametrize(("service", "method", "template"), ROUTES, ids=[" ".join(each[1:]) for each in ROUTES])
def test_no_call_is_answered_with_500(fuzzed: Twin, service: str, method: str, template: str) -> None:
    known = names_of(fuzzed.world)
    places = re.findall(r"\{(\w+)\*?\}", template)

    @settings(
        max_examples=int(os.environ.get("CROSSFADE_FUZZ", "5")),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def storm(data: st.DataObject) -> None:
        path = template
        for place in places:
            real = known.get(place, ["x"])
            one = data.draw(st.sampled_from(real) | ODD_TEXT if data.draw(st.booleans()) else st.sampled_from(real))
            kept = "/" if place == "scope" else ""
            path = re.sub(
                r"\{" + place + r"\*?\}",
                lambda _, one=one, kept=kept: quote(one, safe=kept + "%", errors="replace"),
                path,
                count=1,
            )  # type: ignore[misc]
        query, body = data.draw(QUERIES), data.draw(BODIES)
        if service == "arm" and data.draw(st.integers(0, 4)):
            query["api-version"] = "2024-04-03"
        if template in UNSAFE and body.startswith(b"{"):
            return
        answer = send(fuzzed, service, method, path or "/", query, body)
        if template != "/api/health" and not (service == "classic" and answer.status == 501):
            assert answer.status < 500, (method, path, query, body[:200])
        assert fits_envelope(_service_of(service, path), answer, method), (method, path, query, answer.content[:300])
        fuzzed.world.state.faults.clear()
        fuzzed.world.state.classic.alive = True
        fuzzed.world.state.settings |= {"latency_s": (0.0, 0.0), "limits_enforced": False, "rights_enforced": False}

    storm()


def test_half_a_character_is_refused(fuzzed: Twin) -> None:
    body = b'{"location": "westeurope", "tags": {"a": "\\ud800"}}'
    path = f"/subscriptions/{next(iter(fuzzed.world.state.arm.subscriptions))}/resourcegroups/half"
    assert send(fuzzed, "arm", "PUT", path, {"api-version": "2022-09-01"}, body).status == 400
    whole = body.replace(b"ud800", b"ud83d\\ude42")
    assert send(fuzzed, "arm", "PUT", path, {"api-version": "2022-09-01"}, whole).json()["tags"] == {"a": "🙂"}


def _service_of(service: str, path: str) -> str:
    """An odd parameter may send a call to another service: then that one's errors count."""
    from avdtwin.services import service_for

    return service_for(path).name


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/%00",
        "/..",
        "/../../etc/passwd",
        "/subscriptions/../../_twin",
        "/%2e%2e/%2e%2e",
        "/\xff",
        "/v1.0",
        "/v1.0/%",
        "/v1",
        "/v1/workspaces/%00/query",
        "/_twin/../subscriptions",
        "/RdsManagement",
        "/RdsManagement/V1/",
        "/RdsManagement/V9/Tenants",
        "/a" * 3000,
        "/?",
        "/api",
        f"/{TENANT}/oauth2",
        f"/{TENANT}/oauth2/v2.0/nothing",
        "/metadata/endpoints/x",
        "/tenants/x/y",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "BREW"])
def test_paths_that_lead_nowhere(fuzzed: Twin, method: str, path: str) -> None:
    from avdtwin.services import service_for

    service = service_for(path).name
    answer = send(fuzzed, service, method, path, {"api-version": "2024-04-03"}, b"{}")
    assert 200 <= answer.status < 500
    assert fits_envelope(service, answer, method)


@pytest.mark.parametrize("service", ["arm", "classic", "graph", "entra", "logs"])
def test_50_mb(fuzzed: Twin, service: str) -> None:
    path = {
        "arm": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg",
        "classic": f"{BASE}/Tenants/contoso",
        "graph": "/v1.0/groups",
        "entra": f"/{TENANT}/oauth2/v2.0/token",
        "logs": "/v1/$batch",
    }[service]
    answer = send(fuzzed, service, "POST", path, {}, b"x" * 50_000_000)
    assert answer.status == 413
    assert service == "entra" or answer.json()["error"]["code"]


def test_versions_that_are_missing_or_unknown(fuzzed: Twin) -> None:
    path = f"/subscriptions/{next(iter(fuzzed.world.state.arm.subscriptions))}/resourceGroups/x/providers/"
    path += "Microsoft.DesktopVirtualization/hostPools/y"
    missing = send(fuzzed, "arm", "GET", path, {}, b"")
    assert (missing.status, missing.json()["error"]["code"]) == (400, "MissingApiVersionParameter")
    unknown = send(fuzzed, "arm", "GET", path, {"api-version": "1999-01-01"}, b"")
    assert (unknown.status, unknown.json()["error"]["code"]) == (400, "NoRegisteredProviderFound")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer " + "a." * 50_000, "Bearer é.ü.ß", "\x00"]
)
@pytest.mark.parametrize("service", ["arm", "graph", "classic", "logs"])
def test_odd_tokens(fuzzed: Twin, service: str, header: str) -> None:
    known = {"arm": "/subscriptions", "graph": "/v1.0/users", "classic": f"{BASE}/Tenants", "logs": "/v1/x/query"}
    answer = send(fuzzed, service, "GET", known[service], {"api-version": "2022-12-01"}, b"", authorization=header)
    assert answer.status == (403 if service == "logs" and header else 401)
    assert answer.json()["error"]["code"]


def test_the_twin_lives_on(fuzzed: Twin) -> None:
    copy = World.restore(fuzzed.world.snapshot(), ManualClock(fuzzed.world.now))
    assert len(copy.state.machines) == len(fuzzed.world.state.machines)
    copy.settle_until(copy.now + 86_400)
    assert SECRET
    assert add_machine(make_world(), "x")
    assert windows
