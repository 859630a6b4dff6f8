"""What a benchmark expects of many configurations, by metric."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.benchmark import Benchmark


def expected(benchmark: Benchmark, rows: Any, budget: float, metric: str) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Its values without noise (n,), and which of them end ok, of rows as `Benchmark.query_batch` takes them."""
    answers = benchmark.query_batch(rows, budget)
    return np.asarray(answers.columns()[metric], dtype=np.float64), np.asarray(answers.ok)
