"""One small migration as documents: finished and proven, with a story; and changes to it."""

from __future__ import annotations

from typing import Any

import msgspec
from applied import NOW, applied, inventory, plan_of, snapshot

from crossfade.assessment.findings import Finding, Findings, Severity
from crossfade.inventory.inventory import Inventory
from crossfade.report.documents import Documents
from crossfade.report.story import HostStory, RunStory, Span, WaveStory
from crossfade.verification.verify import verify

PORTAL = "https://portal.azure.com"


def documents(found: Inventory | None = None, **changed: Any) -> Documents:
    found = found or inventory()
    empty = snapshot(found)
    plan = plan_of(found, empty)
    proof = verify(plan, found, applied(plan, empty), made_at=NOW)
    made = Documents(
        inventory=found,
        plan=plan,
        verification=proof,
        findings=Findings(findings=[finding()]),
        story=story([move.source for move in plan.hosts]),
        made_at=NOW,
        portal=PORTAL,
    )
    return msgspec.structs.replace(made, **changed)


def finding(severity: Severity = Severity.WARNING, **changed: Any) -> Finding:
    given = {"id": "x", "rule": "x", "subject": "t/c/Office", "what": "What.", "why": "Why.", "mend": "Mend."}
    return Finding(severity=severity, **(given | changed))


def story(hosts: list[str], state: str = "finished", **changed: Any) -> RunStory:
    spans = [
        Span(state="moving", since="2026-06-08T08:00:00Z", until="2026-06-08T09:10:00Z"),
        Span(state="soaking", since="2026-06-08T09:10:00Z", until="2026-06-08T09:40:00Z"),
        Span(state="confirmed", since="2026-06-08T09:40:00Z"),
    ]
    wave = WaveStory(id="wave-01", kind="canary-host", state="confirmed", hosts=len(hosts), people=5, spans=spans)
    waiting = WaveStory(id="wave-02", kind="wave", state="planned", hosts=0, people=0)
    given = {
        "run_id": "r1",
        "state": state,
        "began_at": "2026-06-08T08:00:00Z",
        "last_at": "2026-06-08T09:40:00Z",
        "waves": [wave, waiting],
        "hosts": [
            HostStory(
                source=host,
                state="confirmed",
                wave="wave-01",
                began_at="2026-06-08T08:00:00Z",
                emptied_at="2026-06-08T08:30:00Z",
                ended_at="2026-06-08T08:48:00Z",
            )
            for host in hosts
        ],
        "counts": {"Sign-ins": 1234},
    }
    return RunStory(**(given | changed))
