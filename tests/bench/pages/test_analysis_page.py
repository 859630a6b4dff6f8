"""The page of an analysis in a browser: every figure is drawn, nothing is complained of, no network is asked."""

from pathlib import Path

import pytest
from browser import BROWSER, Browser
from comparing import small
from page_layout import layout_faults
from small_forests import small_forests

import jointbench
from jointbench.bench.calls.analysing import PAGE, Analysis

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

#: Traces of any kind that show something: points, lines, bars, and the images of heat maps.
DRAWN = """
[...document.querySelectorAll('.js-plotly-plot')].filter(p => p.querySelector(
  '.trace path, .trace .point, .hm image, .bars path, .scatterlayer path')).length
"""


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, Path]:
    with small_forests():
        made = jointbench.analyse("digits-cpu", configuration="zela-2018")
    return made, made.page(tmp_path_factory.mktemp("page") / PAGE)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> tuple[Analysis, Path]:
    folder = tmp_path_factory.mktemp("pages") / "comparison"
    small(folder, names=("random", "hyperband"), seeds=2, full_budgets=8.0)
    made = jointbench.analyse(folder)
    return made, made.page(folder / PAGE)


@pytest.mark.parametrize("source", ["analysis", "comparison"])
def test_every_figure_is_drawn_offline_and_nothing_is_complained_of(
    source: str, request: pytest.FixtureRequest
) -> None:
    made, page = request.getfixturevalue(source)
    with Browser(page, width=1400) as browser:
        browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert browser.evaluate("document.querySelectorAll('figure').length") == len(made.drawings())
        browser.until(f"({DRAWN}) === document.querySelectorAll('figure').length")
        assert browser.complaints == []
        assert [one for one in browser.requests if not one.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("source", ["analysis", "comparison"])
@pytest.mark.parametrize("width", [420, 1400])
def test_all_can_be_read(source: str, width: int, request: pytest.FixtureRequest) -> None:
    _, page = request.getfixturevalue(source)
    with Browser(page, width=width) as browser:
        assert layout_faults(browser) == []


def test_findings_come_first(analysis: tuple[Analysis, Path]) -> None:
    made, page = analysis
    text = page.read_text(encoding="utf-8")
    assert len(made.findings) == 3
    assert all("95 %" in sentence for sentence in made.findings)
    assert text.index('class="lead"') < text.index("<h2")
