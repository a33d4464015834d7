"""Bytes of an exported file -> text: by byte order mark first, then as UTF-8 (facts/classic-service 3.4 Encoding)."""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""In this order: the mark of UTF-32 LE begins with that of UTF-16 LE."""


class NotText(ValueError):
    """The bytes are not text in any encoding that says so itself. `line`: of the first bad byte."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def decoded(data: bytes) -> tuple[str, str]:
    """The text without its mark, and the encoding's name. Raises NotText."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", _unmarked(data)))
    body = data[len(mark) :]
    try:
        return body.decode(encoding), encoding
    except UnicodeDecodeError as error:
        line = body[: error.start].decode(encoding, "ignore").count("\n") + 1
        cut = error.reason in ("truncated data", "unexpected end of data")
        what = "the text ends in the middle of a letter: the file is cut off." if cut else None
        raise NotText(line, what or f"byte {error.start + len(mark)} is not {encoding.upper()}.") from None


def _unmarked(data: bytes) -> str:
    """UTF-16 without a mark is what `>>` leaves: every other byte of its blanks and names is zero."""
    if len(data) >= 4 and data[1:2] == data[3:4] == b"\0" and data[:1] != b"\0":
        return "utf-16-le"
    return "utf-8"
