"""`crossfade report`: the folder's documents and its journal as a page and a summary. Reads files, writes one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from crossfade.assessment.findings import Findings
from crossfade.commands.kept import of_the_run
from crossfade.commands.workspace import FINDINGS, INVENTORY, PLAN, REPORT, VERIFICATION, File, Workspace
from crossfade.execution.reader import JournalReader
from crossfade.execution.records import Entity, Event
from crossfade.execution.transitions import INITIAL, HostState, Kind
from crossfade.inventory.inventory import Inventory
from crossfade.plan.plan import Plan
from crossfade.report.documents import Documents
from crossfade.report.html import html
from crossfade.report.story import HostStory, RunStory, Span, WaveStory
from crossfade.report.text import summary as as_text
from crossfade.verification.verification import Verification

Document = TypeVar("Document")
Counts = Mapping[str, int | float | str]


def write_report(workspace: Workspace, portal: str, *, made_at: str, counts: Counts | None = None) -> Path:
    """Write report.html; its path. `portal`: the cloud's, for links. `counts`: figures that the journal does not have,
    under the words a reader sees. Raises InputError when there is no inventory or a document cannot be used."""
    page = html(documents(workspace, portal=portal, made_at=made_at, counts=counts))
    return workspace.write_bytes(REPORT, page.encode())


def summary(workspace: Workspace, *, counts: Counts | None = None) -> str:
    """The text summary. Raises InputError like `write_report`."""
    return as_text(documents(workspace, counts=counts))


def documents(workspace: Workspace, *, portal: str = "", made_at: str = "", counts: Counts | None = None) -> Documents:
    """Everything that the folder has. A verification of another plan is left out: it proves nothing of this one; and
    so is one of a run that was rolled back: nobody is to open anything on the target."""
    plan = _maybe(workspace, PLAN, Plan)
    story = _story(workspace, plan, counts or {})
    verification = _maybe(workspace, VERIFICATION, Verification)
    if plan is None or (verification is not None and verification.inputs.get("plan") != plan.digest()):
        verification = None
    if story is not None and story.rolled_back:
        verification = None
    return Documents(
        inventory=workspace.read(of_the_run(workspace, INVENTORY), Inventory),
        findings=_maybe(workspace, FINDINGS, Findings),
        plan=plan,
        verification=verification,
        story=story,
        made_at=made_at,
        portal=portal,
    )


def _maybe(workspace: Workspace, file: File, kind: type[Document]) -> Document | None:
    return workspace.read(file, kind) if workspace.has(file) else None


def _story(workspace: Workspace, plan: Plan | None, counts: Counts) -> RunStory | None:
    """The story of this plan's run; None when it has none."""
    if plan is None or not workspace.has_journal():
        return None
    with JournalReader.look(workspace.journal) as reader:
        digest = workspace.digest(PLAN)
        runs = [run for run in reader.all(Kind.RUN) if run.data.get("plan") == digest]
        return tell(reader, runs[0], plan, counts) if runs else None


def tell(reader: JournalReader, run: Entity, plan: Plan, counts: Counts) -> RunStory:
    """A run from its journal."""
    waves = {wave.id: wave for wave in reader.all(Kind.WAVE) if wave.run_id == run.id}
    spans = _spans(reader, Kind.WAVE, run.id)
    moves = _spans(reader, Kind.HOST, run.id)
    hosts = [host for host in reader.all(Kind.HOST) if host.run_id == run.id]
    return RunStory(
        run_id=run.id,
        state=run.state,
        reason=run.reason,
        began_at=run.added_at,
        last_at=max([run.moved_at, *(entity.moved_at for entity in [*waves.values(), *hosts])]),
        waves=[_wave(waves[wave.id], spans.get(wave.id, [])) for wave in plan.waves if wave.id in waves],
        hosts=[_host(host, moves.get(host.id, [])) for host in hosts],
        unsure=sum(1 for step in reader.unknown_steps() if step.run_id == run.id),
        counts=dict(counts),
    )


def _spans(reader: JournalReader, kind: Kind, run_id: str) -> dict[str, list[Span]]:
    """Subject -> its states with their times, the first one left out."""
    found: dict[str, list[Event]] = {}
    for event in reader.events(kind=kind):
        if event.run_id == run_id and event.from_state is not None:
            found.setdefault(event.subject, []).append(event)
    return {subject: _between(events) for subject, events in found.items()}


def _between(events: list[Event]) -> list[Span]:
    ends = [*(event.at for event in events[1:]), ""]
    return [Span(state=str(event.to_state), since=event.at, until=end) for event, end in zip(events, ends, strict=True)]


def _wave(wave: Entity, spans: list[Span]) -> WaveStory:
    return WaveStory(
        id=wave.id,
        kind=str(wave.data.get("kind", "")),
        state=wave.state,
        hosts=int(wave.data.get("hosts", 0)),
        people=int(wave.data.get("people", 0)),
        spans=[span for span in spans if span.state != INITIAL[Kind.WAVE]],
        reason=wave.reason,
    )


def _host(host: Entity, spans: list[Span]) -> HostStory:
    """Of its last way forward: a canary goes twice."""
    left = _last(spans, HostState.DRAINING)
    emptied = _last(spans, HostState.DRAINED)
    back = _last(spans, HostState.ACCEPTING)
    return HostStory(
        source=host.id,
        state=host.state,
        wave=host.parent or "",
        reason=host.reason,
        began_at=left,
        emptied_at=emptied if emptied >= left else "",
        ended_at=back if back >= left else "",
    )


def _last(spans: list[Span], state: HostState) -> str:
    return next((span.since for span in reversed(spans) if span.state == state), "")
