"""Authenticode signatures, and the one COM object that reads an MSI's properties."""

from typing import Any

from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.commands.items import file_of
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.frames import Session
from avdtwin.powershell.values import NOTHING, Obj, as_list, text


@command("Get-AuthenticodeSignature", positional=("FilePath",), named=("LiteralPath",), seconds=1.0)
def _signature(call: Call) -> list[Any]:
    found = file_of(call, call.text("LiteralPath", "FilePath"))
    subject = found.get("signed_by")
    if subject is None:
        return [Obj("signature", {"Status": "NotSigned", "SignerCertificate": None})]
    status = "HashMismatch" if found.get("damaged") else "Valid"
    return [Obj("signature", {"Status": status, "SignerCertificate": Obj("certificate", {"Subject": subject})})]


def installer(session: Session) -> Obj:
    """`New-Object -ComObject WindowsInstaller.Installer`: late bound, so all goes through `InvokeMember`."""
    return _com("installer", {"OpenDatabase": lambda path, mode: _database(session, text(path), mode)})


def _com(kind: str, members: dict[str, Any]) -> Obj:
    made = Obj(kind)

    def invoke(name: Any, how: Any, binder: Any, target: Any, arguments: Any = None) -> Any:
        found = {key.lower(): member for key, member in members.items()}.get(text(name).lower())
        if found is None or target is not made:
            raise Unsupported(f"COM member {text(name)} of {kind}")
        return found(*([] if arguments is None else as_list(arguments)))

    made.methods["gettype"] = lambda: Obj("comtype", methods={"InvokeMember": invoke})
    return made


def _database(session: Session, path: str, mode: Any) -> Obj:
    package = session.machine.files.get(path.lower())
    if package is None or "product" not in package:
        raise ScriptError("OpenDatabase,DatabasePath,OpenMode")
    if mode != 0:
        raise Unsupported("an MSI opened for writing")
    properties = {"ProductVersion": package["version"], "ProductName": package["product"]}

    def open_view(query: Any) -> Obj:
        begin = "SELECT Value FROM Property WHERE Property = '"
        wanted = text(query)
        if not wanted.startswith(begin):
            raise Unsupported(f"MSI query {wanted}")
        return _view(properties.get(wanted[len(begin) : -1]))

    return _com("database", {"OpenView": open_view})


def _view(value: str | None) -> Obj:
    record = None if value is None else _com("record", {"StringData": lambda column: value})
    return _com("view", {"Execute": lambda: NOTHING, "Fetch": lambda: record, "Close": lambda: NOTHING})
