"""`notices` on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.cli.answers import Answer, Here
from crossfade.errors import InputError, Problem

if TYPE_CHECKING:
    from crossfade.commands.notices import Issued


def notices(here: Here, name: str, texts: Path | None) -> Answer:
    from crossfade.commands import notices as command
    from crossfade.commands.workspace import Workspace

    if texts is not None:
        written = [str(path) for path in command.write_texts(texts)]
        own = Workspace(here.folder).folder / command.OWN
        told = [*(f"Wrote {path}" for path in written), f"Texts in {own} take the place of the shipped ones."]
        return Answer({"written": written}, "\n".join(told))
    found = command.notices(Workspace(here.folder))
    if not name:
        return Answer({"notices": found}, _list(found))
    chosen = [each for each in found if each.notice.id in (name, f"notice-{name.zfill(3)}")]
    if not chosen:
        known = ", ".join(each.notice.id for each in found) or "none yet"
        raise InputError("There is no such notice.", [Problem(name, "was not issued.", f"Issued: {known}.")])
    return Answer({"notices": chosen}, _one(chosen[0]), to_copy=True)


def _list(found: "list[Issued]") -> str:
    if not found:
        return "Nobody has to be told anything yet."
    width = max(len(each.notice.of.rpartition("/")[2]) for each in found)
    lines = [
        f"{each.notice.id}  {each.notice.kind:<8}  {each.notice.of.rpartition('/')[2]:<{width}}  "
        f"{_people(len(each.notice.people)):>12}  send from {each.notice.send_from[:16].replace('T', ' ')} UTC"
        for each in found
    ]
    folder = found[-1].folder.rpartition("notices")[0] + "notices"
    return "\n".join([*lines, "", f"Messages and lists of people: {folder}", "`crossfade notices NOTICE` prints one."])


def _one(issued: "Issued") -> str:
    people = [f"  {person}: {', '.join(opens)}" for person, opens in sorted(issued.opens.items())]
    return "\n".join([issued.everybody.text().rstrip(), "", f"To {_people(len(people))}:", *people])


def _people(number: int) -> str:
    from crossfade.report import words

    return words.people(number)
