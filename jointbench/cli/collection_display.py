"""What a person sees of a collection: a live picture on a terminal, plain lines elsewhere."""

import datetime
import time
from textwrap import shorten
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jointbench.bench.calls.progress import Progress
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.running.cluster import Finished
from jointbench.data.metrics import Metric
from jointbench.data.quantities import counted

#: Seconds between two lines about the whole where there is no terminal.
SUMMARY_EVERY = 60.0
#: Trainings shown at most, and characters of their configurations.
SHOWN, WIDEST = 12, 50


class CollectionDisplay:
    """Shows the progress of collections, one after the other, as it hears of it; use as a context manager."""

    def __init__(self, quiet: bool = False, console: Console | None = None) -> None:
        self.console = Console(stderr=True, quiet=quiet) if console is None else console
        live = self.console.is_terminal and not quiet
        self._live = Live(self, console=self.console, refresh_per_second=2) if live else None
        self._said = time.monotonic()
        #: Of the collection that goes on.
        self.progress: CollectionProgress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, progress: Progress) -> None:
        assert isinstance(progress, CollectionProgress)
        if self.progress is not progress:
            self._begin(progress)
        if progress.event == "ended":
            self._end()
        elif progress.event == "watchable":
            self._say(f"shows Dask's pages at {progress.dashboard}")
        elif self._live:
            return
        elif progress.event == "resumed" and progress.evaluations:
            self._say(f"continues after {counted(progress.evaluations, 'evaluation')}")
        elif progress.event == "finished" and progress.last is not None:
            self._say_finished(progress.last)

    def _begin(self, progress: CollectionProgress) -> None:
        self._end()
        self.progress, self._said = progress, time.monotonic()
        if self._live:
            self._live.start()

    def _end(self) -> None:
        if self.progress is None:
            return
        if self._live:
            self._live.stop()
        else:
            self._say(self.summary(self.progress))
        self.progress = None

    def _say_finished(self, finished: Finished) -> None:
        assert self.progress is not None
        evaluation, ladder = finished.evaluation, self.progress.ladder
        objective = self.progress.objective
        outcome = _shown(evaluation.metrics[objective.name], objective) if evaluation.ok else evaluation.reason
        trial = f"#{finished.started.number}, {ladder.amount(evaluation.budget)}"
        self._say(f"{trial}: {evaluation.status} {outcome}")
        if time.monotonic() - self._said >= SUMMARY_EVERY:
            self._said = time.monotonic()
            self._say(self.summary(self.progress))

    def _say(self, words: str) -> None:
        assert self.progress is not None
        self.console.print(f"{self.progress.stage} {words}", soft_wrap=True, highlight=False)

    def __rich__(self) -> RenderableType:
        return "" if self.progress is None else _picture(self.progress)

    def summary(self, at: CollectionProgress) -> str:
        """One line about the whole."""
        failed = ", ".join(f"{number} {status}" for status, number in sorted(at.failures.items())) or "none failed"
        return f"{counted(at.evaluations, 'evaluation')}, {failed}; {_best(at)}; {_pace(at)}"


def _shown(value: float, objective: Metric) -> str:
    """As tables write it, but for a digit of per cent."""
    return f"{value:.1%}" if objective.fraction else objective.shown(value)


def _best(at: CollectionProgress) -> str:
    best = at.incumbent
    if best is None:
        return "no incumbent yet"
    shown = _shown(best.metrics[at.objective.name], at.objective)
    return f"incumbent's {at.objective.label} {shown} at {at.ladder.amount(best.budget)}"


def _pace(at: CollectionProgress) -> str:
    rate, left = at.evaluations_an_hour, at.seconds_left
    if rate is None or left is None:
        return "too early to say when it will end"
    end = datetime.datetime.now() + datetime.timedelta(seconds=left)
    return f"{counted(round(rate), 'evaluation')} an hour, ends in {_duration(left)} ({end:%a %H:%M})"


def _picture(at: CollectionProgress) -> RenderableType:
    head = Text.assemble((at.stage, "bold"), f"  {at.spent:.1f} of {at.full_budgets:g} full budgets")
    bar = ProgressBar(total=at.full_budgets, completed=min(at.spent, at.full_budgets))
    below = (0, 0, 1, 0)
    tables = (Padding(part, below) for part in (bar, _rungs(at), _trainings(at)))
    return Group(head, *tables, Text(_best(at)), Text(_pace(at)))


def _rungs(at: CollectionProgress) -> Table:
    """A column for each rung: ended and running; and one for what failed."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("budget")
    for rung in at.ladder.rungs:
        table.add_column(at.ladder.amount(rung), justify="right")
    running = [started.trial.budget for started, _ in at.running.values()]
    table.add_row("ended", *(f"{at.done_at[rung]:,}" for rung in at.ladder.rungs))
    table.add_row("running", *(f"{running.count(rung)}" for rung in at.ladder.rungs))
    for status, number in sorted(at.failures.items()):
        table.add_row(Text(status, style="yellow"), f"{number:,}")
    return table


def _trainings(at: CollectionProgress) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), title_justify="left")
    for heading in ("training", "budget", "for"):
        table.add_column(heading, justify="right")
    table.add_column("configuration", no_wrap=True)
    for number, (started, _) in list(at.running.items())[:SHOWN]:
        configuration = started.trial.configuration
        table.add_row(
            f"#{number}",
            f"{started.trial.budget:g}",
            _duration(at.running_for(number)),
            Text(shorten(", ".join(f"{name} {_value(value)}" for name, value in configuration.items()), WIDEST)),
        )
    return table


def _value(value: object) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _duration(seconds: float) -> str:
    """Such as 3 d 4 h, 2 h 5 min, 40 s."""
    days, rest = divmod(round(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return " ".join(parts[:2]) or "0 s"
