"""Objects in a pipeline: picked, worked on, put in order, made."""

from collections.abc import Callable
from typing import Any

from avdtwin.powershell import members
from avdtwin.powershell.commands import acls, signatures
from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import Unsupported
from avdtwin.powershell.frames import Block, Frame
from avdtwin.powershell.values import Obj, Table, as_list, text, truth


def _with_each(call: Call, block: Any, work: Callable[[Any, list[Any]], None]) -> None:
    """Run a block for each element, in the caller's scope with `$_`, as these commands do."""
    if not isinstance(block, Block):
        raise Unsupported("anything but a script block here")
    frame = call.frame
    kept = frame.variables.get("_")
    for item in call.flowing or []:
        frame.variables["_"] = item
        out: list[Any] = []
        block.body(frame, out)
        work(item, out)
    _put_back(frame, kept)


def _put_back(frame: Frame, kept: Any) -> None:
    frame.variables["_"] = kept


@command("Where-Object", positional=("FilterScript",))
def _where(call: Call) -> list[Any]:
    found: list[Any] = []

    def keep(item: Any, out: list[Any]) -> None:
        if truth(out):
            found.append(item)

    _with_each(call, call.get("FilterScript"), keep)
    return found


@command("ForEach-Object", positional=("Process",))
def _for_each(call: Call) -> list[Any]:
    found: list[Any] = []
    _with_each(call, call.get("Process"), lambda item, out: found.extend(out))
    return found


@command("Sort-Object", positional=("Property",), switches=("Descending", "Unique"))
def _sort(call: Call) -> list[Any]:
    names = [text(name) for name in as_list(call.get("Property", []))]

    def key(item: Any) -> list[Any]:
        held = [members.get(item, name) for name in names] if names else [item]
        return [value.lower() if isinstance(value, str) else value for value in held]

    found = sorted(call.flowing or [], key=key, reverse=call.flag("Descending"))
    if call.flag("Unique"):
        found = [item for at, item in enumerate(found) if at == 0 or key(item) != key(found[at - 1])]
    return found


@command("Select-Object", positional=("Property",), named=("ExpandProperty", "First"), switches=("Unique",))
def _select(call: Call) -> list[Any]:
    found = list(call.flowing or [])
    if call.get("First") is not None:
        found = found[: int(call.get("First"))]
    if call.get("ExpandProperty") is not None:
        found = [part for item in found for part in as_list(members.get(item, call.text("ExpandProperty")))]
    elif call.get("Property") is not None:
        names = [text(name) for name in as_list(call.get("Property"))]
        found = [Obj("pscustomobject", {name: members.get(item, name) for name in names}) for item in found]
    if call.flag("Unique"):
        found = [item for at, item in enumerate(found) if item not in found[:at]]
    return found


@command("Out-Null")
def _out_null(call: Call) -> list[Any]:
    return []


@command("Write-Output", positional=("InputObject",))
def _write_output(call: Call) -> list[Any]:
    return [part for item in call.input("InputObject") for part in as_list(item)]


@command("New-Object", positional=("TypeName", "ArgumentList"), named=("ComObject",))
def _new_object(call: Call) -> list[Any]:
    if call.get("ComObject") is not None:
        if call.text("ComObject").lower() != "windowsinstaller.installer":
            raise Unsupported(f"COM object {call.text('ComObject')}")
        return [signatures.installer(call.session)]
    name = call.text("TypeName").lower().removeprefix("system.")
    arguments = call.get("ArgumentList", [])
    if name not in _MADE:
        raise Unsupported(f"New-Object {call.text('TypeName')}")
    return [_MADE[name](as_list(arguments))]


def _exception(arguments: list[Any]) -> Obj:
    return Obj("exception", {"Message": text(arguments[0]) if arguments else "", "Data": Table()})


_MADE: dict[str, Callable[[list[Any]], Any]] = {
    "exception": _exception,
    "invalidoperationexception": _exception,
    "security.accesscontrol.registrysecurity": acls.registry_security,
    "security.principal.securityidentifier": acls.security_identifier,
    "security.accesscontrol.registryaccessrule": acls.access_rule,
}
