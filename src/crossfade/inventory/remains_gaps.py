"""What was seen in Azure and fits no record of the draft, named so that nobody takes the draft for all there was."""

from collections.abc import Iterable, Iterator

from crossfade.inventory.remains_hosts import Host, Uses
from crossfade.inventory.remains_signs import Sign
from crossfade.model.ids import fold
from crossfade.model.provenance import Gap
from crossfade.sources.remains_records import Connections, RemainsReading

_SHOWN = 5


def gaps_of(reading: RemainsReading, signs: list[Sign], uses: Uses) -> list[Gap]:
    """Those of the reading first; sorted otherwise by subject."""
    found = [*_gone(signs), *_lost(uses.lost), *([] if reading.logged else [_no_logs()])]
    return [*reading.gaps, *sorted(found, key=lambda gap: (gap.subject, gap.what))]


def _gone(signs: list[Sign]) -> Iterator[Gap]:
    for sign in signs:
        if sign.gone:
            yield Gap(
                subject=sign.text,
                what=f"It made VMs for pool {sign.pool[2]} that are not there any more: {_some(sign.gone)}.",
                why="They were deleted, or made anew under another name.",
                mend="Nothing to do, unless the pool has too few hosts without them.",
            )


def _lost(lost: list[Connections]) -> Iterator[Gap]:
    people = sorted({fold(one.upn) for one in lost})
    if people:
        yield Gap(
            subject="connections to hosts that are not here",
            what=f"{_some(people)} connected to {_some(sorted({fold(one.host) for one in lost}))}.",
            why="No VM that you can see has that name, or several have, and the log names no pool.",
            mend="Write these people into the draft if you know the pool.",
        )


def shared_desktops(hosts: Iterable[Host], uses: Uses) -> Iterator[Gap]:
    """A gap for each personal desktop that several people used."""
    for host in hosts:
        people = sorted({fold(one.upn) for one in uses.by_machine.get(fold(host.machine.id), [])})
        if len(people) > 1:
            yield Gap(
                subject=f"session host {'/'.join(host.pool)}/{host.name}",
                what=f"Whose desktop it is, is not known: {_some(people)} used it.",
                why="A personal desktop is one person's; who had it before, or looked after it, is in the logs too.",
                mend="Write AssignedUser into its record in session-hosts.json.",
            )


def _no_logs() -> Gap:
    return Gap(
        subject="who used what",
        what="No Log Analytics workspace that you can see holds classic's logs (WVDActivityV1_CL).",
        why="The tenant sent none, they are older than the workspace keeps them, or you may not read them.",
        mend="Write the people into the draft from what you know; docs/how-to/restore.md says how.",
    )


def _some(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
