"""Access control lists of registry keys."""

from typing import Any

from avdtwin import registry
from avdtwin.powershell.commands import registry_keys
from avdtwin.powershell.commands.base import Call, command
from avdtwin.powershell.errors import ScriptError, Unsupported
from avdtwin.powershell.values import NOTHING, Obj, text, truth

_SYSTEM = "S-1-5-18"


def registry_security(arguments: list[Any]) -> Obj:
    made = Obj("registrysecurity", {"Protected": False, "Rules": [], "Owner": None})

    def protect(protected: Any, keep: Any) -> Any:
        made.properties.set("Protected", truth(protected) and not truth(keep))
        return NOTHING

    def add(rule: Any) -> Any:
        made.properties.get("Rules").append(rule)
        return NOTHING

    def own(owner: Any) -> Any:
        made.properties.set("Owner", owner)
        return NOTHING

    made.methods.update({"setaccessruleprotection": protect, "addaccessrule": add, "setowner": own})
    return made


def security_identifier(arguments: list[Any]) -> Obj:
    return Obj("securityidentifier", {"Value": text(arguments[0])})


def access_rule(arguments: list[Any]) -> Obj:
    """Identity, rights, inheritance, propagation, allow or deny."""
    if len(arguments) != 5:
        raise Unsupported("a registry access rule that does not say all of it")
    identity, rights, inheritance, propagation, kind = arguments
    return Obj(
        "registryaccessrule",
        {
            "Identity": text(identity.properties.get("Value")),
            "Rights": text(rights),
            "Inherited": "containerinherit" in text(inheritance).lower() and text(propagation).lower() == "none",
            "Allows": text(kind).lower() == "allow",
        },
    )


@command("Set-Acl", positional=("Path", "AclObject"), named=("LiteralPath",))
def _set(call: Call) -> list[Any]:
    path, acl = call.path(), call.get("AclObject")
    key = registry.key_of(path)
    if not registry_keys.is_registry(path) or not isinstance(acl, Obj) or acl.kind != "registrysecurity":
        raise Unsupported("Set-Acl on anything but a registry key")
    registry_keys.values(call.session, key)
    rules = acl.properties.get("Rules")
    if not rules:
        raise ScriptError("This would shut everybody out.")
    call.session.change("set_acl", key, _readers(acl, rules))
    return []


def _readers(acl: Obj, rules: list[Obj]) -> str:
    """`SYSTEM` when nobody else may read the key and the keys below it."""
    names = sorted({text(rule.properties.get("Identity")) for rule in rules if rule.properties.get("Allows")})
    inherited = all(rule.properties.get("Inherited") for rule in rules)
    if names == [_SYSTEM] and acl.properties.get("Protected") and inherited:
        return "SYSTEM"
    return ",".join([*names, *([] if acl.properties.get("Protected") else ["inherited"])])
