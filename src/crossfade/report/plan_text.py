"""A plan as text that people can sign: what is there now against what will be, row by row.

Signs: + create, ~ change, = taken as it is, . nothing to do, ! conflict.
"""

from collections import Counter
from collections.abc import Iterable

from crossfade.model.ids import fold, last_name, segments
from crossfade.plan.diff import SIGNS, Change, changes, conflicts
from crossfade.plan.operations import (
    Action,
    AddMember,
    AnyOperation,
    CreateDirectoryGroup,
    GrantRole,
    PatchHostPool,
    PatchResource,
    PutResource,
    ReferenceGroup,
    RegisterProvider,
    RetractAssignment,
    SendLogs,
    SetIcon,
    SnapshotDisk,
)
from crossfade.plan.plan import Plan, Wave
from crossfade.plan.rbac import described
from crossfade.plan.role_proposal import RoleProposal
from crossfade.report import words
from crossfade.report.consolidation import consolidated, total
from crossfade.report.tables import indented, section, table

LEGEND = "+ create   ~ change   = there already, adopted   . nothing to do   ! conflict"
_WORDS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to change",
    Action.ADOPT: "adopted",
    Action.NO_OP: "nothing to do",
    Action.CONFLICT: "in conflict",
}
PERSONAL: dict[type, str] = {
    GrantRole: "grant",
    AddMember: "group member",
    RetractAssignment: "classic assignment",
    SetIcon: "icon",
    SnapshotDisk: "OS disk snapshot",
}
"""Operations that are one per person or app: counted here, listed in plan.json."""
_KINDS: dict[type, str] = {
    **PERSONAL,
    RegisterProvider: "provider",
    CreateDirectoryGroup: "directory group",
    ReferenceGroup: "workspace",
    SendLogs: "logs",
    PatchHostPool: "host pool, at the end",
}


def plan_text(plan: Plan, *, every_row: bool = False) -> str:
    """The plan. `every_row`: also those of single people."""
    rows = changes(plan)
    named = list(zip(plan.operations, rows, strict=True))
    single = [pair for pair in named if _is_counted(*pair) and not every_row]
    shown = [_row(*pair) for pair in named if every_row or not _is_counted(*pair)]
    lines = [counts(rows), LEGEND, "", *shown, *_many(single)]
    lines += section("Waves", waves(plan))
    lines += section(
        "Conflicts: decide each in crossfade.toml [conflicts]", [_conflict(row) for row in conflicts(plan)]
    )
    lines += section("Cannot be undone", irreversible(plan))
    lines += section("Groups instead of single people", [total(consolidated(plan))] if plan.access else [])
    lines += section("Limits of the service", [words.clean(quota.told()) for quota in plan.quotas])
    lines += section("Titles in people's feeds", feed(plan, every_row=every_row))
    lines += section("Not carried over", not_carried(plan))
    lines += section("Existing groups that would do: [groups] in crossfade.toml", proposals(plan))
    lines += section("Classic roles: [roles] in crossfade.toml", roles(plan))
    lines += section("Applications of your own that must change", automation(plan))
    lines += section("Accepted by name", answered(plan))
    lines += section("Good to know", [words.clean(note) for note in plan.notes])
    return "\n".join(lines)


def _is_counted(operation: AnyOperation, row: Change) -> bool:
    return type(operation) in PERSONAL and row.sign != "!"


def counts(rows: Iterable[Change]) -> str:
    """`Plan: 12 to create, 3 to change, 1 adopted.`"""
    found = Counter(row.sign for row in rows)
    parts = [f"{found[SIGNS[action]]:,} {text}" for action, text in _WORDS.items() if found[SIGNS[action]]]
    return f"Plan: {', '.join(parts) or 'nothing'}."


def _row(operation: AnyOperation, row: Change) -> str:
    return words.clean(f"{row.sign} {_kind(operation):<22} {_name(operation)}  ({row.reason})")


def _kind(operation: AnyOperation) -> str:
    if isinstance(operation, PutResource | PatchResource):
        return words.type_of(operation.type)
    return _KINDS[type(operation)]


def _name(operation: AnyOperation) -> str:
    """What a reader knows the object by: its name, with the one around it where that matters."""
    if isinstance(operation, ReferenceGroup):
        return f"{last_name(operation.subject)} shows {last_name(operation.group)}"
    if isinstance(operation, SendLogs):
        sent = ", ".join(operation.categories) or "nothing more"
        return f"{_place(operation.resource)} to {last_name(operation.workspace)}: {sent}"
    if isinstance(operation, CreateDirectoryGroup):
        return operation.display_name
    if isinstance(operation, GrantRole):
        return f"{last_name(operation.scope)} to {operation.principal_label}"
    if isinstance(operation, SnapshotDisk):
        place = segments(operation.subject)["resourcegroups"]
        return f"{last_name(operation.vm)}: {last_name(operation.subject)} in {place}, incremental"
    if isinstance(operation, AddMember):
        return f"{operation.subject.removeprefix('group:')}: {operation.member_label}"
    return _place(operation.subject)


