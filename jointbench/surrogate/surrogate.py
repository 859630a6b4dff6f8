"""Fitting the surrogate: an XGBoost ensemble on a log, with noise calibrated on repeated trainings."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import jointbench
from jointbench.data.errors import WouldOverwriteError
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import COSTS, FAILURES, FORMAT_VERSION, MANIFEST, Benchmark
from jointbench.surrogate.boosters import MEMBERS, fit_costs, fit_failure, fit_members, predict_errors
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.quality import judge
from jointbench.surrogate.table import TrainingTable, training_table
from jointbench.surrogate.transform import ErrorScale

FloatArray = npt.NDArray[np.float64]


class Surrogate:
    """A surrogate fitted to a log; freeze it with `save`, or ask its `benchmark` at once."""

    def __init__(self, benchmark: Benchmark, manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        self.benchmark, self._manifest, self._files = benchmark, manifest, files

    @classmethod
    def fit(cls, log: EvaluationLog, name: str, *, seed: int = 0) -> "Surrogate":
        """Deterministic given the log and the seed. Raises LogError when the log holds too little."""
        features = FeatureMap(log.space, log.images)
        table = training_table(log, features)
        scales = ErrorScale(log.images.validation), ErrorScale(log.images.test)
        quality, residuals = judge(table, scales, log.ladder, seed)
        models = fit_members(table, scales, seed)
        spread = predict_errors(models, table.features)[:, :, 0].var(axis=0)
        floor, slope = _noise(table, scales, spread, residuals)
        failures = [kind for kind in FAILURES if (table.status == kind.value).any()]
        files = {
            f"{error}-{m}.ubj": model
            for m, pair in enumerate(models)
            for error, model in zip(("validation", "test"), pair, strict=True)
        }
        files |= {f"{cost}.ubj": model for cost, model in zip(COSTS, fit_costs(table, seed), strict=True)}
        files |= {f"{kind.value}.ubj": fit_failure(table, kind, seed) for kind in failures}
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
