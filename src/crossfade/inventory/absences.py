"""What a folder of exports does not hold although classic estates have it. An export cannot say that a list was empty:
without a gap, access that was never exported would be lost in silence."""

from collections.abc import Iterable, Iterator

import msgspec

from crossfade.inventory.inventory import Inventory
from crossfade.inventory.normalise import Draft
from crossfade.model.classic import GroupKind
from crossfade.model.ids import fold, parent_key
from crossfade.model.provenance import Gap, Origin

_WHY = "Windows PowerShell writes no file content for an empty list, and a list that was never exported leaves none."


class _Words(msgspec.Struct, frozen=True):
    """How an absence is told: `where` it was looked for, `why` it may be there all the same, and the `mend`."""

    where: str
    why: str
    mend: str


_EXPORTED = _Words("in the exported files", _WHY, "If there were any, add what {} gave.")
_RECONSTRUCTED = _Words(
    "known",
    "Nothing that is left in Azure says so for certain.",
    "Add them to the draft, each as {} would give it (docs/how-to/restore.md shows one of each).",
)


def absences(inventory: Inventory) -> Iterator[Gap]:
    """A gap for each list that is empty or was not exported. Sessions of an estate that was reconstructed are over."""
    remains = any(origin.source == "remains" for origin in inventory.origins)
    words = _RECONSTRUCTED if remains else _EXPORTED
    for subject, what, cmdlet in _absent(inventory):
        yield _gap(words, subject, what, cmdlet)
    if not inventory.sessions and not remains:
        yield _gap(words, "user sessions", "None", "Get-RdsUserSession")
    if not inventory.roles:
        yield _gap(words, "role assignments", "None", "Get-RdsRoleAssignment")


def _absent(inventory: Inventory) -> Iterator[tuple[str, str, str]]:
    """Subject, what is absent, and the cmdlet that would give it."""
    hosts = {fold(parent_key(host.key)) for host in inventory.hosts}
    assigned = {fold(item.key) for item in inventory.assignments}
    apps = {fold(parent_key(app.key)) for app in inventory.apps}
    desktops = {fold(item.key) for item in inventory.desktops}
    for pool in inventory.pools:
        if fold(pool.key) not in hosts:
            yield f"host pool {pool.key}", "No session hosts", "Get-RdsSessionHost"
    for group in inventory.groups:
        if fold(group.key) not in assigned:
            yield f"app group {group.key}", "No assigned users", "Get-RdsAppGroupUser"
        if group.kind is GroupKind.DESKTOP and fold(group.key) not in desktops:
            yield f"app group {group.key}", "No desktop", "Get-RdsRemoteDesktop"
        if group.kind is GroupKind.REMOTE_APP and fold(group.key) not in apps:
            yield f"app group {group.key}", "No RemoteApps", "Get-RdsRemoteApp"


def _gap(words: _Words, subject: str, what: str, cmdlet: str) -> Gap:
    return Gap(subject=subject, what=f"{what} {words.where}.", why=words.why, mend=words.mend.format(cmdlet))


class _Cut(msgspec.Struct, frozen=True):
    file: str
    kind: str
    missing: tuple[str, ...]


_CUT = (
    "An older module does not print it, or Select-Object left it out.",
    "Export them again with all properties if you can.",
)
_WRITTEN = ("Whoever wrote them into the draft left it out.", "Write it in where it was set.")
"""Why, and the mend."""


def cut_properties(drafts: Iterable[Draft], origins: list[Origin]) -> Iterator[Gap]:
    """A gap for each file whose records lack properties: an older module, Select-Object, or whoever wrote them."""
    remains = any(origin.source == "remains" for origin in origins)
    why, mend = _WRITTEN if remains else _CUT
    counted: dict[_Cut, int] = {}
    for draft in drafts:
        origin = origins[draft.origin]
        if draft.missing and origin.source == "export":
            cut = _Cut(origin.place, str(draft.kind), draft.missing)
            counted[cut] = counted.get(cut, 0) + 1
    for cut, count in counted.items():
        yield Gap(
            subject=cut.file,
            what=f"{count} {cut.kind} record(s) have no {', '.join(cut.missing)}; what the service gives is assumed.",
            why=why,
            mend=mend,
        )
