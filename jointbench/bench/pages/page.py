"""The parts of a page, and how they become one HTML file that opens offline in any browser."""

import html
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

import jointbench
from jointbench.bench.pages.palette import Style
from jointbench.data.files import make_folder, write_whole

#: Ticks to aim at on a logarithmic axis: with more of them plotly writes 6, 7, 8, 9 into one another.
_ALONG, _UP = 6, 3

_INK, _GRID = "#1c1c1c", "#e8e8e6"
_AXIS: Mapping[str, Any] = {
    "gridcolor": _GRID,
    "linecolor": "#8a8a86",
    "showline": True,
    "ticks": "outside",
    "tickcolor": "#8a8a86",
    "zeroline": False,
    "title": {"standoff": 12},
    "automargin": True,
}
_LAYOUT: Mapping[str, Any] = {
    "template": "none",
    "font": {"family": "system-ui, -apple-system, Segoe UI, Helvetica Neue, Arial, sans-serif", "size": 13},
    "font_color": _INK,
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "margin": {"l": 64, "r": 16, "t": 44, "b": 52},
    "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0, "font": {"size": 14}},
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

#: Longest time in seconds for which a unit is used, and its length in seconds.
_UNITS = ((2 * 3600.0, "seconds", 1.0), (np.inf, "hours", 3600.0))


def page_html(title: str, body: Iterable[str]) -> str:
    """A whole page."""
    here = resources.files("jointbench.bench.pages")
    page, download = (here.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "download.js"))
    made = {"title": html.escape(title), "body": "\n".join(body), "version": jointbench.__version__}
    return Template(page).substitute(made, download=download)


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


def time_unit(longest: float) -> tuple[str, float]:
    """The unit in which times up to `longest` seconds are shown, and its seconds."""
    return next((name, seconds) for limit, name, seconds in _UNITS if longest <= limit)


def time_axis() -> dict[str, Any]:
    """Plotly's settings of a logarithmic x axis with plain numbers, which follow when a reader zooms."""
    return {"type": "log", "tickformat": "~g", "nticks": _ALONG}


def ratio_axis() -> dict[str, Any]:
    """Of a logarithmic y axis with plain numbers."""
    return {"type": "log", "tickformat": "~g", "nticks": _UP}


def error_axis() -> dict[str, Any]:
    """Of a logarithmic y axis in per cent."""
    return {"type": "log", "tickformat": ".2~%", "nticks": _UP}


def log_range(values: npt.ArrayLike) -> list[float]:
    """Plotly's range of a logarithmic axis, a little wider than the values."""
    low, high = np.log10(np.nanmin(values)), np.log10(np.nanmax(values))
    margin = 0.03 * max(high - low, 0.1)
    return [float(low - margin), float(high + margin)]


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
