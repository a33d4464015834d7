"""Sign-in, headers, addresses, pages, errors, and the switches of what is not known (facts/classic-service 2)."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from classic_desk import BASE, NAMES, PEOPLE, TENANT_URL, Desk

from avdtwin.classic import errors
from avdtwin.settings import DEFAULTS
from avdtwin.state import AppGroup
from avdtwin.wire import Response, ServiceGone

POOLS = TENANT_URL + "/HostPools"
POOL = POOLS + "/Office%20Pool"
CORRELATION = "0b6f5f6d-2a11-4c57-9a55-3f2b6c1e0d4a"


# ---------------------------------------------------------------- sign-in


@pytest.mark.parametrize("url", [BASE, BASE + "/", "/RDManagement/V1/TenantGroups"])
def test_without_a_token_the_answer_says_where_to_get_one(desk: Desk, url: str) -> None:
    answer = desk.send("GET", url)
    assert (answer.status, answer.body["error"]["code"]) == (401, "AccessTokenIsNull")
    scheme, _, hint = answer.headers["WWW-Authenticate"].partition(" ")
    assert scheme == "MS-WARA-CLAIMS"
    parts = hint.removeprefix('hint="').removesuffix('"').split(";")
    assert len(parts) == 5, "the known parser insists on five"
    pairs = dict(part.split("=", 1) for part in parts if part)
    assert list(pairs) == ["Authority", "Client", "Redirect", "Resource"]
    assert pairs["Resource"] == "https://mrs-prod.ame.gbl/mrs-RDInfra-prod"
    assert pairs["Authority"] == "https://rdbroker.wvd.microsoft.com/common"


@pytest.mark.parametrize("audience", ["https://management.azure.com/", "https://rdbroker.wvd.microsoft.com"])
def test_a_token_for_somebody_else(desk: Desk, audience: str) -> None:
    headers = {"authorization": f"Bearer {desk.token('admin', audience)}"}
    answer = desk.send("GET", BASE + "/TenantGroups", None, headers)
    assert (answer.status, answer.body["error"]["code"]) == (401, "MSWaraIsIncorrect")


@pytest.mark.parametrize(
    "audience", ["HTTPS://MRS-Prod.ame.gbl/mrs-rdinfra-prod", "5a0aa725-4958-4b0c-80a9-34562e23f3b7"]
)
def test_the_audience_is_compared_without_case(desk: Desk, audience: str) -> None:
    headers = {"authorization": f"Bearer {desk.token('admin', audience)}"}
    assert desk.send("GET", BASE + "/TenantGroups", None, headers).status == 200


def test_bad_tokens(desk: Desk) -> None:
    old = desk.token("admin")
    desk.clock.advance(7200.0)
    for header in (f"Bearer {old}", "Bearer rubbish", "Basic YTpi", "Bearer"):
        answer = desk.send("GET", BASE + "/TenantGroups", None, {"authorization": header})
        assert (answer.status, "WWW-Authenticate" in answer.headers) == (401, True)


# ---------------------------------------------------------------- headers


def raw(desk: Desk, url: str, **headers: str) -> Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return desk.send("GET", BASE + url, None, {"authorization": f"Bearer {desk.token('admin')}", **sent})


def test_the_callers_correlation_id_comes_back(desk: Desk) -> None:
    answer = raw(desk, "/TenantGroups", x_ms_correlation_id=CORRELATION)
    assert answer.headers["x-ms-correlation-id"] == CORRELATION
    other = raw(desk, "/TenantGroups/none", x_ms_correlation_id="mine")
    assert (other.status, str(UUID(other.headers["x-ms-correlation-id"]))) == (
        404,
        other.headers["x-ms-correlation-id"],
    )


def test_versions_of_the_interface(desk: Desk) -> None:
    version = {"x_ms_wvd_client_api_version": "1.0.1534.2001"}
    assert "Deprecated-API" not in raw(desk, "/TenantGroups", **version).headers
    desk.set(classic_warning_version="1.0.1932.5500")
    answer = raw(desk, "/TenantGroups", **version)
    assert (answer.status, answer.headers["Deprecated-API"]) == (200, "true")
    assert answer.headers["MinimumWarningApiVersion"] == "1.0.1932.5500"
    desk.set(classic_minimum_version="1.0.1932.5500")
    answer = raw(desk, "/TenantGroups", **version)
    assert (answer.status, answer.body["error"]["code"]) == (400, "MinimumApiVersionNeeded")
    assert answer.headers["Obsolete-API"] == "true"


def test_too_many_calls(desk: Desk) -> None:
    desk.set(classic_rate_per_s=0.5, classic_burst=2)
    answers = [desk.call("GET", "/TenantGroups") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert isinstance(answers[2].body, str), "plain text"
    assert answers[2].headers["Retry-After"] == "2"
    assert desk.call("GET", TENANT_URL, who="bob").status == 403, "each caller has their own rate"
    desk.clock.advance(2.0)
    assert desk.call("GET", "/TenantGroups").status == 200


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "url",
    [
        BASE + POOL,
        BASE + POOL + "/",
        "/" + BASE + POOL,
        "//RdsManagement//V1/" + POOL,
        (BASE + POOL).upper().replace("%20", " "),
        "/RDManagement/v1" + POOL,
        BASE + "/Tenants/contoso/HostPools/office%20pool/",
        BASE + POOL + "?api-version=2020-01-01&unknown=1",
    ],
)
def test_one_pool_many_spellings(desk: Desk, url: str) -> None:
    desk.pool()
    answer = desk.send("GET", url, None, {"authorization": f"Bearer {desk.token('admin')}"})
    assert (answer.status, answer.body["hostPoolName"], answer.body["tenantName"]) == (200, "Office Pool", "contoso")


def test_what_is_outside(desk: Desk) -> None:
    assert desk.send("GET", "/api/health").status == 200
    assert "RDBrokerUrl" in desk.send("GET", "/api/Settings/v1/PublicUris").body
    assert desk.call("GET", "/Nonsense").status == 404
    assert desk.call("PUT", "/TenantGroups").status == 405
    assert desk.call("POST", POOL + "/SessionHosts/x").status == 405
    assert desk.call("GET", POOL + "/SessionHosts/x/Sessions").status == 404


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_bodies_that_are_none(desk: Desk, body: bytes) -> None:
    desk.pool()
    assert desk.code("PATCH", POOL, body) == (400, "UnknownError")


def test_names_in_bodies(desk: Desk) -> None:
    desk.pool()
    assert desk.call("PATCH", POOL, {"TENANTNAME": "Contoso", "hostPoolName": None}).status == 200
    assert desk.code("PATCH", POOL, {"tenantName": "fabrikam"}) == (400, "NameDoesNotMatchObject")
    desk.set(classic_names_required=True)
    assert desk.code("PATCH", POOL, NAMES) == (400, "NameDoesNotMatchObject")
    assert desk.call("PATCH", POOL, NAMES | {"hostPoolName": "Office Pool"}).status == 200


@pytest.mark.parametrize(
    "name, code",
    [
        ("x" * 65, "NameNotValidLength"),
        ("%20Pool", "NameNotValidWhiteSpace"),
        ("Pool%09", "NameNotValidWhiteSpace"),
        ("Pool%2FOne", "NameNotValidCharacters"),
        ("-Pool", "NameNotValidCharacters"),
        ("Pool*", "NameNotValidCharacters"),
    ],
)
def test_names_that_are_refused(desk: Desk, name: str, code: str) -> None:
    assert desk.code("POST", f"{POOLS}/{name}", {}) == (400, code)
    desk.set(classic_validation_status=500)
    assert desk.code("POST", f"{POOLS}/{name}", {}) == (500, code)


@pytest.mark.parametrize("name", ["Z%C3%BCrich_1.5-b", "x" * 64, "contoso.onmicrosoft.com", "3D"])
def test_names_that_are_taken(desk: Desk, name: str) -> None:
    assert desk.call("POST", f"{POOLS}/{name}", {}).status == 201


# ---------------------------------------------------------------- errors


def test_the_table_of_codes() -> None:
    assert len(errors.CODES) == len(set(errors.CODES.values())) == 190
    assert errors.CODES["SesionHostAlreadyAssignedToUser"] == 5024
    assert errors.CODES["LoadBalancerCannotBeChangedForPersonalDesktoptHostPool"] == 2029
    assert errors.CODES["LastOwnerCannotBeRemoved"] == 8016


def test_the_payload(desk: Desk) -> None:
    body = desk.call("GET", POOL).body
    assert body == {
        "error": {
            "code": "HostPoolNotFound",
            "message": "HostPoolNotFound: 'Office Pool'.",
            "target": None,
            "details": [],
            "innererror": None,
        }
    }
    desk.set(classic_error_code="number")
    assert desk.code("GET", POOL) == (404, "2000")


@pytest.mark.parametrize("setting", ["classic_duplicate_status", "classic_not_empty_status"])
def test_conflicts_may_be_400(desk: Desk, setting: str) -> None:
    desk.set(**{setting: 400})
    desk.pool()
    method, url = {"classic_duplicate_status": ("POST", POOL), "classic_not_empty_status": ("DELETE", POOL)}[setting]
    assert desk.call(method, url, {}).status == 400


# ---------------------------------------------------------------- pages


def fill(desk: Desk, count: int) -> str:
    """An app group with so many users; returns the URL of its list."""
    desk.pool()
    group = desk.tenant.pools["office pool"].groups["desktop application group"]
    group.users = {f"user{number:07d}@contoso.com": f"User{number:07d}@contoso.com" for number in range(count)}
    return POOL + "/AppGroups/Desktop%20Application%20Group/AssignedUsers"


def follow(desk: Desk, url: str) -> list[list[Any]]:
    """All pages, by their links."""
    pages = []
    while url:
        answer = desk.call("GET", url)
        pages.append(answer.body)
        link = re.fullmatch(r'<https://[^/]+/RdsManagement/V1(.*)>; rel="next"', answer.headers.get("Link", ""))
        url = link.group(1) if link else ""
    return pages


def upns(pages: list[list[Any]]) -> list[str]:
    return [row["userPrincipalName"] for page in pages for row in page]


def test_pages_by_link_hold_everything_once(desk: Desk) -> None:
    url = fill(desk, 25)
    pages = follow(desk, url + "?PageSize=10&LastEntry=&SortField=UserPrincipalName&IsDescending=False&InitialSkip=0")
    assert [len(page) for page in pages] == [10, 10, 5]
    assert upns(pages) == [f"User{number:07d}@contoso.com" for number in range(25)]
    backwards = follow(desk, url + "?pagesize=10&isdescending=True")
    assert upns(backwards) == upns(pages)[::-1]


def test_a_list_without_page_size_is_whole(desk: Desk) -> None:
    url = fill(desk, 1500)
    assert len(desk.get(url)) == 1500
    assert [len(page) for page in follow(desk, url + "?PageSize=5000")] == [1000, 500]
    desk.set(classic_page_unasked=1000)
    assert [len(page) for page in follow(desk, url)] == [1000, 500]


def test_pages_by_last_entry(desk: Desk) -> None:
    desk.set(classic_link_header=False)
    url = fill(desk, 5)
    found: list[str] = []
    while page := upns([desk.get(f"{url}?PageSize=2&LastEntry={found[-1] if found else ''}")]):
        found += page
    assert len(found) == len(set(found)) == 5
    assert upns([desk.get(url + "?LastEntry=USER0000002@contoso.com")]) == found[3:]
    assert upns([desk.get(url + "?InitialSkip=4")]) == found[4:]
    assert desk.get(url + "?InitialSkip=9") == []


def test_sessions_of_one_user_may_span_pages(desk: Desk) -> None:
    desk.pool()
    host = desk.host()
    for who in ("amy", "bob", "bob", "bob", "bob", "cal"):
        desk.session(host, who)
    for size in (1, 2, 3, 4):
        pages = follow(desk, f"{POOL}/Sessions?PageSize={size}")
        rows = [(row["userPrincipalName"][:3], row["sessionId"]) for page in pages for row in page]
        assert rows == [("amy", 2), ("bob", 3), ("bob", 4), ("bob", 5), ("bob", 6), ("cal", 7)]
        back = [
            row["sessionId"]
            for page in follow(desk, f"{POOL}/Sessions?PageSize={size}&IsDescending=true")
            for row in page
        ]
        assert back == [7, 6, 5, 4, 3, 2]


@pytest.mark.parametrize(
    "url, field, code",
    [
        ("/TenantGroups", "TenantGroupName", "TenantGroupIncorrectSortField"),
        ("/TenantGroups/Default%20Tenant%20Group/Tenants", "TenantName", "TenantIncorrectSortField"),
        (POOLS, "HostPoolName", "HostPoolIncorrectSortField"),
        (POOL + "/SessionHosts", "SessionHostName", "SessionHostIncorrectSortField"),
        (POOL + "/Sessions", "UserPrincipalName", "SessionHostIncorrectSortField"),
        (POOL + "/AppGroups", "AppGroupName", "ApplicationGroupIncorrectSortField"),
        (POOL + "/AppGroups/Apps/AssignedUsers", "UserPrincipalName", "AppGroupUserIncorrectSortField"),
        (POOL + "/AppGroups/Apps/RemoteApps", "RemoteAppName", "RemoteAppIncorrectSortField"),
        (POOL + "/AppGroups/Apps/StartMenuApps", "AppAlias", "StartMenuAppIncorrectSortField"),
    ],
)
def test_each_list_sorts_by_its_key_alone(desk: Desk, url: str, field: str, code: str) -> None:
    desk.pool()
    desk.host()
    desk.call("POST", POOL + "/AppGroups/Apps", {})
    assert desk.call("GET", f"{url}?SortField={field.lower()}&PageSize=1000").status == 200
    assert desk.code("GET", f"{url}?SortField=Weight") == (400, code)
    assert desk.code("GET", f"{url}?PageSize=many") == (400, "UnknownError")
    assert desk.code("GET", f"{url}?PageSize=0") == (400, "UnknownError")


def test_lists_notice_changes_made_elsewhere(desk: Desk) -> None:
    url = fill(desk, 3)
    users = desk.tenant.pools["office pool"].groups["desktop application group"].users
    assert len(desk.get(url)) == 3
    del users["user0000001@contoso.com"]
    users["a@contoso.com"] = "a@contoso.com"  # as many as before
    assert upns([desk.get(url)])[0] == "a@contoso.com"
    users["b@contoso.com"] = "b@contoso.com"
    assert upns([desk.get(url)])[1] == "b@contoso.com"


def test_a_page_costs_the_same_among_a_million() -> None:
    desk = Desk()
    desk.pool()
    pool = desk.tenant.pools["office pool"]
    for number in range(20):
        users = {f"u{number:02d}{k:05d}@contoso.com": f"u{number:02d}{k:05d}@contoso.com" for k in range(50_000)}
        pool.groups[f"apps {number:02d}"] = AppGroup(name=f"Apps {number:02d}", users=users)
    few, many = POOL + "/AppGroups/Few/AssignedUsers", POOL + "/AppGroups/Apps%2007/AssignedUsers"
    pool.groups["few"] = AppGroup(name="Few", users={f"f{k:04d}@contoso.com": "f" for k in range(1000)})

    def page_s(url: str) -> float:
        times = []
        for _ in range(5):
            before = time.perf_counter()
            assert len(desk.get(url + "?PageSize=500")) == 500
            times.append(time.perf_counter() - before)
        return min(times)

    page_s(many)
    assert page_s(many) < 3 * page_s(few) + 0.005
    before = time.perf_counter()
    for name in PEOPLE:
        desk.call("POST", f"{many}/{name}@contoso.com", {})
        desk.get(many + "?PageSize=1&LastEntry=t")
    assert time.perf_counter() - before < 1.0


# ---------------------------------------------------------------- the end


def test_a_service_that_was_switched_off(desk: Desk) -> None:
    desk.world.state.classic.alive = False
    for url in (BASE + "/TenantGroups", "/api/health"):
        with pytest.raises(ServiceGone):
            desk.send("GET", url)
    assert desk.world.state.calls == {"classic GET 0": 2}
    desk.set(classic_gone=410)
    assert desk.send("GET", "/api/health").status == 410


def test_every_switch_is_described() -> None:
    page = (Path(__file__).parents[3] / "docs" / "twin-classic.md").read_text()
    described = set(re.findall(r"`(classic_\w+)`", page))
    assert described == {name for name in DEFAULTS if name.startswith("classic_")}
