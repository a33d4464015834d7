"""Classic names -> ARM names: stable, within the limits, without collisions, each change explained.

Limits and characters: facts/arm-service 1.13. Templates are filled by replacement, so a name can hold anything.
"""

import hashlib
import re
import unicodedata

from crossfade.model.ids import fold, last_name

OBJECT_LIMIT = 64
APPLICATION_LIMIT = 24
RESOURCE_GROUP_LIMIT = 90
WORDS = re.compile(r"\{(\w+)\}")
"""What a template may hold in braces."""
_ALLOWED = re.compile(r"[^A-Za-z0-9@.\-_ ]")
_GROUP_ALLOWED = re.compile(r"[^A-Za-z0-9_().\-]")


class Names:
    """Gives names and remembers them: no two sources get the same name in one scope."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], str] = {}

    def give(self, wanted: str, *, scope: str, source: str, limit: int = OBJECT_LIMIT) -> tuple[str, str]:
        """A name for `source` (its key) in `scope`, and why it is not the wanted text (empty when it is).

        Asking again for the same source in the same scope gives the same name.
        """
        name = shape(wanted, limit)
        if self._free(scope, name, source):
            return self._take(scope, name, source), _why(wanted, name, limit)
        marked = with_mark(name, source, limit)
        while not self._free(scope, marked, source):
            marked = with_mark(name, f"{source} {marked}", limit)
        return self._take(scope, marked, source), f"another object in this scope is already called {name}"

    def keep(self, name: str, *, scope: str, source: str) -> None:
        """Take note of a name that `source` has already: an object of an earlier plan."""
        self._take(scope, name, source)

    def _free(self, scope: str, name: str, source: str) -> bool:
        return self._taken.get((fold(scope), fold(name)), fold(source)) == fold(source)

    def _take(self, scope: str, name: str, source: str) -> str:
        self._taken[fold(scope), fold(name)] = fold(source)
        return name


def fill(template: str, **names: str) -> str:
    """`{pool}` and the like replaced by the names, once: braces inside a name, and other braces, stay."""
    return WORDS.sub(lambda found: names.get(found[1], found[0]), template)


def is_exact(wanted: str, limit: int) -> bool:
    """Whether a name can be used as it is."""
    return shape(wanted, limit) == wanted


def shape(wanted: str, limit: int) -> str:
    """Allowed characters only, 3 to `limit` of them, no blank at either end. Deterministic."""
    plain = unicodedata.normalize("NFKD", wanted.replace("ß", "ss"))
    ascii_only = "".join(c for c in plain if not unicodedata.combining(c))
    replaced = _ALLOWED.sub("-", ascii_only)
    name = (replaced if replaced == ascii_only else re.sub(r"-{2,}", "-", replaced)).strip(" ")
    if len(name) > limit:
        return with_mark(name, wanted, limit)
    return name if len(name) >= 3 else f"{name or 'x'}-{_mark(wanted)}"


def shape_resource_group(wanted: str) -> str:
    """A resource group's name: letters, digits and `_().-`, at most 90, no dot at the end."""
    plain = unicodedata.normalize("NFKD", wanted)
    name = _GROUP_ALLOWED.sub("-", "".join(c for c in plain if not unicodedata.combining(c)))
    return (name[:RESOURCE_GROUP_LIMIT]).rstrip(".") or "rg-avd"


def with_mark(name: str, source: str, limit: int) -> str:
    """The name cut to leave room for six letters that only this source has."""
    return f"{name[: limit - 7].rstrip(' -')}-{_mark(source)}"


def _mark(source: str) -> str:
    return hashlib.sha256(source.casefold().encode()).hexdigest()[:6]


def _why(wanted: str, name: str, limit: int) -> str:
    if name == wanted:
        return ""
    if len(wanted) > limit:
        return f"longer than {limit} characters"
    if len(wanted) < 3:
        return "shorter than 3 characters"
    return "holds characters that the new service does not take"


def mail_nickname(display_name: str, source: str) -> str:
    """A mail nickname for a directory group: plain letters, at most 64, unique by source."""
    base = re.sub(r"[^A-Za-z0-9]", "", unicodedata.normalize("NFKD", display_name))[:50]
    return f"{base or 'avd'}{_mark(source)}"


__all__ = [
    "APPLICATION_LIMIT",
    "OBJECT_LIMIT",
    "Names",
    "fill",
    "is_exact",
    "last_name",
    "mail_nickname",
    "shape",
    "shape_resource_group",
    "with_mark",
]
