"""The page of a comparison: who wins, by how much, how sure that is, and how to do it again."""

from collections.abc import Sequence
from pathlib import Path

from jointbench.bench.comparing.comparison_folder import Settings, looks, read_content, run_files
from jointbench.bench.comparing.judged import judged_verdict
from jointbench.bench.comparing.statistics import LEVEL, Omnibus, Pair, omnibus, pairs
from jointbench.bench.comparing.summary import Row, cells, headings, rows
from jointbench.bench.comparing.trajectories import (
    Runs,
    final_losses,
    held_out,
    objective_of,
    read_trajectories,
    shared_seeds,
    time_grid,
)
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.comparison_figures import Looks, coinciding_lines, error_figure, rank_figure, regret_figure
from jointbench.bench.pages.comparison_words import (
    Words,
    called,
    first_words,
    incumbent_words,
    one_rung_words,
    shown_settings,
    words,
)
from jointbench.bench.pages.differences_section import differences_section
from jointbench.bench.pages.extrapolation_section import extrapolation_section
from jointbench.bench.pages.fronts_section import box_words, fronts_section, told_words
from jointbench.bench.pages.missing_section import missing_section
from jointbench.bench.pages.page import figure_html, script, table_html
from jointbench.bench.pages.retraining_section import retraining_section
from jointbench.bench.pages.templates import fill
from jointbench.bench.pages.trust_words import judged_box, trust_html
from jointbench.bench.pages.verdict import sooner, verdict
from jointbench.bench.pages.workers_section import workers_section
from jointbench.data.arrays import FloatArray
from jointbench.data.metrics import TEST_ERROR, Metric
from jointbench.data.quantities import listed


def comparison_page(folder: Path) -> list[str]:
    """The body of the page. Raises LogError when the folder holds no finished run and none that failed."""
    settings, said = Settings.read(folder), words(Settings.read(folder))
    missing, box = missing_section(folder), judged_box(settings.name, judged_verdict(folder))
    if missing and not run_files(folder):
        return [
            "<h1>Which optimizer wins?</h1>",
            *box,
            '<p class="lead">No run has finished.</p>',
            *missing,
            *again(folder),
        ]
    found = read_trajectories(folder)
    table = rows(found, one_time=settings.time is not None)
    # The order of the table, in every legend too.
    runs = {row.optimizer: found[row.optimizer] for row in table}
    look, grid = styles(runs), time_grid(runs, settings.time)
    tested, asked = _tests(runs, folder)
    objective = objective_of(runs)
    (one, _), several = called(objective), bool(settings.box)
    best = f"{'best' if objective.maximize else 'lowest'} {one}"
    return [
        script(),
        "<h1>Which optimizer wins?</h1>",
        *box,
        f'<p class="lead">{_lead(said, table, tested, asked)}{first_words(settings)}</p>',
        *trust_html(folder, table),
        *_one_rung(folder, settings),
        *missing,
        f"<h2>The {'front' if several else 'incumbent'}'s {one} over time</h2>",
        f"<p>{'Higher' if objective.maximize else 'Lower'} and further left is better. At each time an optimizer would "
        f"recommend {'a front of configurations' if several else 'one configuration, its incumbent'}: "
        f"{incumbent_words(settings)} {said.judged}: the median over "
        "seeds, with a band over the middle half of them." + ("" if several else _before(objective)) + "</p>",
        *([f"<p>{box_words(settings)} {told_words(settings, list(runs))}</p>"] if several else []),
        figure_html(error_figure(runs, look, grid, said.clock), 520),
        f'<p class="note">{coinciding_lines(runs, grid)} Click a name to hide its line, double-click to see it alone, '
        "drag to zoom, double-click in the plot to zoom out.</p>",
        "<h2>The table</h2>",
        table_html(headings(table), (cells(row) for row in table), look),
        f'<p class="note">{_final_words(settings)} Regret is the distance to the {best} that any '
        f"{'front' if several else 'incumbent'} ever had. Ranks are by final {objective.label} among runs of the same "
        f"seed. Speed-up is how much sooner the median gets to random search's final {one} for good, with its 95 % "
        "interval over resampled seeds.</p>",
        *differences_section(table, tested, len(shared_seeds(runs)), look, asked, looks(folder)),
        "<h2>Ranks and regret over time</h2>",
        '<div class="two">',
        f"<div><p>Mean rank over seeds, 1 the best.</p>{figure_html(rank_figure(runs, look, grid, said.clock), 400)}"
        "</div>",
        f"<div><p>Normalised regret: 1 is {'guessing' if settings.guessing else 'the worst'}, 0 the best "
        f"{'front' if several else 'incumbent'} of all.</p>"
        f"{figure_html(regret_figure(runs, look, grid, said.clock, settings.guessing), 400)}</div>",
        "</div>",
        *fronts_section(folder, list(runs), look),
        *_held_out(runs, look, grid, said.clock),
        *extrapolation_section(folder, look),
        *workers_section(folder, look),
        *retraining_section(folder, look),
        *again(folder),
    ]


