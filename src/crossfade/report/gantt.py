"""The timeline of a run as inline SVG: a row for each wave, a bar for each of its states; colours are the page's."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from crossfade.report import words
from crossfade.report.story import RunStory, WaveStory

WIDTH, LABEL, RIGHT = 960, 104, 92
"""Of the drawing, of the names at its left, of the words at its right."""
ROW, BAR, HEAD = 24, 14, 26
STEPS = [timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 360, 720)]
STEPS += [timedelta(days=days) for days in (1, 2, 7, 14, 30)]
MOST_TICKS = 9
LEGEND = {
    "waiting": "waits",
    "moving": "hosts move",
    "soaking": "watched",
    "holding": "holds",
    "reverting": "goes back",
}
"""State of a wave -> word; each is a class of the style sheet."""


def timeline(story: RunStory) -> Markup:
    """The drawing; empty when no wave has begun."""
    begun = [wave for wave in story.waves if wave.spans]
    first = min((words.parse(wave.began_at) for wave in begun), default=None, key=_or_now)
    last = words.parse(story.last_at) or _last(begun)
    if first is None or last is None or last <= first:
        return Markup("")
    axis = Axis(first, last)
    height = HEAD + ROW * len(begun) + 4
    rows = Markup("").join(_row(wave, axis, HEAD + ROW * at) for at, wave in enumerate(begun))
    return Markup('<svg class="gantt" viewBox="0 0 {} {}" role="img" aria-label="Timeline of {}">{}{}</svg>').format(
        WIDTH, height, words.count(len(begun), "wave"), axis.drawn(height), rows
    )


class Axis:
    """Moments to places on the drawing."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self.step = next((step for step in STEPS if (last - first) / step <= MOST_TICKS), STEPS[-1])
        self.first, self.last = first, last

    def at(self, moment: datetime) -> float:
        share = (moment - self.first) / (self.last - self.first)
        return round(LABEL + (WIDTH - LABEL - RIGHT) * min(1.0, max(0.0, share)), 1)

    def ticks(self) -> list[datetime]:
        origin = datetime(2000, 1, 3, tzinfo=UTC)
        passed = -((origin - self.first) // self.step)
        found = [origin + self.step * (passed + number) for number in range(MOST_TICKS + 2)]
        return [moment for moment in found if self.first <= moment <= self.last]

    def drawn(self, height: int) -> Markup:
        by_day = self.step >= timedelta(days=1)
        parts = []
        day = None
        for moment in self.ticks():
            text = moment.strftime("%d %b" if by_day or moment.date() != day else "%H:%M")
            text = text if by_day or moment.date() == day else f"{text} {moment:%H:%M}"
            day = moment.date()
            parts.append(
                Markup(
                    '<line x1="{0}" x2="{0}" y1="{1}" y2="{2}"/><text class="tick" x="{0}" y="12">{3}</text>'
                ).format(self.at(moment), HEAD - 8, height, text)
            )
        return Markup('<g class="axis">{}</g>').format(Markup("").join(parts))


def _row(wave: WaveStory, axis: Axis, top: int) -> Markup:
    bars = Markup("").join(
        _bar(span.state, words.parse(span.since), words.parse(span.until) or axis.last, axis, top, wave.id)
        for span in wave.spans
        if span.state in LEGEND
    )
    end = words.parse(wave.spans[-1].until or wave.spans[-1].since) or axis.last
    text = f"{words.count(wave.hosts, 'host')}"
    return Markup('<text class="name" x="0" y="{0}">{1}</text>{2}<text class="side" x="{3}" y="{0}">{4}</text>').format(
        top + BAR - 2, wave.id, bars, axis.at(end) + 6, text
    )


def _bar(state: str, begin: datetime | None, end: datetime, axis: Axis, top: int, name: str) -> Markup:
    if begin is None:
        return Markup("")
    left = axis.at(begin)
    title = f"{name}: {LEGEND[state]}, {begin:%Y-%m-%d %H:%M} to {end:%H:%M} UTC, {words.span(end - begin)}"
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>').format(
        state, left, top, max(1.5, round(axis.at(end) - left, 1)), BAR, title
    )


def _last(waves: list[WaveStory]) -> datetime | None:
    found = [words.parse(span.until or span.since) for wave in waves for span in wave.spans]
    return max((moment for moment in found if moment), default=None)


def _or_now(moment: datetime | None) -> datetime:
    return moment or datetime.max.replace(tzinfo=UTC)
