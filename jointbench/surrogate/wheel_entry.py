"""What a published wheel offers beside its classes: its one benchmark, and the check that it still answers so.

Wheels hold this module as it stands here, next to a benchmark of their own.
"""

import sys
from functools import cache
from pathlib import Path

from jointbench.data.errors import BenchmarkError
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.golden import check_golden, read_golden
from jointbench.surrogate.stored import read_benchmark, released


@cache
def load() -> Benchmark:
    """The wheel's benchmark, read once a process."""
    return read_benchmark(_home())


def _home() -> Path:
    homes = released()
    if len(homes) != 1:
        raise BenchmarkError("benchmark", sorted(homes), "the one that was published")
    return next(iter(homes.values()))


def check() -> None:
    """Compare all golden answers; ends the process with exit code 1 and a sentence if one has changed."""
    try:
        benchmark = load()
        count = check_golden(benchmark, read_golden(_home()))
    except BenchmarkError as error:
        sys.exit(f"not the published benchmark: {error}")
    print(f"{benchmark.name}: all {count} golden answers to the last bit")  # noqa: T201
