"""The services as one thing to open, use and close."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from crossfade.clock import Clock
from crossfade.cloud.arm import Arm
from crossfade.cloud.authentication import Caller, Credential, Tokens
from crossfade.cloud.classic import READ_TIMEOUT_S as CLASSIC_TIMEOUT_S
from crossfade.cloud.classic import Classic
from crossfade.cloud.clouds import Cloud
from crossfade.cloud.credentials import Prompt, ShowCode, SignIn, Surroundings, credential
from crossfade.cloud.graph import Graph
from crossfade.cloud.heard import tell_retry
from crossfade.cloud.logs import Logs
from crossfade.cloud.pipeline import Line, Wiring
from crossfade.cloud.retry import Limits, OnRetry, Retries
from crossfade.cloud.sdk import Sdk
from crossfade.cloud.transport import READ_TIMEOUT_S

__all__ = ["Caller", "Services"]


class Services:
    """`async with Services(...) as services:` gives `classic`, `arm`, `graph` and `logs`. One transport, one retry
    policy, one set of gates and one sign-in per audience below them all.

    `share` is the part of the services' limits that is ours to spend, above 0, at most 1: others have the rest.

    `calls` counts what was sent, retries included, by `service method collection`: `arm GET hostPools/sessionHosts`.
    """

    arm: Arm
    graph: Graph
    logs: Logs
    _classic: Classic | None

    def __init__(
        self,
        cloud: Cloud,
        sign_in: SignIn,
        transport: Any,
        clock: Clock,
        chance: random.Random,
        *,
        limits: Limits | None = None,
        hook: OnRetry = tell_retry,
        ca_file: str | None = None,
        prompt: Prompt | None = None,
        show_code: ShowCode | None = None,
        environ: dict[str, str] | None = None,
        own_credential: Credential | None = None,
        share: float = 1.0,
    ) -> None:
        self.cloud = cloud
        self.clock = clock
        self._sign_in = sign_in
        self._own_credential = own_credential
        self._wiring = Wiring(transport, clock, Retries(clock, chance, limits, hook), share)
        self._around = Surroundings(
            cloud=cloud,
            clock=clock,
            transport=transport,
            token_client=self._wiring.client("entra", cloud.authority),
            ca_file=ca_file,
            prompt=prompt,
            show_code=show_code,
            environ=environ or {},
        )

    @property
    def calls(self) -> "Counter[str]":
        return self._wiring.calls

    def only_while(self, permit: Callable[[], Awaitable[None]]) -> None:
        """From now on every call waits, at the last moment before it goes out, until `permit` returns."""
        self._wiring.permit = permit

    @property
    def classic(self) -> Classic:
        """Raises InputError where no address of the classic service is known."""
        if self._classic is None:
            origin = self.cloud.classic_origin()
            self._classic = Classic(self._line("classic", origin, self.cloud.classic_scope, CLASSIC_TIMEOUT_S))
        return self._classic

    async def __aenter__(self) -> Self:
        """Raises InputError or Unauthorized when the sign-in cannot work; asks nobody for a token yet."""
        made = self._own_credential or credential(self._sign_in, self._around)
        self._tokens = Tokens(made, self.clock, self._wiring.retries)
        await self._wiring.transport.open()
        cloud = self.cloud
        bearer = self._wiring.bearer("arm", self._tokens, cloud.arm_scope, cloud.arm)
        sdk = Sdk(self._wiring, made, bearer, cloud.arm, cloud.arm_scope)
        self.arm = Arm(sdk, self._line("arm", cloud.arm, cloud.arm_scope), self.clock)
        graph_line = self._line("graph", cloud.graph, cloud.graph_scope)
        self.graph = Graph(graph_line, self.clock, self._wiring.retries)
        self.logs = Logs(self._line("logs", cloud.logs, cloud.logs_scope))
        self._classic = None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tokens.close()
        await self._wiring.transport.close()

    async def caller(self) -> Caller:
        """Who is signed in towards ARM."""
        return await self._tokens.caller(self.cloud.arm_scope)

    @property
    def sign_ins(self) -> int:
        """How often a token was asked for."""
        return self._tokens.sign_ins

    def _line(self, service: str, origin: str, scope: str, timeout_s: float = READ_TIMEOUT_S) -> Line:
        bearer = self._wiring.bearer(service, self._tokens, scope, origin)
        return Line(service, origin, self._wiring.client(service, origin, bearer), timeout_s)
