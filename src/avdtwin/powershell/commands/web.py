"""What a machine reaches over the network: brokers' health addresses and Microsoft's downloads.

Addresses of the downloads: facts/arm-service 11.1. A run may add its own by the setting `downloads`.
"""

from typing import Any
from urllib.parse import urlsplit

from avdtwin import products
from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.values import Obj

_BROKERS = (".wvd.microsoft.com", ".wvd.azure.us", ".wvd.azure.cn")
_BOOT_LOADER_MARKS = ("linkid=2311028", "rwrxrh", "rdagentbootloader.installer")
_AGENT_MARKS = ("linkid=2310011", "rwrmxv", "rdagent.installer")


@command(
    "Invoke-WebRequest",
    positional=("Uri",),
    named=("OutFile", "TimeoutSec", "Method", "MaximumRedirection"),
    switches=("UseBasicParsing",),
    seconds=1.5,
)
def _request(call: Call) -> list[Any]:
    address = call.text("Uri")
    if not call.flag("UseBasicParsing"):
        # Without it Windows PowerShell wants Internet Explorer, which SYSTEM has never set up.
        raise ScriptError(
            "The response content cannot be parsed because the Internet Explorer engine is not available."
        )
    if urlsplit(address).scheme.lower() != "https":
        raise Unsupported("an address that is not https")
    out = call.get("OutFile")
    if out is not None:
        _download(call, address, str(out))
        return []
    return [_health(call, address)]


def _health(call: Call, address: str) -> Obj:
    parts = urlsplit(address)
    host = parts.hostname or ""
    if "no-broker" in call.machine.quirks or not host.endswith(_BROKERS):
        call.session.spend(20.0)
        raise ScriptError("Unable to connect to the remote server")
    if parts.path != "/api/health":
        raise ScriptError("The remote server returned an error: (404) Not Found.")
    return Obj("webresponse", {"StatusCode": 200, "Content": '{"Health":"Healthy"}'})


def _download(call: Call, address: str, out: str) -> None:
    package = _package(call, address)
    if "no-internet" in call.machine.quirks:
        call.session.spend(20.0)
        raise ScriptError("Unable to connect to the remote server")
    if package is None:
        raise ScriptError("The remote server returned an error: (404) Not Found.")
    if call.machine.free_disk_bytes < package["size"]:
        raise ScriptError("There is not enough space on the disk.")
    call.session.spend(call.session.between(3, 20))
    call.session.change("put_file", out.lower(), package)


def _package(call: Call, address: str) -> dict[str, Any] | None:
    world = call.session.world
    own = world.setting("downloads").get(address)
    if own is not None:
        return dict(own)
    low = address.lower()
    if any(mark in low for mark in _BOOT_LOADER_MARKS):
        return package(products.BOOT_LOADER_NAME, world.setting("boot_loader_download_version"))
    if any(mark in low for mark in _AGENT_MARKS):
        return package(products.AGENT_NAME, world.setting("agent_download_version"))
    return None


def package(name: str, version: str, signed_by: str | None = products.MICROSOFT) -> dict[str, Any]:
    """An installer as a file of a machine."""
    return {"size": 60_000_000, "signed_by": signed_by, "product": name, "version": version}
