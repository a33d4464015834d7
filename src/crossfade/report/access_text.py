"""The answer of `who` and `what` as text: what has the same paths stands together, with what was, is and is planned.

    alice@contoso.com
    2 opened before, 2 open now, 2 of them on classic only: the same.

    opens   Office / Office Apps / Excel
    opens   Office / Office Apps / Word
      before   assigned to app group Office Apps of Office
      now      on classic as before
      planned  assigned to Office-Apps through the new group Office users, with wave-02

    Now is 2026-06-08 07:00 UTC, when the target was read last; `crossfade verify` reads it anew.

Signs: `opens` as before, on whichever side; `never`: neither before nor now; `lost`; `gained`.
"""

from collections.abc import Iterable

import msgspec

from crossfade.model.ids import fold
from crossfade.report import words
from crossfade.verification.access import Path
from crossfade.verification.explain import Passage, View

SAME, NEITHER, LOST, GAINED = "opens", "never", "lost", "gained"
_SIGNS = {(True, True): SAME, (False, False): NEITHER, (True, False): LOST, (False, True): GAINED}
"""Whether it opened before, and whether it opens now -> the sign."""
NOTHING = "nothing"
ON_CLASSIC = "on classic as before"
NOT_READ = "The target was not read yet: crossfade discover --target."


class Row(msgspec.Struct):
    """One resource of a person, or one person of a resource, with its paths."""

    name: str
    before: list[Path]
    classic: list[Path]
    now: list[Path]
    planned: list[Path]

    def sign(self, *, read: bool) -> str:
        """`read`: whether the target was; before that, what opens is what opens today."""
        opened = any(path.opens for path in self.before)
        return _SIGNS[opened, any(path.opens for path in (*self.classic, *self.now)) if read else opened]

    def only_on_classic(self) -> bool:
        return any(path.opens for path in self.classic) and not any(path.opens for path in self.now)


def view(found: View) -> str:
    """The whole answer."""
    rows = _rows(found)
    read = found.after is not None
    lines = [words.clean(found.subject), *([words.clean(found.note)] if found.note else []), _total(rows, read)]
    if found.passages:
        lines += ["", *map(_passage, found.passages)]
    together: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        together.setdefault((row.sign(read=read), *_paths(row, found)), []).append(row)
    for (sign, *told), alike in together.items():
        lines += ["", *(f"{sign:<7} {words.clean(row.name)}" for row in alike), *(f"  {line}" for line in told)]
    return "\n".join([*lines, *_as_of(found)])


def _as_of(found: View) -> list[str]:
    if found.after is None:
        return ["", NOT_READ]
    at = words.moment(found.read_at)
    return ["", f"Now is {at} UTC, when the target was read last; `crossfade verify` reads it anew."] if at else []


def _passage(one: Passage) -> str:
    places = ", ".join(map(words.clean, one.places))
    return f"{words.moment(one.at)}  {one.what}: {places}"


def _rows(found: View) -> list[Row]:
    """In the order of their names; of a person by resource, of a resource by person."""
    rows: dict[tuple[str, str], Row] = {}
    sides = {"before": found.before, "classic": found.classic, "now": found.after or [], "planned": found.planned or []}
    by_person = any(path.person != found.subject for paths in sides.values() for path in paths)
    for side, paths in sides.items():
        for path in paths:
            name = path.person if by_person else words.resource(path.resource)
            row = rows.setdefault((fold(path.resource), fold(path.person)), Row(name, [], [], [], []))
            getattr(row, side).append(path)
    return [rows[key] for key in sorted(rows, key=lambda key: (fold(rows[key].name), key))]


def _paths(row: Row, found: View) -> Iterable[str]:
    yield f"before   {_how(row.before)}"
    if found.after is not None:
        stays = [ON_CLASSIC] if any(path.opens for path in row.classic) else []
        yield f"now      {'; and '.join([*stays, *([_how(row.now)] if row.now or not stays else [])])}"
    if found.planned is not None:
        yield f"planned  {_how(row.planned)}"


def _how(paths: list[Path]) -> str:
    return words.clean("; and ".join(path.how for path in paths)) or NOTHING


def _total(rows: list[Row], read: bool) -> str:
    opened = sum(1 for row in rows if any(path.opens for path in row.before))
    if not read:
        return f"{opened} open today."
    signs = [row.sign(read=True) for row in rows]
    now = signs.count(SAME) + signs.count(GAINED)
    lost, gained = signs.count(LOST), signs.count(GAINED)
    if not opened and not now:
        return "Nothing opened before, and nothing opens now."
    change = f"{lost} lost, {gained} gained" if lost or gained else "the same"
    classic = sum(1 for row in rows if row.only_on_classic())
    where = f", {classic} of them on classic only" if classic else ""
    return f"{opened} opened before, {now} open now{where}: {change}."
