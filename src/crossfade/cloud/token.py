"""The registration token of a host pool: a secret that registers a machine. Used inside one step and forgotten."""

from datetime import datetime
from typing import Any, NoReturn

from crossfade.errors import Unauthorized


class RegistrationToken:
    """`value` is the secret; `ours`: whether this call made it. Cannot be shown, pickled, copied or encoded."""

    __slots__ = ("_value", "expires_at", "ours")

    def __init__(self, value: str, expires_at: datetime, *, ours: bool = False) -> None:
        if not value:
            raise Unauthorized("No registration token.", "The service gave an empty one.", "Have a new one made.")
        self._value = value
        self.expires_at = expires_at
        self.ours = ours

    @property
    def value(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"<RegistrationToken until {self.expires_at:%Y-%m-%d %H:%M} UTC>"

    __str__ = __repr__

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a registration token is never stored")
