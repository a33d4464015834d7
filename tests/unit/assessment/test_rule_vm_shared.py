"""vm-shared: several session hosts are one VM."""

from __future__ import annotations

from asking import without_target
from builders import Estate, vm_id

from crossfade.assessment.rules.vm_shared import RULE


def test_holds() -> None:
    estate = Estate()
    old = estate.pool("Old", hosts=1)
    left = estate.host(old, "was-here", vm=False, azure_resource_id=vm_id("OLD-0"))
    (found,) = without_target(RULE, estate)
    assert found.evidence["hosts"] == [f"{old}/old-0.corp.contoso.com", left]


def test_does_not_hold() -> None:
    estate = Estate()
    pool = estate.pool("Office")
    for label in ("a", "b"):
        estate.host(pool, label, azure_resource_id=None)
    assert without_target(RULE, estate) == []
