"""The documents that one report tells of. Only the inventory is always there."""

import msgspec

from crossfade.assessment.findings import Findings
from crossfade.inventory.inventory import Inventory
from crossfade.plan.plan import Plan
from crossfade.report.story import RunStory
from crossfade.verification.verification import Verification


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """`made_at`: ISO UTC, when the report was made. `portal`: address of the cloud's portal, for links; empty: none."""

    inventory: Inventory
    findings: Findings | None = None
    plan: Plan | None = None
    verification: Verification | None = None
    story: RunStory | None = None
    made_at: str = ""
    portal: str = ""
