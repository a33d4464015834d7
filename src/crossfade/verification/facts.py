"""What verification needs to know of a run, as plain data: the journal itself stays with execution."""

import msgspec


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`states`: folded classic host key -> state; `reasons`: why it is in it. `seen`: folded UPNs of everybody
    who had a session on the target. `icons`: folded id of an app -> hash of the icon that it was made with."""

    states: dict[str, str] = {}
    reasons: dict[str, str] = {}
    seen: frozenset[str] = frozenset()
    icons: dict[str, str] = {}
