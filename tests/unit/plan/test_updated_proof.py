"""An object that was there and is updated: the proof looks at all that is wanted of it, not at the patch alone."""

from __future__ import annotations

from typing import Any

import msgspec
from builders import Estate, applied, plan_of

from crossfade.inventory.target import TargetSnapshot
from crossfade.model.target import ArmObject
from crossfade.plan.operations import PatchResource
from crossfade.verification.settings import check_settings


def with_pool(target: TargetSnapshot, **properties: Any) -> TargetSnapshot:
    """The same target, one host pool of it changed."""

    def changed(item: ArmObject) -> ArmObject:
        pool = item.type.endswith("/hostPools")
        return msgspec.structs.replace(item, properties={**item.properties, **properties}) if pool else item

    return msgspec.structs.replace(target, objects=[changed(item) for item in target.objects])


def test_a_property_that_was_right_at_plan_time_is_still_proven() -> None:
    estate = Estate()
    estate.pool("Office", description="ours", custom_rdp_property="audiomode:i:2;")
    there = with_pool(applied(plan_of(estate), estate.target()), description="theirs")
    pool = next(item for item in there.objects if item.type.endswith("/hostPools"))
    plan = plan_of(estate, there, conflicts={pool.id: "update"})
    patch = next(op for op in plan.operations if isinstance(op, PatchResource) and op.subject == pool.id)
    assert patch.body["properties"] == {"description": "ours"}
    after = with_pool(there, description="ours", customRdpProperty="audiomode:i:1;")
    different = [check.property for check in check_settings(plan, after) if check.verdict == "different"]
    assert different == ["customRdpProperty"]
