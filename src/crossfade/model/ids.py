"""Names and ids. Everything compares without case and keeps the casing it came with.

A classic object has no id: its key is its path of names, `tenant group/tenant/pool[/group[/app]]`. Names cannot hold a
slash (facts/classic-service 2.4), so the key is unambiguous.
"""

import uuid
from urllib.parse import quote

DESKTOP_USER_ROLE = "1d18fff3-a72a-46b5-b4a9-0b38a3cd7e63"
"""Desktop Virtualization User: what publishes an application group to somebody."""
LOG_READER_ROLE = "73c42c96-874c-492b-b04d-ab87d138a893"
"""Log Analytics Reader (facts/arm-service 5.1): what a classic operator becomes."""


def same(a: str, b: str) -> bool:
    """Equal as the services compare names, UPNs and resource ids."""
    return _without_case(a) == _without_case(b)


def fold(text: str) -> str:
    """The form under which a name, UPN or id is looked up."""
    return _without_case(text.strip("/") if text.startswith("/") else text)


def _without_case(text: str) -> str:
    """Letter by letter, as services compare: `Fußball` and `Fussball` are two names, which full folding makes one."""
    folded = text.casefold()
    return folded if len(folded) == len(text) else "".join(map(_letter, text))


def _letter(letter: str) -> str:
    return next((one for one in (letter.casefold(), letter.lower()) if len(one) == 1), letter)


def classic_key(*names: str) -> str:
    """Key of a classic object from its names, outermost first."""
    return "/".join(names)


def last_name(key: str) -> str:
    """The object's own name: last part of a classic key, ARM id or ARM child name."""
    return key.rsplit("/", 1)[-1]


def parent_key(key: str) -> str:
    """The key one level up."""
    return key.rsplit("/", 1)[0]


def arm_id(subscription: str, resource_group: str, kind: str, *names: str) -> str:
    """Resource id under `Microsoft.DesktopVirtualization`: `kind` like `applicationGroups/applications`."""
    pairs = "/".join(f"{part}/{name}" for part, name in zip(kind.split("/"), names, strict=True))
    return (
        f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.DesktopVirtualization/{pairs}"
    )


def group_id(subscription: str, resource_group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{resource_group}"


def group_of(resource_id: str) -> str:
    """Id of the resource group that an id is in; empty when it is in none."""
    parts = segments(resource_id)
    if "subscriptions" not in parts or "resourcegroups" not in parts:
        return ""
    return group_id(parts["subscriptions"], parts["resourcegroups"])


def segments(resource_id: str) -> dict[str, str]:
    """`/subscriptions/s/resourceGroups/g/providers/P/t/n` -> {subscriptions: s, resourcegroups: g, providers: P, …}."""
    parts = resource_id.strip("/").split("/")
    found: dict[str, str] = {}
    at = 0
    while at + 1 < len(parts):
        if parts[at].casefold() == "providers" and at + 2 < len(parts):
            found["providers"] = parts[at + 1]
            at += 2
            continue
        found[parts[at].casefold()] = parts[at + 1]
        at += 2
    return found


def url_path(*names: str) -> str:
    """Names percent-encoded and joined for a URL."""
    return "/".join(quote(name, safe="") for name in names)


_NAMESPACE = uuid.UUID("6f0c3b0a-3a55-5d58-9c1e-2b7f6f1d7c11")


def stable_id(*parts: str) -> str:
    """The GUID that these parts always give: names of role assignments, ids of runs. Parts count as given."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))
