"""Fitting the surrogate: trees taught by a Gaussian process on a log, with noise calibrated on repeated trainings."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from typing import Any

import jointbench
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.data.task import Task
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.card import CARD, card
from jointbench.surrogate.croissant import EVALUATIONS
from jointbench.surrogate.golden import GOLDEN, golden
from jointbench.surrogate.judging.best import best
from jointbench.surrogate.judging.held_out import FOLDS, PARTITIONS, HeldOut
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.leave_out import without
from jointbench.surrogate.judging.promises import promises
from jointbench.surrogate.manifest import (
    BOUNDED_FORMAT,
    COLLAPSE_FORMAT,
    DISTILLED_FORMAT,
    ENSEMBLE_FORMAT,
    TASK_FORMAT,
    checked_name,
)
from jointbench.surrogate.models import Models, Settings
from jointbench.surrogate.repeats import Repeats
from jointbench.surrogate.rungs import at_fitted_rungs
from jointbench.surrogate.scales import Measures
from jointbench.surrogate.stored import MANIFEST, MODELS
from jointbench.surrogate.student import distillation
from jointbench.surrogate.table import training_table
from jointbench.surrogate.whole_folder import check_replaceable, write_folder


class Surrogate:
    """A surrogate fitted to a log; freeze it with `save`, or ask its `benchmark` at once.

    `held_out` is what its like say of configurations that they have not seen; `log` has the evaluations at the rungs
    that it was fitted to.
    """

    def __init__(self, held_out: HeldOut, manifest: dict[str, Any], models: bytes, log: EvaluationLog) -> None:
        self.log = log
        # Through JSON and back, so that the surrogate in hand is the one that will be loaded.
        self.held_out, self._manifest, self._models = held_out, json.loads(json.dumps(manifest)), models
        self.benchmark = Benchmark(self._manifest, models, manifest["name"])

    @classmethod
    def fit(
        cls,
        log: EvaluationLog,
        name: str,
        *,
        version: int = 1,
        seed: int = 0,
        settings: Settings | None = None,
        partitions: int = PARTITIONS,
        told: Callable[[int, int], object] = lambda done, fits: None,
    ) -> "Surrogate":
        """Deterministic given the log, the seed and the settings (by default `student.distillation`'s); judged on so
        many partitions into folds. `told` hears of fits done, and of all.

        The ladder is that of the rungs with enough evaluations to be judged (`rungs.Rungs`). Raises LogError when the
        log holds too little, InputError when the name cannot be one.
        """
        checked_name(name)
        log, rungs = at_fitted_rungs(log)
        table = training_table(log)
        settings = settings or distillation(table)
        # Its own, and one a fold.
        fits, done = FOLDS * partitions + 1, count(1)
        told(0, fits)
        held_out = HeldOut.of(table, seed, settings, partitions, lambda: told(next(done), fits))
        manifest = {
            "name": name,
            "version": version,
            **_about(log.task, table.measures),
            "noise": held_out.noise.as_dict(),
            "quality": held_out.scores(),
            "best": best(held_out, seed),
            "provenance": {
                **_provenance(log, seed),
                "repeats": len(Repeats.of(table)),
                "settings": asdict(settings),
                **({"left_out": rungs.words(set(table.optimizer.tolist()))} if rungs.left_out else {}),
            },
        }
        models = Models.fit(table, seed, settings)
        told(fits, fits)
        return cls._of(held_out, manifest, models, log)

    def without(self, optimizer: str) -> "Surrogate":
        """As if `optimizer` had collected nothing; its noise and odds stay.

        Raises InputError when too little is left.
        """
        table, seed = without(self.held_out.table, optimizer), self._manifest["provenance"]["seed"]
        return self._of(self.held_out, self._manifest, Models.fit(table, seed, self.held_out.settings), self.log)

    @classmethod
    def _of(cls, held_out: HeldOut, manifest: dict[str, Any], models: Models, log: EvaluationLog) -> "Surrogate":
        file = models.file()
        followed: dict[str, Any] = {
            "format_version": DISTILLED_FORMAT if models.doubts else ENSEMBLE_FORMAT,
            "members": len(models.errors),
            "features": list(models.features.names),
            "odds": {kind.value: held_out.odds[kind] for kind in models.failures},
            "models": hashlib.sha256(file).hexdigest(),
        }
        if models.features.cost_model is None:
            followed |= {"format_version": TASK_FORMAT, "distilled": bool(models.doubts)}
        else:
            followed["laws"] = asdict(models.features.cost_model)
        if models.bounds is not None:
            followed |= {"format_version": BOUNDED_FORMAT, "bounds": models.bounds.as_dict()}
        if models.collapse is not None:
            followed |= {"format_version": COLLAPSE_FORMAT, "collapse": models.collapse.law.as_dict()}
        return cls(held_out, {**manifest, **followed}, file, log)

    def judged(self, seed: int) -> Judgement:
        """What is to be said of it; takes some 20 more fits."""
        of_its_like = Judgement.of(self.held_out, seed)
        return replace(of_its_like, promises=promises(self.benchmark, self.held_out.table, seed))

    def save(
        self,
        folder: str | Path,
        *,
        judgement: Judgement | None = None,
        analysed: str = "",
        extra: dict[str, bytes] | None = None,
        force: bool = False,
    ) -> None:
        """Write the benchmark's folder, whole or not at all, as `publish` takes it: with its evaluations, its golden
        answers and its card, which says what was found in `judgement`; without one it is made.

        `analysed`: a section of the card, in Markdown; `extra`: more files by name. Raises WouldOverwriteError when the
        folder exists and `force` is not set.
        """
        check_replaceable(Path(folder), force=force)
        found = judgement or self.judged(self._manifest["provenance"]["seed"])
        files = {
            MANIFEST: (json.dumps(self._manifest, indent=1) + "\n").encode(),
            MODELS: self._models,
            EVALUATIONS: self.log.content(),
            GOLDEN: golden(self.benchmark).encode(),
            CARD: card(self.benchmark, self.log, found, analysed).encode(),
            **(extra or {}),
        }
        write_folder(Path(folder), files, force=force)


def _about(task: Task, measures: Measures | None) -> dict[str, Any]:
    """Of a training on images its space, ladder and images; of another task itself, and how it is modelled."""
    if measures is not None:
        return {"task": task.as_dict(), "measures": measures.as_dict()}
    assert task.images is not None
    return {"space": task.space.name, "ladder": task.ladder.as_dict(), "images": task.images.as_dict()}


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
