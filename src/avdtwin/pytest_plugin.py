"""The twin for other people's tests: `pip install` this project and take `avdtwin` (over HTTPS) or `avdtwin_world`.

    def test_mine(avdtwin):
        client = DesktopVirtualizationMgmtClient(
            avdtwin.credential(), avdtwin.subscription_id, base_url=avdtwin.url, connection_verify=str(avdtwin.ca_file)
        )

    @pytest.mark.avdtwin(estate="small-3", seed=7, faults=[{"kind": "throttled", "times": 1}])
    def test_that_waits(avdtwin): ...

Each test has a world of its own, under virtual time: `avdtwin.advance(600)` lets ten minutes pass. Pytest loads this
module in every project that has the twin installed, so it imports the twin only when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from avdtwin.server import Endpoint
    from avdtwin.world import World

Result = TypeVar("Result")
_OPTIONS = ("estate", "seed", "people", "faults", "settings")


class Token:
    """What azure-core asks of an access token."""

    def __init__(self, text: str, expires_on: int) -> None:
        self.token, self.expires_on = text, expires_on


class Credential:
    """A credential of the twin's operator that asks no authority; for clients of Azure's SDKs."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def get_token(self, *scopes: str, **_: Any) -> Token:
        """A token that no test outlives, made for whom the client asks."""
        audiences = [scope.removesuffix("/.default") for scope in scopes]
        return Token(self._twin.token(*audiences[:1]), 2**33)


class Twin:
    """A running twin, with what a client needs to know of it."""

    def __init__(self, endpoint: Endpoint, world: World) -> None:
        self._endpoint = endpoint
        self._world = world
        operator = next(each for each in world.state.directory.service_principals.values() if each.secret)
        self.url = endpoint.url
        self.ca_file: Path = endpoint.ca_file
        self.tenant_id = world.state.directory.tenant_id
        self.subscription_id = next(iter(world.state.arm.subscriptions))
        self.client_id = operator.app_id
        self.client_secret = operator.secret or ""
        self._operator_id = operator.id

    def call(self, function: Callable[[World], Result]) -> Result:
        """`function(world)` between two calls of clients: the only safe way to the world."""
        return self._endpoint.call(function)

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due by then."""

        from avdtwin.clock import ManualClock

        def move(world: World) -> None:
            assert isinstance(world.clock, ManualClock)
            world.clock.advance(seconds)
            world.settle()

        self.call(move)

    def faults(self, *given: dict[str, Any]) -> None:
        """Replace the list of faults (docs/reference/twin-faults.md)."""
        from avdtwin import faults

        self.call(lambda world: faults.put_in(world, given))

    def settings(self, **given: Any) -> None:
        """Set rules of this run by name (`avdtwin.settings.DEFAULTS`)."""
        self.call(lambda world: world.state.settings.update(given))

    def token(self, audience: str = "https://management.azure.com") -> str:
        """An access token of the operator for a service."""
        from avdtwin import tokens

        operator, app = self._operator_id, self.client_id
        return self.call(
            lambda world: tokens.issue_access(world, object_id=operator, app_id=app, upn=None, audience=audience)
        )

    def credential(self) -> Credential:
        return Credential(self)

    def environment(self) -> dict[str, str]:
        """Variables with which Azure Identity and HTTP clients find the twin."""
        return {
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_TENANT_ID": self.tenant_id,
            "AZURE_CLIENT_ID": self.client_id,
            "AZURE_CLIENT_SECRET": self.client_secret,
            "AZURE_SUBSCRIPTION_ID": self.subscription_id,
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "SSL_CERT_FILE": str(self.ca_file),
        }


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"avdtwin(**options): how the twin is made; options: {', '.join(_OPTIONS)}")


@pytest.fixture
def avdtwin_world(request: pytest.FixtureRequest) -> World:
    """A world by the test's mark `avdtwin`: by default the estate `tiny`, seed 1, nobody at work, no latency."""
    from avdtwin import estate, faults
    from avdtwin.clock import ManualClock

    options = _options(request.node.get_closest_marker("avdtwin"))
    clock = ManualClock(estate.DEMO_START)
    world = estate.build(options["estate"], options["seed"], clock, people=options["people"])
    long = 10 * 365 * 86_400
    world.state.settings |= {"latency_s": (0.0, 0.0), "access_token_s": long, **options["settings"]}
    faults.put_in(world, options["faults"])
    return world


def _options(mark: pytest.Mark | None) -> dict[str, Any]:
    given = {} if mark is None else mark.kwargs
    unknown = sorted(set(given) - set(_OPTIONS))
    if unknown:
        raise pytest.UsageError(f"avdtwin knows no {', '.join(unknown)}; it knows {', '.join(_OPTIONS)}")
    return {"estate": "tiny", "seed": 1, "people": False, "faults": [], "settings": {}, **given}


@pytest.fixture
def avdtwin(avdtwin_world: World) -> Iterator[Twin]:
    """The world, served over HTTPS on loopback."""
    from avdtwin.server import serve

    with serve(avdtwin_world) as endpoint:
        yield Twin(endpoint, avdtwin_world)
