"""What a person sees while a command works: progress on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from jointbench.bench.calls.progress import Progress


class ComparisonDisplay:
    """One bar over all evaluations of a comparison; it appears with the first of them."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet)
        self._bars = Bars(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("evaluations"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
        )
        self._task = self._bars.add_task("compare", total=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars.live.is_started:
            self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        self._bars.start()
        self._bars.update(self._task, completed=progress.done, total=progress.total)


class StagesDisplay:
    """Work in stages, one after the other, some of which count: a spinner or a bar on a terminal, else a line each."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet)
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counted]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._stage, self._begun = "", time.monotonic()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._ended()
        if self.console.is_terminal:
            self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        stage, done, total = progress.stage, progress.done, progress.total
        if stage != self._stage:
            self._ended()
            self._stage, self._begun = stage, time.monotonic()
            self._task = self._bars.add_task(stage, total=total, counted="")
        counted = "" if total is None else f"{done:g} of {total:g}"
        self._bars.update(self._task, completed=done, total=total, counted=counted)

    def _ended(self) -> None:
        if self._stage:
            self._bars.remove_task(self._task)
            self.console.print(f"{self._stage}: {time.monotonic() - self._begun:.1f} s", highlight=False)
