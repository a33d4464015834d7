"""A tenant of another directory than the target's: its people do not exist there (facts/classic-service 8.3)."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import fold, last_name

ID = "other-directory"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for tenant in inventory.tenants if target and target.tenant_id else []:
        if target and tenant.aad_tenant_id and fold(tenant.aad_tenant_id) != fold(target.tenant_id):
            yield finding(
                ID,
                Severity.BLOCKER,
                tenant.key,
                what=f"{last_name(tenant.key)} belongs to the directory {tenant.aad_tenant_id}.",
                why=f"The target was read from {target.tenant_id}: it cannot give access to these people.",
                mend="Sign in to the tenant's own directory, with a subscription of that directory.",
                evidence={"tenant": tenant.aad_tenant_id, "target": target.tenant_id},
            )


RULE = Rule(id=ID, severity=Severity.BLOCKER, about="Tenant and target are of different directories.", check=check)
