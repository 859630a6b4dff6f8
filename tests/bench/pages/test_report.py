"""Pages in a browser: every plot is drawn and can be played with, nothing is complained of, no network is asked."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import BROWSER, Browser
from comparing import HEADINGS, small
from page_layout import layout_faults, pages_of_figures, wide_tables

import jointbench
from jointbench.bench.calls.latex import latex_table
from jointbench.bench.comparing.comparison_folder import RETRAININGS, Settings, workers_folder
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.retraining import FIRST_SEED
from jointbench.bench.comparing.summary import cells, summary
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.report import write_report, write_side_by_side
from jointbench.cli import main
from jointbench.data.evaluation import Configuration, Evaluation, Status
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.registry import SPACES
from jointbench.data.spaces.space import Space
from jointbench.surrogate.stored import released

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

NAMES = ("random", "hyperband", "bohb")
COMMAND = "compare digits-cpu --optimizers random,hyperband,bohb --seeds 3 --full-budgets 8 --workers 4,1 --jobs 1"
#: Plots that show something; all that a page has.
DRAWN = "[...document.querySelectorAll('.js-plotly-plot')].filter(p => p.querySelector('.trace path, .trace .point'))"
ALL = "[...document.querySelectorAll('figure')]"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With runs on 4 workers and on 1, and retrainings."""
    folder = tmp_path_factory.mktemp("pages") / "comparison"
    for workers, out in ((4, folder), (1, workers_folder(folder, 1))):
        small(out, names=NAMES, seeds=3, workers=workers)
    retrained(folder)
    write_report(folder)
    return folder


def retrained(folder: Path) -> None:
    """What `jointbench retrain` leaves, with numbers in place of trainings."""
    settings = Settings.read(folder)
    published, joint = SPACES["wideresnet-28-10"], SPACES["joint"]
    (network,) = published.named.values()

    def trained(of: Space, what: Configuration, seed: int, error: float) -> Evaluation:
        key, facts = f"retrain/{of.name}/{seed}/{error}", of.facts(what)
        return Evaluation(
            of.name, what, settings.ladder.maximum, FIRST_SEED + seed, Status.OK,
            {"validation_error": error, "test_error": error + 0.01, "parameters": facts.parameters}, key=key,
        )  # fmt: skip

    for of, wanted in ((joint, [one.configuration for one in final_incumbents(folder)]), (published, [network])):
        log = EvaluationLog.open_or_create(folder / RETRAININGS / of.name, of, settings.ladder, settings.images)
        log.append([
            trained(of, what, seed, 0.05 + 0.01 * place + 0.002 * seed)
            for place, what in enumerate(wanted)
            for seed in range(2)
        ])  # fmt: skip


@pytest.fixture(scope="module")
def page(comparison: Path) -> Iterator[Browser]:
    with Browser(comparison / "report.html") as browser:
        browser.until(f"{DRAWN}.length == {ALL}.length")
        yield browser


def quiet(browser: Browser) -> None:
    assert browser.complaints == []
    assert all(address.startswith(("file:", "data:", "blob:")) for address in browser.requests), browser.requests


def box(browser: Browser, script: str) -> tuple[float, float, float, float]:
    """Left, top, width and height in the window of an element, which is scrolled to."""
    browser.evaluate(f"{script}.scrollIntoView({{block: 'center'}})")
    measured = browser.evaluate(f"JSON.stringify({script}.getBoundingClientRect())")
    found = json.loads(measured)
    return found["x"], found["y"], found["width"], found["height"]


def test_every_plot_of_a_comparison_is_drawn_without_a_network(page: Browser) -> None:
    headings = page.evaluate("[...document.querySelectorAll('h2')].map(h => h.textContent)")
    for wanted in (
        "The incumbent's error over time",
        "By number of workers",
        "Real retrainings",
        "How to reproduce it",
    ):
        assert wanted in headings
    # Errors twice, ranks, regret, two by workers, predicted against real.
    assert page.evaluate(f"{ALL}.length") == page.evaluate(f"{DRAWN}.length") == 7
    assert page.evaluate("document.querySelectorAll('svg.ranks text').length") > len(NAMES)
    quiet(page)


def test_no_plot_offers_to_upload_it(page: Browser) -> None:
    titles = page.evaluate("[...document.querySelectorAll('.modebar-btn')].map(b => b.getAttribute('data-title'))")
    assert any("Download" in title for title in titles)
    assert not [title for title in titles if any(word in title for word in ("Share", "Cloud", "Studio", "Upload"))]


