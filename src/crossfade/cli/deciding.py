"""`init`, `assess` and `plan` on the command line: documents in, documents out, no service."""

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from crossfade.cli.answers import Answer, Here

if TYPE_CHECKING:
    from crossfade.commands.assess import Assessed

SHOWN = 12


class Answers(NamedTuple):
    """What `init` needs to know; None where nobody said."""

    subscription: str | None = None
    location: str | None = None
    hosts_percent: float | None = None
    people_percent: float | None = None
    stable_months: int | None = None
    active: str | None = None
    disconnected: str | None = None


QUESTIONS: dict[str, tuple[str, Any]] = {
    "subscription": ("Subscription for the new objects (empty: that of target.json)", ""),
    "location": ("Region that holds their metadata, for instance westeurope", ""),
    "hosts_percent": ("Expected growth in hosts within two years, per cent", 0.0),
    "people_percent": ("Expected growth in people within two years, per cent", 0.0),
    "stable_months": ("For how many months has the estate been as it is", 12),
    "active": ("People at work on a draining host: wait, or log-off-after-grace", "wait"),
    "disconnected": ("Sessions left disconnected there: log-off-after-grace, or wait", "log-off-after-grace"),
}
"""Asked in this order at a terminal, each with its default."""


def init(here: Here, said: Answers, *, tenant_id: str) -> Answer:
    from crossfade.commands import init as command
    from crossfade.commands.workspace import INTENT, Workspace
    from crossfade.model.growth import Growth

    workspace = Workspace(here.folder)
    if not workspace.has(INTENT) and not here.as_json:
        said = _asked(said)
    told = {name: QUESTIONS[name][1] if value is None else value for name, value in said._asdict().items()}
    growth = Growth(
        hosts_percent=told["hosts_percent"], people_percent=told["people_percent"], stable_months=told["stable_months"]
    )
    path = command.init(
        workspace,
        subscription=told["subscription"],
        location=told["location"],
        tenant_id=tenant_id,
        growth=growth,
        disconnected=told["disconnected"],
        active=told["active"],
    )
    return Answer({"written": str(path)}, f"Wrote {path}\nNext: read it, decide, then `crossfade assess`.")


def _asked(said: Answers) -> Answers:
    """Ask for what was not given, where somebody is there to answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return said
    import typer

    missing = [name for name, value in said._asdict().items() if value is None]
    answers = {name: typer.prompt(QUESTIONS[name][0], default=QUESTIONS[name][1]) for name in missing}
    return said._replace(**answers)


# ---------------------------------------------------------------- assess


def assess(here: Here) -> Answer:
    from crossfade.commands import assess as command
    from crossfade.commands.local import CLOCK
    from crossfade.commands.workspace import Workspace

    found = command.assess(Workspace(here.folder), CLOCK)
    data = {"written": found.path, "counts": found.counts, "findings": found.findings}
    return Answer(data, _findings(found), found.exit_code)


def _findings(found: "Assessed") -> str:
    lines = []
    for finding in found.findings.findings[:SHOWN]:
        lines += [f"{str(finding.severity).upper()} {finding.subject}", f"  {finding.what} {finding.why}".rstrip()]
        lines += [f"  Mend: {finding.mend}"] if finding.mend else []
    more = len(found.findings.findings) - SHOWN
    lines += [f"… and {more} more in {found.path}"] if more > 0 else []
    lines += ["", "Advice"] if found.findings.advice else []
    for advice in found.findings.advice:
        lines += [f"  {advice.pool}: {advice.way}", *(f"    {reason}" for reason in advice.reasons)]
    counts = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in found.counts.items())
    missing = "" if found.with_target else " Without target.json the rules that look at the target had nothing to see."
    return "\n".join([*lines, "", f"{counts}.{missing}", f"Wrote {found.path}"]).lstrip()


# ---------------------------------------------------------------- plan


def plan(here: Here, *, every_row: bool) -> Answer:
    from crossfade.commands import plan as command
    from crossfade.commands.local import CLOCK
    from crossfade.commands.workspace import Workspace
    from crossfade.report.plan_text import plan_text

    made = command.plan(Workspace(here.folder), CLOCK)
    data = {
        "written": made.path,
        "digest": made.plan.digest(),
        "totals": Counter(change.action for change in made.changes),
        "hosts": len(made.plan.hosts),
        "waves": len(made.plan.waves),
        "conflicts": made.conflicts,
        "changes": made.changes,
    }
    text = f"{plan_text(made.plan, every_row=every_row)}\n\nWrote {made.path}\nNothing else was written."
    return Answer(data, text, made.exit_code)
