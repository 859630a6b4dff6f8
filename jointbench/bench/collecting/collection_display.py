"""What a person sees of a collection: a live picture on a terminal, plain lines elsewhere."""

import datetime
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.running.cluster import Finished, Started
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import VALIDATION_ERROR, Metric
from jointbench.data.numbers import readable
from jointbench.data.quantities import counted

#: Seconds between two lines about the whole where there is no terminal.
SUMMARY_EVERY = 60.0
#: Trainings shown at most.
SHOWN = 12


class CollectionDisplay:
    """A watcher that shows what it hears of; use as a context manager."""

    def __init__(
        self,
        run_name: str,
        ladder: Ladder,
        full_budgets: float,
        console: Console | None = None,
        quiet: bool = False,
        objective: Metric = VALIDATION_ERROR,
    ) -> None:
        self.console = Console(stderr=True, quiet=quiet) if console is None else console
        self.run_name, self.ladder, self.objective = run_name, ladder, objective
        self.progress = CollectionProgress(ladder, full_budgets, objective=objective)
        live = self.console.is_terminal and not quiet
        self._live = Live(self, console=self.console, refresh_per_second=2) if live else None
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
        else:
            self._say(self.summary())

    def watchable(self, address: str) -> None:
        self._say(f"shows Dask's pages at {address}")

    def resumed(self, evaluations: Iterable[Evaluation]) -> None:
        self.progress.resumed(evaluations)
        if self.progress.evaluations and not self._live:
            self._say(f"continues after {counted(self.progress.evaluations, 'evaluation')}")

    def started(self, started: Started) -> None:
        self.progress.started(started)

    def finished(self, finished: Finished) -> None:
        self.progress.finished(finished)
        if self._live:
            return
        evaluation = finished.evaluation
        outcome = f"{evaluation.metrics[self.objective.name]:.3f}" if evaluation.ok else evaluation.reason
        trial = f"#{finished.started.number}, {self.ladder.amount(evaluation.budget)}"
        self._say(f"{trial}: {evaluation.status} {outcome}")
        if time.monotonic() - self._said >= SUMMARY_EVERY:
            self._said = time.monotonic()
            self._say(self.summary())

    def _say(self, words: str) -> None:
        self.console.print(f"{self.run_name} {words}", soft_wrap=True, highlight=False)

    def summary(self) -> str:
        """One line about the whole."""
        at = self.progress
        failed = ", ".join(f"{number} {status}" for status, number in sorted(at.failures.items())) or "none failed"
        return f"{counted(at.evaluations, 'evaluation')}, {failed}; {self._best()}; {self._pace()}"

    def _best(self) -> str:
        best = self.progress.incumbent
        if best is None:
            return "no incumbent yet"
        value = best.metrics[self.objective.name]
        shown = f"{value:.1%}" if self.objective.fraction else self.objective.shown(value)
        return f"incumbent's {self.objective.label} {shown} at {self.ladder.amount(best.budget)}"

    def _pace(self) -> str:
        at = self.progress
        rate, left = at.evaluations_an_hour, at.seconds_left
        if rate is None or left is None:
            return "too early to say when it will end"
        end = datetime.datetime.now() + datetime.timedelta(seconds=left)
        return f"{counted(round(rate), 'evaluation')} an hour, ends in {_duration(left)} ({end:%a %H:%M})"

    def __rich__(self) -> RenderableType:
        at = self.progress
        head = Text.assemble((self.run_name, "bold"), f"  {at.spent:.1f} of {at.full_budgets:g} full budgets")
        bar = ProgressBar(total=at.full_budgets, completed=min(at.spent, at.full_budgets))
        below = (0, 0, 1, 0)
        tables = (Padding(part, below) for part in (bar, self._rungs(), self._trainings()))
        return Group(head, *tables, Text(self._best()), Text(self._pace()))

    def _rungs(self) -> Table:
        """A column for each rung: ended and running; and one for what failed."""
        table = Table(box=None, padding=(0, 3, 0, 0))
        table.add_column("budget")
        for rung in self.ladder.rungs:
            table.add_column(self.ladder.amount(rung), justify="right")
        running = [started.trial.budget for started, _ in self.progress.running.values()]
        table.add_row("ended", *(f"{self.progress.done[rung]:,}" for rung in self.ladder.rungs))
        table.add_row("running", *(f"{running.count(rung)}" for rung in self.ladder.rungs))
        for status, number in sorted(self.progress.failures.items()):
            table.add_row(Text(status, style="yellow"), f"{number:,}")
        return table

    def _trainings(self) -> Table:
        table = Table(box=None, padding=(0, 3, 0, 0), title_justify="left")
        for heading in ("training", "budget", "for", "learning rate", "batch", "blocks", "branches"):
            table.add_column(heading, justify="right")
        for number, (started, _) in list(self.progress.running.items())[:SHOWN]:
            at = started.trial.configuration
            table.add_row(
                f"#{number}",
                f"{started.trial.budget:g}",
                _duration(self.progress.running_for(number)),
                f"{at['learning_rate']:.2g}",
                f"{at['batch_size']:g}",
                *(_each(at, f"res_{what}_") for what in ("blocks", "branches")),
            )
        return table


def _each(configuration: Configuration, prefix: str) -> str:
    """The values of the main blocks, such as 3-4-2; nothing in a space that has none."""
    return "-".join(readable(value) for name, value in configuration.items() if name.startswith(prefix))


def _duration(seconds: float) -> str:
    """Such as 3 d 4 h, 2 h 5 min, 40 s."""
    days, rest = divmod(round(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return " ".join(parts[:2]) or "0 s"
