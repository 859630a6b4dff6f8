"""Checking a comparison: its final incumbents, and published networks, trained for real at the largest budget."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jointbench.bench.collecting.collection import collect
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.comparing.comparison_folder import RETRAININGS, Settings
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.bench.running.workplaces import Workplace
from jointbench.bench.training.hardware import Hardware
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import make_folder, write_whole
from jointbench.data.images.registry import load_images
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.space import Space
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Trial

RUN = "retrain"

#: Retrainings take seeds from here on, which no collection reaches: the surrogate has not seen these trainings.
FIRST_SEED = 2**53

_HARDWARE = "hardware.json"


@dataclass(frozen=True)
class Retraining:
    """The trainings of one space: those to be made, and how many its log has already."""

    log: EvaluationLog
    missing: Sequence[Trial]
    there: int


def plan(
    folder: Path,
    wanted: Sequence[tuple[Space, Configuration]],
    *,
    images: str | None,
    data_folder: str | None,
    hardware: Hardware,
    seeds: int,
) -> list[Retraining]:
    """What is to be trained so that each configuration has `seeds` trainings at the largest budget.

    The trainings go into logs in the folder of the comparison, one a space; one that is there is not made again, so
    that a retraining that was stopped goes on. Raises InputError when the images are not those that the comparison
    is about, LogError when earlier retrainings were made on other hardware.
    """
    settings = Settings.read(folder)
    if images not in (None, settings.trained_on.name):
        raise InputError("images", images, f"{settings.trained_on.name}, which {settings.name} is about")
    # What its trainings went through is the comparison's to say: later versions augment some data sets otherwise.
    facts = replace(
        load_images(settings.trained_on.name, data_folder).facts, augmentation=settings.trained_on.augmentation
    )
    if facts != settings.images:
        raise InputError("images", str(facts), f"those that {settings.name} is about: {settings.images}")
    _check_hardware(folder / RETRAININGS, hardware)
    found = []
    for space in dict.fromkeys(space for space, _ in wanted):
        log = EvaluationLog.open_or_create(
            folder / RETRAININGS / space.name, space, settings.ladder, facts, space.metrics
        )
        trained = {(tuple(space.row(e.configuration)), e.seed) for e in log.evaluations()}
        # However many runs ended with a configuration, it is trained once a seed.
        rows = dict.fromkeys(tuple(space.row(configuration)) for of, configuration in wanted if of == space)
        pairs = [(row, FIRST_SEED + seed) for row in rows for seed in range(seeds)]
        missing = [
            Trial(space.configuration(row), settings.ladder.maximum, seed)
            for row, seed in pairs
            if (row, seed) not in trained
        ]
        found.append(Retraining(log, missing, len(pairs) - len(missing)))
    return found


def _check_hardware(folder: Path, hardware: Hardware) -> None:
    """All retrainings of a comparison are made alike."""
    file = folder / _HARDWARE
    if not file.exists():
        make_folder(folder)
        write_whole(file, json.dumps({"hardware": hardware.request}) + "\n", once=True)
    there = json.loads(file.read_text(encoding="utf-8"))["hardware"]
    if there != hardware.request:
        raise LogError("hardware of the retrainings", hardware.request, f"{there}, as those in {folder}")


def retrain(
    plans: Sequence[Retraining],
    hardware: Hardware,
    data_folder: str | None,
    workplace: Workplace,
    *,
    lock: bool = True,
    hear: Callable[[CollectionProgress], None] = lambda progress: None,
) -> None:
    """Make the trainings that are missing; `hear` is told of each. `lock` as in `Journal`."""
    for one in plans:
        if not one.missing:
            continue
        log, budgets = one.log, float(len(one.missing))
        optimizer = FixedList(log.space, log.ladder, seed=0, full_budgets=budgets, name=RUN, trials=one.missing)
        objective = TrainingObjective(
            log.space,
            log.ladder,
            log.images.name,
            hardware,
            data_folder,
            log.path,
            augmentation=log.images.augmentation,
        )
        # What is still missing after a kill is another run.
        run_name = f"{RUN}-{hashlib.sha256(repr(one.missing).encode()).hexdigest()[:12]}"
        collect(
            log,
            objective,
            optimizer,
            run_name=run_name,
            full_budgets=budgets,
            workplace=workplace,
            seed=0,
            watcher=CollectionProgress(log.ladder, budgets, stage=f"{RUN} {log.space.name}", hear=hear),
            lock=lock,
        )
