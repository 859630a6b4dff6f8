"""The section of a page of two comparisons on what the real one's incumbents are worth, and what the surrogate says."""

from pathlib import Path

import numpy as np

from jointbench.bench.comparing.held_to_retrainings import Mean, held_to_retrainings
from jointbench.bench.pages.page import table_html
from jointbench.data.metrics import Metric

HEADINGS = (
    *("optimizer", "runs", "trainings", "as the searches saw them", "trained again"),
    *("the surrogate of the same", "its own incumbents"),
)
PAIR_HEADINGS = ("the first less the second", "as the searches saw them", "trained again", "on the surrogate")


def held_to_retrainings_section(first: Path, second: Path) -> list[str]:
    """Empty where neither is a surrogate's comparison and the other one's incumbents were trained again."""
    found = held_to_retrainings(first, second) or held_to_retrainings(second, first)
    if found is None:
        return []
    objective = found.objective
    return [
        "<h2>What the real incumbents are worth</h2>",
        "<p>A search keeps what came out best, and part of that is luck. So the final incumbents of the real searches "
        f"were trained again, with other seeds. Beside that stands what {found.benchmark} says of the same "
        f"configurations, and of those that its own runs ended with, both without noise. Means of {objective.labels} "
        f"over runs, and their differences{_unit(objective)}, each with Student's 95 % interval.</p>",
        table_html(
            HEADINGS,
            [
                (
                    one.optimizer,
                    str(one.runs),
                    str(one.trainings),
                    *(_shown(mean, objective) for mean in (one.searched, one.again, one.said, one.simulated)),
                )
                for one in found.optimizers
            ],
        ),
        table_html(
            PAIR_HEADINGS,
            [
                (f"{one} less {other}", *(_difference(mean, objective) for mean in means))
                for one, other, *means in found.pairs
            ],
        ),
        '<p class="note">Differences are of runs with the same seed.</p>',
    ]


def _unit(metric: Metric) -> str:
    return " in percentage points" if metric.fraction else ""


def _shown(mean: Mean, metric: Metric) -> str:
    shown = metric.shown(mean.value)
    return shown if np.isnan(mean.half) else f"{shown} ± {_number(mean.half, metric)}"


def _difference(mean: Mean, metric: Metric) -> str:
    value = _number(mean.value, metric, "+")
    if np.isnan(mean.half):
        return value
    low, high = (_number(mean.value + sign * mean.half, metric, "+") for sign in (-1, 1))
    return f"{value} ({low} to {high})"


def _number(value: float, metric: Metric, sign: str = "") -> str:
    """Of a fraction in percentage points."""
    return f"{100 * value:{sign}.2f}" if metric.fraction else f"{value:{sign}.3g}"
