"""The parts of a page, and how they become one HTML file that opens offline in any browser."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

import jointbench
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.templates import file_text, fill, fill_file
from jointbench.data.files import make_folder, write_whole

_INK, _GRID = "#1c1c1c", "#e8e8e6"
_AXIS: Mapping[str, Any] = {
    "gridcolor": _GRID,
    "linecolor": "#8a8a86",
    "showline": True,
    "ticks": "outside",
    "tickcolor": "#8a8a86",
    "zeroline": False,
    "title": {"standoff": 12, "font": {"size": 14}},
    "automargin": True,
}
_LAYOUT: Mapping[str, Any] = {
    "template": "none",
    "font": {"family": "system-ui, -apple-system, Segoe UI, Helvetica Neue, Arial, sans-serif", "size": 13},
    "font_color": _INK,
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "margin": {"l": 64, "r": 16, "t": 44, "b": 52},
    "legend": {
        "orientation": "h",
        "x": 0,
        "xref": "container",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "font": {"size": 14},
    },
    "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#b5b5b0", "activecolor": "#5c5c58"},
    "hoverlabel": {"bgcolor": "white", "bordercolor": "#c9c9c5", "font": {"size": 13}},
}
_CONFIG: Mapping[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    # Pages neither need a network nor offer to upload anything.
    "showSendToCloud": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}


def page_html(title: str, body: Iterable[str]) -> str:
    """A whole page."""
    return fill_file(
        "page.html",
        title=title,
        body=Markup("\n".join(body)),
        version=jointbench.__version__,
        script=Markup(file_text("page.js")),
        download=Markup(file_text("download.js")),
    )


def write_page(path: Path, title: str, body: Iterable[str]) -> Path:
    """Write the page, whole or not at all. Raises UnwritableError."""
    make_folder(path.parent)
    write_whole(path, page_html(title, body))
    return path


def script() -> str:
    """Plotly itself, once for all figures of a page, so that no network is asked."""
    from plotly.offline import get_plotlyjs

    return f"<script>{get_plotlyjs()}</script>"


def dressed(figure: Any, height: int) -> Any:
    """The plotly figure in the page's look; `height` in pixels."""
    figure.update_layout(height=height, **_LAYOUT)
    figure.update_xaxes(**_AXIS)
    figure.update_yaxes(**_AXIS)
    return figure


def figure_html(figure: Any, height: int) -> str:
    """A plotly figure in the page's look; `height` in pixels, as wide as there is room."""
    dressed(figure, height)
    # Plotly would draw an id by lot, and no two pages of the same evidence were the same file.
    name = f"figure-{hashlib.sha256(figure.to_json().encode()).hexdigest()[:16]}"
    drawn: str = figure.to_html(full_html=False, include_plotlyjs=False, config=dict(_CONFIG), div_id=name)
    return f"<figure>{drawn}</figure>"


def table_html(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    styles: Mapping[str, Style] | None = None,
    kind: str = "numbers",
) -> str:
    """An HTML table; `styles` puts a swatch before the names of first cells that it has; `kind` is numbers or words."""
    swatched = ((_swatch(styles, row[0]), row) for row in rows)
    return fill_file("table.html", headings=headings, rows=swatched, kind=kind)


def _swatch(styles: Mapping[str, Style] | None, name: str) -> Markup:
    if styles is None:
        return Markup()
    if name not in styles:
        return Markup('<svg class="swatch" width="22" height="8"></svg>')
    style = styles[name]
    dashes = {
        "solid": "",
        "dash": "5 3",
        "dot": "2 2",
        "dashdot": "6 2 2 2",
        "longdash": "9 3",
        "longdashdot": "9 3 2 3",
    }[style.dash]
    return fill(
        '<svg class="swatch" width="22" height="8"><line x1="0" y1="4" x2="22" y2="4" stroke="{{ colour }}" '
        'stroke-width="3" stroke-dasharray="{{ dashes }}"/></svg>',
        colour=style.colour,
        dashes=dashes,
    )