def _one_rung(folder: Path, settings: Settings) -> list[str]:
    names = dict.fromkeys(name for name, _, _ in run_files(folder))
    said = one_rung_words(names, settings.ladder) if settings.objective == "known" else ""
    return [fill('<p class="note">{{ said }}</p>', said=said)] if said else []


def _before(objective: Metric) -> str:
    """What an optimizer is drawn at that has no incumbent yet."""
    if objective.failure is None:
        return ""
    at = f"{100 * objective.failure:g} %" if objective.fraction else objective.shown(objective.failure)
    one, _ = called(objective)
    return f" Until an optimizer has an incumbent its {one} counts as {at}, as that of a training that failed."


def _held_out(runs: Runs, look: Looks, grid: FloatArray, clock: str) -> list[str]:
    """By what the incumbents are judged besides."""
    judged = held_out(runs)
    if judged is None:
        return []
    of = "On test images" if judged == TEST_ERROR else f"By {judged.label}"
    by = "on test images, whose errors no optimizer has seen" if judged == TEST_ERROR else f"by {judged.label}"
    figure = figure_html(error_figure(runs, look, grid, clock, judged), 440)
    return [f"<h2>{of}</h2>", f"<p>The same incumbents, judged {by}.</p>", figure]


def terminal_verdict(folder: Path) -> str:
    """Who beats whom, as the page's lead says it; empty where there is nothing to compare."""
    found = read_trajectories(folder)
    table = rows(found)
    return verdict(table, *_tests({row.optimizer: found[row.optimizer] for row in table}, folder))


def _tests(runs: Runs, folder: Path) -> tuple[list[Pair], Omnibus | None]:
    """All pairs and the test before them, at the level that the looks at the comparison leave."""
    errors, level = final_losses(runs), LEVEL / looks(folder)
    return pairs(errors, level), omnibus(errors, level)


def _final_words(settings: Settings) -> str:
    """At which time the final columns are read."""
    one, final = called(settings.compared_by)
    if settings.time is not None:
        return f"Final {final} are those after {settings.time:,g} seconds, the same for all, and medians over seeds."
    return (
        f"Final {final} are medians over seeds, read when the budgets are spent: optimizers that spend the same "
        f"budgets do not end at the same time (beside each {one} stands the mean), so the later ones "
        "have had more of it. <code>--time</code> gives all the same."
    )


def again(folder: Path, what: str = "reproduce it") -> list[str]:
    """What it takes to make the comparison again: commands, settings, versions; `what` of it the heading names."""
    content = read_content(folder)
    return [
        fill("<h2>How to {{ what }}</h2>", what=what),
        fill("<pre>{{ commands }}</pre>", commands="\n".join(content["commands"])),
        table_html(("setting", "value"), shown_settings(Settings.read(folder)), kind="words"),
        table_html(("software", "version"), content["versions"].items(), kind="words"),
    ]


def _lead(said: Words, table: Sequence[Row], tested: Sequence[Pair], asked: Omnibus | None) -> str:
    best = table[0]
    name = fill("<b>{{ name }}</b>", name=best.optimizer)
    ends = f"ends at a median {best.objective.label} of {best.objective.shown(best.value)}."
    if len(table) == 1:
        return f"{name} searches {said.searched}. It {ends}"
    lines = [f"{len(table)} optimizers are compared {said.searched}."]
    if best.rank is None:
        lines.append(f"{name} has the best median and {ends}")
    elif best.rank == table[1].rank:
        tied = fill("<b>{{ names }}</b>", names=listed([row.optimizer for row in table if row.rank == best.rank]))
        lines.append(f"{tied} share the lowest mean rank, {best.rank:.2f}; {name} {ends}")
    else:
        lines.append(f"{name} has the lowest mean rank, {best.rank:.2f}, and {ends}")
    lines.append(sooner(best))
    lines.append(fill("<b>{{ said }}</b>", said=verdict(table, tested, asked)) if tested else "")
    return " ".join(line for line in lines if line)
