"""RemoteApps that no file path opens: the new service takes no alias (facts/arm-service 1.5)."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import last_name

ID = "remoteapp-without-path"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for app in inventory.apps:
        if not app.file_path:
            alias = f"only the alias {app.app_alias}" if app.app_alias else "neither path nor alias"
            yield finding(
                ID,
                Severity.BLOCKER,
                app.key,
                what=f"{last_name(app.key)} has {alias}.",
                why="It would be published and not open.",
                mend="Set its FilePath in classic (Set-RdsRemoteApp -FilePath), or add what Get-RdsStartMenuApp gives "
                "to the exports, and discover again.",
                evidence={"app_alias": app.app_alias},
            )


RULE = Rule(id=ID, severity=Severity.BLOCKER, about="A RemoteApp has no file path.", check=check)
