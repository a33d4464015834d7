"""The twin over a socket: HTTPS on loopback, with a certificate authority made at every start.

`with serve(world) as endpoint:` runs it in a thread, for tests; `run` runs it here until interrupted.
"""

import asyncio
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import trustme
import uvicorn

from avdtwin.asgi import TwinApp
from avdtwin.world import World

HOST = "localhost"
_ADDRESS = "127.0.0.1"
_START_S = 30.0
Result = TypeVar("Result")


class Endpoint:
    """A running twin: where it is, whom to trust, and a way to its world."""

    def __init__(self, world: World, port: int, ca_file: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.url = f"https://{HOST}:{port}"
        self.port = port
        self.ca_file = ca_file
        self._world = world
        self._loop = loop

    def call(self, function: Callable[[World], Result]) -> Result:
        """`function(world)` on the server's own thread, between calls: the only safe way to the world meanwhile."""

        async def run() -> Result:
            self._world.settle()
            return function(self._world)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def ssl_context(self) -> ssl.SSLContext:
        """A client's context that trusts this twin and nobody else."""
        return ssl.create_default_context(cafile=str(self.ca_file))


@contextmanager
def serve(world: World, *, port: int = 0) -> Iterator[Endpoint]:
    """Serve a world from a thread of its own until the block ends. Port 0 takes a free one."""
    with tempfile.TemporaryDirectory(prefix="avdtwin-") as folder:
        listener = listen(port)
        ca_file, server_file = make_certificates(Path(folder))
        server = _Server(_config(world, server_file))
        thread = threading.Thread(target=server.run, args=([listener],), name="avdtwin", daemon=True)
        thread.start()
        try:
            loop = server.wait_until_started()
            yield Endpoint(world, listener.getsockname()[1], ca_file, loop)
        finally:
            server.should_exit = True
            thread.join(_START_S)
            listener.close()


def run(world: World, listener: socket.socket, server_file: Path) -> None:
    """Serve a world in this thread until interrupted. `server_file` holds key and certificates."""
    _Server(_config(world, server_file)).run([listener])


def listen(port: int) -> socket.socket:
    """A listening socket on loopback. Raises OSError when the port is taken."""
    # With the protocol named, asyncio turns off Nagle's algorithm; else every answer waits 40 ms for somebody's ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_ADDRESS, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """A new authority and a server certificate: (file that clients trust, file for the server)."""
    authority = trustme.CA(organization_name="avdtwin")
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    authority.issue_cert(HOST, _ADDRESS, "::1").private_key_and_cert_chain_pem.write_to_path(str(server_file))
    server_file.chmod(0o600)
    return ca_file, server_file


class _Server(uvicorn.Server):
    """Uvicorn that tells when it serves, and on which loop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._up.set()

    def wait_until_started(self) -> asyncio.AbstractEventLoop:
        if not self._up.wait(_START_S) or self._loop is None:
            raise RuntimeError(f"the twin's server did not start within {_START_S:.0f} s")
        return self._loop


def _config(world: World, server_file: Path) -> uvicorn.Config:
    return uvicorn.Config(
        TwinApp(world),
        ssl_certfile=str(server_file),
        ssl_keyfile=str(server_file),
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
    )
