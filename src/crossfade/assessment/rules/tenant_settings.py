"""Single sign-on through AD FS and Log Analytics: tenant-wide in classic, set by hand on the target."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import last_name

ID = "tenant-settings"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for tenant in inventory.tenants:
        name = last_name(tenant.key)
        if tenant.sso_adfs_authority or tenant.sso_client_id or tenant.sso_secret_set:
            yield finding(
                ID,
                Severity.WARNING,
                f"{tenant.key}#sso",
                what=f"{name} signs people in through AD FS ({tenant.sso_adfs_authority or 'authority not read'}).",
                why="The new service sets this per host pool and reads the secret from Key Vault; it cannot be copied.",
                mend="Put the secret into Key Vault and name the place under [single_sign_on] in crossfade.toml; "
                "without it people type their password once more.",
                evidence={"authority": tenant.sso_adfs_authority, "client_id": tenant.sso_client_id},
            )
        if tenant.log_analytics_workspace_id or tenant.log_analytics_key_set:
            yield finding(
                ID,
                Severity.NOTE,
                f"{tenant.key}#logs",
                what=f"{name} sends its diagnostics to Log Analytics.",
                why="The new service has diagnostic settings on each object and other tables: old queries fall silent.",
                mend="Name the workspace under [diagnostics] in crossfade.toml, and have `crossfade queries` rewrite "
                "the queries that people rely on.",
                evidence={"workspace": tenant.log_analytics_workspace_id},
            )


RULE = Rule(id=ID, severity=Severity.WARNING, about="Sign-on or logging of a tenant is not carried.", check=check)
