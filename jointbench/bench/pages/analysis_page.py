"""The page of an analysis, an article: findings first, then the exhibits, then how it was made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup

from jointbench.bench.analysing.exhibit import Exhibit, Figure, Table
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.page import figure_html, script, table_html
from jointbench.bench.pages.templates import fill, with_code

#: Findings that stand first: as many as a reader remembers.
MOST_FINDINGS = 3


def analysis_page(
    title: str,
    about: str,
    exhibits: Sequence[Exhibit],
    settings: Iterable[tuple[str, str]],
    styles: Mapping[str, Style] | None = None,
    judged: Sequence[str] = (),
    most: int = MOST_FINDINGS,
) -> list[str]:
    """The body of the page. `about`: what was analysed, in a sentence; `settings`: how it was, name and value;
    `judged`: what is to be said first of a surrogate, as `trust_words.judged_box` says it; `most`: findings."""
    findings = [exhibit.finding for exhibit in exhibits if exhibit.finding][:most]
    nothing = "There is too little here to find anything; what is missing is said below."
    body = [
        script(),
        fill("<h1>{{ title }}</h1>", title=title),
        *judged,
        *(fill('<p class="lead">{{ finding }}</p>', finding=with_code(finding)) for finding in findings or [nothing]),
        fill("<p>{{ about }}</p>", about=about),
    ]
    for exhibit in exhibits:
        body += _section(exhibit, styles)
    body += ["<h2>How it was made</h2>", table_html(("setting", "value"), settings, kind="words")]
    return body


def _section(exhibit: Exhibit, styles: Mapping[str, Style] | None) -> Iterator[str]:
    yield fill('<h2 id="{{ name }}">{{ title }}</h2>', name=exhibit.name, title=exhibit.title)
    for words in exhibit.words:
        yield fill("<p>{{ words }}</p>", words=words)
    for words in exhibit.missing:
        yield fill('<p class="note">{{ words }}</p>', words=with_code(words))
    yield from _figures([figure for figure in exhibit.figures if not figure.folded])
    for table in exhibit.tables:
        if not table.folded:
            yield _table(table, styles)
    folded = [figure for figure in exhibit.figures if figure.folded]
    more = [table for table in exhibit.tables if table.folded]
    if folded or more:
        yield f"<details><summary>{_more(folded, more)}</summary>"
        yield from _figures(folded)
        for table in more:
            yield _table(table, styles)
        yield "</details>"


def _more(figures: Sequence[Figure], tables: Sequence[Table]) -> str:
    parts = [
        f"{len(several)} more {one}{'' if len(several) == 1 else 's'}"
        for several, one in ((figures, "figure"), (tables, "table"))
        if several
    ]
    return " and ".join(parts)


def _figures(figures: Sequence[Figure]) -> Iterator[str]:
    """Those of half a page's width beside each other."""
    for half, several in groupby(figures, lambda figure: figure.half):
        drawn = [_figure(figure) for figure in several]
        yield from ['<div class="two">', *(f"<div>{one}</div>" for one in drawn), "</div>"] if half else drawn


def _figure(figure: Figure) -> str:
    drawn = Markup(figure_html(figure.draw(), figure.height))
    return fill("<p>{{ words }}</p>", words=with_code(figure.words)) + drawn if figure.words else drawn


def _table(table: Table, styles: Mapping[str, Style] | None) -> str:
    kind = "words" if len(table.words) == len(table.headings) else "numbers"
    return table_html(table.headings, table.rows, styles, kind)
