"""The two hand-written folders against expectations that are older than the reader (tests/exports/README.md)."""

from collections import Counter
from typing import Any

import pytest
from exports_kit import expected, folder, read

from crossfade.inventory.documents import encode
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.values import moment
from crossfade.model.ids import fold, last_name, parent_key
from crossfade.sources.records import Kind

FOLDERS = ("adatum", "fourth-coffee")

COUNTED = {
    "app_groups": Kind.GROUP,
    "assigned_user_rows": Kind.ASSIGNMENT,
    "desktops": Kind.DESKTOP,
    "host_pools": Kind.POOL,
    "registration_infos": Kind.REGISTRATION,
    "remote_apps": Kind.APP,
    "role_assignments": Kind.ROLE,
    "role_definitions": Kind.ROLE_DEFINITION,
    "session_hosts": Kind.HOST,
    "tenant_groups": Kind.TENANT_GROUP,
    "tenants": Kind.TENANT,
    "user_sessions": Kind.SESSION,
}
MEMBERS = {
    "AadTenantId": "aad_tenant_id",
    "AdUserName": "ad_user_name",
    "AgentVersion": "agent_version",
    "AllowNewSession": "allow_new_session",
    "AppAlias": "app_alias",
    "ApplicationType": "application_type",
    "AssignedUser": "assigned_user",
    "AssignmentType": "assignment",
    "AzureResourceId": "azure_resource_id",
    "AzureSubscriptionId": "azure_subscription_id",
    "AzureVmId": "azure_vm_id",
    "CommandLineSetting": "command_line_setting",
    "CreateTime": "created_at",
    "CustomRdpProperty": "custom_rdp_property",
    "Description": "description",
    "DisplayName": "display_name",
    "FilePath": "file_path",
    "FriendlyName": "friendly_name",
    "GroupObjectId": "group_object_id",
    "IconIndex": "icon_index",
    "IconPath": "icon_path",
    "LastHeartBeat": "last_heartbeat",
    "LastUpdateTime": "last_update_at",
    "LoadBalancerType": "load_balancer",
    "LogAnalyticsWorkspaceId": "log_analytics_workspace_id",
    "MaxSessionLimit": "max_session_limit",
    "ObjectType": "object_type",
    "Persistent": "personal",
    "RequiredCommandLine": "required_command_line",
    "ResourceType": "kind",
    "Ring": "ring",
    "RoleDefinitionName": "role",
    "SessionState": "state",
    "Sessions": "sessions",
    "ShowInWebFeed": "show_in_web_feed",
    "SignInName": "sign_in_name",
    "SsoAdfsAuthority": "sso_adfs_authority",
    "SsoClientSecretType": "sso_secret_type",
    "Status": "status",
    "StatusTimestamp": "status_at",
    "SxSStackVersion": "sxs_stack_version",
    "UpdateErrorMessage": "update_error",
    "UpdateState": "update_state",
    "UserPrincipalName": "upn",
    "ValidationEnv": "validation",
}
"""Property of the cmdlets -> member of the model."""

NOT_MEMBERS = {"TenantName", "AppGroupName", "SessionHostHealthCheckResult"}
"""In keys, or compared by tests of their own."""

LISTS = {
    "app_groups": "groups",
    "desktops": "desktops",
    "host_pools": "pools",
    "remote_apps": "apps",
    "role_assignments": "roles",
    "session_hosts": "hosts",
    "tenant": "tenants",
    "user_sessions": "sessions",
}


def _people(inventory: Inventory, below: str) -> set[str]:
    found = (item for item in inventory.assignments if fold(item.key + "/").startswith(fold(below + "/")))
    return {fold(item.upn) for item in found}


@pytest.mark.parametrize("name", FOLDERS)
def test_counts_are_the_expected_ones(name: str) -> None:
    reading, inventory = read(name)
    kinds = Counter(record.kind for record in reading.records)
    found: dict[str, int] = {counted: kinds[kind] for counted, kind in COUNTED.items()}
    found["files"] = len(folder(name))
    found["files_without_content"] = found["files"] - len(reading.origins)
    found["assignments"] = len(inventory.assignments)
    found["people"] = len({fold(item.upn) for item in inventory.assignments})
    assert found == expected(name)["counts"]


@pytest.mark.parametrize("name", FOLDERS)
def test_counts_by_pool_and_group_are_the_expected_ones(name: str) -> None:
    reading, inventory = read(name)
    root = inventory.tenants[0].key
    rows = Counter("/".join(item.names[2:]) for item in reading.records if item.kind is Kind.ASSIGNMENT)
    for pool, wanted in expected(name)["by_host_pool"].items():
        key = f"{root}/{pool}"
        assert wanted == {
            "app_groups": sum(parent_key(item.key) == key for item in inventory.groups),
            "people": len(_people(inventory, key)),
            "remote_apps": sum(item.key.startswith(key + "/") for item in inventory.apps),
            "session_hosts": sum(parent_key(item.key) == key for item in inventory.hosts),
            "user_sessions": sum(item.key.startswith(key + "/") for item in inventory.sessions),
        }
    for pool, groups in expected(name)["by_app_group"].items():
        for group, wanted in groups.items():
            key = f"{root}/{pool}/{group}"
            assert wanted == {
                "assigned_user_rows": rows[f"{pool}/{group}"],
                "people": len(_people(inventory, key)),
                "remote_apps": sum(parent_key(item.key) == key for item in inventory.apps),
            }


