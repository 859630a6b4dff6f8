"""What a person sees while work goes on: progress on a terminal, plain lines elsewhere."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from jointbench.bench.comparing.summary import HEADINGS, Row, cells
from jointbench.surrogate.judging.tables import JudgedTable


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
        if self._progress.live.is_started:
            self._progress.stop()

    def update(self, done: int, total: int) -> None:
        self._progress.start()
        self._progress.update(self._task, completed=done, total=total)


def show(table: Table) -> None:
    """Print a table whole, however narrow the terminal is."""
    Console(width=None if Console().is_terminal else 160).print(table)


def judged_table(judged: JudgedTable) -> Table:
    """What was found about a surrogate."""
    table = Table(title=judged.title, title_justify="left", caption=judged.words, caption_justify="left")
    for heading in judged.headings:
        table.add_column(heading, justify="left" if heading in ("error", "left out", "model") else "right")
    for row in judged.rows:
        table.add_row(*row)
    return table


def summary_table(rows: Sequence[Row], title: str) -> Table:
    """The table of a comparison."""
    table = Table(title=title, title_justify="left")
    for heading in HEADINGS:
        # Names with options are long, and their ends tell them apart.
        table.add_column(heading, justify="left" if heading == "optimizer" else "right", overflow="fold")
    for row in rows:
        table.add_row(*cells(row))
    return table
