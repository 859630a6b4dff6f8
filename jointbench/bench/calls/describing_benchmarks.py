"""A benchmark in words: what it is about, what it answers with, and whether to trust it."""

import textwrap
from typing import TYPE_CHECKING

from jointbench.bench.calls.aligned import aligned
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.data.frames import frame
from jointbench.data.metrics import Metric
from jointbench.data.quantities import counted
from jointbench.surrogate.benchmark import Benchmark

if TYPE_CHECKING:
    from pandas import DataFrame


class DescribedBenchmark(Result):
    """A benchmark: its task, its metrics and its verdict."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark

    def tables(self) -> dict[str, ResultTable]:
        words = ("", "what")
        headings = ("metric", "values", "better", "what it is")
        return {
            "benchmark": ResultTable(self.benchmark.name, words, self._about(), words),
            "metrics": ResultTable("metrics, the objective first", headings, self._metrics(), headings),
        }

    def drawings(self) -> dict[str, Drawing]:
        return {}

    def to_pandas(self) -> "DataFrame":
        """A row a metric that answers carry, the objective first: its `name`, `unit`, `maximize` and `exact`."""
        fields = ("name", "unit", "maximize", "exact")
        return frame({field: [getattr(metric, field) for metric in self._answered] for field in fields})

    @property
    def _answered(self) -> list[Metric]:
        """The task's metrics that its answers carry."""
        benchmark = self.benchmark
        usual = benchmark.space.active(benchmark.space.usual)
        carried = benchmark.query(usual, benchmark.ladder.maximum).metrics
        return [metric for metric in benchmark.task.metrics if metric.name in carried]

    def _about(self) -> list[tuple[str, str]]:
        benchmark = self.benchmark
        images, ladder = benchmark.task.images, benchmark.ladder
        by = benchmark.provenance["by_optimizer"].items()
        return [
            ("space", f"{benchmark.space.name}, {counted(len(benchmark.space.names), 'hyperparameter')}"),
            *([("images", images.name)] if images is not None else []),
            ("budgets" if len(ladder.rungs) > 1 else "budget", ladder.amounts()),
            ("fitted to", counted(benchmark.provenance["evaluations"], "evaluation")),
            # As on its card.
            ("collected by", ", ".join(f"{name or 'hand'} ({count:,})" for name, count in by)),
            ("verdict", benchmark.verdict.sentence),
            ("lies in", benchmark.source),
        ]

    def _metrics(self) -> list[tuple[str, str, str, str]]:
        return [_in_words(metric) for metric in self._answered]

    def __str__(self) -> str:
        lines = [self.benchmark.name, ""]
        for name, words in self._about():
            first, *others = textwrap.wrap(words, 84)
            lines += [f"  {name:<13} {first}", *(" " * 16 + line for line in others)]
        lines += ["", "  its answers carry, the objective first:", ""]
        return "\n".join([*lines, *aligned(self._metrics(), (18, 28, 7))])

    __repr__ = __str__


def _in_words(metric: Metric) -> tuple[str, str, str, str]:
    better = "higher" if metric.maximize else "lower"
    return metric.name, metric.unit or "number", better, "by arithmetic" if metric.exact else "modelled"
