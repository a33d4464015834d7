"""Tables of plain text: columns aligned, as wide as they need and no wider than allowed."""

from collections.abc import Iterable, Sequence

from crossfade.report.words import clean

MOST = 72
GAP = "  "


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[int] = (), most: int = MOST
) -> list[str]:
    """Lines of a table; none when there are no rows. `right`: numbers of columns aligned there; the last column is
    never cut, others end in an ellipsis after `most` characters."""
    body = [[clean(cell) for cell in row] for row in rows]
    if not body:
        return []
    last = len(head) - 1
    body = [[cell if at == last else _short(cell, most) for at, cell in enumerate(row)] for row in body]
    lines = [list(head), *body]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    flush = set(right)
    made = [_line(line, widths, flush) for line in lines]
    made.insert(1, _line(["-" * width for width in widths[:last]] + ["-" * len(head[last])], widths, flush))
    return made


def _line(cells: Sequence[str], widths: Sequence[int], right: set[int]) -> str:
    placed = [
        cell.rjust(width) if at in right else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return GAP.join(placed).rstrip()


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def indented(lines: Iterable[str], by: int = 2) -> list[str]:
    return [" " * by + line for line in lines]


def section(title: str, lines: Sequence[str]) -> list[str]:
    """A titled block with a blank line before it; nothing when it is empty."""
    return ["", title, *indented(lines)] if lines else []
