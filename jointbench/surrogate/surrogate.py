"""Fitting the surrogate: an XGBoost ensemble on a log, with noise calibrated on repeated trainings."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jointbench
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.calibration import Repeats
from jointbench.surrogate.manifest import FORMAT_VERSION, checked_name
from jointbench.surrogate.models import MEMBERS, Models
from jointbench.surrogate.quality import HeldOut
from jointbench.surrogate.stored import MANIFEST, MODELS
from jointbench.surrogate.table import training_table
from jointbench.surrogate.whole_folder import write_folder


class Surrogate:
    """A surrogate fitted to a log; freeze it with `save`, or ask its `benchmark` at once."""

    def __init__(self, benchmark: Benchmark, manifest: dict[str, Any], models: bytes) -> None:
        self.benchmark, self._manifest, self._models = benchmark, manifest, models

    @classmethod
    def fit(cls, log: EvaluationLog, name: str, *, version: int = 1, seed: int = 0) -> "Surrogate":
        """Deterministic given the log and the seed.

        Raises LogError when the log holds too little, InputError when the name cannot be one.
        """
        checked_name(name)
        table = training_table(log)
        held_out = HeldOut.of(table, seed)
        models = Models.fit(table, seed)
        file = models.file()
        manifest = {
            "format_version": FORMAT_VERSION,
            "name": name,
            "version": version,
            "space": log.space.name,
            "ladder": log.ladder.as_dict(),
            "images": log.images.as_dict(),
            "features": list(models.features.names),
            "laws": asdict(models.features.laws),
            "members": MEMBERS,
            "noise": asdict(held_out.noise),
            "odds": {kind.value: odds for kind, odds in held_out.odds.items()},
            "quality": held_out.scores(),
            "provenance": {**_provenance(log, seed), "repeats": len(Repeats.of(table))},
            "models": hashlib.sha256(file).hexdigest(),
        }
        # Through JSON and back, so that the surrogate in hand is the one that will be loaded.
        manifest = json.loads(json.dumps(manifest))
        return cls(Benchmark(manifest, file, name), manifest, file)

    def save(self, folder: str | Path, *, extra: dict[str, bytes] | None = None, force: bool = False) -> None:
        """Write the benchmark's folder, whole or not at all. Raises WouldOverwriteError when it exists."""
        manifest = json.dumps(self._manifest, indent=1) + "\n"
        write_folder(Path(folder), {MANIFEST: manifest.encode(), MODELS: self._models, **(extra or {})}, force=force)


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
