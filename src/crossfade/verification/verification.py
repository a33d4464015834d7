"""The proof, as a document."""

from typing import Any, ClassVar

import msgspec


class AccessChange(msgspec.Struct, frozen=True, kw_only=True):
    """A person and a resource they lost or gained. `resource` is the classic spelling `pool/group/item` where there is
    one, else the ARM id; `why`: the path that is missing or new, in words."""

    person: str
    resource: str
    why: str


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A person whose personal desktop is not the one they had."""

    person: str
    before: str | None
    after: str | None


class HostCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One host after its move. `problems` is empty when it is the right VM, in the right pool, healthy and open."""

    source: str
    vm: str
    state: str
    problems: list[str] = []


class SettingCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One property of one object. `verdict`: equal, translated, not-carried or different."""

    subject: str
    property: str
    wanted: Any
    found: Any
    verdict: str


class Unexplained(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be judged, and why: it is never counted as fine."""

    subject: str
    why: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """Passed only with nothing lost, gained, swapped, different or unexplained."""

    FORMAT: ClassVar[str] = "crossfade/verification@1"

    format: str = "crossfade/verification@1"
    made_at: str = ""
    inputs: dict[str, str] = {}
    pairs_before: int = 0
    pairs_after: int = 0
    people: int = 0
    lost: list[AccessChange] = []
    gained: list[AccessChange] = []
    swapped: list[Swap] = []
    unexplained: list[Unexplained] = []
    hosts: list[HostCheck] = []
    settings: list[SettingCheck] = []
    unseen: list[str] = []
    """People never seen on the target: named, not a failure."""

    def passed(self) -> bool:
        broken = [check for check in self.settings if check.verdict == "different"]
        sick = [check for check in self.hosts if check.problems]
        return not (self.lost or self.gained or self.swapped or self.unexplained or broken or sick)
