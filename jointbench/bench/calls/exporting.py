"""`jointbench.export`: the figures and tables of a comparison, a log or a benchmark as files."""

from collections.abc import Collection as Several
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.bench.calls.collecting import Collection
from jointbench.bench.calls.comparing import Comparison
from jointbench.bench.calls.files import write_result
from jointbench.bench.calls.given import the_evidence
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.comparing.comparison_folder import SETTINGS
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.croissant import EVALUATIONS
from jointbench.surrogate.stored import MANIFEST, read_benchmark

if TYPE_CHECKING:
    from pandas import DataFrame


class BenchmarkResult(Result):
    """A benchmark's quality, and the trainings that it was fitted to."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark

    @cached_property
    def collection(self) -> Collection:
        """Raises LogError where the benchmark came without its trainings."""
        return Collection(Path(self.benchmark.source) / EVALUATIONS)

    def tables(self) -> dict[str, ResultTable]:
        quality = self.benchmark.quality
        headings = list(dict.fromkeys(key for row in quality for key in row))
        rows = [[_cell(row.get(key)) for key in headings] for row in quality]
        numbers = {key: [row.get(key) for row in quality] for key in headings}
        shown = ResultTable("on held-out configurations", headings, rows, ("error",), numbers=numbers)
        return {"quality": shown, **self.collection.tables()}

    def drawings(self) -> dict[str, Drawing]:
        return self.collection.drawings()

    def to_pandas(self) -> "DataFrame":
        """A row a training."""
        return self.collection.to_pandas()


def _cell(value: object) -> str:
    return "all" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def result_of(source: str | Path) -> Result:
    """What a folder holds: a comparison, a benchmark (also one that ships, by name) or a log (also a released file).

    Raises as `the_evidence` and `EvaluationLog.open` do.
    """
    path = the_evidence("source", source)
    if (path / SETTINGS).exists():
        return Comparison(path)
    if (path / MANIFEST).exists():
        return BenchmarkResult(read_benchmark(path))
    return Collection(EvaluationLog.open(path))


def export(source: str | Path | Result, out: str | Path, *, formats: Several[str] = ("csv", "latex")) -> list[Path]:
    """What `jointbench export` does: write the tables (csv, latex) and figures (svg, pdf, png) of a comparison, a log
    or a benchmark into the folder `out`; returns the files.

    With csv comes `evaluations.csv`, a row an evaluation. Files of the same names are replaced; nothing is written
    where anything fails. Raises UnknownNameError for a source that is none, InputError for a format,
    MissingExtraError where figures cannot be drawn: without kaleido (`pip install 'jointbench[export]'`) or Chromium.
    """
    return write_result(source if isinstance(source, Result) else result_of(source), Path(out), formats)
