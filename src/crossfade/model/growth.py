"""What the operator expects of the estate."""

import msgspec


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """Expected change within the next two years, in per cent of today; negative when shrinking. `stable_months`: how
    long the estate has been as it is."""

    hosts_percent: float = 0.0
    people_percent: float = 0.0
    stable_months: int = 12
