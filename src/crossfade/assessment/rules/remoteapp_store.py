"""RemoteApps that are Store apps (`shell:appsFolder`): carried as they are, and worth a look on the first host."""

from collections.abc import Iterator

from crossfade.assessment.findings import Finding, Severity
from crossfade.assessment.rule import Rule, finding
from crossfade.inventory.inventory import Inventory
from crossfade.inventory.target import TargetSnapshot
from crossfade.model.ids import last_name

ID = "remoteapp-store"


def check(inventory: Inventory, target: TargetSnapshot | None) -> Iterator[Finding]:
    for app in inventory.apps:
        if "shell:appsfolder" in (app.file_path or "").casefold():
            yield finding(
                ID,
                Severity.NOTE,
                app.key,
                what=f"{last_name(app.key)} is a Store app.",
                why="Its path is carried; it opens where the app is installed for everybody, and it has no icon file.",
                mend="Open it once on the canary host, and give it an icon if it shows the default one.",
                evidence={"file_path": app.file_path, "icon_path": app.icon_path},
            )


RULE = Rule(id=ID, severity=Severity.NOTE, about="A RemoteApp is a Store app.", check=check)
