"""Fitting the surrogate: an XGBoost ensemble on a log, with noise calibrated on repeated trainings."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import jointbench
from jointbench.data.errors import LogError, WouldOverwriteError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import COSTS, FAILURES, FORMAT_VERSION, MANIFEST, Benchmark
from jointbench.surrogate.features import FeatureMap, Features
from jointbench.surrogate.transform import ErrorScale

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Members of the ensemble; each sees its own bootstrap of the configurations.
MEMBERS = 4

_ERRORS: dict[str, Any] = {
    "max_depth": 6,
    "learning_rate": 0.08,
    "min_child_weight": 2,
    "subsample": 0.8,
    "colsample_bynode": 0.6,
    "reg_lambda": 1.0,
}
_ERROR_ROUNDS = 90
_COSTS: dict[str, Any] = {"max_depth": 5, "learning_rate": 0.1, "min_child_weight": 2}
_COST_ROUNDS = 80
_FAILURES: dict[str, Any] = {"max_depth": 4, "learning_rate": 0.1, "objective": "binary:logistic", "base_score": 0.5}
_FAILURE_ROUNDS = 50

#: Fewer configurations than these cannot be split into folds worth the name.
FEWEST_CONFIGURATIONS = 20
FOLDS = 5


@dataclass(frozen=True)
class TrainingTable:
    """A log as arrays: features (n, f), errors (n, 2: validation, test), costs (n, len(COSTS)), statuses (n,).

    `group` numbers the configurations, so that splits and bootstraps never part the evaluations of one.
    """

    features: Features
    errors: FloatArray
    costs: FloatArray
    status: npt.NDArray[np.str_]
    budgets: FloatArray
    group: IntArray

    @cached_property
    def ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == Status.OK.value)

    def __len__(self) -> int:
        return len(self.group)

    def take(self, chosen: npt.NDArray[Any]) -> "TrainingTable":
        columns = (self.features, self.errors, self.costs, self.status, self.budgets, self.group)
        return TrainingTable(*(column[chosen] for column in columns))


def training_table(log: EvaluationLog, features: FeatureMap) -> TrainingTable:
    """Raises LogError when the log holds too few configurations to fit and judge a surrogate."""
    table = log.table()
    configurations = table["configuration"].combine_chunks()
    rows = np.stack([configurations.field(n).to_numpy(zero_copy_only=False) for n in log.space.names], axis=1)
    rows = rows.astype(np.float64).reshape(len(table), len(log.space.names))

    def column(name: str) -> FloatArray:
        return np.asarray(table[name].to_numpy(), dtype=np.float64)

    _, group = np.unique(rows, axis=0, return_inverse=True)
    status = table["status"].to_numpy(zero_copy_only=False).astype(str)
    succeeded = len(np.unique(group[status == Status.OK.value])) if len(rows) else 0
    if succeeded < FEWEST_CONFIGURATIONS:
        raise LogError(
            "log", str(log.path), f"at least {FEWEST_CONFIGURATIONS} configurations that ended ok, not {succeeded}"
        )
    costs = np.stack(
        [
            column("training_seconds"),
            column("wall_seconds") - column("training_seconds"),
            column("peak_memory"),
            column("images_per_second"),
        ],
        axis=1,
    )
    return TrainingTable(
        features.many(rows, column("budget")),
        np.stack([column("validation_error"), column("test_error")], axis=1),
        # A millisecond, a byte and an image a second keep the logarithm of a failure's zeros finite.
        np.log(np.maximum(costs, [1e-3, 1e-3, 1.0, 1.0])),
        status,
        column("budget"),
        group.reshape(-1).astype(np.int64),
    )


class Surrogate:
    """A surrogate fitted to a log; freeze it with `save`, or ask its `benchmark` at once."""

    def __init__(self, benchmark: Benchmark, manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        self.benchmark, self._manifest, self._files = benchmark, manifest, files

    @classmethod
    def fit(cls, log: EvaluationLog, name: str, *, seed: int = 0) -> "Surrogate":
        """Deterministic given the log and the seed. Raises LogError when the log holds too little."""
        from jointbench.surrogate.quality import judge

        features = FeatureMap(log.space, log.images)
        table = training_table(log, features)
        scales = ErrorScale(log.images.validation), ErrorScale(log.images.test)
        quality, residuals = judge(table, scales, log.ladder, seed)
        models = _fit_members(table, scales, seed)
        spread = _predict_errors(models, table.features)[:, :, 0].var(axis=0)
        floor, slope = _noise(table, scales, spread, residuals)
        failures = [kind for kind in FAILURES if (table.status == kind.value).any()]
        files = {
            f"{error}-{m}.ubj": model
            for m, pair in enumerate(models)
            for error, model in zip(("validation", "test"), pair, strict=True)
        }
        files |= {f"{cost}.ubj": model for cost, model in zip(COSTS, _fit_costs(table, seed), strict=True)}
        for kind in failures:
            files[f"{kind.value}.ubj"] = _boost(
                table.features, (table.status == kind.value).astype(float), None, _FAILURES, _FAILURE_ROUNDS, seed
            )
        contents = {name: bytes(model.save_raw("ubj")) for name, model in files.items()}
        manifest = {
            "format_version": FORMAT_VERSION,
            "name": name,
            "space": log.space.name,
            "ladder": log.ladder.as_dict(),
            "images": log.images.as_dict(),
            "members": MEMBERS,
            "failures": [kind.value for kind in failures],
            "features": list(features.names),
            "noise": {"floor": floor, "slope": slope},
            "quality": quality,
            "provenance": _provenance(log, seed),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        }
        # Through JSON and back, so that the surrogate in hand is the one that will be loaded.
        manifest = json.loads(json.dumps(manifest))
        return cls(Benchmark(manifest, contents, name), manifest, contents)

    def save(self, folder: str | Path, *, extra: dict[str, bytes] | None = None, force: bool = False) -> None:
        """Write the benchmark's folder, whole or not at all. Raises WouldOverwriteError when it exists."""
        folder = Path(folder)
        if folder.exists() and not force:
            raise WouldOverwriteError("benchmark folder", str(folder), "one that does not exist, or --force")
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}.writing")
        try:
            temporary.mkdir()
            for name, content in {**self._files, **(extra or {})}.items():
                (temporary / name).write_bytes(content)
            (temporary / MANIFEST).write_text(json.dumps(self._manifest, indent=1) + "\n")
            if folder.exists():
                shutil.rmtree(folder)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _boost(
    features: Features, target: FloatArray, weight: FloatArray | None, settings: dict[str, Any], rounds: int, seed: int
) -> Any:
    import xgboost

    # The mean is carried by the trees themselves (base score 0), so that a frozen model is nothing but trees.
    fixed = {"tree_method": "hist", "nthread": 1, "seed": seed, "base_score": 0.0}
    data = xgboost.DMatrix(features, target, weight=weight, nthread=1)
    return xgboost.train({**fixed, **settings}, data, rounds)


