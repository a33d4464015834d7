"""`who` and `what`: one person's or one resource's access, each with the path by which it comes, before and after."""

from collections.abc import Iterable

import msgspec

from crossfade.errors import InputError, Problem
from crossfade.model.ids import fold, parent_key
from crossfade.verification.access import Access, Path
from crossfade.verification.after import After
from crossfade.verification.before import Before
from crossfade.verification.people import PRESENT
from crossfade.verification.promised import Promised


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a run has done for a person: when (ISO 8601), what, and in which app groups or pools."""

    at: str
    what: str
    places: list[str]


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Who had left classic when the target was read: (folded group key, folded UPN); `all`: classic has gone."""

    read_at: str = ""
    pairs: frozenset[tuple[str, str]] = frozenset()
    all: bool = False

    def holds(self, path: Path) -> bool:
        return self.all or (fold(parent_key(path.resource)), fold(path.person)) in self.pairs


GONE_CLASSIC = Left(all=True)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `before`, `classic` (what of it still stood when the target was read), `after` (the target, read at
    `read_at`) and `planned` (what the plan promises) are sorted by resource and person; `after` None: there is no
    target yet; `planned` None: there is no plan. `passages`: what the run has done for a person, in order of time."""

    subject: str
    note: str = ""
    before: list[Path] = []
    classic: list[Path] = []
    after: list[Path] | None = None
    planned: list[Path] | None = None
    read_at: str = ""
    passages: list[Passage] = []


def who(
    person: str,
    before: Before,
    after: After | None,
    promised: Promised | None = None,
    left: Left = GONE_CLASSIC,
    passages: Iterable[Passage] = (),
) -> View:
    """Everything a person has a right to. Raises InputError for somebody whom neither side knows."""
    key = fold(person)
    had = list(before.paths_of(key))
    has = list(after.paths_of(key)) if after else None
    standing = before.people.standing(key)
    if not had and not has and not before.people.is_known(key):
        raise InputError("There is nobody to tell about.", [_nobody(person, before.listed())])
    return View(
        subject=before.people.label(key),
        note="" if standing.state == PRESENT else f"Cannot sign in: {standing.why}",
        before=_sorted(had),
        classic=_sorted(path for path in had if not left.holds(path)),
        after=None if has is None else _sorted(has),
        planned=_sorted(promised.paths_of(key)) if promised else None,
        read_at=left.read_at,
        passages=list(passages),
    )


def what(
    text: str, before: Before, after: After | None, promised: Promised | None = None, left: Left = GONE_CLASSIC
) -> list[View]:
    """Everybody who has a right to a resource. `text` names it by its end (`Excel`, `Office/Excel`), or names the group
    or pool around several. Raises InputError when nothing fits."""
    sides: list[Access] = [before.access(), *([after.access()] if after else [])]
    known = {key: resource.key for side in sides for key, resource in side.resources.items()}
    found = matching(text, known)
    if not found:
        raise InputError("There is no such resource.", [_nothing(text, known.values())])
    return [
        View(
            subject=known[key],
            before=_sorted(before.paths_to(key)),
            classic=_sorted(path for path in before.paths_to(key) if not left.holds(path)),
            after=None if after is None else _sorted(after.paths_to(key)),
            planned=_sorted(promised.paths_to(key)) if promised else None,
            read_at=left.read_at,
        )
        for key in found
    ]


def matching(text: str, known: Iterable[str]) -> list[str]:
    """Of folded keys, those that a text means: its parts in order among theirs, and the last one their last if any has
    it so."""
    wanted = [part for part in fold(text).strip("/").split("/") if part]
    fits = [key for key in known if _in_order(wanted, key.split("/"))]
    exact = [key for key in fits if key.split("/")[-1] == wanted[-1]]
    return sorted(exact or fits)


def _in_order(wanted: list[str], parts: list[str]) -> bool:
    left = iter(parts)
    return bool(wanted) and all(any(part == found for found in left) for part in wanted)


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (fold(path.resource), fold(path.person), path.how))


def _nobody(person: str, listed: Iterable[str]) -> Problem:
    name = fold(person).partition("@")[0]
    near = sorted(upn for upn in listed if name and name in upn)[:3]
    mend = f"Did you mean {', '.join(near)}?" if near else "Give the whole user principal name (somebody@contoso.com)."
    return Problem(person, "is not assigned anything in classic and holds nothing on the target.", mend)


def _nothing(text: str, known: Iterable[str]) -> Problem:
    last = fold(text).rsplit("/", 1)[-1]
    near = sorted(key for key in known if last and last in fold(key))[:3]
    mend = f"Did you mean {'; '.join(near)}?" if near else "Name it as the feed does: `Excel`, or `pool/group/Excel`."
    return Problem(text, "is shown to nobody on either side.", mend)
