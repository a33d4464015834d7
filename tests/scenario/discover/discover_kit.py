"""An estate of the twin under virtual time, and our services signed in to it, in one process."""

import json
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from avdtwin import estate
from avdtwin.asgi import TwinApp
from crossfade.clock import SimulatedClock
from crossfade.cloud import clouds
from crossfade.cloud.credentials import SignIn
from crossfade.cloud.services import Services
from crossfade.cloud.transport import AsgiTransport

T = TypeVar("T")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, Any] | Exception


class Watched:
    """The twin's application: counts calls in flight, and answers some paths in another way than the twin would."""

    def __init__(self, app: TwinApp) -> None:
        self._app = app
        self._active = 0
        self.most_at_once = 0
        self.instead: dict[str, Answer] = {}
        """Pattern of `METHOD path` -> status and body, or what breaks the connection."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self._active += 1
        self.most_at_once = max(self.most_at_once, self._active)
        try:
            await self._answer(scope, receive, send)
        finally:
            self._active -= 1

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        line = f"{scope['method']} {scope['path']}"
        answer = next((answer for pattern, answer in self.instead.items() if re.search(pattern, line)), None)
        if answer is None:
            await self._app(scope, receive, send)
        elif isinstance(answer, Exception):
            raise answer
        else:
            status, body = answer
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(body).encode()})


class _TwinClock:
    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.timestamp()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class Bench:
    """`bench.run(story)` has `story(services)` done as the estate's operator."""

    def __init__(self, name: str = "tiny", seed: int = 7, **settings: Any) -> None:
        self.clock = SimulatedClock(datetime.fromtimestamp(estate.DEMO_START, UTC))
        self.world = estate.build(name, seed, _TwinClock(self.clock))
        self.world.state.settings |= settings
        self.spec = estate.named(name)
        self.app = Watched(TwinApp(self.world))
        self.calls: dict[str, int] = {}

    @property
    def subscription(self) -> str:
        return estate.subscription_id_of(self.spec)

    def run(self, story: Callable[[Services], Awaitable[T]]) -> T:
        return self.clock.run(self._run(story))

    async def _run(self, story: Callable[[Services], Awaitable[T]]) -> T:
        sign_in = SignIn(
            choice="service-principal",
            tenant_id=estate.tenant_id_of(self.spec),
            client_id=estate.OPERATOR_APP_ID,
        )
        services = Services(
            clouds.custom("https://twin.test"),
            sign_in,
            AsgiTransport(self.app, self.clock),
            self.clock,
            random.Random(3),
            environ={"CROSSFADE_CLIENT_SECRET": estate.OPERATOR_SECRET},
        )
        async with services:
            try:
                return await story(services)
            finally:
                self.calls = dict(services.calls)


EVERYTHING = {"rights_enforced": False}
"""As somebody who may see all of the service, as whoever exports all of it can."""
