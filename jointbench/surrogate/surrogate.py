"""Fitting the surrogate: an XGBoost ensemble on a log, with noise calibrated on repeated trainings."""

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jointbench
from jointbench.data.errors import WouldOverwriteError
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.benchmark import FORMAT_VERSION, MANIFEST, Benchmark
from jointbench.surrogate.calibration import Repeats
from jointbench.surrogate.models import MEMBERS, Models
from jointbench.surrogate.quality import HeldOut
from jointbench.surrogate.table import training_table


class Surrogate:
    """A surrogate fitted to a log; freeze it with `save`, or ask its `benchmark` at once."""

    def __init__(self, benchmark: Benchmark, manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        self.benchmark, self._manifest, self._files = benchmark, manifest, files

    @classmethod
    def fit(cls, log: EvaluationLog, name: str, *, seed: int = 0) -> "Surrogate":
        """Deterministic given the log and the seed. Raises LogError when the log holds too little."""
        table = training_table(log)
        held_out = HeldOut.of(table, seed)
        models = Models.fit(table, seed)
        files = models.files()
        manifest = {
            "format_version": FORMAT_VERSION,
            "name": name,
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
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
        # Through JSON and back, so that the surrogate in hand is the one that will be loaded.
        manifest = json.loads(json.dumps(manifest))
        return cls(Benchmark(manifest, files, name), manifest, files)

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
