"""What people are told when their desktop has moved: ready-to-send messages for each kind of client. Pure.

A message is a frame (`moved`, `reminder`, `returned`) around the steps for one kind of client. Each is a text with
named fields in braces; the first line of a frame is `Subject: …`, that of steps is `Heading: …`. The customer's own
texts take the place of the shipped ones by their names.
"""

import csv
import io
import string
from collections.abc import Iterator, Mapping
from importlib.resources import files

import msgspec

from crossfade.errors import InputError, Problem
from crossfade.model.alerts import GATE, HOLDS
from crossfade.model.ids import fold, last_name
from crossfade.model.notices import MOVED, REMINDER, RETURNED, Notice
from crossfade.plan.operations import Operation, PatchResource, PutResource, ReferenceGroup
from crossfade.plan.plan import GroupAccess, Plan

FRAMES = (MOVED, REMINDER, RETURNED)
CLIENTS = ("windows-old", "windows-app", "web", "thin-client")
"""Kinds of client: only people themselves know which they use, so `everybody` holds the steps for all."""
EVERYBODY = "everybody"
FIELDS = ("workspace", "feed", "web", "contact", "from_time", "steps")
"""`steps` in frames only. `from_time`: UTC."""
ALERTS = (GATE, HOLDS)
"""What the operator is told, see `report.alerts`."""
ALERT_FIELDS = ("of", "run", "why", "command", "until")
Templates = Mapping[str, str]
"""Name -> text with fields, complete."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Ready to send. `client`: one of CLIENTS, or everybody."""

    client: str
    subject: str
    body: str

    def text(self) -> str:
        return f"Subject: {self.subject}\n\n{self.body}"


# ---------------------------------------------------------------- templates


def shipped() -> dict[str, str]:
    """The texts that come with Crossfade, by name."""
    folder = files("crossfade.report").joinpath("templates/notices")
    return {name: folder.joinpath(f"{name}.txt").read_text(encoding="utf-8") for name in (*FRAMES, *CLIENTS, *ALERTS)}


def with_own(own: Mapping[str, bytes]) -> dict[str, str]:
    """The shipped texts with the customer's own in their place. `own`: path of a file -> what it holds.

    Raises InputError with every problem: a file of another name, bytes that are no UTF-8, a missing first line, a field
    that is not known.
    """
    texts, problems = shipped(), []
    for path, data in sorted(own.items()):
        name = path.replace("\\", "/").rpartition("/")[2].removesuffix(".txt")
        if name not in texts:
            known = ", ".join(f"{each}.txt" for each in texts)
            problems.append(Problem(path, "is no text of a notice.", f"They are {known}."))
            continue
        try:
            texts[name] = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            problems.append(Problem(f"{path}:{line}", "is not UTF-8.", "Save the file as UTF-8."))
            continue
        problems += _wrong(path, name, texts[name])
    if problems:
        raise InputError("The texts of notices cannot be used; nothing was sent.", problems)
    return texts


def _wrong(path: str, name: str, text: str) -> list[Problem]:
    first, known = _KINDS[name]
    problems = []
    if not text.startswith(first):
        problems.append(Problem(f"{path}:1", f"does not begin with `{first.strip()}`.", "Keep the shipped first line."))
    for number, line in enumerate(text.split("\n"), 1):
        problems += [Problem(f"{path}:{number}", *each) for each in _wrong_fields(line, known)]
    if name in (MOVED, REMINDER) and "{steps}" not in text:
        problems.append(Problem(path, "has no {steps}.", "Nobody would learn what to do: put {steps} into it."))
    return problems


_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(FRAMES, ("Subject: ", FIELDS)),
    **dict.fromkeys(CLIENTS, ("Heading: ", FIELDS[:-1])),
    **dict.fromkeys(ALERTS, ("Subject: ", ALERT_FIELDS)),
}
"""Name of a text -> how it begins, and the fields it may hold."""


