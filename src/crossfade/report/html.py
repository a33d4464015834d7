"""The report as one self-contained HTML page: no script, no request, everything escaped."""

import re
from functools import cache

import jinja2
from markupsafe import Markup, escape

from crossfade.report import gantt, words
from crossfade.report.documents import Documents
from crossfade.report.page import MOST, Page
from crossfade.report.verdict import verdict

QUOTED = re.compile(r"`([^`]+)`")


def marked(text: str) -> Markup:
    """Escaped text in which what stands between backquotes is code: what to type, or a table of crossfade.toml."""
    return Markup(QUOTED.sub(r"<code>\1</code>", str(escape(text))))


FILTERS = {
    "moment": words.moment,
    "host": words.host,
    "resource": words.resource,
    "state": words.state,
    "wave_state": words.wave_state,
    "value": words.value,
    "kind": words.kind,
    "feed_title": words.title,
    "people": words.people,
    "clean": words.clean,
    "marked": marked,
}


def html(documents: Documents) -> str:
    """The page. Names in the documents are data: autoescape is on, and links are only made from ids."""
    page = Page(documents)
    return _template().render(
        page=page,
        verdict=verdict(documents),
        story=documents.story,
        proof=documents.verification,
        plan=documents.plan,
        timeline=gantt.timeline(documents.story) if documents.story else "",
        legend=gantt.LEGEND,
        seen_states={span.state for wave in documents.story.waves for span in wave.spans} if documents.story else set(),
        made_at=documents.made_at,
        most=MOST,
        count=words.count,
        lasted=words.lasted,
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("crossfade.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= FILTERS
    return environment.get_template("report.html.j2")
