"""Hartmann's functions of 3 and 6 numbers with cheap approximations of four grades of correlation.

As mf-prior-bench has them (Mallik et al. 2023, PriorBand, appendix; after Kandasamy et al. 2017, Multi-fidelity
Bayesian Optimisation with Continuous Approximations, appendix E): at the largest budget the true function, below it
flattened by a bias and raised by noise. There the point alone seeds the noise; here repeats with other seeds differ.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from jointbench.bench.running.objective import OfTask
from jointbench.data.evaluation import Configuration, Evaluation, Provenance, Status
from jointbench.data.exact import exp, log, normal_quantile, total
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import METRICS, Metric
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number
from jointbench.data.task import Task

#: By grade: by how much the weights fall, and the noise's scale, both at budget 1.
GRADES: Mapping[str, tuple[float, float]] = {
    "good": (2.5, 2.0),
    "moderate": (3.0, 3.0),
    "bad": (3.5, 4.0),
    "terrible": (4.0, 5.0),
}
#: Of the budget: 100 is the function itself.
MOST = 100.0
LADDER = Ladder(MOST / 27, MOST, 3.0, "units of fidelity")
METRIC_VALUE = Metric("value")

_ALPHA = (1.0, 1.2, 3.0, 3.2)
# Rows are the four wells.
_A: Mapping[int, tuple[tuple[float, ...], ...]] = {
    3: ((3.0, 10, 30), (0.1, 10, 35), (3.0, 10, 30), (0.1, 10, 35)),
    6: (
        (10, 3, 17, 3.5, 1.7, 8),
        (0.05, 10, 17, 0.1, 8, 14),
        (3, 3.5, 1.7, 10, 17, 8),
        (17, 8, 0.05, 10, 0.1, 14),
    ),
}
_P: Mapping[int, tuple[tuple[float, ...], ...]] = {
    3: ((3689, 1170, 2673), (4699, 4387, 7470), (1091, 8732, 5547), (381, 5743, 8828)),
    6: (
        (1312, 1696, 5569, 124, 8283, 5886),
        (2329, 4135, 8307, 3736, 1004, 9991),
        (2348, 1451, 3522, 2883, 3047, 6650),
        (4047, 8828, 8732, 5743, 1091, 381),
    ),
}
#: The least values by the dimension, found by Nelder and Mead from the published places of the minima, to 1e-15.
OPTIMA: Mapping[int, float] = {3: -3.862779787332663, 6: -3.3223680114155147}

_SPACES = {n: PlainSpace(f"hartmann{n}", tuple(Number(f"x{i}", 0.0, 1.0) for i in range(n))) for n in (3, 6)}

#: Task name to dimension and grade.
FUNCTIONS: Mapping[str, tuple[int, str]] = {f"mfh{n}-{grade}": (n, grade) for n in (3, 6) for grade in GRADES}


def fidelity(budget: float) -> float:
    """How near the truth a budget from 1 to 100 is, from 0 to 1: by its logarithm."""
    return 1.0 if budget >= MOST else float(log(float(budget)) / log(MOST))


def hartmann(point: tuple[float, ...], lowered: float = 0.0) -> float:
    """The function at a point of the unit cube, its weights `lowered`; the same bits on every machine."""
    size = len(point)
    wells = (
        (alpha - lowered) * exp(-total(a * (x - 0.0001 * p) ** 2 for a, x, p in zip(A, point, P, strict=True)))
        for alpha, A, P in zip(_ALPHA, _A[size], _P[size], strict=True)
    )
    return -float(total(wells))


class HartmannObjective(OfTask):
    """One function of one grade. A point takes from 0.05 seconds to one at the largest budget (Kandasamy et al.)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._size, grade = FUNCTIONS[name]
        self._bias, self._noise = GRADES[grade]
        self.task = Task(_SPACES[self._size], LADDER, metrics=(METRIC_VALUE, METRICS["wall_seconds"]))
        self._provenance = Provenance(device=f"function {name}")

    @property
    def checksum(self) -> str:
        return f"{self.name} 1"

    @property
    def optimum(self) -> float:
        return OPTIMA[self._size]

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        """Raises ConfigurationError and BudgetError."""
        return self._evaluation(configuration, budget, seed, self._noise * _half_normal(configuration, budget, seed))

    def expected(self, configuration: Configuration, budget: float) -> Evaluation:
        return self._evaluation(configuration, budget, -1, 0.0)

    def _evaluation(self, configuration: Configuration, budget: float, seed: int, noise: float) -> Evaluation:
        checked: Mapping[str, Any] = self.space.check(configuration)
        budget = self.ladder.rungs[self.ladder.rung_of(budget)]
        far = 1.0 - fidelity(budget)
        value = hartmann(tuple(checked.values()), self._bias * far) + noise * far
        metrics = {"value": value, "wall_seconds": 0.05 + 0.95 * (budget / MOST) ** 2}
        return Evaluation(self.space.name, configuration, budget, seed, Status.OK, metrics, provenance=self._provenance)


def _half_normal(configuration: Configuration, budget: float, seed: int) -> float:
    """The size of a standard normal number that follows from the three."""
    about = repr((tuple(configuration.values()), float(budget), seed)).encode()
    uniform = int.from_bytes(hashlib.sha256(about).digest()[:8], "big") / 2.0**64
    return abs(float(normal_quantile(min(max(uniform, 2.0**-64), 1 - 2.0**-53))))
