"""`verify`, `who`, `report` and `doctor` on the command line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crossfade.cli.answers import Answer, Here
from crossfade.cli.progress import showing
from crossfade.cli.services import connected, with_services

if TYPE_CHECKING:
    from crossfade.app import Services


def verify(here: Here) -> Answer:
    from crossfade.commands import verify as command
    from crossfade.commands.workspace import VERIFICATION, Workspace
    from crossfade.report import text

    workspace = Workspace(here.folder)
    command.documents(workspace)

    async def work(services: "Services") -> Any:
        with showing("Reading the target") as progress:
            return await command.verify(workspace, services, services.clock, progress=progress)

    found = with_services(here, work)
    written = f"\n\nWrote {workspace.path(VERIFICATION)}"
    return Answer(found, text.verification(found) + written, command.exit_code(found))


def who(here: Here, person: str) -> Answer:
    from crossfade.commands import who as command
    from crossfade.commands.workspace import Workspace
    from crossfade.report import access_text

    found = command.who(Workspace(here.folder), person)
    return Answer(found, access_text.view(found))


def report(here: Here, cloud: str) -> Answer:
    from crossfade.app import Endpoints, portal_of
    from crossfade.commands import report as command
    from crossfade.commands.local import now
    from crossfade.commands.workspace import Workspace

    workspace = Workspace(here.folder)
    path = command.write_report(workspace, portal_of(Endpoints(cloud=cloud)), made_at=now())
    return Answer({"written": str(path)}, f"{command.summary(workspace)}\n\nWrote {path}")


# ---------------------------------------------------------------- doctor


def doctor(here: Here, *, subscriptions: Sequence[str], local: bool) -> Answer:
    from crossfade.commands import doctor as command
    from crossfade.commands.workspace import Workspace
    from crossfade.errors import MigrationError

    workspace = Workspace(here.folder)
    checks = command.look_here(workspace)
    if not local:
        try:
            checks += connected(
                here.connection, lambda services: command.look_there(workspace, services, subscriptions)
            )
        except MigrationError as error:
            checks.append(command.Check(name="sign-in", found=str(error), mend=error.mend or "See above."))
    return Answer({"checks": checks}, _checks(checks), command.exit_code(checks))


def _checks(checks: Sequence[Any]) -> str:
    lines = []
    for check in checks:
        lines.append(f"{'MEND' if check.mend else 'ok  '}  {check.name}: {check.found}")
        if check.mend:
            lines.append(f"      {check.mend}")
    wrong = sum(1 for check in checks if check.mend)
    lines.append("All is well." if not wrong else f"{wrong} of {len(checks)} things need mending.")
    return "\n".join(lines)
