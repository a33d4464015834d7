"""The two ways to run (design 2)."""

from typing import Final

CROSSFADE: Final = "crossfade"
"""Classic is alive: both services carry people for a while, and there is a way back."""
RESTORE: Final = "restore"
"""Classic has gone: nobody can work until their hosts are back, and there is nothing to go back to."""
