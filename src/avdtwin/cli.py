"""`avdtwin serve`: the twin on this machine, for any client that speaks the real protocols."""

import argparse
import asyncio
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from avdtwin import estate, faults, server
from avdtwin.clock import Clock, ManualClock, ScaledClock, SystemClock
from avdtwin.world import World

EXIT_OK, EXIT_INPUT = 0, 1


class _Wrong(Exception):
    """Something on the command line that cannot be used; the text says what and how to mend it."""


def main(arguments: Sequence[str] | None = None, clients: Mapping[str, Mapping[str, str]] | None = None) -> int:
    """`clients`: who else is to be told how to connect, by name; of each the variables that it reads, with the one of
    ours whose value each takes, or the value itself."""
    options = _parser().parse_args(arguments)
    try:
        return _serve(options, clients or {})
    except _Wrong as error:
        print(f"avdtwin: {error}", file=sys.stderr)
        return EXIT_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="avdtwin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve an estate over HTTPS on loopback, until interrupted")
    serve.add_argument("--estate", default="contoso", help="contoso, fabrikam, late, tiny or small-<number> (contoso)")
    serve.add_argument("--seed", type=int, default=1, help="what chance draws from (1)")
    serve.add_argument("--state", type=Path, help="a snapshot: read at the start if it exists, written at the end")
    serve.add_argument("--time", default="real", help="real, virtual (moves only when told to) or x<factor> (real)")
    serve.add_argument("--port", type=int, default=8443, help="port on loopback, 0 for a free one (8443)")
    serve.add_argument("--certificates", type=Path, help="folder for ca.pem and server.pem (~/.avdtwin)")
    serve.add_argument("--faults", help="what goes wrong: a file (docs/reference/twin-faults.md), or seed:<number>")
    serve.add_argument("--still", action="store_true", help="nobody comes to work: no simulated people")
    return parser


def _serve(options: argparse.Namespace, clients: Mapping[str, Mapping[str, str]]) -> int:
    world = _world(options)
    _put_in_faults(world, options.faults)
    folder: Path = options.certificates or Path.home() / ".avdtwin"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        listener = server.listen(options.port)
    except OSError as error:
        raise _Wrong(f"{error}; choose another --port or --certificates") from error
    ca_file, server_file = server.make_certificates(folder)
    port = listener.getsockname()[1]
    print(description(world, f"https://{server.HOST}:{port}", ca_file.resolve(), clients), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_OK))
    try:
        with suppress(KeyboardInterrupt, asyncio.CancelledError):  # the way to end it
            server.run(world, listener, server_file)
    finally:
        server_file.unlink(missing_ok=True)
        if options.state is not None:
            _save(world, options.state)
    return EXIT_OK


def _world(options: argparse.Namespace) -> World:
    if options.state is not None and options.state.exists():
        return _restored(options.state, options.time)
    # Clients go by the real clock when they say until when a token is to be good: where time runs, it begins there.
    clock = _clock(options.time, estate.DEMO_START if options.time == "virtual" else SystemClock().now())
    try:
        return estate.build(options.estate, options.seed, clock, people=not options.still)
    except KeyError as error:
        raise _Wrong(str(error.args[0])) from error


def _put_in_faults(world: World, given: str | None) -> None:
    if given is None:
        return
    try:
        if given.startswith("seed:"):
            faults.put_in(world, faults.drawn(int(given.removeprefix("seed:"))))
        else:
            faults.put_in(world, faults.read(Path(given).read_bytes()))
    except (OSError, ValueError) as error:
        raise _Wrong(f"--faults {given}: {error}") from error


def _restored(path: Path, time: str) -> World:
    try:
        world = World.load(path, ManualClock(0.0))
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _Wrong(f"{path} is no snapshot of the twin: {error}") from error
    world.clock = _clock(time, world.now)
    return world


def _clock(text: str, start: float) -> Clock:
    """The clock for `--time`; virtual and scaled time begin at `start`."""
    if text == "real":
        return SystemClock()
    if text == "virtual":
        return ManualClock(start)
    try:
        factor = float(text.removeprefix("x"))
    except ValueError:
        factor = 0.0
    if not text.startswith("x") or not 0 < factor <= 1e6:
        raise _Wrong(f"--time {text}: say real, virtual or x<factor>, as in x60")
    return ScaledClock(factor, start)


def _save(world: World, path: Path) -> None:
    """Write beside the file first, so that a crash leaves the old one whole."""
    partial = path.with_name(path.name + ".part")
    world.save(partial)
    partial.replace(path)


def description(world: World, url: str, ca_file: Path, clients: Mapping[str, Mapping[str, str]]) -> str:
    """What to tell whoever started it: endpoints, and the environment that each client needs."""
    directory = world.state.directory
    subscription = next(iter(world.state.arm.subscriptions), "")
    operator = next((each for each in directory.service_principals.values() if each.secret), None)
    environment = {
        "AVDTWIN_URL": url,
        "AZURE_AUTHORITY_HOST": url,
        "AZURE_TENANT_ID": directory.tenant_id,
        "AZURE_SUBSCRIPTION_ID": subscription,
        "AZURE_CLIENT_ID": operator.app_id if operator else "",
        "AZURE_CLIENT_SECRET": (operator.secret or "") if operator else "",
        "REQUESTS_CA_BUNDLE": str(ca_file),
        "SSL_CERT_FILE": str(ca_file),
    }
    lines = [
        f"The twin is at {url}",
        f"  Azure Resource Manager  {url}/",
        f"  classic management      {url}/RdsManagement/V1/",
        f"  Graph                   {url}/v1.0/",
        f"  Log Analytics           {url}/v1/",
        f"  sign-in                 {url}/{directory.tenant_id}/",
        f"  controls                {url}/_twin",
        f"  certificate authority   {ca_file}",
        "",
        *_exports("a client", environment),
        *(
            line
            for client, names in clients.items()
            for line in _exports(client, {name: environment.get(value, value) for name, value in names.items()})
        ),
        "Stop it with Ctrl+C.",
    ]
    return "\n".join(lines)


def _exports(client: str, environment: Mapping[str, str]) -> list[str]:
    """Lines to paste into another terminal, in whatever folder it is."""
    return [f"For {client}:", *(f"  export {name}={shlex.quote(value)}" for name, value in environment.items()), ""]


if __name__ == "__main__":
    sys.exit(main())
