"""Checking a comparison: its final incumbents, and published networks, trained for real at the largest budget; by a
function of a person's own where the comparison is about such trainings."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jointbench.bench.collecting.collection import Trained, collect
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.comparing.comparison_folder import RETRAININGS, Settings
from jointbench.bench.running.own_function import OwnFunction
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import make_folder, write_whole
from jointbench.data.images.registry import load_images
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.space import Space
from jointbench.data.task import Task
from jointbench.data.visible import visible_name
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Trial

RUN = "retrain"

#: Retrainings take seeds from here on, which no collection reaches: the surrogate has not seen these trainings.
FIRST_SEED = 2**53

#: What all retrainings of a comparison have in common: the hardware of ours, or the function of a person's own.
_ALIKE = "hardware.json"


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
    hardware: str,
    seeds: int,
) -> list[Retraining]:
    """What is to be trained on images so that each configuration has `seeds` trainings at the largest budget;
    `hardware`: as `Hardware.request` says it.

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
    _check_alike(folder / RETRAININGS, "hardware", hardware)
    tasks = [
        Task(space, settings.ladder, facts, space.metrics) for space in dict.fromkeys(space for space, _ in wanted)
    ]
    return _missing(folder, tasks, wanted, seeds)


def plan_own(
    folder: Path, wanted: Sequence[tuple[Space, Configuration]], *, function: OwnFunction, seeds: int
) -> list[Retraining]:
    """The same of a comparison whose trainings a function of a person's own makes. Raises InputError for one that is
    about images, LogError when earlier retrainings were made by another function."""
    settings = Settings.read(folder)
    if settings.images is not None:
        raise InputError("objective", function.name, f"none: {settings.name} is about trainings of ours on images")
    _check_alike(folder / RETRAININGS, "objective", f"{function.name} {function.code}")
    return _missing(folder, [settings.task], wanted, seeds)


def _missing(
    folder: Path, tasks: Sequence[Task], wanted: Sequence[tuple[Space, Configuration]], seeds: int
) -> list[Retraining]:
    found = []
    for task in tasks:
        space = task.space
        at = folder / RETRAININGS / visible_name(space.name)
        log = EvaluationLog.open_or_create(at, space, task.ladder, task.images, task.metrics)
        trained = {(tuple(space.row(e.configuration)), e.seed) for e in log.evaluations()}
        # However many runs ended with a configuration, it is trained once a seed.
        rows = dict.fromkeys(tuple(space.row(configuration)) for of, configuration in wanted if of == space)
        pairs = [(row, FIRST_SEED + seed) for row in rows for seed in range(seeds)]
        missing = [
            Trial(space.configuration(row), task.ladder.maximum, seed)
            for row, seed in pairs
            if (row, seed) not in trained
        ]
        found.append(Retraining(log, missing, len(pairs) - len(missing)))
    return found


def _check_alike(folder: Path, field: str, given: str) -> None:
    """All retrainings of a comparison are made alike."""
    file = folder / _ALIKE
    if not file.exists():
        make_folder(folder)
        write_whole(file, json.dumps({field: given}) + "\n", once=True)
    there = json.loads(file.read_text(encoding="utf-8"))[field]
    if there != given:
        raise LogError(
            f"{field} of the retrainings",
            given,
            f"{there}, as those in {folder} (which begin anew where it is removed)",
        )


def retrain(
    plans: Sequence[Retraining],
    trained: Callable[[EvaluationLog], Trained],
    workplace: Workplace,
    *,
    lock: bool = True,
    hear: Callable[[CollectionProgress], None] = lambda progress: None,
) -> None:
    """Make the trainings that are missing, by what `trained` makes of a log; `hear` is told of each. `lock` as in
    `Journal`."""
    for one in plans:
        if not one.missing:
            continue
        log, budgets = one.log, float(len(one.missing))
        optimizer = FixedList(log.space, log.ladder, seed=0, full_budgets=budgets, name=RUN, trials=one.missing)
        # What is still missing after a kill is another run.
        run_name = f"{RUN}-{hashlib.sha256(repr(one.missing).encode()).hexdigest()[:12]}"
        collect(
            log,
            trained(log),
            optimizer,
            run_name=run_name,
            full_budgets=budgets,
            workplace=workplace,
            seed=0,
            watcher=CollectionProgress(
                log.ladder, budgets, objective=log.task.objective, stage=f"{RUN} {log.space.name}", hear=hear
            ),
            lock=lock,
        )
