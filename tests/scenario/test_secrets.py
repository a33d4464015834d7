"""Secrets are nowhere on disk: documents, journal, engine store with its WAL, logs, report.

What is looked for: the operator's client secret, every bearer token that reached the twin, every registration token
that either service ever gave out, as text and as base64.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, personal, pooled, spec_of

from avdtwin import estate
from avdtwin.products import set_quirk
from crossfade.clock import iso
from crossfade.commands.apply import Hook
from crossfade.commands.verify import verify

SPEC = spec_of(pooled(), personal(hosts=1), name="secrets", single_sign_on=True, workspace=True)
LEAST = 12


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Everything that anybody logs, down to DEBUG, in a file of the folder; also what the command line silences."""
    path = tmp_path / "debug.log"
    handler = logging.FileHandler(path)
    for name in ("", "azure", "msal", "dbos", "asyncio", "crossfade", "sqlalchemy"):
        logger = logging.getLogger(name or None)
        monkeypatch.setattr(logger, "level", logging.DEBUG)
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "disabled", False)
    logging.getLogger().addHandler(handler)
    logging.getLogger("azure").debug("The log is open.")
    yield path
    logging.getLogger().removeHandler(handler)
    handler.close()


def listen(stage: Stage) -> set[str]:
    """Secrets as they pass by: bearer tokens at the door, registration tokens in the services."""
    found = {estate.OPERATOR_SECRET, "PLANTED-sso-secret", "PLANTED-log-analytics-key"}

    def tap(scope: dict[str, Any]) -> None:
        for name, value in scope.get("headers", []):
            if name.lower() == b"authorization":
                found.add(value.decode().partition(" ")[2])
        for pool in stage.of_type("hostPools"):
            kept = pool.secrets.get("registration") or {}
            found.update(value for value in kept.values() if isinstance(value, str) and value.startswith("ey"))
        for spec in stage.spec.pools:
            registration = stage.pool_record(spec.name).registration
            if registration is not None:
                found.add(registration.token)

    stage.taps.append(tap)
    return found


def forms(secret: str) -> list[bytes]:
    """As it is, its parts if it is a token of parts, and as base64."""
    parts = [secret, *(part for part in secret.split(".") if len(part) > 40)]
    return [one for part in parts for one in (part.encode(), base64.b64encode(part.encode()))]


def places(folder: Path, secrets: set[str]) -> list[str]:
    """Files of a folder that hold a secret."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [
        f"{path.name} holds {secret[:LEAST]}…"
        for path, data in files.items()
        for secret in secrets
        if any(form in data for form in forms(secret))
    ]


def troubled(stage: Stage) -> None:
    """The personal host has to come back, by a new registration with classic: both kinds of token are used."""
    machine = stage.machine("own-0")

    def tap(scope: dict[str, Any]) -> None:
        step = str(scope.get("path")).rpartition("crossfade-")[2]
        if scope.get("method") == "PUT" and machine.vm in str(scope.get("path")).lower():
            installed_before = any("again-remove" in name for name in stage.steps_of("own-0"))
            if step in ("install", "restore"):
                set_quirk(machine, "never-registers", step == "restore" or not installed_before)

    stage.taps.append(tap)


@pytest.mark.parametrize("engine", ["inprocess", "dbos"])
def test_secrets_are_nowhere_on_disk(tmp_path: Path, log: Path, engine: str) -> None:
    stage = Stage.of(SPEC, tmp_path)
    secrets = listen(stage)
    stage.make_plan(outage="when-empty")
    troubled(stage)
    held: list[int] = []
    assert stage.interrupt(at_the_third_install(held), engine), "so that a WAL and an unfinished step are there"
    assert places(tmp_path, secrets) == []
    stage.apply(engine)
    report(stage)
    stage.with_services(lambda services: verify(stage.workspace, services, stage.rehearsal.clock))
    assert set(stage.hosts().values()) == {"confirmed", "on_source"}
    assert len(secrets) > LEAST, "secrets passed by"
    assert sum(secret.startswith("ey") for secret in secrets) > 4
    assert b"The log is open." in log.read_bytes()
    assert places(tmp_path, secrets) == []


def test_a_secret_on_disk_is_found(tmp_path: Path) -> None:
    """The search itself."""
    (tmp_path / "journal.db").write_bytes(b"\x00\x01 bearer PLANTED-sso-secret \x00")
    assert places(tmp_path, {"PLANTED-sso-secret"}) == ["journal.db holds PLANTED-sso-…"]


def at_the_third_install(held: list[int]) -> Hook:
    def at(point: str) -> bool:
        held.extend([1] if point.startswith("after step") and point.endswith("/install done") else [])
        return len(held) == 3

    return at  # type: ignore[return-value]


def report(stage: Stage) -> None:
    from crossfade.commands.report import write_report

    write_report(stage.workspace, "https://portal.azure.com", made_at=iso(stage.rehearsal.clock.now()))
