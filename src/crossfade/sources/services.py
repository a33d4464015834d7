"""The part of `cloud.services.Services` that sources read with."""

from typing import Protocol

from crossfade.clock import Clock
from crossfade.cloud.arm import Arm
from crossfade.cloud.authentication import Caller
from crossfade.cloud.classic import Classic
from crossfade.cloud.graph import Graph
from crossfade.cloud.logs import Logs


class Services(Protocol):
    @property
    def clock(self) -> Clock: ...

    @property
    def classic(self) -> Classic: ...

    @property
    def arm(self) -> Arm: ...

    @property
    def graph(self) -> Graph: ...

    @property
    def logs(self) -> Logs: ...

    async def caller(self) -> Caller: ...
