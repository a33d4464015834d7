"""The Azure CLI, unmodified, against the twin (facts: dependencies 10). `make peers` installs and finds it.

It keeps its own configuration in a folder of the test, so that nobody's real cloud is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avdtwin import estate
from avdtwin.clock import ScaledClock
from avdtwin.server import Endpoint, serve
from avdtwin.world import World

AZ = os.environ.get("CROSSFADE_AZ") or (shutil.which("az") if os.environ.get("CROSSFADE_PEERS") == "1" else None)
pytestmark = [
    pytest.mark.peers,
    pytest.mark.slow,
    pytest.mark.skipif(AZ is None, reason="needs the Azure CLI: run `make peers`, or set CROSSFADE_AZ to its command"),
]
FASTER = 200.0
"""How much faster than the CLI's clock the twin's runs: run commands and deletions end while the CLI waits."""


class Refused(Exception):
    """The CLI ended with an error; the text is what it said."""


class Cli:
    """`az` with an environment of its own, signed in to the twin."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.url = endpoint.url
        self._environment = os.environ | {
            "AZURE_CONFIG_DIR": str(folder),
            "REQUESTS_CA_BUNDLE": str(endpoint.ca_file),
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_NO_COLOR": "true",
        }
        tenant, self.subscription = endpoint.call(_identity)
        self.run("cloud", "register", "-n", "Twin", "--endpoint-resource-manager", endpoint.url)
        self.run("cloud", "set", "-n", "Twin")
        secret = ["-u", estate.OPERATOR_APP_ID, "-p", estate.OPERATOR_SECRET]
        self.account = self.run("login", "--service-principal", *secret, "--tenant", tenant)

    def run(self, *arguments: str) -> Any:
        """The JSON answer of a command. Raises Refused."""
        assert AZ is not None
        command = [AZ, *arguments, "-o", "json"]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Refused(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def group(self, name: str) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{name}"


def _identity(world: World) -> tuple[str, str]:
    return world.state.directory.tenant_id, next(iter(world.state.arm.subscriptions))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    world = estate.build("tiny", 1, ScaledClock(FASTER, estate.DEMO_START), people=False)
    # The CLI keeps a token for its own hour, which here lasts 200.
    world.state.settings |= {"access_token_s": 10_000_000, "latency_s": [0, 0]}
    with serve(world) as found:
        yield found


@pytest.fixture(scope="module")
def az(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    return Cli(endpoint, tmp_path_factory.mktemp("azure"))


def test_login_finds_the_subscription(az: Cli) -> None:
    assert [each["id"] for each in az.account] == [az.subscription]
    assert az.account[0]["user"] == {"name": estate.OPERATOR_APP_ID, "type": "servicePrincipal"}


def test_groups_come_and_go(az: Cli) -> None:
    made = az.run("group", "create", "-n", "rg-cli", "-l", "westeurope", "--tags", "a=b")
    assert (made["id"], made["tags"]) == (az.group("rg-cli"), {"a": "b"})
    assert "rg-cli" in [each["name"] for each in az.run("group", "list")]
    az.run("group", "delete", "-n", "rg-cli", "--yes")
    with pytest.raises(Refused, match="ResourceGroupNotFound"):
        az.run("group", "show", "-n", "rg-cli")


def test_a_host_pool_by_rest_and_resource(az: Cli) -> None:
    az.run("group", "create", "-n", "rg-pool", "-l", "westeurope")
    pool = f"{az.group('rg-pool')}/providers/Microsoft.DesktopVirtualization/hostPools/cli-pool"
    properties = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}
    body = json.dumps({"location": "westeurope", "properties": properties})
    az.run("rest", "--method", "put", "--url", f"{pool}?api-version=2024-04-03", "--body", body)
    shown = az.run("resource", "show", "--ids", pool, "--api-version", "2024-04-03")
    assert (shown["name"], shown["properties"]["maxSessionLimit"]) == ("cli-pool", 999999)
    assert [each["name"] for each in az.run("resource", "list", "-g", "rg-pool")] == ["cli-pool"]
    az.run("resource", "delete", "--ids", pool, "--api-version", "2024-04-03")
    assert az.run("resource", "list", "-g", "rg-pool") == []


PROPERTIES = {"hostPoolType": "Pooled", "loadBalancerType": "BreadthFirst", "preferredAppGroupType": "Desktop"}


def create_pool(az: Cli, pool: str, **more: Any) -> Any:
    body = json.dumps({"location": "westeurope", "properties": {**PROPERTIES, **more}})
    versioned = ["--api-version", "2024-04-03", "--is-full-object"]
    return az.run("resource", "create", "--id", pool, *versioned, "--properties", body)


def test_a_new_resource_is_made_but_its_relative_location_cannot_be_polled(az: Cli) -> None:
    """The provider answers 201 with a relative `Location` (facts: arm-service 2.3, confirmed), and the CLI polls it as
    it stands: without a scheme it is no https, so no token may go there. What was there before is answered 200 without
    one, so the same command then ends well.
    """
    az.run("group", "create", "-n", "rg-relative", "-l", "westeurope")
    pool = f"{az.group('rg-relative')}/providers/Microsoft.DesktopVirtualization/hostPools/made"
    with pytest.raises(Refused, match="non-TLS protected"):
        create_pool(az, pool)
    shown = az.run("resource", "show", "--ids", pool, "--api-version", "2024-04-03")
    assert (shown["name"], shown["properties"]["friendlyName"]) == ("made", None)
    again = create_pool(az, pool, friendlyName="Again")
    assert (again["id"].lower(), again["properties"]["friendlyName"]) == (pool.lower(), "Again")


def test_a_resource_from_creation_to_deletion(az: Cli, endpoint: Endpoint) -> None:
    """With absolute locations, which is a setting of the twin."""
    az.run("group", "create", "-n", "rg-absolute", "-l", "westeurope")
    pool = f"{az.group('rg-absolute')}/providers/Microsoft.DesktopVirtualization/hostPools/made"
    version = ["--api-version", "2024-04-03"]
    endpoint.call(lambda world: world.state.settings.update(arm_location="absolute"))
    try:
        made = create_pool(az, pool, friendlyName="One")
    finally:
        endpoint.call(lambda world: world.state.settings.pop("arm_location"))
    assert (made["name"], made["properties"]["friendlyName"]) == ("made", "One")
    body = json.dumps({"properties": {"maxSessionLimit": 7}})
    patched = az.run("resource", "patch", "--ids", pool, *version, "--is-full-object", "-p", body)
    assert (patched["properties"]["maxSessionLimit"], patched["properties"]["friendlyName"]) == (7, "One")
    # The CLI reads the answer of an action as a resource, and keeps nothing of one that is none.
    assert az.run("resource", "invoke-action", "--action", "listRegistrationTokens", "--ids", pool, *version) == {}
    with pytest.raises(Refused, match="InvalidResourceType"):
        az.run("resource", "invoke-action", "--action", "nothingOfTheKind", "--ids", pool, *version)
    az.run("resource", "delete", "--ids", pool, *version)
    with pytest.raises(Refused, match="ResourceNotFound"):
        az.run("resource", "show", "--ids", pool, *version)


def test_a_cloud_is_registered_by_its_endpoint(az: Cli) -> None:
    found = az.run("cloud", "show", "-n", "Twin")
    assert (found["isActive"], found["endpoints"]["resourceManager"]) == (True, az.url)
    assert found["endpoints"]["activeDirectory"].startswith(az.url)


def test_roles_assigned_listed_removed(az: Cli) -> None:
    user = az.run("rest", "--resource", az.url, "--url", f"{az.url}/v1.0/users?$top=1")["value"][0]["id"]
    role, scope = "Desktop Virtualization User", az.group("rg-wvd")
    who = ["--assignee-object-id", user, "--assignee-principal-type", "User"]
    made = az.run("role", "assignment", "create", *who, "--role", role, "--scope", scope)
    assert (made["principalId"], made["scope"]) == (user, scope)
    listed = az.run("role", "assignment", "list", "--scope", scope, "--include-inherited")
    assert {"Contributor", "User Access Administrator", role} <= {each["roleDefinitionName"] for each in listed}
    az.run("role", "assignment", "delete", "--ids", made["id"])
    assert [each for each in az.run("role", "assignment", "list", "--scope", scope) if each["id"] == made["id"]] == []


def test_definitions_and_providers(az: Cli) -> None:
    found = az.run("role", "definition", "list", "--name", "Desktop Virtualization User")
    assert found[0]["name"] == "1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63"
    assert az.run("provider", "show", "-n", "Microsoft.DesktopVirtualization")["registrationState"] == "Registered"


def test_a_run_command_on_a_machine(az: Cli, endpoint: Endpoint) -> None:
    running = endpoint.call(
        lambda world: next(each.resource_id for each in world.state.machines.values() if each.power == "running")
    )
    script = ["--command-id", "RunPowerShellScript", "--scripts", "Get-Service -Name RDAgentBootLoader"]
    answer = az.run("vm", "run-command", "invoke", "--ids", running, *script)
    assert [each["code"] for each in answer["value"]] == [
        "ComponentStatus/StdOut/succeeded",
        "ComponentStatus/StdErr/succeeded",
    ]


def test_what_is_refused_is_said_in_azures_words(az: Cli) -> None:
    with pytest.raises(Refused, match="InvalidResourceGroupLocation"):
        az.run("group", "create", "-n", "rg-wvd", "-l", "japaneast")
