"""Compiled answers beside NumPy's."""

from typing import Any

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.benchmark import Benchmark


def assert_compiled_as_numpys(benchmark: Benchmark, rows: FloatArray, budgets: Any, seeds: Any) -> list[Any]:
    """Of an accelerated benchmark, at budgets (n,) that its models know, expected and drawn with seeds (n,): the same
    to the last bit. Returns the compiled answers that were drawn."""
    compiled: list[Any] = []
    for drawn in (None, seeds):
        compiled = [
            benchmark._quick(
                benchmark.space.configuration(row), float(budgets[i]), None if drawn is None else int(drawn[i])
            )
            for i, row in enumerate(rows)
        ]
        assert compiled == list(benchmark.query_batch(rows, budgets, drawn))
    return compiled