def _place(subject: str) -> str:
    """The names of an ARM id below its provider, joined; of anything else its last name."""
    _, found, rest = subject.partition("/providers/Microsoft.DesktopVirtualization/")
    return " / ".join(rest.split("/")[1::2]) if found else last_name(subject)


def _many(pairs: Iterable[tuple[AnyOperation, Change]]) -> list[str]:
    """One row for each kind and sign of what is done person by person."""
    found = Counter((row.sign, PERSONAL[type(operation)]) for operation, row in pairs)
    return [
        f"{sign} {kind:<22} {number:,}, {'app by app' if kind == 'icon' else 'person by person'}"
        for (sign, kind), number in sorted(found.items())
    ]


def _conflict(row: Change) -> str:
    return words.clean(f"{row.subject}: {row.reason}")


def waves(plan: Plan) -> list[str]:
    """The waves with how many hosts of which pools and how many people."""
    pool_of = {fold(move.source): move.source_pool for move in plan.hosts}
    rows = [
        (wave.id, words.kind(wave.kind), len(wave.hosts), len(wave.cohort), _pools(wave, pool_of))
        for wave in plan.waves
    ]
    return table(("wave", "what", "hosts", "people", "of"), rows, right=(2, 3))


def _pools(wave: Wave, pool_of: dict[str, str]) -> str:
    found = Counter(last_name(pool_of.get(fold(host), "?")) for host in wave.hosts)
    return ", ".join(f"{name} {number}" for name, number in sorted(found.items()))


def proposals(plan: Plan) -> list[str]:
    """Each with what a yes means. All of it is in plan.json."""
    lines = []
    for one in plan.proposals:
        said = "in use" if one.chosen else "proposed"
        head = f"{words.resource(one.source)}: {one.display_name} ({one.group}), {one.people} people, {said}"
        owners = f"owners: {', '.join(one.owners) or 'none'}; {one.rule}; {one.last_change}"
        lines += [words.clean(head), *indented([words.clean(text) for text in (owners, *one.warnings, one.means)])]
    return lines


def roles(plan: Plan) -> list[str]:
    """Each proposal with its id, the difference in power and what stands in the way."""
    lines = []
    for one in plan.roles:
        told = (f"id: {one.id}", one.difference, f"needs {one.needs}" if one.needs else "")
        lines += [words.clean(described(one)), *indented([words.clean(text) for text in told if text])]
    return lines


def automation(plan: Plan) -> list[str]:
    """Each application that holds classic roles, once: which, what they become, and what must change in it."""
    found: dict[str, list[RoleProposal]] = {}
    for one in plan.roles:
        if one.automation:
            found.setdefault(one.principal or one.app_id or one.principal_label, []).append(one)
    lines = []
    for rows in found.values():
        first = rows[0]
        lines.append(words.clean(f"{first.principal_label} (application {first.app_id or 'not known'})"))
        lines += indented(list(dict.fromkeys(words.clean(described(one)) for one in rows)))
        lines += indented([words.clean(first.automation)])
    return lines


def feed(plan: Plan, *, every_row: bool = False) -> list[str]:
    """Titles before and after: those that change, with a mark; how many stay, or each of them."""
    shown = [one for one in plan.titles if every_row or one.changed]
    rows = [
        ("*" if one.changed else "", one.kind, words.title(one.before), one.after, "" if one.shown else "hidden")
        for one in shown
    ]
    lines = table(("", "what", "before", "after", ""), rows) if rows else []
    left = len(plan.titles) - len(shown)
    return [*lines, *([f"{left:,} stay as they are." if rows else f"All {left:,} stay as they are."] if left else [])]


def answered(plan: Plan) -> list[str]:
    """Who answers for which finding, and why."""
    rows = [(one.by, one.finding, one.until, words.clean(one.reason)) for one in plan.answered]
    return table(("who", "answers for", "until", "why"), rows) if rows else []


def irreversible(plan: Plan) -> list[str]:
    return [
        words.clean(f"{_place(operation.subject)}: {operation.irreversible}")
        for operation in plan.operations
        if operation.irreversible
    ]


def not_carried(plan: Plan) -> list[str]:
    lines = []
    for left in plan.not_carried:
        lines.append(words.clean(f"{words.resource(left.subject)}: {left.property} = {words.value(left.value)}"))
        lines += indented([words.clean(left.why)])
    return lines
