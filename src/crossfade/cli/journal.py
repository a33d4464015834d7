"""`journal` on the command line: the record as a story, a line for whatever happened, and its proof."""

from typing import TYPE_CHECKING

from crossfade.cli.answers import Answer, Here
from crossfade.cli.status_text import in_words, short

if TYPE_CHECKING:
    from crossfade.commands.journal import Event

OURSELVES = "crossfade"


def verify(here: Here) -> Answer:
    from crossfade.commands.journal import prove
    from crossfade.commands.workspace import Workspace

    proof = prove(Workspace(here.folder))
    text = f"The journal is as it was written: {proof.events:,} events in one chain.\nLast hash: {proof.head}"
    return Answer(proof, text)


def show(here: Here, subject: str) -> Answer:
    from crossfade.commands.journal import told
    from crossfade.commands.workspace import Workspace

    events = told(Workspace(here.folder), subject=subject)
    return Answer(events, "\n".join(story(events)) or "Nothing is told of that.")


def story(events: "list[Event]") -> list[str]:
    """A heading for each day, then a line for each event: when, who did what, why, and the call it hangs on."""
    lines: list[str] = []
    day = ""
    for event in events:
        if event.at[:10] != day:
            day = event.at[:10]
            lines += ["", day] if lines else [day]
        lines.append(f"  {event.at[11:19]}  {sentence(event)}")
    return lines


def sentence(event: "Event") -> str:
    """`host vm-1 on_source → staged: both installers are there`."""
    tell = {"step": _step, "note": _note, "command": _command}.get(event.kind, _entity)
    said = " ".join(tell(event).split())
    calls = [f"{name} {text}" for name, text in _calls(event) if text]
    return said + (f" [{', '.join(calls)}]" if calls else "")


def _entity(event: "Event") -> str:
    name = short(event.subject) if event.kind == "host" else event.subject
    moved = f"{event.from_state} → {event.to_state}" if event.from_state else f"is {event.to_state}"
    kind = "" if name.startswith(f"{event.kind}-") else f"{event.kind} "
    return _why(f"{kind}{name} {moved}", event) + _who(event)


def _step(event: "Event") -> str:
    parent, _, name = event.subject.rpartition("/") if event.parent is None else (event.parent, "", "")
    name = name or event.subject.removeprefix(f"{parent}/")
    host, of_host, way = parent.rpartition("#")
    whose = f"{short(host)} ({way})" if of_host else short(parent)
    return _why(f"{whose}: {in_words(name)}, {event.to_state}", event)


def _note(event: "Event") -> str:
    return event.reason or f"noted: {event.subject}"


def _command(event: "Event") -> str:
    verb = str(event.data.get("verb", event.subject))
    of = f" {event.subject}" if event.subject != verb else ""
    return _why(f"{event.actor} said {verb}{of}, {event.to_state}", event)


def _why(said: str, event: "Event") -> str:
    return f"{said}: {event.reason}" if event.reason else said


def _who(event: "Event") -> str:
    return f" (by {event.actor})" if event.actor not in ("", OURSELVES) else ""


def _calls(event: "Event") -> list[tuple[str, str]]:
    return [("request", event.request_id), ("correlation", event.correlation_id)]


__all__ = ["sentence", "show", "story", "verify"]
