"""The XGBoost models: what is fitted, to what, with which settings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.evaluation import Status
from jointbench.surrogate.benchmark import COSTS
from jointbench.surrogate.features import Features
from jointbench.surrogate.table import TrainingTable
from jointbench.surrogate.transform import ErrorScale

FloatArray = npt.NDArray[np.float64]

#: Members of the ensemble; each sees its own bootstrap of the configurations.
MEMBERS = 4

_ERRORS: dict[str, Any] = {
    "max_depth": 4,
    "learning_rate": 0.08,
    "min_child_weight": 2,
    "subsample": 0.8,
    "colsample_bynode": 0.6,
    "reg_lambda": 1.0,
}
_ERROR_ROUNDS = 120
_COSTS: dict[str, Any] = {"max_depth": 5, "learning_rate": 0.1, "min_child_weight": 2}
_COST_ROUNDS = 80
_FAILURES: dict[str, Any] = {"max_depth": 4, "learning_rate": 0.1, "objective": "binary:logistic", "base_score": 0.5}
_FAILURE_ROUNDS = 50


def boost(
    features: Features, target: FloatArray, weight: FloatArray | None, settings: dict[str, Any], rounds: int, seed: int
) -> Any:
    import xgboost

    # The mean is carried by the trees themselves (base score 0), so that a frozen model is nothing but trees.
    fixed = {"tree_method": "hist", "nthread": 1, "seed": seed, "base_score": 0.0}
    data = xgboost.DMatrix(features, target, weight=weight, nthread=1)
    return xgboost.train({**fixed, **settings}, data, rounds)


def fit_members(table: TrainingTable, scales: tuple[ErrorScale, ErrorScale], seed: int) -> list[tuple[Any, Any]]:
    """A validation and a test error model for each member, on its own bootstrap of the configurations."""
    ok = table.take(table.ok)
    members = []
    for member in range(MEMBERS):
        rng = np.random.default_rng([seed, member])
        weight = rng.poisson(1.0, size=int(table.group.max()) + 1)[ok.group].astype(float)
        kept = weight > 0
        pair = [
            boost(
                ok.features[kept],
                scale.to_line(ok.errors[kept, part]),
                weight[kept],
                _ERRORS,
                _ERROR_ROUNDS,
                seed * MEMBERS + member,
            )
            for part, scale in enumerate(scales)
        ]
        members.append((pair[0], pair[1]))
    return members


def predict_errors(members: Sequence[tuple[Any, Any]], features: Features) -> FloatArray:
    """(members, n, 2) on the line."""
    return np.array([[model.inplace_predict(features) for model in pair] for pair in members]).transpose(0, 2, 1)


def fit_costs(table: TrainingTable, seed: int) -> list[Any]:
    """Seconds from all evaluations, since failures cost time too; memory and speed from those that ended ok."""
    models = []
    for column, cost in enumerate(COSTS):
        used = np.ones(len(table), dtype=bool) if cost.endswith("seconds") else table.ok
        models.append(boost(table.features[used], table.costs[used, column], None, _COSTS, _COST_ROUNDS, seed))
    return models


def fit_failure(table: TrainingTable, kind: Status, seed: int) -> Any:
    """Log odds of ending as `kind`."""
    return boost(table.features, (table.status == kind.value).astype(float), None, _FAILURES, _FAILURE_ROUNDS, seed)
