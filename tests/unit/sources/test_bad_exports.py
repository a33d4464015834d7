"""Bad input: every file that cannot be used, with its line and what is wrong; all of them at once."""

import json
from typing import Any

import pytest
from exports_kit import file, host, person, pool, problems_of, tenant, utf16

GOOD = tenant()


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


CASES: dict[str, tuple[Any, int, str]] = {
    "cut in a string": (json.dumps([pool(), pool("B")], indent=1)[:-30], 15, "the file is cut off"),
    "cut between objects": ("[\n{},", 2, "the properties none"),
    "cut UTF-16": (utf16(json.dumps([pool()]))[:-5], 1, "the file is cut off"),
    "half a letter of UTF-16": (utf16("[\n]") + b"\x00", 2, "in the middle of a letter"),
    "ANSI": ('[\n{"TenantName": "Rösterei"}]'.encode("cp1252"), 2, "is not UTF-8"),
    "not JSON": ("{\n 'TenantName': 1}", 2, "not JSON in column 2"),
    "not a number": ("[NaN]", 1, "not JSON"),
    "two values": ('{"a": 1, "a": 2}', 1, "two members named 'a'"),
    "two casings": ({**tenant(), "tenantname": "x"}, 1, "'tenantname' twice, in two casings"),
    "too deep": ("[" * 100_000, 1, "nested too deeply"),
    "a text": ('[\n"hello"]', 2, "str where an object should be"),
    "a number": ("[7]", 1, "int where an object should be"),
    "type names": ('["Microsoft.RDInfra.RDManagementData.RdMgmtUser"]', 1, "name of an object"),
    "shallow depth": ('["@{TenantName=contoso}"]', 1, "name of an object"),
    "unknown type": ({"Colour": "red", "Size": 3}, 1, "no known type, with the properties Colour, Size."),
    "nothing known": ({}, 1, "no known type, with the properties none."),
    "count": ({"value": [GOOD], "Count": 2}, 1, "Count says 2, but there are 1"),
    "Format-Table": (
        [{"ClassId2e4f51ef21dd47e99d3c952918aff9cd": "033ecb2bc07a4d43b5ef94ed5a35d280"}],
        1,
        "went through Format-Table or Format-List",
    ),
    "Format-Table, camelCase": ([{"formatEntryInfo": {}, "outOfBand": False}], 2, "went through Format-Table"),
    "Format-Table as CSV": ('"ClassId2e4f51ef21dd47e99d3c952918aff9cd","pageHeaderEntry"\n', 1, "went through"),
    "CSV": ('"TenantName","HostPoolName"\n"a","b"\n', 1, "is CSV; this version reads JSON"),
    "CSV with type": ("#TYPE Microsoft.RDInfra.RDManagementData.RdMgmtTenant\n", 1, "is CSV"),
    "CSV without quotes": ("TenantName,HostPoolName\r\na,b\r\n", 1, "is CSV"),
    "zip": (b"PK\x03\x04\x14\x00\x00\x00\x00\xff", 1, "is a zip archive"),
    "half a letter": (pool(FriendlyName="Desktop \ud83d"), 1, "half of a letter"),
    "endless number": ('[\n{"Ring": ' + "9" * 5000 + "}]", 1, "thousands of digits"),
    "cut list": (pool(CustomRdpProperty="System.Object[]"), 1, "the name of a type in place of its content"),
    "cut objects": ('["System.Object[]"]', 1, "name of an object"),
    "CLIXML": (utf16('<Objs Version="1.1.0.1">'), 1, "is CLIXML"),
    "list": ("\r\nTenantName      : contoso\r\n", 1, "is the text of Format-List"),
    "table": ("\r\nTenantGroupName Description\r\n--------------- -----------\r\n", 1, "is the text of Format-Table"),
    "transcript": ("**********************\nWindows PowerShell transcript start\n", 1, "is a transcript"),
    "no host name": ([host("a"), without(host("b"), "SessionHostName")], 10, "session host without SessionHostName"),
    "no parents": (without(pool(), "TenantName", "TenantGroupName"), 1, "host pool without TenantGroupName"),
    "no group": (without(person("a@x"), "AppGroupName"), 1, "assigned user without AppGroupName"),
    "no person": (without(person("a@x"), "UserPrincipalName") | {"SessionId": 3}, 1, "without SessionHostName"),
    "empty name": (pool(""), 1, "host pool without HostPoolName"),
    "name is a list": (pool() | {"HostPoolName": ["a"]}, 1, "HostPoolName is no name but list"),
    "slash": (pool("a/b"), 1, "HostPoolName holds a slash"),
    "role without scope": ({"RoleDefinitionName": "RDS Owner", "SignInName": "a@x"}, 1, "without Scope"),
    "enum": (pool(LoadBalancerType=9), 1, "LoadBalancerType is 9, none of BreadthFirst"),
    "number": (pool(MaxSessionLimit="many"), 1, "MaxSessionLimit is 'many', not a whole number"),
    "flag": (pool(Persistent="perhaps"), 1, "Persistent is 'perhaps', not true or false"),
    "object for text": (pool(FriendlyName={"a": 1}), 1, "FriendlyName is an object, not text"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_damage_is_named_with_its_line(name: str) -> None:
    content, line, what = CASES[name]
    problems = problems_of(file("bad.json", content))
    assert problems[0].where == f"bad.json:{line}"
    assert what in " ".join(problem.what for problem in problems)
    assert all(problem.mend for problem in problems)


def test_all_problems_of_all_files_come_at_once_in_order() -> None:
    problems = problems_of(
        file("z.json", '[\n"x"]'),
        file("good.json", GOOD),
        file("b.json", [pool(LoadBalancerType=9), pool("B", Persistent=3), without(pool("C"), "TenantName")]),
        file("a.json", b"\xff\xff"),
    )
    assert [problem.where for problem in problems] == ["a.json:1", "b.json:2", "b.json:10", "b.json:18", "z.json:2"]


def test_one_bad_record_does_not_hide_the_next() -> None:
    rows = [without(host(f"h{at}"), "HostPoolName") for at in range(3)]
    assert len(problems_of(file("a.json", rows))) == 3


def test_no_problem_repeats_a_secret() -> None:
    rows = [
        tenant(LogAnalyticsPrimaryKey="PLANTED-KEY", FriendlyName=3),
        {"Token": "PLANTED-TOKEN"},
        {"SsoClientSecret": "PLANTED-SSO"},
    ]
    shown = " ".join(map(str, problems_of(file("a.json", rows), file("b.json", '{"Token": "PLANTED-CUT'))))
    assert "PLANTED" not in shown
