"""Speed of the log: appending to it, and reading a million evaluations into the surrogate's table.

The evaluations are those of a released log, drawn with replacement, each with a key of its own and its learning curve
shaken, so that they compress no better than real ones. Beside it: one Parquet file that is written anew for each
evaluation (to append), and the same file read into Python objects (to read).
"""

import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.speed.measure import interleave, parser, present, progress
from jointbench.data.log import EvaluationLog
from jointbench.data.parts import new_part, write_durably
from jointbench.data.schema import from_table
from jointbench.surrogate.stored import released
from jointbench.surrogate.table import training_table

EVALUATIONS, QUICK_EVALUATIONS = 1_000_000, 200_000
#: Rows of the parts that a log of this size consists of once its small parts are merged.
PART_ROWS = 125_000
#: Evaluations that the slower way is shown with; the figures are scaled to one evaluation.
SAMPLE = 20_000


def draw(source: pa.Table, first: int, count: int, rng: np.random.Generator) -> pa.Table:
    """`count` rows of `source` as new evaluations, numbered from `first`."""
    table = source.take(rng.integers(len(source), size=count))
    columns = {"key": pa.array([f"run/{n}" for n in range(first, first + count)])}
    columns["finished_at"] = pa.array(np.arange(first, first + count, dtype=np.float64))
    for name in table.column_names:
        if name.startswith("curve_"):
            lists = table[name].combine_chunks()
            # Downwards only: no error is above 1.
            shaken = lists.values.to_numpy() * rng.uniform(0.8, 1.0, len(lists.values)).astype(np.float32)
            columns[name] = pa.ListArray.from_arrays(lists.offsets, pa.array(shaken, pa.float32()))
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)
    return table


def make(folder: Path, source: EvaluationLog, count: int) -> EvaluationLog:
    """A log of `count` evaluations, as it is once its small parts have been merged."""
    folder.mkdir()
    rng, table = np.random.default_rng(0), source.table()
    for first in range(0, count, PART_ROWS):
        write_durably(draw(table, first, min(PART_ROWS, count - first), rng), new_part(folder, 3))
    return EvaluationLog.open(folder)


def _read(path: Path) -> tuple[int, float, int]:
    """In a process of its own: evaluations, seconds and the process's peak memory in bytes."""
    start = time.perf_counter()
    rows = len(training_table(EvaluationLog.open(path)))
    seconds = time.perf_counter() - start
    return rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    program = parser(__doc__ or "")
    arguments = program.parse_args()
    count = QUICK_EVALUATIONS if arguments.quick else EVALUATIONS
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
        progress(f"writing a log of {count:,} evaluations")
        log = make(folder / "large", source, count)
        size = sum(part.stat().st_size for part in log.path.glob("*.parquet"))
        progress("reading it")
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows, seconds, memory = pool.apply(_read, (log.path,))
        progress("reading and appending, ours and the other by turns")
        small = make(folder / "small", source, SAMPLE)
        one_file = folder / "one.parquet"
        small.save(one_file)
        new = list(source.evaluations())[:1]
        whole = pq.read_table(one_file)
        row = whole.slice(0, 1)

        def append(to: EvaluationLog) -> None:
            to.append(new)
            to.tidy()

        timings = interleave(
            {
                "read": lambda: training_table(small),
                "read objects": lambda: list(from_table(pq.read_table(one_file))),
                "append": lambda: append(small),
                "append to the large": lambda: append(log),
                "write anew": lambda: write_durably(pa.concat_tables([whole, row]), one_file),
            },
            seconds=12 if arguments.quick else 60,
        )
        # Long enough for parts of every tier to be merged.
        progress("appending until parts are merged")
        began, appended = time.perf_counter(), 300 if arguments.quick else 2_000
        for _ in range(appended):
            append(log)
        each = (time.perf_counter() - began) / appended
    figures = {
        "evaluations": rows,
        "bytes": size,
        "read_seconds": seconds,
        "read_peak_bytes": memory,
        "read_ratio": timings["read objects"].median / timings["read"].median,
        "append_seconds": timings["append"].median,
        "append_to_large_seconds": timings["append to the large"].median,
        "append_growth": timings["append to the large"].median / timings["append"].median,
        "append_with_merging_seconds": each,
        "append_ratio": timings["write anew"].median / timings["append"].median,
    }
    present(
        f"the log with {rows:,} evaluations and their curves, {size / 2**20:,.0f} MiB",
        ("", "ours", "the other", "ratio"),
        [
            (f"read {rows:,} into the surrogate's table", f"{seconds:.2f} s", "", ""),
            ("  peak memory of the process", f"{memory / 2**30:.2f} GiB", "", ""),
            (
                f"read {SAMPLE:,}; as Python objects",
                f"{timings['read'].median:.3f} s",
                f"{timings['read objects'].median:.2f} s",
                f"{figures['read_ratio']:.0f}x",
            ),
            (
                f"append one to {SAMPLE:,}, durably; writing the file anew",
                f"{timings['append'].median * 1e3:.1f} ms",
                f"{timings['write anew'].median * 1e3:.0f} ms",
                f"{figures['append_ratio']:.0f}x",
            ),
            (f"append one to {rows:,}", f"{timings['append to the large'].median * 1e3:.1f} ms", "", ""),
            (f"  on average over {appended:,}, with their merging", f"{each * 1e3:.1f} ms", "", ""),
        ],
        figures,
        as_json=arguments.json,
        libraries=("numpy", "pyarrow"),
    )


if __name__ == "__main__":
    main()
