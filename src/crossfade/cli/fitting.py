"""Prose for a terminal: lines broken at words, what hangs over indented, what is to be typed left in one piece.

Anything but a terminal gets the lines as they are, so a log can be searched and a pipe reads one record a line.
"""

import os
import re
from typing import TextIO

LEAST = 40
"""Narrower terminals break the lines as they like."""
HANGING = 4
_LABEL = re.compile(r"\s*(?:- |(?:Why|Mend): +|(?:ok|MEND) +)?")
_TYPED = re.compile(r"`[^`]+`")
_KEPT = "\0"


def fitted(text: str, stream: TextIO) -> str:
    """The text as the stream shows it best."""
    width = _columns(stream)
    return text if width < LEAST else "\n".join(folded(line, width) for line in text.split("\n"))


def folded(line: str, width: int) -> str:
    """One line as several of at most `width` cells, unless a single word, or a command in backquotes, is longer."""
    if len(line) <= width:
        return line
    import textwrap

    label = _LABEL.match(line)
    at = label.end() if label is not None else 0
    hanging = at if label is not None and label.group().strip() else max(at, HANGING)
    kept = _TYPED.sub(lambda typed: typed.group().replace(" ", _KEPT), line)
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )
    return "\n".join(wrapper.wrap(kept)).replace(_KEPT, " ")


def _columns(stream: TextIO) -> int:
    """How wide the terminal is; 0 where the stream is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):
        return 0
