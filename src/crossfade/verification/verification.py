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
    """One host after its move. `problems` is empty when it is the right VM, in the right pool, healthy and open.

    `state`: the status on the target, or what the journal says of a host that is not there; `wrong`: another VM or
    another person's desktop stands in its place, which no later health can mend.
    """

    source: str
    vm: str
    state: str
    problems: list[str] = []
    wrong: bool = False
    session_host: str | None = None
    """ARM id, where there is one."""


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
    """The result. Pairs are person times resource; `excluded`: who can sign in nowhere, and why they do not count."""

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
    excluded: list[Unexplained] = []
    hosts: list[HostCheck] = []
    settings: list[SettingCheck] = []
    unseen: list[str] = []
    """People never seen on the target: named, not a failure."""

    def equivalent(self) -> bool:
        """The proof of access: nobody lost, gained or swapped anything, no VM is the wrong one, nothing is in doubt."""
        wrong = any(check.wrong for check in self.hosts)
        return not (self.lost or self.gained or self.swapped or self.unexplained or wrong)

    def different(self) -> list[SettingCheck]:
        return [check for check in self.settings if check.verdict == "different"]

    def sick(self) -> list[HostCheck]:
        return [check for check in self.hosts if check.problems]

    def passed(self) -> bool:
        """Equivalent, every host well and every setting as planned."""
        return self.equivalent() and not self.different() and not self.sick()
