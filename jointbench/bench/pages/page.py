"""The parts of a page, and how they become one HTML file that opens offline in any browser."""

import html
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import jointbench
from jointbench.bench.drawing.palette import Style
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
    here = resources.files("jointbench.bench.pages")
    frame, behaviour, download = (
        here.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "page.js", "download.js")
    )
    made = {"title": html.escape(title), "body": "\n".join(body), "version": jointbench.__version__}
    return Template(frame).substitute(made, script=behaviour, download=download)


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
    drawn: str = figure.to_html(full_html=False, include_plotlyjs=False, config=dict(_CONFIG))
    return f"<figure>{drawn}</figure>"


def table_html(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    styles: Mapping[str, Style] | None = None,
    kind: str = "numbers",
) -> str:
    """An HTML table; `styles` puts a swatch before the names of first cells that it has; `kind` is numbers or words."""
    lines = [
        f'<div class="wide"><table class="{kind}"><thead><tr>',
        *(f"<th>{html.escape(heading)}</th>" for heading in headings),
        "</tr></thead><tbody>",
    ]
    for row in rows:
        first, *rest = (html.escape(cell) for cell in row)
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        lines.append(f"<tr><td>{_swatch(styles, row[0])}{first}</td>{cells}</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def _swatch(styles: Mapping[str, Style] | None, name: str) -> str:
    if styles is None:
        return ""
    if name not in styles:
        return '<svg class="swatch" width="22" height="8"></svg>'
    style = styles[name]
    dashes = {
        "solid": "",
        "dash": "5 3",
        "dot": "2 2",
        "dashdot": "6 2 2 2",
        "longdash": "9 3",
        "longdashdot": "9 3 2 3",
    }[style.dash]
    line = f'stroke="{style.colour}" stroke-width="3" stroke-dasharray="{dashes}"'
    return f'<svg class="swatch" width="22" height="8"><line x1="0" y1="4" x2="22" y2="4" {line}/></svg>'
