"""What a run tells the world around it, beside the services: notices as files, hooks, alerts. Given at composition."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from crossfade.execution.notices import Deliver, nowhere
from crossfade.model.alerts import Alert
from crossfade.model.notices import Notice

Raise = Callable[[Alert], None]


def always(notice: Notice) -> bool:
    """Nothing is left to be delivered."""
    return True


def unheard(alert: Alert) -> None:
    """Alerts of a run that nobody is told of."""


class Outside(NamedTuple):
    """`folder` is the migration's, where hooks run; None for a run without any."""

    deliver: Deliver = nowhere
    is_delivered: Callable[[Notice], bool] = always
    alert: Raise = unheard
    folder: Path | None = None


NOTHING = Outside()
