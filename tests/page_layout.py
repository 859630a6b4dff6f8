"""Whether everything on a page can be read: nothing out of sight, nothing above something else."""

import re
from typing import Any

from browser import Browser

#: Overlaps in pixels that nobody sees: boxes of text have room above and below the letters.
UNSEEN = 3

_FAULTS = """
(() => {
  const faults = [], box = one => one.getBoundingClientRect(), shown = one => box(one).width > 0;
  const beyond = (a, b) => Math.max(b.left - a.left, a.right - b.right, b.top - a.top, a.bottom - b.bottom);
  const overlap = (a, b) => Math.min(Math.min(a.right, b.right) - Math.max(a.left, b.left),
                                     Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) faults.push(`the page is ${page.scrollWidth} wide`);
  for (const one of document.querySelectorAll("body *")) {
    const inside = one.parentElement.closest(".wide, svg, .js-plotly-plot, details:not([open])");
    if (!inside && box(one).right > page.clientWidth + 1) faults.push(`beyond the edge: ${one.outerHTML.slice(0, 80)}`);
  }
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    const texts = [...plot.querySelectorAll(".main-svg text")].filter(shown);
    const name = plot.layout.xaxis.title.text;
    for (const text of texts)
      if (beyond(box(text), box(plot)) > UNSEEN) faults.push(`${name}: clipped: ${text.textContent}`);
    texts.forEach((one, i) => texts.slice(i + 1).forEach(other => {
      if (overlap(box(one), box(other)) > UNSEEN)
        faults.push(`${name}: ${one.textContent} collides with ${other.textContent}`);
    }));
    const drawn = box(plot.querySelector(".nsewdrag"));
    for (const text of plot.querySelectorAll(".legendtext"))
      if (overlap(box(text), drawn) > UNSEEN) faults.push(`${name}: ${text.textContent} of the legend over the plot`);
  }
  return faults;
})()
"""

_TABLES = """
[...document.querySelectorAll(".wide")].map(one => [
  one.scrollWidth > one.clientWidth + 1,
  getComputedStyle(one, "::before").content.includes("scroll sideways"),
  getComputedStyle(one).overflowX,
])
"""


def layout_faults(browser: Browser) -> list[str]:
    """What is out of sight or covers something else, in words."""
    found: list[str] = browser.evaluate(_FAULTS.replace("UNSEEN", str(UNSEEN)))
    return found


def wide_tables(browser: Browser) -> list[tuple[bool, bool, str]]:
    """Of each table that may be wider than the window: whether it is, whether it says so, how it overflows."""
    return [tuple(one) for one in browser.evaluate(_TABLES)]


def pages_of_figures(browser: Browser) -> list[tuple[str, str, float]]:
    """Of each figure in print: the pages (as the PDF names them) of its first and its last line, and points between.

    Links to both lines are put into the page; a PDF has a place for the target of each.
    """
    count: int = browser.evaluate("""
    [...document.querySelectorAll("figure")].map((figure, i) =>
      ["afterbegin", "beforeend"].map((where, j) => {
        figure.insertAdjacentHTML(where, `<div id="figure-${i}-${j}" style="height: 0"></div>`);
        document.body.insertAdjacentHTML("beforeend", `<a href="#figure-${i}-${j}">.</a>`);
      })).length
    """)
    paper = browser.printed().decode("latin-1")
    places: dict[str, Any] = {
        name: (page, float(height))
        for name, page, height in re.findall(r"/(figure-\d+-\d) \[(\d+) 0 R /XYZ [\d.]+ ([\d.]+)", paper)
    }
    ends = [(places[f"figure-{i}-0"], places[f"figure-{i}-1"]) for i in range(count)]
    return [(first, last, top - bottom) for (first, top), (last, bottom) in ends]
