"""The pytest fixture for other people's projects, used as they would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.desktopvirtualization import DesktopVirtualizationMgmtClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.monitor.query import LogsQueryClient

from avdtwin import pytest_plugin

THEIRS = """
import pytest
from azure.mgmt.desktopvirtualization import DesktopVirtualizationMgmtClient

@pytest.mark.avdtwin(estate="small-2", seed=5)
def test_theirs(avdtwin):
    client = DesktopVirtualizationMgmtClient(
        avdtwin.credential(), avdtwin.subscription_id, base_url=avdtwin.url, connection_verify=str(avdtwin.ca_file)
    )
    assert list(client.host_pools.list()) == []
    avdtwin.advance(60)
    avdtwin.faults({"kind": "unavailable", "match": {"service": "arm"}})

@pytest.mark.avdtwin(estat="small-2")
def test_misspelt(avdtwin_world):
    pass
"""


@pytest.fixture
def avdtwin(request: pytest.FixtureRequest) -> Any:
    """Ours, in case the project is not installed with its entry point."""
    world = pytest_plugin.avdtwin_world.__wrapped__(request)  # type: ignore[attr-defined]
    yield from pytest_plugin.avdtwin.__wrapped__(world)  # type: ignore[attr-defined]


def test_somebody_elses_program_asks_for_logs(avdtwin: pytest_plugin.Twin) -> None:
    """A workspace made over the wire, in a subscription where nobody had registered its provider, and queried."""
    trust: Any = {"connection_verify": str(avdtwin.ca_file)}
    avdtwin.call(lambda world: world.state.settings.update({"rights_enforced": False}))
    where = {"base_url": avdtwin.url, **trust}
    with ResourceManagementClient(avdtwin.credential(), avdtwin.subscription_id, **where) as resources:
        group = next(iter(resources.resource_groups.list())).name
        assert resources.providers.register("Microsoft.OperationalInsights").registration_state == "Registering"
        avdtwin.advance(60)
    with LogAnalyticsManagementClient(avdtwin.credential(), avdtwin.subscription_id, **where) as clients:
        desk: Any = clients.workspaces
        desk.begin_create_or_update(group, "logs", {"location": "westeurope"}, polling=False)
        made = desk.get(group, "logs")
    with LogsQueryClient(avdtwin.credential(), endpoint=avdtwin.url, **trust) as logs:
        answer: Any = logs.query_workspace(made.customer_id, "WVDConnections | count", timespan=None)
        assert [list(row) for row in answer.tables[0].rows] == [[0]]


def test_the_official_client_with_the_official_credential(avdtwin: pytest_plugin.Twin) -> None:
    credential = ClientSecretCredential(
        avdtwin.tenant_id,
        avdtwin.client_id,
        avdtwin.client_secret,
        authority=avdtwin.url,
        disable_instance_discovery=True,
        connection_verify=str(avdtwin.ca_file),
    )
    with DesktopVirtualizationMgmtClient(
        credential,
        avdtwin.subscription_id,
        base_url=avdtwin.url,
        connection_verify=str(avdtwin.ca_file),
        retry_total=0,
        credential_scopes=["https://management.azure.com/.default"],
    ) as client:
        avdtwin.call(lambda world: world.state.settings.update({"rights_enforced": False}))
        assert list(client.host_pools.list()) == []
        avdtwin.faults({"kind": "unavailable", "match": {"service": "arm"}})
        with pytest.raises(HttpResponseError):
            list(client.host_pools.list())
    assert avdtwin.environment()["AZURE_CLIENT_ID"] == avdtwin.client_id


def test_in_somebody_elses_project(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "test_theirs.py").write_text(THEIRS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    command += [] if _installed() else ["-p", "avdtwin.pytest_plugin"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "avdtwin knows no estat" in done.stdout + done.stderr


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(each.value == "avdtwin.pytest_plugin" for each in entry_points(group="pytest11"))
