"""Model selection: XGBoost's parameters by Optuna, on folds that never part the evaluations of a configuration."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import MissingExtraError
from jointbench.surrogate.judging.held_out import folds
from jointbench.surrogate.judging.scores import Row
from jointbench.surrogate.models import DEFAULT, ErrorModels, ErrorSettings
from jointbench.surrogate.table import TrainingTable

#: Partitions of the configurations into folds that a trial is judged on: what suits one may be chance.
SEARCHED = 2
#: Others, on which the best is then compared with the default.
CHECKED = 3


@dataclass(frozen=True)
class Tuned:
    """`settings`: the best found. `rows`: one a `partition`, whether it was `searched` on, and what the `default` and
    the `found` settings leave `unexplained` there.
    """

    settings: ErrorSettings
    rows: list[Row]


def tune(
    table: TrainingTable,
    trials: int,
    seed: int,
    tell: Callable[[int, float, ErrorSettings], object] = lambda trial, lowest, best: None,
) -> Tuned:
    """The default is the first trial. Deterministic given the table, the number of trials and the seed.

    `tell` is called after each trial with its number, and the lowest score and its settings so far. Raises
    MissingExtraError where Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("optuna is needed to tune: pip install 'jointbench[optuna]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ok = table.take(table.ok)
    partitions = [folds(table, seed + number)[table.ok] for number in range(SEARCHED + CHECKED)]

    def score(trial: Any) -> float:
        so_far, settings = 0.0, _drawn(trial)
        parts = (_unexplained_by_fold(ok, fold, settings, seed) for fold in partitions[:SEARCHED])
        for number, part in enumerate(chain.from_iterable(parts)):
            so_far += part / SEARCHED
            trial.report(so_far, number)
            if trial.should_prune():
                raise optuna.TrialPruned
        return so_far

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True),
        pruner=optuna.pruners.PercentilePruner(50.0, n_startup_trials=8),
    )
    first = asdict(DEFAULT)
    study.enqueue_trial(first)

    def told(study: Any, trial: Any) -> None:
        tell(trial.number, study.best_value, ErrorSettings(**(first | study.best_params)))

    study.optimize(score, trials, callbacks=[told])
    found = ErrorSettings(**(first | study.best_params))
    rows: list[Row] = []
    for number, fold in enumerate(partitions):
        both = {"default": unexplained(ok, fold, DEFAULT, seed), "found": unexplained(ok, fold, found, seed)}
        rows.append({"partition": number, "searched": number < SEARCHED} | both)
    return Tuned(found, rows)


def unexplained(ok: TrainingTable, fold: npt.NDArray[np.int64], settings: ErrorSettings, seed: int) -> float:
    """1 - R2 on held-out configurations, the mean over the budgets and both errors; lower is better.

    The budgets count the same, however many evaluations each has, since the largest has few.
    """
    return sum(_unexplained_by_fold(ok, fold, settings, seed))


def _unexplained_by_fold(
    ok: TrainingTable, fold: npt.NDArray[np.int64], settings: ErrorSettings, seed: int
) -> Iterator[float]:
    """The share that each fold adds, one after the other."""
    scales = ok.scales
    weight = _weights(ok)
    for number in np.unique(fold):
        chosen = fold == number
        part = ok.take(chosen)
        logits = ErrorModels.fit(ok.take(~chosen), seed, settings).logits(part)
        predicted = np.stack([scale.from_logit(logits[:, k]) for k, scale in enumerate(scales)], axis=1)
        yield float((weight[chosen] * (predicted - part.errors) ** 2).sum())


def _weights(ok: TrainingTable) -> FloatArray:
    """Of squared errors, (n, errors), so that their sum is 1 - R2, the mean over the budgets where errors vary."""
    weight, judged = np.zeros_like(ok.errors), 0
    for budget, chosen in ok.ok_by_budget():
        squares = ok.errors[chosen].var(axis=0) * chosen.sum()
        if budget is not None and (squares > 0).all():
            weight[chosen], judged = 1 / squares, judged + ok.errors.shape[1]
    return weight / max(judged, 1)


def _drawn(trial: Any) -> ErrorSettings:
    """Trees that a query can afford: no deeper and not many more than the default's."""
    return ErrorSettings(
        max_depth=trial.suggest_int("max_depth", 2, 6),
        learning_rate=trial.suggest_float("learning_rate", 0.03, 0.4, log=True),
        min_child_weight=trial.suggest_float("min_child_weight", 0.5, 20.0, log=True),
        subsample=trial.suggest_float("subsample", 0.4, 0.95),
        colsample_bynode=trial.suggest_float("colsample_bynode", 0.2, 0.95),
        reg_lambda=trial.suggest_float("reg_lambda", 0.01, 30.0, log=True),
        rounds=trial.suggest_int("rounds", 24, 80),
    )
