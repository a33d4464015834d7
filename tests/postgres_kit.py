"""A PostgreSQL of the test session's own, on loopback, and a new database for each test that asks for one.

The server is Debian's package (`.ci/run` installs it). It refuses root, so root starts it as the user `postgres`. Its
data does not outlive the session, so it need not be flushed to disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

PASSWORD = "planted-database-password-2718"
"""Stands in every URL that tests are given, and may be found nowhere else."""
USER = "crossfade"
NEEDED = "CROSSFADE_TESTS_NEED_POSTGRES"
"""Set in CI: a test that finds no server fails there."""
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "unix_socket_directories": ""}
_PR_SET_PDEATHSIG = 1


@dataclass
class Server:
    """A server that can be taken away and brought back at the same address."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    databases: int = 0

    def start(self) -> None:
        settings = {**FAST, "port": str(self.port), "listen_addresses": "127.0.0.1", "max_connections": "200"}
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        log = open(self.folder / "server.log", "ab")  # noqa: SIM115 - handed to the server
        self.process = subprocess.Popen(
            [_binary("postgres"), "-D", str(self.folder / "data"), *options],
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_us,
            cwd=self.folder,
            **_as_whom(),
        )
        log.close()
        for _ in range(200):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            time.sleep(0.05)
        raise AssertionError((self.folder / "server.log").read_text())

    def stop(self, *, crash: bool = False) -> None:
        """At once: whoever is connected is cut off. A crash loses what was committed without waiting for the disk."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            self.process.wait(20)
            self.process = None

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """URL of an empty database."""
        self.databases += 1
        name = f"test_{self.databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="crossfade-postgres-"))
    try:
        server = made_in(folder)
        server.start()
        yield server
        server.stop(crash=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: Server) -> str:
    """URL of a new, empty database, with a password in it."""
    return postgres_server.new_database()


def made_in(folder: Path) -> Server:
    """A server whose data lies in this folder, not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    word = folder / "word"
    word.write_text(PASSWORD)
    word.chmod(0o644)
    made = [_binary("initdb"), "-D", str(folder / "data"), "--no-locale", "--encoding=UTF8", "--no-sync"]
    made += [f"--username={USER}", f"--pwfile={word}", "--auth=scram-sha-256"]
    done = subprocess.run(made, capture_output=True, text=True, cwd=folder, **_as_whom())
    assert done.returncode == 0, done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Server(folder, int(free.getsockname()[1]))


def _as_whom() -> dict[str, Any]:
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def _end_with_us() -> None:
    """The server is interrupted when the process that started it dies, however that dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _binary(name: str) -> str:
    """Debian keeps them out of the path. Skips the test where there is no server, and fails it where one is needed:
    in CI nothing may pass because a server is missing."""
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(beside[-1]) if beside else shutil.which(name)
    if not found:
        why = f"{name} was not found: install PostgreSQL (`apt-get install postgresql`)"
        assert NEEDED not in os.environ, why
        pytest.skip(why)
    return found
