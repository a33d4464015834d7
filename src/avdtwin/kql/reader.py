"""The words and marks of a query, and a reader that takes them one after another."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from avdtwin.kql.errors import BadQuery

_DEEPEST = 30
_LONGEST = 10_000
"""Tokens of a query."""

_TOKENS = re.compile(
    r"""(?:\s|//[^\n]*)*(?:(?P<moment>datetime\([^()'"|]*\))|(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<span>\d+(?:\.\d+)?(?:ms|d|h|m|s)\b)|(?P<number>\d+(?:\.\d+)?(?![\w]))"""
    r"""|(?P<name>!?in~|!(?:in|contains|has|startswith|endswith|between)\b|[A-Za-z_$][\w$]*)"""
    r"""|(?P<mark>=~|!~|==|!=|<=|>=|\.\.|[|(),.=<>*/+\[\]-])|(?P<end>\Z)|(?P<wrong>.))""",
    re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class Reader:
    """Takes the tokens of a text in their order; whatever is not expected is refused with its place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _scan(text)
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._at]

    def unexpected(self) -> BadQuery:
        token = self.token
        line = self._text.count("\n", 0, token.at) + 1
        column = token.at - (self._text.rfind("\n", 0, token.at) + 1)
        text = f"Query could not be parsed at '{token.text}' on line [{line},{column}]"
        return BadQuery(text, kind="SyntaxError", code="SYN0002", token=token.text)

    @contextmanager
    def nested(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.unexpected()
        yield
        self._depth -= 1

    def several(self, part: Callable[[], Any]) -> list[Any]:
        found = [part()]
        while self.take(","):
            found.append(part())
        return found

    def take(self, mark: str) -> bool:
        found = self.token.kind == "mark" and self.token.text == mark
        self._at += found
        return found

    def is_word(self, word: str) -> bool:
        return self.token.kind == "name" and self.token.text.lower() == word

    def take_word(self, word: str) -> bool:
        found = self.is_word(word)
        self._at += found
        return found

    def must(self, mark: str) -> None:
        if not self.take(mark):
            raise self.unexpected()

    def word(self, word: str) -> None:
        if not self.take_word(word):
            raise self.unexpected()

    def name(self) -> str:
        return self.taken("name")

    def whole(self) -> int:
        return int(float(self.taken("number")[:18]))

    def taken(self, kind: str) -> str:
        if self.token.kind != kind:
            raise self.unexpected()
        self._at += 1
        return self._tokens[self._at - 1].text


def _scan(text: str) -> list[_Token]:
    """Tokens, the last of them an end."""
    found: list[_Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _TOKENS.match(text, at)
        assert match is not None, "every text goes on with something, or with what is wrong"
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind)))
        if len(found) > _LONGEST:
            raise BadQuery(f"a query takes {_LONGEST} words and marks at most", kind="SyntaxError", code="SYN0001")
        at = match.end()
    return found