def _wrong_fields(line: str, known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What is wrong in a line, and the mend."""
    try:
        parts = list(string.Formatter().parse(line))
    except ValueError:
        yield "has a brace that opens or closes nothing.", "Write {{ or }} for a brace that people are to see."
        return
    for _, field, format_, conversion in parts:
        if field is None:
            continue
        if field not in known:
            yield f"{{{field}}} is no field.", f"They are {', '.join(f'{{{each}}}' for each in known)}."
        elif format_ or conversion:
            yield f"{{{field}}} is more than a name.", "Write the name of a field alone."


# ---------------------------------------------------------------- messages


def messages(notice: Notice, plan: Plan, texts: Templates) -> list[Message]:
    """Of a notice, one for each kind of client and one that holds all."""
    values = {
        "workspace": workspace_titles(notice, plan),
        "feed": plan.settings.feed_address,
        "web": plan.settings.web_address,
        "contact": plan.settings.contact,
        "from_time": f"{notice.send_from[:16].replace('T', ' ')} UTC",
    }
    steps = {client: split(texts[client].format(**values)) for client in CLIENTS}
    found = {client: body for client, (_, body) in steps.items()}
    found[EVERYBODY] = "\n\n".join(f"== {heading} ==\n{body}" for heading, body in steps.values())
    return [_message(client, texts[notice.kind].format(**values, steps=text)) for client, text in found.items()]


def _message(client: str, text: str) -> Message:
    subject, body = split(text)
    return Message(client=client, subject=subject, body=body + "\n")


def split(text: str) -> tuple[str, str]:
    """What the first line says after its word, and the rest."""
    first, _, rest = text.partition("\n")
    return first.partition(": ")[2].strip(), rest.strip("\n")


def workspace_titles(notice: Notice, plan: Plan) -> str:
    """The headings under which these people find what is theirs."""
    groups = {fold(group) for groups in notice.people.values() for group in groups}
    holding = [op.subject for op in plan.operations if isinstance(op, ReferenceGroup) and fold(op.group) in groups]
    titles = {fold(op.subject): _title(op) for op in plan.operations if isinstance(op, PutResource)}
    found = dict.fromkeys(titles.get(fold(each), last_name(each)) for each in holding)
    return " / ".join(found) or "Azure Virtual Desktop"


def what_they_open(notice: Notice, plan: Plan) -> dict[str, list[str]]:
    """Folded UPN -> titles of the desktops and apps that are theirs, in the order of the plan."""
    titles = _titles_by_group(plan)
    pools = {fold(group.target): _pool_of(group) for group in plan.access}
    return {
        person: [title for group in groups for title in titles.get(fold(group)) or [pools.get(fold(group), "")]]
        for person, groups in notice.people.items()
    }


def as_csv(notice: Notice, plan: Plan) -> bytes:
    """The people of a notice for a mail merge. No cell begins as a formula would."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("person", "opens"))
    for person, opens in sorted(what_they_open(notice, plan).items()):
        writer.writerow([_safe(person), _safe("; ".join(opens))])
    return ("\ufeff" + text.getvalue()).encode()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "'")) else cell


def _titles_by_group(plan: Plan) -> dict[str, list[str]]:
    """Folded id of an application group -> titles of its apps or of its desktop."""
    found: dict[str, list[str]] = {}
    for operation in plan.operations:
        group, kind, _ = _parts(operation.subject)
        if kind in ("applications", "desktops") and isinstance(operation, PutResource | PatchResource):
            found.setdefault(group, []).append(_title(operation))
    return found


def _parts(subject: str) -> tuple[str, str, str]:
    """A resource id as (folded id of its parent, its kind, its name)."""
    head, _, name = subject.rpartition("/")
    parent, _, kind = head.rpartition("/")
    return fold(parent), fold(kind), name


def _title(operation: Operation) -> str:
    body = getattr(operation, "body", {})
    properties = body.get("properties", {}) if isinstance(body, dict) else {}
    return str(properties.get("friendlyName") or last_name(operation.subject))


def _pool_of(group: GroupAccess) -> str:
    """Its classic pool's name: a desktop without a title of its own goes by it."""
    return group.source.split("/")[-2]
