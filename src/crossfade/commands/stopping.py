"""How whoever began a command asks it to end: see `Stop`."""

from crossfade.execution.stopping import Stop as Stop