#: Files that a button offers: name to address.
OFFERED = """(async () => {
  const found = {}, click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () { found[this.download] = this.href; };
  [...document.querySelectorAll(".download button")].find(b => b.textContent === WORDS).click();
  for (let i = 0; i < 600 && Object.keys(found).length < COUNT; i++) await new Promise(r => setTimeout(r, 50));
  HTMLAnchorElement.prototype.click = click;
  return JSON.stringify(found);
})()"""


def offered(page: Browser, words: str, count: int) -> dict[str, str]:
    found = page.evaluate(OFFERED.replace("WORDS", json.dumps(words)).replace("COUNT", str(count)))
    return dict(json.loads(found))


def test_the_menu_offers_figures_and_tables_as_files(comparison: Path, page: Browser) -> None:
    figures = offered(page, "figures as SVG", 7)
    assert len(figures) == 7
    assert all(address.startswith("data:image/svg+xml") for address in figures.values())
    assert "the-incumbent-s-error-over-time.svg" in figures
    rows = [cells(row) for row in summary(comparison)]
    count = page.evaluate("document.querySelectorAll('table').length")
    table = unquote(offered(page, "tables as CSV", count)["the-table.csv"].partition(",")[2])
    assert list(csv.reader(table.splitlines())) == [list(HEADINGS), *map(list, rows)]
    table = unquote(offered(page, "tables as LaTeX", count)["the-table.tex"].partition(",")[2])
    assert table == latex_table(HEADINGS, rows, ("optimizer",))
    quiet(page)


def test_an_optimizer_has_one_colour_on_the_whole_page(page: Browser) -> None:
    found = page.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')].flatMap(p => p.data.filter(t => t.name && t.showlegend !== "
        "false).map(t => [t.name, t.mode.startsWith('lines') ? t.line.color : t.marker.color]))"
    )
    look = styles(NAMES)
    assert {(name, colour) for name, colour in found} == {(name, look[name].colour) for name in NAMES}
    assert len(found) == 7 * len(NAMES)
    swatches = page.evaluate(
        "[...document.querySelectorAll('td .swatch line')].map(l => [l.closest('td').textContent, "
        "l.getAttribute('stroke')])"
    )
    assert {(name, colour) for name, colour in swatches} == {(name, look[name].colour) for name in NAMES}


def test_time_is_logarithmic(page: Browser) -> None:
    axes = page.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')].map(p => [p.layout.xaxis.title.text, p.layout.xaxis.type])"
    )
    over_time = [kind for title, kind in axes if "seconds" in title or "hours" in title]
    assert over_time == ["log"] * 4


def test_a_click_in_the_legend_hides_a_line_with_its_band_and_the_next_shows_it(page: Browser) -> None:
    plot = "document.querySelector('.js-plotly-plot')"
    name = page.evaluate(f"{plot}.querySelector('.legendtext').textContent")
    shown = f"{plot}.data.filter(t => t.legendgroup === '{name}').filter(t => t.visible !== 'legendonly').length"
    lines = f"{plot}.querySelectorAll('.scatterlayer .trace path.js-line').length"
    assert page.evaluate(shown) == 3
    before = page.evaluate(lines)
    for wanted, drawn in ((0, f"{lines} < {before}"), (3, f"{lines} == {before}")):
        left, top, width, height = box(page, f"{plot}.querySelector('.legendtoggle')")
        page.click(left + width / 2, top + height / 2)
        # A second click within the time of a double-click would mean something else.
        page.until(f"{shown} == {wanted} && {drawn}")
        page.evaluate("new Promise(done => setTimeout(done, 700))")
    quiet(page)


def test_dragging_zooms_and_pointing_says_the_numbers(page: Browser) -> None:
    plot = "document.querySelector('.js-plotly-plot')"
    left, top, width, height = box(page, f"{plot}.querySelector('.nsewdrag')")
    page.point(left + 0.6 * width, top + 0.5 * height)
    page.until(f"{plot}.querySelector('.hoverlayer').textContent.includes('%')")
    before = page.evaluate(f"{plot}.layout.xaxis.range[1] - {plot}.layout.xaxis.range[0]")
    page.click(left + 0.3 * width, top + 0.3 * height, (left + 0.6 * width, top + 0.7 * height))
    page.until(f"{plot}.layout.xaxis.range[1] - {plot}.layout.xaxis.range[0] < 0.5 * {before}")
    quiet(page)


