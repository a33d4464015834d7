"""Processes: msiexec and nothing else.

Exit codes: 0 done, 3010 done and a restart is needed, 1605 no such product, 1618 another installation is running, 1619
no such package, 1625 forbidden by policy, 1603 failed, 1641 a restart has begun, 1639 bad command line.
"""

import re
from typing import Any

import msgspec

from avdtwin import products, registry
from avdtwin.powershell.commands import registry_keys
from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import Unsupported
from avdtwin.powershell.frames import Session
from avdtwin.powershell.values import Obj, as_list, text

_ROOM_BYTES = 500_000_000
_FOREVER_S = 86_400.0


class _CommandLine(msgspec.Struct):
    verb: str = ""
    target: str = ""
    flags: list[str] = []
    log_flags: str = ""
    log: str = ""
    properties: dict[str, str] = {}


@command(
    "Start-Process",
    positional=("FilePath", "ArgumentList"),
    named=("WindowStyle",),
    switches=("Wait", "PassThru", "NoNewWindow"),
)
def _start(call: Call) -> list[Any]:
    path = call.text("FilePath")
    if path.lower() not in ("msiexec", "msiexec.exe", "c:\\windows\\system32\\msiexec.exe"):
        raise Unsupported(f"Start-Process {path}")
    if not call.flag("Wait"):
        raise Unsupported("msiexec without -Wait: its exit code would be unknown")
    # Start-Process joins its arguments with spaces and quotes none of them.
    line = " ".join(text(argument) for argument in as_list(call.get("ArgumentList")))
    code = _msiexec(call.session, line)
    return [Obj("process", {"ExitCode": code, "HasExited": True})] if call.flag("PassThru") else []


def _msiexec(session: Session, line: str) -> int:
    parsed = _parse(line)
    if parsed is None:
        return 1639
    if not any(flag in ("/quiet", "/qn", "/passive") for flag in parsed.flags):
        # A dialogue that nobody sees: until the run command's time is up.
        session.spend(_FOREVER_S)
        return 1602
    session.spend_setting("msi_install_s" if parsed.verb == "/i" else "msi_uninstall_s")
    _write_log(session, parsed, line)
    laid = session.machine.msi_exit_codes
    if laid:
        session.change("msi_answered")
        if laid[0] not in (0, 3010):
            return laid[0]
    if registry_keys.exists(session, registry.INSTALLER_POLICY) and _forbidden(session):
        return 1625
    done = _install(session, parsed) if parsed.verb == "/i" else _uninstall(session, parsed)
    return laid[0] if laid and done == 0 else done


def _forbidden(session: Session) -> bool:
    return bool(registry_keys.read(session, registry.INSTALLER_POLICY, "DisableMSI", 0) == 2)


def _parse(line: str) -> _CommandLine | None:
    """None when the line makes no sense to msiexec: it then shows its help."""
    parsed = _CommandLine()
    words = iter(re.findall(r'(?:[^\s"]|"[^"]*")+', line))
    for word in words:
        low = word.lower()
        if low in ("/i", "/x"):
            parsed.verb, parsed.target = low, next(words, "").strip('"')
        elif low.startswith("/l"):
            parsed.log_flags, parsed.log = low[2:], next(words, "").strip('"')
        elif low.startswith("/"):
            parsed.flags.append(low)
        elif "=" in word:
            name, _, value = word.partition("=")
            parsed.properties[name.upper()] = value.strip('"')
        else:
            return None
    return parsed if parsed.verb and parsed.target else None


def _write_log(session: Session, parsed: _CommandLine, line: str) -> None:
    """A log with the properties, or all of it (`/l*v`), holds the whole command line."""
    if parsed.log:
        tells = any(flag in parsed.log_flags for flag in "*vpcx")
        session.change("put_file", parsed.log.lower(), {"size": 4096, "text": line if tells else "=== Logging ==="})


def _install(session: Session, parsed: _CommandLine) -> int:
    package = session.machine.files.get(parsed.target.lower())
    if package is None or "product" not in package:
        return 1619 if package is None else 1620
    if session.machine.free_disk_bytes < _ROOM_BYTES:
        return 1603
    name, version = package["product"], package["version"]
    if name == products.AGENT_NAME:
        session.change("install_agent", version, parsed.properties.get("REGISTRATIONTOKEN", ""))
    elif name == products.BOOT_LOADER_NAME:
        session.change("install_boot_loader", version)
        session.appears.setdefault(products.LOADER_SERVICE.lower(), session.elapsed_s + session.between(5, 50))
    else:
        return 1603
    return 0


def _uninstall(session: Session, parsed: _CommandLine) -> int:
    found = products.by_code(session.machine, parsed.target)
    if found is None:
        return 1605
    name, version = found.name, found.version
    loader = session.machine.services.get(products.LOADER_SERVICE.lower())
    session.change("uninstall", found.code)
    if name == products.AGENT_NAME and loader is not None and loader.state == "Running":
        # A running boot loader brings its agent back: that is what it is for.
        session.change("install_agent", version, "")
    if name != products.STACK_NAME:
        return 0
    return 3010 if "/norestart" in parsed.flags else 1641
