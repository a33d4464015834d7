"""What leaves the house for support: texts and documents without secrets and, when asked, without people. Pure.

Our documents hold no secrets. This is the last look before they are sent to somebody else: people write into
crossfade.toml and into reasons what they like.
"""

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "[removed]"
_NAMES = re.compile(
    r"(?i)(secret|password|passwd|pwd|passphrase|token|credential|api_?key|access_?key|account_?key|shared_?key|"
    r"primary_?key|private_?key|connection_?string|webhook|authorization|assertion|sas)(?!.*(uri|url|path|expir|id)$)"
)
_HARMLESS = re.compile(r"(?i)^(tokens?_revoked|secret_?path|keyvaultpath|sso_?secret_?type)$")
_VALUES = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]+)*"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=://)[^\s/@:\"']*:[^\s/@\"']+(?=@)"),
    re.compile(
        r"(?i)(?<=[?&;])(?:sig|code|token|key|password|secret|client_secret|accountkey|sharedaccesskey)=[^&;\s\"']+"
    ),
    re.compile(r"(?i)\b(?:accountkey|sharedaccesskey|sharedaccesssignature)\s*=\s*[^;\s\"']+"),
    re.compile(r"https://hooks\.slack\.com/[^\s\"']+"),
    re.compile(r"https://[\w.-]+(?:webhook\.office\.com|logic\.azure\.com)[^\s\"']*"),
)
_ASSIGNED = re.compile(r"^(\s*[\"']?([\w.-]+)[\"']?\s*[=:]\s*)([\"'].*|\S.*)$", re.MULTILINE)
_PERSON = re.compile(r"[^\s\"<>,;|/\\()\[\]{}=]+@[^\s\"'<>,;:|/\\()\[\]{}]*[^\s\"'<>,;:|/\\()\[\]{}.]")
_SEPARATORS = "#:'`"
_PEOPLE_MEMBERS = frozenset({"actor", "by", "holder"})
_OURSELVES = frozenset({"", "crossfade"})


class Redaction:
    """One for a bundle, so that a person is the same stranger everywhere in it.

    `secrets`: values that are known to be secret, wherever they stand. `people`: UPNs to be hidden; None leaves people
    as they are.
    """

    def __init__(self, secrets: Iterable[str] = (), people: Iterable[str] | None = None) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._hides_people = people is not None
        self._known = {person.casefold() for person in people or () if person}
        self._odd = sorted({person for person in self._known if not _PERSON.fullmatch(person)}, key=len, reverse=True)
        self._strangers: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Without what is a secret by its value or, on a line `name = value`, by its name."""
        return self._plain(_ASSIGNED.sub(self._assigned, text))

    def data(self, value: Any, name: str = "") -> Any:
        """Plain JSON, likewise; a member with a secret's name loses what it holds."""
        if isinstance(value, dict):
            return {self._plain(str(key)): self.data(item, str(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.data(item, name) for item in value]
        if not isinstance(value, str):
            return value
        if value and is_secret_name(name):
            return HIDDEN
        if self._hides_people and name in _PEOPLE_MEMBERS and value not in _OURSELVES:
            return self._stranger(value)
        return self._plain(value)

    def _assigned(self, found: "re.Match[str]") -> str:
        return f'{found[1]}"{HIDDEN}"' if is_secret_name(found[2]) and found[3].strip("\"' ") else found[0]

    def _plain(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for pattern in _VALUES:
            text = pattern.sub(HIDDEN, text)
        if self._hides_people:
            for person in self._odd:
                text = re.sub(re.escape(person), lambda found: self._stranger(found[0]), text, flags=re.IGNORECASE)
            text = _PERSON.sub(self._person, text)
        return text

    def _person(self, found: "re.Match[str]") -> str:
        """What looks like a UPN; `group#person` and the like keep what stands before a person who is known."""
        text = found[0]
        for at, letter in enumerate(text):
            if letter in _SEPARATORS and text[at + 1 :].casefold() in self._known:
                return text[: at + 1] + self._stranger(text[at + 1 :])
        return self._stranger(text)

    def _stranger(self, person: str) -> str:
        return self._strangers.setdefault(person.casefold(), f"person-{len(self._strangers) + 1:04d}")


def is_secret_name(name: str) -> bool:
    """Whether something of this name is to be hidden whatever it looks like."""
    return bool(_NAMES.search(name)) and not _HARMLESS.match(name)
