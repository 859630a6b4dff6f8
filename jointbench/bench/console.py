"""What a person sees while work goes on: progress on a terminal, plain lines elsewhere."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from jointbench.bench.summary import HEADINGS, Row, cells
from jointbench.surrogate.benchmark import Benchmark


class ComparisonDisplay:
    """One bar over all evaluations of a comparison; it appears with the first of them."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("evaluations"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
        )
        self._task = self._progress.add_task("compare", total=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, done: int, total: int) -> None:
        self._progress.start()
        self._progress.update(self._task, completed=done, total=total)


def show(table: Table) -> None:
    """Print a table whole, however narrow the terminal is."""
    Console(width=None if Console().is_terminal else 160).print(table)


def quality_table(benchmark: Benchmark) -> Table:
    """The scores of a surrogate on held-out configurations."""
    table = Table(title=f"{benchmark.name}: on held-out configurations", title_justify="left")
    for heading in (
        f"budget, {benchmark.ladder.unit}",
        "error",
        "n",
        "R2",
        "RMSE",
        "Kendall",
        "sparse Kendall",
        "Spearman",
    ):
        table.add_column(heading, justify="left" if heading == "error" else "right")
    for row in benchmark.quality:
        budget = "all" if row["budget"] is None else f"{row['budget']:g}"
        scores = [row[k] for k in ("r2", "rmse", "kendall", "sparse_kendall", "spearman")]
        cells = ["-" if score is None else f"{score:.3f}" for score in scores]
        table.add_row(budget, row["error"], str(row["n"]), *cells)
    return table


def summary_table(rows: Sequence[Row], title: str) -> Table:
    """The table of a comparison."""
    table = Table(title=title, title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "optimizer" else "right")
    for row in rows:
        table.add_row(*cells(row))
    return table
