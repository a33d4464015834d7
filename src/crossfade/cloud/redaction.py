"""Secrets taken out of text that came from elsewhere, before it becomes part of an error."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

HIDDEN = "[hidden]"
_TOKENS = re.compile(r"eyJ[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]+)*|(?i:bearer)\s+[A-Za-z0-9._~+/=-]{8,}")
_SECRET_FIELDS = frozenset({"client_secret", "refresh_token", "device_code", "password", "client_assertion", "code"})
_SECRET_MEMBERS = frozenset({"token", "ssoclientsecret", "loganalyticsprimarykey", "runaspassword"})


def hide(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """`text` without these secrets, without anything shaped like a token."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _TOKENS.sub(HIDDEN, text)


def secrets_of(http_request: Any) -> frozenset[str]:
    """The secret values that a request carries: its bearer token, secret form fields, protected parameters."""
    if http_request is None:
        return frozenset()
    header = str(http_request.headers.get("Authorization", ""))
    found = [header.partition(" ")[2], *_in_body(getattr(http_request, "data", None))]
    return frozenset(value for value in found if len(value) >= 4)


def _in_body(data: Any) -> Iterator[str]:
    if isinstance(data, Mapping):
        yield from (str(value) for name, value in data.items() if str(name) in _SECRET_FIELDS)
        return
    if not isinstance(data, str | bytes) or not data:
        return
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        yield from _in_json(json.loads(text))
    except ValueError:
        yield from (value for name, value in parse_qsl(text) if name in _SECRET_FIELDS)


def _in_json(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _in_json(item)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name.casefold() == "protectedparameters" and isinstance(member, list):
                yield from (str(item.get("value", "")) for item in member if isinstance(item, dict))
            elif name.casefold() in _SECRET_MEMBERS and isinstance(member, str):
                yield member
            else:
                yield from _in_json(member)
