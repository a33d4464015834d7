"""A run as a live view in a terminal. Rich is imported here, so this module is imported only where it draws."""

from typing import TYPE_CHECKING, NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crossfade.cli import status_text
from crossfade.model.modes import RESTORE

if TYPE_CHECKING:
    from crossfade.commands.status import HostStatus, Status, WaveStatus

WAVES_SHOWN = 8
HOSTS_SHOWN = 6
EVENTS_SHOWN = 4
STUCK_SHOWN = 3
STUCK = "quarantined"
BAR = 48

STYLES = {
    "on_source": "blue",
    "staged": "bright_blue",
    "draining": "yellow",
    "drained": "yellow",
    "saved": "yellow",
    "moving": "bright_yellow",
    "registered": "bright_yellow",
    "healthy": "bright_green",
    "accepting": "green",
    "confirmed": "green",
    "reverting": "magenta",
    "quarantined": "red",
}
"""Colour of a host's state: blue on classic, yellow on the way, green on the target."""
WAVE_STYLES = {"confirmed": "green", "holding": "red", "moving": "bright_yellow", "soaking": "bright_green"}


class Figures(NamedTuple):
    """What the journal does not hold: open seats on both sides, calls so far, real seconds here."""

    seats: tuple[int, int] = (0, 0)
    calls: int | None = None
    real_s: float | None = None


def view(found: "Status", figures: Figures | None = None) -> RenderableType:
    """The whole view: time and calls, hosts as one bar, who needs somebody, what is waited for, waves, hosts in flight,
    what happened. A terminal that is too low for it loses the end, so what matters most comes first."""
    parts: list[RenderableType] = [
        _times(found, figures or Figures()),
        _bar(found.hosts_by_state),
    ]
    stuck = [host for host in found.hosts if host.state == STUCK]
    busy = [host for host in found.hosts if status_text.matters(host) and host.state != STUCK]
    parts += _list("needs somebody", [f"{status_text.short(host.host)}: {host.reason}" for host in stuck[:STUCK_SHOWN]])
    parts += _list("waiting for", [status_text.waiting(each) for each in found.waiting])
    parts += [Text(), _waves(found)]
    parts += [Text(), _busy(busy)] if busy else []
    parts += _list("last", [status_text.line(event) for event in found.recent[-EVENTS_SHOWN:]])
    title = f"[bold]Crossfade[/] · run {found.run} · {found.state}"
    return Panel(Group(*parts), title=title, title_align="left", box=box.ROUNDED, padding=(1, 2))


def _times(found: "Status", figures: Figures) -> Text:
    """The run's own time, and below it what it counts."""
    now = max(found.last_at, found.seen_at)
    line = Text(status_text.moment(now), style="bold")
    line.append(f"   {status_text.span(found.began_at, now)} into the run", style="not bold")
    if figures.real_s is not None:
        line.append(f"   {figures.real_s:.0f} s here", style="not bold dim")
    told = []
    if any(figures.seats):
        classic = "" if found.mode == RESTORE else f"{figures.seats[0]:,} classic, "
        told.append(f"open seats: {classic}{figures.seats[1]:,} target")
    if figures.calls is not None:
        told.append(f"{figures.calls:,} calls")
    return line.append("\n" + "   ".join(told), style="not bold") if told else line


def _bar(by_state: dict[str, int]) -> RenderableType:
    """Every host a piece of one bar, coloured by where it is; beside it the figures."""
    total = sum(by_state.values()) or 1
    bar, drawn, seen = Text(), 0, 0
    for state, count in reversed(by_state.items()):
        seen += count
        width = round(BAR * seen / total) - drawn
        drawn += width
        colour = STYLES.get(state, "magenta")
        bar.append("█" * width, style=f"{colour} on {colour}")
    legend = Text()
    for state, count in reversed(by_state.items()):
        legend.append(f"{count} ", style="bold").append(f"{state}  ", style=STYLES.get(state, "magenta"))
    return Group(Text(), bar, legend)


def _waves(found: "Status") -> Table:
    table = _table(("Wave", 8), ("Kind", 11), ("State", 9), ("Hosts", -5), ("People", -6), last="Its hosts")
    shown, before, after = around(found.waves)
    if before:
        table.add_row(f"… {before} before", "", "", "", "", "", style="dim")
    for wave in shown:
        state = Text(wave.state, style=WAVE_STYLES.get(wave.state, "dim"))
        people = str(wave.people) if wave.people else "–"
        table.add_row(wave.wave, wave.kind, state, str(wave.hosts), people, _states(wave.by_state))
    if after:
        table.add_row(f"… {after} after", "", "", "", "", "", style="dim")
    return table


def _table(*columns: tuple[str, int], last: str) -> Table:
    """Columns of at least so many cells (negative: figures, to the right), and a last one that takes what is left."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold dim", expand=True)
    for name, cells in columns:
        table.add_column(name, no_wrap=True, min_width=abs(cells), justify="right" if cells < 0 else "left")
    table.add_column(last, overflow="ellipsis", no_wrap=True, ratio=1)
    return table


def around(waves: "list[WaveStatus]") -> "tuple[list[WaveStatus], int, int]":
    """The waves that matter now, and how many stand before and after them."""
    at = next((place for place, wave in enumerate(waves) if wave.state != "confirmed"), len(waves) - 1)
    first = max(0, min(at - 2, len(waves) - WAVES_SHOWN))
    last = min(len(waves), first + WAVES_SHOWN)
    first, last = first if first > 1 else 0, last if len(waves) - last > 1 else len(waves)  # no line to hide one line
    return waves[first:last], first, len(waves) - last


def _states(by_state: dict[str, int]) -> Text:
    text = Text()
    for state, count in by_state.items():
        text.append(f"{count} {state}  ", style=STYLES.get(state, "magenta"))
    return text


def _busy(hosts: "list[HostStatus]") -> Table:
    table = _table(("Host", 8), ("State", 10), ("Since", 5), last="Step")
    for host in hosts[:HOSTS_SHOWN]:
        state = Text(host.state, style=STYLES.get(host.state, "magenta"))
        table.add_row(status_text.short(host.host), state, host.since[11:16], status_text.doing(host))
    if len(hosts) > HOSTS_SHOWN:
        table.add_row(f"… {len(hosts) - HOSTS_SHOWN} more", "", "", "", style="dim")
    return table


def _list(title: str, lines: list[str]) -> list[RenderableType]:
    """A titled list, one line each, cut rather than wrapped."""
    if not lines:
        return []
    body = Text("\n".join(lines), overflow="ellipsis", no_wrap=True)
    return [Text(), Text(title.capitalize(), style="bold dim"), body]