def test_terminal_and_page_show_the_same_numbers(
    comparison: Path,
    page: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # So wide that no column gives way.
    monkeypatch.setenv("COLUMNS", "200")
    copy = shutil.copytree(comparison, tmp_path / "copy")
    main([*COMMAND.split(), "--out", str(copy)])
    printed = capsys.readouterr().out
    terminal = [
        tuple(cell.strip() for cell in line.strip("│").split("│")) for line in printed.splitlines() if line[:1] == "│"
    ]
    on_page = page.evaluate(
        "[...[...document.querySelectorAll('table')].find(t => t.textContent.includes('mean rank')).rows]"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert [tuple(row) for row in on_page] == [HEADINGS, *terminal]
    assert terminal == [cells(row) for row in summary(comparison)]


def test_the_page_says_how_to_do_it_again(comparison: Path, page: Browser) -> None:
    content = json.loads((comparison / "comparison.json").read_text(encoding="utf-8"))
    text = page.evaluate("document.body.innerText")
    assert content["commands"]
    for told in (*content["commands"], *content["versions"].values()):
        assert told in text


def test_retrainings_are_a_table_with_published_networks(page: Browser) -> None:
    heading = "[...document.querySelectorAll('h2')].find(h => h.textContent === 'Real retrainings')"
    assert "rank correlation" in page.evaluate(f"{heading}.nextElementSibling.textContent")
    names = page.evaluate(
        "[...[...document.querySelectorAll('table')].find(t => t.textContent.includes('optimizer or network')).rows]"
        ".map(row => row.cells[0].textContent)"
    )
    assert sorted(names[1 : 1 + len(NAMES)]) == sorted(NAMES)
    assert names[1 + len(NAMES) :] == [next(iter(SPACES["wideresnet-28-10"].named))]


def test_two_comparisons_side_by_side_in_the_dark(comparison: Path, tmp_path: Path) -> None:
    first = Path(shutil.copytree(comparison, tmp_path / "first"))
    small(tmp_path / "second", names=("bohb", "random"), seeds=2, full_budgets=6.0)
    with Browser(write_side_by_side(first, tmp_path / "second"), dark=True) as browser:
        browser.until(f"{DRAWN}.length == 2")
        text = browser.evaluate("document.body.innerText")
        assert "have 2 optimizers in common" in text
        assert "Kendall's rank correlation" in text
        assert "full budgets differ" in text
        quiet(browser)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the released log."""
    place = tmp_path_factory.mktemp("pages") / "log.parquet"
    shutil.copy(released()["digits-cpu"] / "evaluations.parquet", place)
    return write_report(place)


@pytest.fixture(scope="module", params=["comparison", "log"])
def either(request: pytest.FixtureRequest, comparison: Path, log: Path) -> Path:
    return {"comparison": comparison / "report.html", "log": log}[request.param]


@pytest.fixture(scope="module")
def narrow(either: Path) -> Iterator[Browser]:
    """On a telephone."""
    with Browser(either, width=420, touch=True) as browser:
        browser.until(f"{DRAWN}.length == {ALL}.length")
        yield browser


@pytest.fixture(scope="module")
def broad(either: Path) -> Iterator[Browser]:
    with Browser(either, width=1400) as browser:
        browser.until(f"{DRAWN}.length == {ALL}.length")
        yield browser


def test_nothing_is_clipped_or_collides_in_a_narrow_window(narrow: Browser) -> None:
    assert layout_faults(narrow) == []
    quiet(narrow)


def test_a_title_that_a_small_telephone_has_no_room_for_stands_in_two_lines(log: Path) -> None:
    titles = "[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot.layout.xaxis.title.text)"
    with Browser(log, width=320, touch=True) as browser:
        browser.until(f"{DRAWN}.length == {ALL}.length")
        assert "time since the first<br>training began, seconds" in browser.evaluate(titles)
        assert layout_faults(browser) == []
        browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1, mobile=False)
        browser.until(f"{titles}.includes('time since the first training began, seconds')")
        assert layout_faults(browser) == []
        quiet(browser)


def test_nothing_is_clipped_or_collides_in_a_broad_window(broad: Browser) -> None:
    assert layout_faults(broad) == []
    assert not any(wider for wider, _, _ in wide_tables(broad))


def test_a_table_wider_than_the_window_scrolls_and_says_so(narrow: Browser) -> None:
    for wider, told, overflow in wide_tables(narrow):
        assert told == wider
        assert overflow == "auto"


def test_a_swipe_over_a_plot_scrolls_the_page_and_does_not_zoom(narrow: Browser) -> None:
    plot = "document.querySelector('.js-plotly-plot')"
    left, top, width, height = box(narrow, f"{plot}.querySelector('.nsewdrag')")
    ranges = f"JSON.stringify([{plot}.layout.xaxis.range, {plot}.layout.yaxis.range])"
    before, at = narrow.evaluate(ranges), narrow.evaluate("scrollY")
    narrow.swipe(left + 0.5 * width, top + 0.7 * height, (40.0, -150.0))
    narrow.until(f"scrollY > {at} + 75")
    assert narrow.evaluate(ranges) == before
    assert narrow.evaluate(f"{plot}.querySelectorAll('.zoombox').length") == 0


def test_printing_splits_no_plot_and_cuts_nothing_off(broad: Browser) -> None:
    figures = pages_of_figures(broad)
    assert len(figures) == broad.evaluate(f"{ALL}.length")
    for first, last, points in figures:
        assert first == last
        # Of A4's 842.
        assert 0 < points < 757
    # In print a table cannot be scrolled; 680 pixels are the text's width on A4 with margins of 15 mm.
    broad.call("Emulation.setEmulatedMedia", media="print")
    broad.call("Emulation.setDeviceMetricsOverride", width=680, height=1000, deviceScaleFactor=1, mobile=False)
    broad.evaluate("dispatchEvent(new Event('beforeprint'))")
    broad.until(f"{ALL}.every(figure => figure.querySelector('svg').getBoundingClientRect().right <= 680)")
    assert layout_faults(broad) == []
    assert not any(wider for wider, _, _ in wide_tables(broad))


def test_the_page_of_a_table_s_log_is_about_its_objective(tmp_path: Path) -> None:
    columns = {
        "x": [0.1, 0.2, 0.3, 0.4],
        "epoch": [1, 1, 3, 3],
        "acc": [0.5, 0.6, 0.7, 0.8],
        "time": [1.0, 2.0, 3.0, 4.0],
    }
    metrics = {"accuracy": "acc:max:fraction"}
    made = jointbench.import_table(columns, tmp_path / "log", budget="epoch", metrics=metrics, hyperparameters=["x"])
    page = write_report(made.log.path).read_text(encoding="utf-8")
    assert "Accuracy of each training, by budget" in page
    assert "the line is the highest at the largest budget" in page
    assert "evaluation, in the order of the log" in page
    assert "%{y:.2%}" in page
    # Nobody has said what they took.
    for other in ("alidation error", "half an image", "number of parameters", "takes</h2>", "since the first training"):
        assert other not in page
    metrics["training_seconds"] = "time"
    timed = jointbench.import_table(columns, tmp_path / "timed", budget="epoch", metrics=metrics, hyperparameters=["x"])
    page = write_report(timed.log.path).read_text(encoding="utf-8")
    assert "What a good value takes" in page
    assert "Accuracy against the time that it took" in page


def test_the_page_of_a_log(log: Path) -> None:
    with Browser(log) as browser:
        browser.until(f"{ALL}.length > 0 && {DRAWN}.length == {ALL}.length")
        headings = browser.evaluate("[...document.querySelectorAll('h2')].map(h => h.textContent)")
        assert {"Every evaluation", "Learning curves", "What a low error takes", "Failures by cause"} <= set(headings)
        axes = browser.evaluate("[...document.querySelectorAll('.js-plotly-plot')].map(p => p.layout.xaxis.title.text)")
        assert axes[1:] == [
            "seconds of training",
            "parameters",
            "seconds from start to finish",
            "trainings that failed",
        ]
        assert "1 seconds" not in browser.evaluate("document.body.textContent")
        quiet(browser)


def test_a_browser_that_finds_a_fault_complains(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<script src='https://example.org/plot.js'></script><script>undefined.draw()</script>", encoding="utf-8"
    )
    with Browser(page) as browser:
        browser.until("true")
        assert len(browser.complaints) >= 2
        assert any(address.startswith("https:") for address in browser.requests)
