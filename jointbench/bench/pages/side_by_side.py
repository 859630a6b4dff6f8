"""Two comparisons beside each other, such as on a surrogate and on real trainings: do they agree?"""

from collections.abc import Sequence
from dataclasses import fields
from itertools import combinations
from pathlib import Path

import numpy as np
from markupsafe import Markup, escape

from jointbench.bench.comparing.agreement import (
    common_grid,
    final_medians,
    order_agreement,
    rank_correlation,
    trajectory_correlation,
)
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.judged import judged_verdict
from jointbench.bench.comparing.trajectories import Runs, read_trajectories, time_grid
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.comparison_figures import coinciding_lines, error_figure
from jointbench.bench.pages.comparison_page import again
from jointbench.bench.pages.comparison_words import called, words
from jointbench.bench.pages.held_to_retrainings_section import held_to_retrainings_section
from jointbench.bench.pages.held_to_trainings_section import held_to_trainings_section
from jointbench.bench.pages.page import figure_html, script, table_html
from jointbench.bench.pages.templates import fill
from jointbench.bench.pages.trust_words import judged_box
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError
from jointbench.data.metrics import Metric
from jointbench.data.quantities import counted, listed

#: Settings in which two comparisons may differ and still be expected to agree.
_OF_THE_OBJECTIVE = ("objective", "source", "name", "checksum", "code")


def side_by_side(first: Path, second: Path) -> list[str]:
    """The body of the page. Raises LogError for a folder without a comparison, InputError without common optimizers, or
    where the two are not compared by the same."""
    folders = (first, second)
    settings = [Settings.read(folder) for folder in folders]
    objective, sought = settings[0].compared_by, [_sought(one) for one in settings]
    if sought[0] != sought[1]:
        raise InputError("second comparison", str(second), f"one by {listed(sought[0])}, as {first} is")
    both = [read_trajectories(folder) for folder in folders]
    common = [name for name in both[0] if name in both[1]]
    if len(common) < 2:
        raise InputError("second comparison", str(second), f"at least two optimizers of {first}")
    runs: list[Runs] = [{name: some[name] for name in common} for some in both]
    names = [f"{one.name} ({folder})" for one, folder in zip(settings, folders, strict=True)]
    final, grid, look = [final_medians(some) for some in runs], common_grid(*runs), styles(common)
    short, _ = called(objective)
    ranks = [_ranks(objective.losses(values)) for values in final]
    return [
        script(),
        "<h1>Do two comparisons agree?</h1>",
        *(part for folder, one in zip(folders, settings, strict=True) for part in _box(folder, one)),
        fill(
            '<p class="lead"><b>{{ names[0] }}</b> and <b>{{ names[1] }}</b> have {{ count }} optimizers in common. '
            "{{ said }}</p>",
            names=names,
            count=len(common),
            said=Markup(f"{escape(_at_the_end(final, objective))} {_over_time(runs, grid)}{_differ(settings)}"),
        ),
        fill(
            "<h2>The {{ whose }}'s {{ one }} over time</h2>",
            whose="front" if settings[0].box else "incumbent",
            one=short,
        ),
        '<div class="two">',
        *(
            f"<div>{fill('<p>{{ name }}</p>', name=name)}"
            f"{figure_html(error_figure(some, look, time_grid(some), words(one).clock), 440)}"
            f'<p class="note">{coinciding_lines(some, time_grid(some))}</p></div>'
            for name, some, one in zip(names, runs, settings, strict=True)
        ),
        "</div>",
        *_not_the_same(settings),
        "<h2>The table</h2>",
        table_html(
            ("optimizer", f"final {short}, first", "second", "rank, first", "second", "trajectories' correlation"),
            [
                (
                    name,
                    *(objective.shown(values[i]) for values in final),
                    *(f"{rank[i]:g}" for rank in ranks),
                    _shown(trajectory_correlation(runs[0][name], runs[1][name], grid)),
                )
                for i, name in enumerate(common)
            ],
            look,
        ),
        f'<p class="note">The final {objective.labels} are medians over seeds; ranks are among the optimizers of this '
        "table. "
        "The last column is Spearman's rank correlation of the two median trajectories over the times that both "
        "comparisons have.</p>",
        *held_to_retrainings_section(*folders),
        *held_to_trainings_section(*folders),
        *(part for folder, name in zip(folders, names, strict=True) for part in again(folder, f"reproduce {name}")),
    ]


def _sought(settings: Settings) -> list[str]:
    """What its optimizers are compared by: the objective, or all that their fronts are about."""
    return [metric.label for metric in settings.objectives]


def _box(folder: Path, settings: Settings) -> list[str]:
    return judged_box(settings.name, judged_verdict(folder))


def _not_the_same(settings: Sequence[Settings]) -> list[str]:
    """A note where the one knows of an incumbent what the other must train for."""
    if {one.objective for one in settings} != {"surrogate", "training"}:
        return []
    return [
        '<p class="note">The two do not show the same: of an incumbent a surrogate knows what it is worth at the '
        "largest budget, without noise; real trainings show what came at the largest budget at which it was trained, "
        "luck included.</p>"
    ]


def _ranks(losses: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    ranks: FloatArray = rankdata(losses)
    return ranks


def _at_the_end(final: Sequence[FloatArray], objective: Metric) -> str:
    """Pairs of optimizers in the same order, and a rank correlation where there are enough of them for one."""
    from scipy.stats import spearmanr

    pairs = list(combinations(range(len(final[0])), 2))
    same = sum(np.sign(final[0][i] - final[0][j]) == np.sign(final[1][i] - final[1][j]) for i, j in pairs)
    stand = counted(len(pairs), "pair of them stands", "pairs of them stand")
    text = f"By final {objective.label} {same} of {stand} in the same order"
    rho = rank_correlation(spearmanr, *final)
    return f"{text}." if len(final[0]) < 3 or np.isnan(rho) else f"{text} (Spearman's rank correlation {rho:.2f})."


def _over_time(runs: Sequence[Runs], grid: FloatArray) -> str:
    tau = order_agreement(runs[0], runs[1], grid)
    if np.isnan(tau):
        return "At no time can their orders be compared."
    return (
        f"Over the times that both have, from {grid[0]:.3g} to {grid[-1]:,.0f} seconds, Kendall's rank correlation of "
        f"their orders is {tau:.2f} on average."
    )


def _differ(settings: Sequence[Settings]) -> str:
    names = [field.name for field in fields(Settings) if field.name not in _OF_THE_OBJECTIVE]
    differing = [name.replace("_", " ") for name in names if len({str(getattr(one, name)) for one in settings}) > 1]
    verb = "differs" if len(differing) == 1 else "differ"
    return f" They were not made alike: {listed(differing)} {verb}." if differing else ""


def _shown(correlation: float) -> str:
    return "-" if np.isnan(correlation) else f"{correlation:.2f}"
