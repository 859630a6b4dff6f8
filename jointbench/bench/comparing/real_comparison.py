"""Comparing optimizers by real trainings: the runs of a comparison one after another on real workers."""

import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import jointbench
from jointbench.bench.collecting.collection import collect, evaluated_by
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.comparing.comparison_folder import (
    TRAININGS,
    First,
    Settings,
    run_file,
    run_name,
)
from jointbench.bench.comparing.comparison_run import check_first
from jointbench.bench.comparing.comparison_start import outdated, start
from jointbench.bench.comparing.failures import Failure, forget_failure, write_failure
from jointbench.bench.comparing.run_table import Truth, write_run
from jointbench.bench.running.cluster import Finished, Started
from jointbench.bench.running.journal import Entry, Journal
from jointbench.bench.running.proposals import Proposals
from jointbench.bench.running.run_code import optimizer_code
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.bench.running.workplaces import Workplace
from jointbench.bench.training.hardware import Hardware
from jointbench.data.errors import OptimizerError, WouldOverwriteError
from jointbench.data.evaluation import Evaluation
from jointbench.data.images.facts import ImageFacts
from jointbench.data.incumbent import IncumbentRule
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import TRAINED, Metric
from jointbench.data.option_words import option
from jointbench.data.seeds import comparison_seed
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space
from jointbench.optimizers import check_optimizer, make_optimizer
from jointbench.optimizers.optimizer import Trial
from jointbench.optimizers.registry import own_name


def real_settings(
    space: Space,
    ladder: Ladder,
    images: ImageFacts,
    hardware: Hardware,
    *,
    workers: int,
    full_budgets: float,
    incumbent: IncumbentRule = "any-budget",
    first: First = "own",
) -> Settings:
    """The settings of a comparison by real trainings, as `Settings` explains them."""
    return Settings(
        "training",
        hardware.request,
        f"trainings on {images.name}",
        "",
        space.name,
        ladder,
        images,
        workers,
        full_budgets,
        # As a log has it: trainings are too dear to be made again for a change that did not touch them.
        code=f"JointBench {jointbench.__version__}",
        incumbent=incumbent,
        first=first,
    )


def compare_for_real(
    settings: Settings,
    optimizers: Sequence[str],
    hardware: Hardware,
    workplace: Workplace,
    *,
    seeds: Mapping[str, int],
    out: Path,
    data_folder: str | None,
    command: str,
    force: bool = False,
    lock: bool = True,
    hear: Callable[[CollectionProgress], None] = lambda progress: None,
) -> None:
    """Run each optimizer with seeds 0 to n - 1 and keep what `compare` keeps; every training is in a log in `out`.

    A comparison that was stopped goes on in the middle of a run; an optimizer that fails is kept as a Failure, and its
    run goes on, by the next call, as far as it repeats itself. Raises as `compare` does, and WouldOverwriteError
    where an optimizer's own code has changed since it ran. `lock` as in `Journal`; `hear` is told of each training.
    """
    space, ladder = get_space(settings.space), settings.ladder
    for name in optimizers:
        check_optimizer(name, space, ladder, full_budgets=settings.full_budgets)
    if not force:
        for name in outdated(out, optimizers):
            expected = f"its code as it was, another {option('out')}, or {option('force', True)}"
            raise WouldOverwriteError("runs of an optimizer", name, expected)
    start(out, settings, optimizers, command, force)
    log = EvaluationLog.open_or_create(out / TRAININGS, space, ladder, settings.images, space.metrics)
    objective = TrainingObjective(
        space,
        ladder,
        settings.trained_on.name,
        hardware,
        data_folder,
        log.path,
        augmentation=settings.trained_on.augmentation,
    )
    # Seed by seed, so that a comparison that was stopped has all optimizers.
    wanted = [(name, seed) for seed in range(max(seeds.values())) for name in optimizers if seed < seeds[name]]
    for name, seed in wanted:
        path, run = run_file(out, name, seed), run_name(name, seed)
        if path.exists():
            continue
        code = optimizer_code(name)
        full = settings.full_budgets
        forget_failure(out, name, seed)
        try:
            own = comparison_seed(seed)
            begun = settings.first_values
            optimizer = make_optimizer(
                name, space, ladder, seed=own, full_budgets=full, first=begun, objectives=settings.metrics[:1]
            )
            collect(
                log,
                objective,
                optimizer,
                run_name=run,
                full_budgets=full,
                workplace=workplace,
                seed=own,
                watcher=CollectionProgress(ladder, full, stage=f"{name} {seed}", hear=hear),
                lock=lock,
            )
            evaluated = evaluated_by(log, run)
            if not evaluated:
                Proposals(optimizer, space, ladder, own).check_any()
        except OptimizerError as error:
            write_failure(out, Failure(name, seed, str(error), traceback.format_exc()))
            continue
        with closing(Journal(log.journals / f"{run}.journal", lock=lock)) as journal:
            told = list(on_the_clock(journal.entries, evaluated))
        check_first(name, told, settings)
        truth = own_trainings(evaluated.values(), space, settings.metrics)
        write_run(path, told, settings, truth, code, own_name(name, optimizer))


def on_the_clock(entries: Iterable[Entry], evaluated: Mapping[int, Evaluation]) -> Iterable[Finished]:
    """A run's trials in the order in which its optimizer heard of them, on a clock of the trainings alone.

    A training begins when the last one before its proposal had been heard of, and takes its duration: neither
    the optimizer's overhead counts nor the time in which a run was stopped. `evaluated`: trial number to evaluation.
    """
    now = 0.0
    running: dict[int, tuple[Started, float]] = {}
    for entry in entries:
        if entry.kind == "ask":
            assert entry.configuration is not None
            trial = Trial(entry.configuration, entry.budget)
            running[entry.number] = Started(entry.number, trial, entry.seed), now
            continue
        started, begin = running.pop(entry.number)
        evaluation = evaluated[entry.number]
        now = max(now, begin + evaluation.duration)
        yield Finished(started, evaluation, begin, now)


def own_trainings(evaluations: Iterable[Evaluation], space: Space, metrics: Sequence[Metric] = TRAINED) -> Truth:
    """Judge an incumbent by the means of the run's trainings of it, at the largest budget that there are any."""
    by_budget: dict[tuple[float, ...], dict[float, list[Evaluation]]] = defaultdict(lambda: defaultdict(list))
    for evaluation in evaluations:
        by_budget[tuple(space.row(evaluation.configuration))][evaluation.budget].append(evaluation)

    def truth(incumbent: Evaluation) -> dict[str, float]:
        trainings = by_budget[tuple(space.row(incumbent.configuration))]
        largest = trainings[max(trainings)]
        measured = [metric for metric in metrics if metric.name in incumbent.metrics]
        return {metric.name: sum(metric.counted_of(e) for e in largest) / len(largest) for metric in measured}

    return truth
