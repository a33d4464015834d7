"""tenant-settings: sign-on or logging of a tenant is not carried."""

from __future__ import annotations

from asking import without_target
from builders import TENANT, Estate

from crossfade.assessment.rules.tenant_settings import RULE


def test_holds() -> None:
    estate = Estate(sso_adfs_authority="https://sts.contoso.com/adfs", log_analytics_workspace_id="w")
    assert [found.id for found in without_target(RULE, estate)] == [
        f"tenant-settings:{TENANT}#sso",
        f"tenant-settings:{TENANT}#logs",
    ]


def test_does_not_hold() -> None:
    assert without_target(RULE, Estate(friendly_name="Contoso")) == []
