"""The section of a comparison's page on what the surrogate does not know of the incumbents."""

from collections.abc import Mapping
from pathlib import Path

from jointbench.bench.comparing.extrapolation import extrapolation
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.page import table_html


def extrapolation_section(folder: Path, look: Mapping[str, Style]) -> list[str]:
    """Empty where nothing is known of it."""
    found = extrapolation(folder)
    if not found:
        return []
    label = found[0].objective.label
    headings = ("optimizer", f"incumbents' {label}", "not known of it", "most", "random configurations")
    return [
        "<h2>How far from the trainings</h2>",
        "<p>The benchmark was fitted to real trainings, and optimizers go where few of them were. Of each optimizer's "
        f"final incumbents: their {label}, and one standard deviation of what the surrogate does not know of "
        "it, the median and the most over the runs; beside it the median for random configurations. Differences "
        "between optimizers that are smaller than this are the surrogate's, not theirs.</p>",
        table_html(headings, (row.cells for row in found), look),
    ]