def _values(name: str) -> list[tuple[str, str, str, Any]]:
    cases = []
    for section, objects in expected(name)["values"].items():
        if section == "tenant":
            objects = {"": objects}
        if section in LISTS:
            cases += [(section, key, prop, value) for key, props in objects.items() for prop, value in props.items()]
    return cases


@pytest.mark.parametrize("name", FOLDERS)
def test_values_are_the_expected_ones(name: str) -> None:
    _, inventory = read(name)
    root = inventory.tenants[0].key
    wrong = []
    for section, key, prop, value in _values(name):
        full = key.strip("/") if section == "role_assignments" else f"{root}/{key}".strip("/")
        items = [item for item in getattr(inventory, LISTS[section]) if _is(section, item.key, full, key)]
        if prop in NOT_MEMBERS:
            assert items
        elif value not in [getattr(item, MEMBERS[prop]) for item in items]:
            wrong.append((section, key, prop, value, items))
    assert wrong == []


def _is(section: str, found: str, full: str, key: str) -> bool:
    if section in ("session_hosts", "user_sessions"):
        return found.endswith("/" + key)
    if section == "desktops":
        return parent_key(found) == full
    if section == "remote_apps":
        return found.endswith("/" + key)
    return found == full


@pytest.mark.parametrize("name", FOLDERS)
def test_health_checks_are_read_from_either_shape(name: str) -> None:
    _, inventory = read(name)
    health = {last_name(host.key): host.health for host in inventory.hosts}
    for host, wanted in expected(name)["values"]["health_checks"].items():
        assert wanted.items() <= health[host].items()


@pytest.mark.parametrize("name", FOLDERS)
def test_personal_desktops_stay_with_their_person(name: str) -> None:
    _, inventory = read(name)
    found = {last_name(host.key): fold(host.assigned_user) for host in inventory.hosts if host.assigned_user}
    assert found == expected(name)["values"]["personal_assignments"]
    owners = set(found.values())
    for pool, people in expected(name)["values"]["people_of_personal_pool_without_host"].items():
        assert _people(inventory, f"{inventory.tenants[0].key}/{pool}") - owners == set(people)


@pytest.mark.parametrize("name", FOLDERS)
def test_nobody_who_is_spelled_twice_is_dropped_silently(name: str) -> None:
    _, inventory = read(name)
    twice = [(item.key, fold(item.upn)) for item in inventory.assignments]
    assert len(twice) == len(set(twice))
    people = {fold(item.upn) for item in inventory.assignments}
    for spellings in expected(name)["same_person_by_casing"]:
        assert {fold(text) for text in spellings} & people
    if name == "adatum":
        [gap] = [gap for gap in inventory.gaps if "spelled" in gap.what]
        assert "Ben.Miller@ADATUM.com" in gap.what
        assert "ben.miller@adatum.com" in gap.what


def test_numbers_outside_an_enum_are_kept_as_numbers() -> None:
    _, inventory = read("fourth-coffee")
    [status] = [host.status for host in inventory.hosts if host.key.endswith("fc-2.fourthcoffee.com")]
    assert status == "Unknown (12)"


def test_expiry_of_a_registration_is_read_and_its_token_is_not() -> None:
    reading, inventory = read("fourth-coffee")
    [record] = [record for record in reading.records if record.kind is Kind.REGISTRATION]
    wanted = expected("fourth-coffee")["values"]["registration_infos"][record.names[-1]]
    assert moment(record.data["ExpirationTime"]) == wanted["ExpirationTime"]
    assert record.data["TokenSet"] is True
    assert any(gap.subject == "Registrierung.json" for gap in inventory.gaps)


def test_unknown_property_is_kept_and_additions_of_remoting_are_not() -> None:
    _, coffee = read("fourth-coffee")
    assert coffee.pools[0].extra == {"brokerRegion": "WestEurope"}
    _, adatum = read("adatum")
    assert [item.extra for item in adatum.assignments if item.extra] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_planted_secrets_are_in_no_record_and_no_document(name: str) -> None:
    reading, inventory = read(name)
    text = repr(reading) + encode(inventory).decode()
    assert [item for item in expected(name)["secrets"] if item["search_for"] in text] == []
    assert "PLANTED" not in text
    if name == "fourth-coffee":
        assert inventory.tenants[0].sso_secret_set
        assert inventory.tenants[0].log_analytics_key_set
    else:
        assert not inventory.tenants[0].sso_secret_set


@pytest.mark.parametrize("name", FOLDERS)
def test_empty_files_and_lists_are_named(name: str) -> None:
    _, inventory = read(name)
    empty = [gap.subject for gap in inventory.gaps if gap.what.startswith("The file has no content")]
    assert len(empty) == expected(name)["counts"]["files_without_content"]
    assert any("No RemoteApps" in gap.what for gap in inventory.gaps)


def test_absent_properties_of_an_old_module_are_named() -> None:
    _, inventory = read("adatum")
    [gap] = [gap for gap in inventory.gaps if gap.subject == "devhost dev-3 (jump server).json"]
    assert "azure_vm_id" in gap.what
