"""Other models of the errors in XGBoost's place: same features, same targets, same folds of configurations.

All but XGBoost have the settings of their authors or usual ones, written here; none was tuned.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jointbench.data.errors import MissingExtraError
from jointbench.data.space import FloatArray
from jointbench.surrogate.device import DeviceLaws
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.scores import Row, scores
from jointbench.surrogate.models import ErrorModels, error_lines
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.table import TrainingTable

#: Validation and test error of a table's evaluations, (n, 2), on the line of `ErrorScale`.
PredictLines = Callable[[TrainingTable], FloatArray]

#: From a table of trainings that ended ok, and a seed.
FitLines = Callable[[TrainingTable, int], PredictLines]

#: Members of the ensemble of networks, as many as of XGBoost's.
_NETWORKS = 4
#: Steps of each of them, however many evaluations there are.
NETWORK_STEPS, _BATCH = 4_000, 64
#: A Gaussian process costs the cube of what it sees: its lengths are found on so many evaluations, and it is
#: conditioned on so many.
_SEARCHED, CONDITIONED = 400, 3_000
#: Steps of the search for the lengths.
_STEPS = 10


class Inputs:
    """The surrogate's features with the laws of the training part; `scaled`, the logarithm of what spans a decade.

    Trees do not need the scaling, the others do.
    """

    def __init__(self, ok: TrainingTable) -> None:
        laws = DeviceLaws.fit(ok.columns, ok.facts, 1 / ok.costs[:, 3], ok.costs[:, 2])
        self._features = FeatureMap(ok.space, ok.images, ok.ladder, laws)
        raw = self.raw(ok)
        low, high = raw.min(axis=0), raw.max(axis=0)
        self._wide = (low > 0) & (high > 10 * low)
        logged = self._logged(raw)
        self._mean, self._deviation = logged.mean(axis=0), np.maximum(logged.std(axis=0), 1e-9)

    def raw(self, table: TrainingTable) -> FloatArray:
        """(n, features)."""
        return self._features.many(table.rows, table.facts, table.budgets).astype(np.float64)

    def scaled(self, table: TrainingTable) -> FloatArray:
        """(n, features), of mean 0 and variance 1 in the training part."""
        return np.asarray((self._logged(self.raw(table)) - self._mean) / self._deviation)

    def _logged(self, raw: FloatArray) -> FloatArray:
        return np.where(self._wide, np.log(np.where(self._wide, raw, 1.0)), raw)


def _xgboost(ok: TrainingTable, seed: int) -> PredictLines:
    return ErrorModels.fit(ok, seed).lines


def _forest(ok: TrainingTable, seed: int) -> PredictLines:
    from sklearn.ensemble import RandomForestRegressor

    inputs = Inputs(ok)
    forest = RandomForestRegressor(200, max_features=0.5, random_state=seed).fit(inputs.raw(ok), error_lines(ok))
    return lambda table: np.asarray(forest.predict(inputs.raw(table)))


def _lightgbm(ok: TrainingTable, seed: int) -> PredictLines:
    try:
        import lightgbm
    except ImportError:
        raise MissingExtraError("lightgbm is needed as a rival: pip install 'jointbench[rivals]'") from None
    inputs, targets = Inputs(ok), error_lines(ok)
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


def _gaussian_process(ok: TrainingTable, seed: int) -> PredictLines:
    from scipy.optimize import minimize
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    def search(loss: Any, start: FloatArray, bounds: Any) -> tuple[FloatArray, float]:
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS})
        return found.x, found.fun

    inputs, order = Inputs(ok), np.random.default_rng(seed).permutation(len(ok))
    x, targets = inputs.scaled(ok)[order], error_lines(ok)[order]
    mean, deviation = targets.mean(axis=0), targets.std(axis=0)
    y = (targets - mean) / deviation
    lengths = Matern(np.full(x.shape[1], 6.0), (0.3, 1e3), nu=2.5)
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * lengths + WhiteKernel(0.1, (1e-4, 1.0))
    found = GaussianProcessRegressor(kernel, optimizer=search).fit(x[:_SEARCHED], y[:_SEARCHED])
    process = GaussianProcessRegressor(found.kernel_, optimizer=None).fit(x[:CONDITIONED], y[:CONDITIONED])
    return lambda table: np.asarray(process.predict(inputs.scaled(table)) * deviation + mean)


def _networks(ok: TrainingTable, seed: int) -> PredictLines:
    from sklearn.neural_network import MLPRegressor

    inputs, targets = Inputs(ok), error_lines(ok)
    mean, deviation = targets.mean(axis=0), targets.std(axis=0)
    x, y = inputs.scaled(ok), (targets - mean) / deviation
    passes = max(1, round(NETWORK_STEPS * _BATCH / len(ok)))
    members = [
        MLPRegressor(
            hidden_layer_sizes=(64, 64), alpha=1.0, batch_size=_BATCH, max_iter=passes, tol=0.0, random_state=each
        )
        for each in range(seed * _NETWORKS, (seed + 1) * _NETWORKS)
    ]
    _fit_to_the_end(members, x, y)

    def predict(table: TrainingTable) -> FloatArray:
        said = inputs.scaled(table)
        return np.asarray(np.mean([member.predict(said) for member in members], axis=0) * deviation + mean)

    return predict


def _fit_to_the_end(members: list[Any], x: FloatArray, y: FloatArray) -> None:
    """Without the warning that the number of passes, which is meant, was reached."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for member in members:
            member.fit(x, y)


RIVALS: Mapping[str, FitLines] = {
    "XGBoost": _xgboost,
    "random forest": _forest,
    "LightGBM": _lightgbm,
    "Gaussian process": _gaussian_process,
    "networks": _networks,
}


def rivals(held_out: HeldOut, seed: int, contenders: Mapping[str, FitLines] = RIVALS) -> list[Row]:
    """Scores on the folds of `held_out`, one row a rival, budget (None: all) and error, and the seconds of its fits.

    Raises MissingExtraError where LightGBM is not installed.
    """
    table = held_out.table
    ok, fold = table.take(table.ok), held_out.fold[table.ok]
    scales = ErrorScale(ok.images.validation), ErrorScale(ok.images.test)
    rows: list[Row] = []
    for name, fit in contenders.items():
        begun = time.perf_counter()
        lines = np.empty((len(ok), 2))
        for number in np.unique(fold):
            chosen = fold == number
            lines[chosen] = fit(ok.take(~chosen), seed)(ok.take(chosen))
        seconds = time.perf_counter() - begun
        for budget, chosen in ok.ok_by_budget():
            for part, error in enumerate(("validation", "test")):
                row = {"rival": name, "seconds": seconds, "budget": budget, "error": error, "n": int(chosen.sum())}
                predicted = scales[part].from_line(lines[chosen, part])
                rows.append(row | scores(ok.errors[chosen, part], predicted))
    return rows
