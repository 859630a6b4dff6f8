"""Other models of the errors in XGBoost's place: same features, same targets, same folds of configurations.

All but XGBoost have the settings of their authors or usual ones, written here; none was tuned.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import MissingExtraError
from jointbench.surrogate.inputs import Inputs
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.scores import Row, scores
from jointbench.surrogate.models import ErrorModels
from jointbench.surrogate.networks import passes_are_meant
from jointbench.surrogate.table import TrainingTable
from jointbench.surrogate.teacher import Teacher, error_logits

#: Validation and test error of a table's evaluations, (n, 2), as logits of `ErrorScale`.
PredictLogits = Callable[[TrainingTable], FloatArray]

#: From a table of trainings that ended ok, and a seed.
FitLogits = Callable[[TrainingTable, int], PredictLogits]

#: Members of the ensemble of networks, as many as of XGBoost's.
_NETWORKS = 4
#: Steps of each of them, however many evaluations there are.
NETWORK_STEPS, _BATCH = 4_000, 64


def _xgboost(ok: TrainingTable, seed: int) -> PredictLogits:
    return ErrorModels.fit(ok, seed).logits


def _forest(ok: TrainingTable, seed: int) -> PredictLogits:
    from sklearn.ensemble import RandomForestRegressor

    inputs = Inputs(ok)
    forest = RandomForestRegressor(200, max_features=0.5, random_state=seed).fit(inputs.raw(ok), error_logits(ok))
    return lambda table: np.asarray(forest.predict(inputs.raw(table)))


def _lightgbm(ok: TrainingTable, seed: int) -> PredictLogits:
    try:
        import lightgbm
    except ImportError:
        raise MissingExtraError("lightgbm is needed as a baseline: pip install 'jointbench[baselines]'") from None
    inputs, targets = Inputs(ok), error_logits(ok)
    settings: dict[str, Any] = {
        "n_estimators": 200,
        "learning_rate": 0.05,
        "num_leaves": 31,
        "min_child_samples": 5,
        "subsample": 0.8,
        "subsample_freq": 1,
        "colsample_bytree": 0.6,
        "n_jobs": 1,
        "verbose": -1,
        "deterministic": True,
    }
    models = [
        lightgbm.LGBMRegressor(**settings, random_state=seed).fit(inputs.raw(ok), targets[:, part]) for part in (0, 1)
    ]
    # Boosters, since the regressors warn of columns without names.
    return lambda table: np.stack([model.booster_.predict(inputs.raw(table)) for model in models], axis=1)


def _gaussian_process(ok: TrainingTable, seed: int) -> PredictLogits:
    return Teacher.fit(ok, seed).logits


def _networks(ok: TrainingTable, seed: int) -> PredictLogits:
    from sklearn.neural_network import MLPRegressor

    inputs, targets = Inputs(ok), error_logits(ok)
    mean, deviation = targets.mean(axis=0), targets.std(axis=0)
    x, y = inputs.scaled(ok), (targets - mean) / deviation
    passes = max(1, round(NETWORK_STEPS * _BATCH / len(ok)))
    members = [
        MLPRegressor(
            hidden_layer_sizes=(64, 64), alpha=1.0, batch_size=_BATCH, max_iter=passes, tol=0.0, random_state=each
        )
        for each in range(seed * _NETWORKS, (seed + 1) * _NETWORKS)
    ]
    with passes_are_meant():
        for member in members:
            member.fit(x, y)

    def predict(table: TrainingTable) -> FloatArray:
        said = inputs.scaled(table)
        return np.asarray(np.mean([member.predict(said) for member in members], axis=0) * deviation + mean)

    return predict


BASELINES: Mapping[str, FitLogits] = {
    "XGBoost": _xgboost,
    "random forest": _forest,
    "LightGBM": _lightgbm,
    "Gaussian process": _gaussian_process,
    "networks": _networks,
}


def baselines(held_out: HeldOut, seed: int, contenders: Mapping[str, FitLogits] = BASELINES) -> list[Row]:
    """Scores on the folds of `held_out`, one row a baseline, budget (None: all) and error, and the seconds of its fits.

    Raises MissingExtraError where LightGBM is not installed.
    """
    table = held_out.table
    ok, fold = table.take(table.ok), held_out.fold[table.ok]
    scales = ok.scales
    rows: list[Row] = []
    for name, fit in contenders.items():
        begun = time.perf_counter()
        logits = np.empty((len(ok), len(scales)))
        for number in np.unique(fold):
            chosen = fold == number
            logits[chosen] = fit(ok.take(~chosen), seed)(ok.take(chosen))
        seconds = time.perf_counter() - begun
        for budget, chosen in ok.ok_by_budget():
            for part, error in enumerate(ok.error_names):
                row = {"baseline": name, "seconds": seconds, "budget": budget, "error": error, "n": int(chosen.sum())}
                predicted = scales[part].from_logit(logits[chosen, part])
                rows.append(row | scores(ok.errors[chosen, part], predicted))
    return rows
