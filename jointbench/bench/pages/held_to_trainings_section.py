"""The section of a page of two comparisons on what the surrogate of one says of the real trainings of the other."""

from pathlib import Path

from jointbench.bench.comparing.held_to_trainings import HeldToTrainings, held_to_trainings
from jointbench.bench.pages.page import table_html
from jointbench.surrogate.judging.scores import Row

HEADINGS = (
    *("budget", "trainings", "R2", "sparse Kendall", "Spearman"),
    *("Spearman, best quarter", "relative bias, best quarter", "promised of the tenth said best", "came"),
)


def held_to_trainings_section(first: Path, second: Path) -> list[str]:
    """Empty where neither is a surrogate's comparison and the other one of real trainings."""
    found = held_to_trainings(first, second) or held_to_trainings(second, first)
    if found is None:
        return []
    return [
        "<h2>What the surrogate says of the real trainings</h2>",
        f"<p>{sum(row['n'] for row in found.rows):,} trainings that the optimizers of the real comparison proposed and "
        f"{found.benchmark} has never seen, beside what it says of them without noise. The last two columns are of "
        "those of which it says the best, where optimizers go: a promise that is better than what came was believed "
        "too readily.</p>",
        table_html(HEADINGS, [_cells(found, row) for row in found.rows]),
    ]


def _cells(found: HeldToTrainings, row: Row) -> tuple[str, ...]:
    shown, bias = found.objective.shown, row["best_bias"]
    return (
        f"{row['budget']:g}",
        f"{row['n']:,}",
        *(_number(row[key]) for key in ("r2", "sparse_kendall", "spearman", "best_spearman")),
        "-" if bias is None else f"{bias:.1%}",
        shown(row["promised"]),
        shown(row["came"]),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
