"""The composition root: the only place that knows every concrete class, the twin included."""

import os
import random
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from crossfade.clock import Clock, SimulatedClock
from crossfade.clock import SystemClock as SystemClock
from crossfade.cloud import clouds
from crossfade.cloud.credentials import Prompt, ShowCode
from crossfade.cloud.credentials import SignIn as SignIn
from crossfade.cloud.services import Services as Services
from crossfade.cloud.transport import AsgiTransport, TlsTransport
from crossfade.execution.engine import Bodies, Engine
from crossfade.execution.places import Place

if TYPE_CHECKING:
    from avdtwin.world import World

T = TypeVar("T")
TWIN_ORIGIN = "https://twin.crossfade.invalid"


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where and as whom: a named cloud, or `origin` for endpoints of one's own (the twin over HTTPS)."""

    cloud: str = "public"
    origin: str | None = None
    classic: str | None = None
    ca_file: str | None = None
    sign_in: SignIn = SignIn()


def services_for(
    endpoints: Endpoints,
    clock: Clock | None = None,
    *,
    prompt: Prompt | None = None,
    show_code: ShowCode | None = None,
    environ: dict[str, str] | None = None,
    share: float = 1.0,
) -> Services:
    """Services over the network. Open them with `async with`. Raises InputError.

    `prompt` asks somebody for a secret, `show_code` tells somebody where to type a device code; without them nobody is
    there. `environ` is where secrets are, else this process's environment. `share` is ours of the services' limits.
    """
    clock = clock or SystemClock()
    return Services(
        _cloud(endpoints),
        endpoints.sign_in,
        TlsTransport(clock, ca_file=endpoints.ca_file),
        clock,
        random.Random(),
        ca_file=endpoints.ca_file,
        prompt=prompt,
        show_code=show_code,
        environ=dict(os.environ) if environ is None else environ,
        share=share,
    )


def _cloud(endpoints: Endpoints) -> clouds.Cloud:
    if endpoints.origin:
        return clouds.custom(endpoints.origin, classic=endpoints.classic)
    cloud = clouds.named(endpoints.cloud)
    return msgspec.structs.replace(cloud, classic=endpoints.classic) if endpoints.classic else cloud


def portal_of(endpoints: Endpoints) -> str:
    """Address of the cloud's portal, for links. Raises InputError."""
    return _cloud(endpoints).portal


OF_A_TWIN = {
    "CROSSFADE_ENDPOINT": "AVDTWIN_URL",
    "CROSSFADE_CA_FILE": "SSL_CERT_FILE",
    "CROSSFADE_SIGN_IN": "service-principal",
    "CROSSFADE_TENANT_ID": "AZURE_TENANT_ID",
    "CROSSFADE_CLIENT_ID": "AZURE_CLIENT_ID",
    "CROSSFADE_CLIENT_SECRET": "AZURE_CLIENT_SECRET",
}
"""What crossfade reads to find a twin and sign in there, by the names that the twin has for it."""


def serve_twin(arguments: list[str]) -> int:
    """Serve a twin over HTTPS until interrupted; arguments as for `avdtwin serve`. Its exit code."""
    from avdtwin import cli

    return cli.main(["serve", *arguments], {"crossfade, in another terminal": OF_A_TWIN})


class Rehearsal:
    """The services answered by a twin in this process, under virtual time. The product cannot tell."""

    def __init__(self, world: "World", clock: SimulatedClock, *, seed: int = 0) -> None:
        from avdtwin.asgi import TwinApp

        self.world = world
        self.clock = clock
        self.app = TwinApp(world)
        self._seed = seed

    @classmethod
    def of_estate(cls, name: str, *, seed: int, start: datetime | None = None, people: bool = True) -> "Rehearsal":
        """A generated estate at its usual starting moment. Raises InputError for an unknown name."""
        from avdtwin import estate

        began = start or datetime.fromtimestamp(estate.DEMO_START, UTC)
        clock = SimulatedClock(began)
        return cls(estate.build(name, seed, twin_clock(clock), people=people), clock, seed=seed)

    @classmethod
    def of_snapshot(cls, data: bytes, *, seed: int = 0) -> "Rehearsal":
        """A twin as a snapshot left it, at its moment."""
        from avdtwin.clock import ManualClock
        from avdtwin.world import World

        settled = World.restore(data, ManualClock(0.0)).state.now
        clock = SimulatedClock(datetime.fromtimestamp(settled, UTC))
        return cls(World.restore(data, twin_clock(clock)), clock, seed=seed)

    def services(self, *, share: float = 1.0) -> Services:
        """Services over the in-process transport, signed in as the estate's operator."""
        from avdtwin import estate

        tenant = self.world.state.directory.tenant_id
        return Services(
            clouds.custom(TWIN_ORIGIN),
            SignIn(choice="service-principal", tenant_id=tenant, client_id=estate.OPERATOR_APP_ID),
            AsgiTransport(self.app, self.clock),
            self.clock,
            random.Random(self._seed),
            environ={"CROSSFADE_CLIENT_SECRET": estate.OPERATOR_SECRET},
            share=share,
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something under this rehearsal's virtual time."""
        return self.clock.run(work)

    def tally(self) -> dict[str, Any]:
        """What the people of the twin did and suffered so far; names as in `avdtwin.people.tally`."""
        from avdtwin import people

        self.world.settle()
        return people.tally(self.world)

    def tell(self, upns: Iterable[str]) -> None:
        """What the operator's mail does: these people know of the new service and refresh their client."""
        from avdtwin import directory, people

        self.world.settle()
        users = [user.id for upn in upns if (user := directory.user_by_upn(self.world, upn)) is not None]
        people.tell(self.world, [user for user in users if user in self.world.state.people])

    def wire_calls(self) -> dict[str, int]:
        """`service METHOD status` -> how many calls the twin answered so."""
        return dict(self.world.state.calls)

    def same_days_without(self, estate_name: str, until: float) -> dict[str, Any]:
        """The tally of the same estate, seed and days had nobody migrated anything."""
        from avdtwin import estate, people
        from avdtwin.clock import ManualClock

        clock = ManualClock(self.clock.start.timestamp())
        world = estate.build(estate_name, self._seed, clock)
        clock.advance(until - clock.now())
        world.settle()
        return people.tally(world)

    @property
    def subscription(self) -> str:
        """The one subscription of a generated estate."""
        return next(iter(self.world.state.arm.subscriptions.values())).id


def twin_clock(clock: SimulatedClock) -> Any:
    """Our virtual time, lent to the twin."""
    from avdtwin.clock import BorrowedClock

    return BorrowedClock(clock.timestamp, clock.sleep)


def in_process_engine(clock: Clock) -> Callable[[Bodies], Engine]:
    from crossfade.execution.inprocess import InProcessEngine

    return lambda bodies: InProcessEngine(bodies, clock)


def durable_engine(clock: Clock, store: Place) -> Callable[[Bodies], Engine]:
    """DBOS on a SQLite file, or in a schema of a PostgreSQL, beside the journal."""
    from crossfade.execution.dbos_engine import DbosEngine

    return lambda bodies: DbosEngine(bodies, clock, store)