def _fit_members(table: TrainingTable, scales: tuple[ErrorScale, ErrorScale], seed: int) -> list[tuple[Any, Any]]:
    """A validation and a test error model for each member, on its own bootstrap of the configurations."""
    ok = table.take(table.ok)
    members = []
    for member in range(MEMBERS):
        rng = np.random.default_rng([seed, member])
        weight = rng.poisson(1.0, size=int(table.group.max()) + 1)[ok.group].astype(float)
        kept = weight > 0
        pair = [
            _boost(
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


def _predict_errors(members: Sequence[tuple[Any, Any]], features: Features) -> FloatArray:
    """(members, n, 2) on the line."""
    return np.array([[model.inplace_predict(features) for model in pair] for pair in members]).transpose(0, 2, 1)


def _fit_costs(table: TrainingTable, seed: int) -> list[Any]:
    """Seconds from all evaluations, since failures cost time too; memory and speed from those that ended ok."""
    models = []
    for column, cost in enumerate(COSTS):
        used = np.ones(len(table), dtype=bool) if cost.endswith("seconds") else table.ok
        models.append(_boost(table.features[used], table.costs[used, column], None, _COSTS, _COST_ROUNDS, seed))
    return models


def _noise(
    table: TrainingTable, scales: tuple[ErrorScale, ErrorScale], spread: FloatArray, residuals: FloatArray
) -> tuple[float, float]:
    """Variance of the training's own luck on the line, as floor + slope * spread of the members.

    From the variance between the seeds of a configuration, less what counting on so few images explains. Where no
    configuration was repeated, the held-out residuals stand in, which overstates it.
    """
    from scipy.optimize import nnls

    keys = np.stack([table.group, table.budgets], axis=1)[table.ok]
    _, which = np.unique(keys, axis=0, return_inverse=True)
    which = which.reshape(-1)
    errors, spread = table.errors[table.ok], spread[table.ok]
    variances, spreads = [], []
    for repeated in np.flatnonzero(np.bincount(which) > 1):
        rows = which == repeated
        for part, scale in enumerate(scales):
            counted = scale.counting_variance(errors[rows, part].mean())
            variances.append(scale.to_line(errors[rows, part]).var(ddof=1) - counted)
            spreads.append(spread[rows].mean())
    if not variances:
        counted = scales[0].counting_variance(errors[:, 0])
        return max(0.0, float(np.mean(residuals**2 - counted))), 0.0
    (floor, slope), _ = nnls(np.stack([np.ones(len(spreads)), np.array(spreads)], axis=1), np.array(variances))
    return float(floor), float(slope)


def _provenance(log: EvaluationLog, seed: int) -> dict[str, Any]:
    evaluations: list[Evaluation] = list(log.evaluations())

    def values(field: str) -> list[str]:
        return sorted({getattr(e.provenance, field) for e in evaluations})

    runs: dict[str, int] = {}
    for evaluation in evaluations:
        runs[evaluation.provenance.optimizer] = runs.get(evaluation.provenance.optimizer, 0) + 1
    return {
        "evaluations": len(evaluations),
        "by_optimizer": dict(sorted(runs.items())),
        "devices": values("device"),
        "machines": values("machine"),
        "torch_versions": values("torch_version"),
        "precisions": values("precision"),
        "clocks": values("clock"),
        "code_versions": values("code_version"),
        "fitted_with": jointbench.__version__,
        "seed": seed,
    }
