"""Checking a comparison: its final incumbents, trained for real at the largest budget."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jointbench.bench.collection import collect
from jointbench.bench.comparison_folder import RETRAINED, RUNS, Settings
from jointbench.bench.console import CollectionDisplay
from jointbench.bench.surrogate_objective import SurrogateObjective
from jointbench.bench.trainer import Hardware
from jointbench.bench.training_objective import TrainingObjective
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration
from jointbench.data.images import load_images
from jointbench.data.log import EvaluationLog
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Trial
from jointbench.surrogate.benchmark import load_benchmark

LOG = "retrainings"
RUN = "retrain"

#: Retrainings take seeds from here on, which no collection reaches: the surrogate has not seen these trainings.
FIRST_SEED = 2**53


@dataclass(frozen=True)
class Incumbent:
    """What a run of a comparison ended with."""

    optimizer: str
    run_seed: int
    configuration: Configuration


def final_incumbents(folder: Path) -> list[Incumbent]:
    """One for each run that found any, in the order of the runs' names."""
    found = []
    for path in sorted((folder / RUNS).glob("*.parquet")):
        optimizer, _, seed = path.stem.rpartition("-")
        table = pq.read_table(path, columns=["incumbent", "configuration"])
        became = table.filter(table["incumbent"])["configuration"].to_pylist()
        if became:
            found.append(Incumbent(optimizer, int(seed), became[-1]))
    return found


def retrain(folder: Path, *, images: str, data_folder: str | None, hardware: Hardware, seeds: int, workers: int) -> int:
    """Train every run's final incumbent with `seeds` seeds and write `retrained.parquet`; returns the trainings.

    Each configuration is trained once a seed, however many runs ended with it. The trainings go into a log in the
    folder, so that a retraining that was stopped goes on. Raises InputError when the images are not those that
    the benchmark stands for.
    """
    settings = Settings.read(folder)
    benchmark = load_benchmark(settings.benchmark)
    if images != benchmark.images.name:
        raise InputError("images", images, f"{benchmark.images.name}, which {benchmark.name} was fitted to")
    facts = load_images(images, data_folder).facts
    space, ladder = benchmark.search_space, benchmark.ladder
    incumbents = final_incumbents(folder)
    different = list({tuple(space.row(one.configuration)): one.configuration for one in incumbents}.values())
    trials = [Trial(c, ladder.maximum, seed=FIRST_SEED + s) for c in different for s in range(seeds)]
    log = EvaluationLog.open_or_create(folder / LOG, space, ladder, facts)
    full_budgets = float(len(trials))
    optimizer = FixedList(space, ladder, seed=0, full_budgets=full_budgets, name=RUN, trials=trials)
    objective = TrainingObjective(space, ladder, images, hardware, data_folder)
    with CollectionDisplay(RUN, ladder, full_budgets) as display:
        for finished in collect(
            log,
            objective,
            optimizer,
            # Other incumbents or more seeds are another run; what an earlier one trained is trained again.
            run_name=f"{RUN}-{hashlib.sha256(repr(trials).encode()).hexdigest()[:12]}",
            full_budgets=full_budgets,
            workers=workers,
            seed=0,
        ):
            display.show(finished)
    _write(folder, log, incumbents, SurrogateObjective(benchmark), seeds)
    return len(trials)


def _write(
    folder: Path, log: EvaluationLog, incumbents: list[Incumbent], objective: SurrogateObjective, seeds: int
) -> None:
    trained = {(tuple(log.space.row(e.configuration)), e.seed): e for e in log.evaluations()}
    rows = []
    for one in incumbents:
        expected = objective.expected(one.configuration, log.ladder.maximum)
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            real = trained[tuple(log.space.row(one.configuration)), seed]
            rows.append(
                {
                    "optimizer": one.optimizer,
                    "run_seed": one.run_seed,
                    "configuration": dict(one.configuration),
                    "seed": seed,
                    "status": real.status.value,
                    "predicted_validation_error": expected.validation_error,
                    "predicted_test_error": expected.test_error,
                    "validation_error": real.validation_error,
                    "test_error": real.test_error,
                }
            )
    temporary = folder / f".{RETRAINED}.{os.getpid()}.writing"
    pq.write_table(pa.Table.from_pylist(rows), temporary)
    temporary.replace(folder / RETRAINED)
