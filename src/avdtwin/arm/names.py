"""What objects of the provider may be called (facts/arm-service 1.13)."""

import re

from avdtwin.arm import errors
from avdtwin.world import World

_PATTERN = re.compile(r"[A-Za-z0-9@.\-_ ]*")

_LENGTHS = {"applications": (1, 260)}
"""The schema says 3 to 24 for applications, but a longer one was created in Microsoft's own tests: not enforced."""

_USUAL = (3, 64)


def require(world: World, kind: str, name: str) -> None:
    """Refuse a name with other characters or another length than the service takes."""
    if not world.setting("arm_names_enforced"):
        return
    shortest, longest = _LENGTHS.get(kind, _USUAL)
    if not shortest <= len(name) <= longest or not _PATTERN.fullmatch(name):
        raise errors.provider(
            400,
            f"The name '{name}' is not valid for {kind}: it must have {shortest} to {longest} characters, all of them "
            "letters, digits, spaces or one of @ . - _",
        )
