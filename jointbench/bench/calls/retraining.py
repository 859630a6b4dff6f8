"""`jointbench.retrain`: check a comparison's winners by real trainings, and what that gives."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from jointbench.bench.calls.comparing import Comparison
from jointbench.bench.calls.given import check_trained_here, the_path, whole
from jointbench.bench.calls.none_ended_ok import none_ended_ok
from jointbench.bench.calls.own_trainings import own_trainings
from jointbench.bench.calls.progress import heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.calls.without_main import without_main
from jointbench.bench.calls.workers import WorkerOptions, Workers
from jointbench.bench.collecting.collection import Trained
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.comparing.as_trained import as_trained, made_otherwise
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.retraining import Retraining, plan, plan_own
from jointbench.bench.comparing.retraining import retrain as train_all
from jointbench.bench.comparing.retraining_results import Retrained, judged_by, read_retrained
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.report import PAGE, write_report
from jointbench.bench.pages.retraining_section import cells, headings, scatter
from jointbench.bench.running.own_function import Function
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import REFERENCE_CLOCK, Configuration
from jointbench.data.files import check_writable
from jointbench.data.frames import frame
from jointbench.data.listed_names import listed_names
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import METRICS, Metric
from jointbench.data.option_words import option
from jointbench.data.quantities import counted
from jointbench.data.spaces.registry import SPACES, find_configuration
from jointbench.data.spaces.space import Space

if TYPE_CHECKING:
    from pandas import DataFrame

#: Trainings of each configuration where nobody says otherwise.
SEEDS = 3


class Retrainings(Result):
    """What real trainings say of a comparison: its final incumbents, then published networks.

    `made` and `there`: trainings of the call that gave it, and those that were in the logs already.
    """

    def __init__(self, folder: str | Path, *, made: int = 0, there: int = 0) -> None:
        self.folder, self.made, self.there = Path(folder), made, there
        self.settings = Settings.read(self.folder)

    @cached_property
    def configurations(self) -> list[Retrained]:
        """With their trainings; the incumbents, then the published networks, each in the order of names."""
        return read_retrained(self.folder)

    @property
    def page(self) -> Path:
        """The comparison's, with what was found."""
        return self.folder / PAGE

    @property
    def nothing_known(self) -> str:
        """Why nothing is known of the incumbents: in words, where not one of their trainings ended ok; else empty."""
        return none_ended_ok(e for one in self.configurations if one.incumbent for e in one.evaluations)

    def _groups(self) -> dict[str, list[Retrained]]:
        groups: dict[str, list[Retrained]] = {}
        for one in self.configurations:
            groups.setdefault(one.name, []).append(one)
        return groups

    def tables(self) -> dict[str, ResultTable]:
        rows = [cells(name, own, self.settings) for name, own in self._groups().items()]
        first, *others = headings(self.settings)
        return {"retrainings": ResultTable("trained for real", (first, *others), rows, (first,))}

    def drawings(self) -> dict[str, Drawing]:
        """Where incumbents were trained: what was said of their errors, and what is real."""
        incumbents = [one for one in self.configurations if one.incumbent]
        groups = {name: [one for one in own if one.incumbent] for name, own in self._groups().items()}
        groups = {name: own for name, own in groups.items() if own}
        if not incumbents:
            return {}
        look = styles(list(groups))
        return {"errors": Drawing(lambda: scatter(groups, look, self.settings), 480)}

    def to_pandas(self) -> "DataFrame":
        """A row a training: `name` of the optimizer or network, `run_seed` of the run that ended with it (missing for
        a network), the training's `seed` and `status`, `said_validation_error` of the comparison and the real
        `validation_error` and `test_error` (fractions, 1 after a failure), `parameters`. Of a function of a person's
        own the comparison's objectives, each `said_…` and real, in place of these."""
        judged = judged_by(self.settings)
        networks = self.settings.images is not None
        said: Sequence[Metric] = judged[:1] if networks else judged
        real: Sequence[Metric] = (*judged, METRICS["parameters"]) if networks else judged
        rows: list[dict[str, Any]] = [
            {
                "name": one.name,
                "run_seed": None if one.incumbent is None else one.incumbent.run_seed,
                "seed": evaluation.seed,
                "status": evaluation.status.value,
                **{f"said_{m.name}": one.incumbent and one.incumbent.metrics.get(m.name) for m in said},
                **{m.name: m.counted_of(evaluation) for m in real},
            }
            for one in self.configurations
            for evaluation in one.evaluations
        ]
        names = (
            *("name", "run_seed", "seed", "status"),
            *(f"said_{m.name}" for m in said),
            *(m.name for m in real),
        )
        return frame({name: [row[name] for row in rows] for name in names})

    def __repr__(self) -> str:
        trainings = sum(len(one.evaluations) for one in self.configurations)
        of = f"{counted(len(self.configurations), 'configuration')}, {counted(trainings, 'training')}"
        return f"<retrainings of {self.folder}: {of}>"


def retrain(
    comparison: str | Path | Comparison,
    *,
    optimizers: Sequence[str] | None = None,
    runs: int | None = None,
    references: Sequence[str] | None = None,
    seeds: int = SEEDS,
    objective: str | Function | None = None,
    timeout: float | None = None,
    images: str | None = None,
    data: str | None = None,
    lock: bool = True,
    quiet: bool = False,
    progress: Callable[[CollectionProgress], None] | None = None,
    planned: Callable[[str], None] = lambda words: None,
    **workers: Unpack[WorkerOptions],
) -> Retrainings:
    """What `jointbench retrain` does: train the final incumbents of a comparison for real, `seeds` times each, and
    add predicted against real error to its page; trainings that are there are not made again.

    `optimizers`: whose incumbents, by default all; `runs`: only those of an optimizer's first runs; `references`:
    published networks to train beside them, by default all, `[]` for none. `objective`: the function of your own that
    trains them, as `collect` takes it, where the comparison is about such trainings; with its `timeout` in seconds.
    `images`: by default those that the comparison is about. `lock`: False for a file system that cannot lock files.
    `progress` hears of every training; without one there is a bar in a notebook, unless `quiet`. `planned` hears in a
    sentence what there is to do. `workers`: as `WorkerOptions` has them. Raises LogError where there is no comparison,
    UnknownNameError, InputError, MissingExtraError without torch.
    """
    optimizers = None if optimizers is None else listed_names("optimizers", optimizers)
    references = None if references is None else listed_names("references", references)
    folder = comparison.folder if isinstance(comparison, Comparison) else the_path("comparison", comparison)
    first_runs, several = None if runs is None else whole("runs", runs, 1), whole("seeds", seeds, 1)
    if objective is None:
        if timeout is not None:
            raise InputError("timeout", timeout, f"an {option('objective')} of your own with it")
        check_trained_here(Settings.read(folder).space, "retrain COMPARISON")
        check_writable(folder / PAGE, "page")
        wanted = [*_incumbents(folder, optimizers, first_runs), *_references(references)]
        plans, trained, place = _of_networks(folder, wanted, several, images, data, workers, planned)
    else:
        for field, ours in (("images", images), ("data", data), ("references", references)):
            if ours:
                raise InputError(field, ours, f"no {field} with an objective of your own")
        check_writable(folder / PAGE, "page")
        wanted = _incumbents(folder, optimizers, first_runs)
        plans, trained, place = _of_function(folder, wanted, several, objective, timeout, workers)
    made, there = sum(len(one.missing) for one in plans), sum(one.there for one in plans)
    if plans:
        ladder = plans[0].log.ladder
        each = ladder.amount(ladder.maximum)
        before = f"; {counted(there, 'is', 'are')} already in the log" if there else ""
        if made:
            planned(f"{counted(made, 'training')} of {each} to run{before}")
        else:
            planned(f"nothing left to train: {counted(there, 'training')} of {each} already in the log")
    with heard(progress, quiet) as hear, without_main():
        train_all(plans, trained, place, lock=lock, hear=hear)
    write_report(folder)
    return Retrainings(folder, made=made, there=there)


def _of_networks(
    folder: Path,
    wanted: Sequence[tuple[Space, Configuration]],
    seeds: int,
    images: str | None,
    data: str | None,
    workers: WorkerOptions,
    planned: Callable[[str], None],
) -> tuple[list[Retraining], Callable[[EvaluationLog], Trained], Workplace]:
    place, hardware = Workers.of(**workers).workplace()
    # Only now that torch is known to be there.
    from jointbench.bench.running.training_objective import TrainingObjective

    def on(log: EvaluationLog) -> Trained:
        facts = log.images
        return TrainingObjective(
            log.space, log.ladder, facts.name, hardware, data, log.path, augmentation=facts.augmentation
        )

    plans = plan(folder, wanted, images=images, data_folder=data, hardware=hardware.request, seeds=seeds)
    clock = hardware.clock if hardware.reference is None else f"{REFERENCE_CLOCK}{hardware.reference.name}"
    if different := made_otherwise(Settings.read(folder), as_trained([clock], [hardware.precision])):
        planned(different)
    return plans, on, place


def _of_function(
    folder: Path,
    wanted: Sequence[tuple[Space, Configuration]],
    seeds: int,
    objective: str | Function,
    timeout: float | None,
    workers: WorkerOptions,
) -> tuple[list[Retraining], Callable[[EvaluationLog], Trained], Workplace]:
    """Calls of a person's own function, which can be loaded."""
    function, place, on = own_trainings(objective, Settings.read(folder).task, timeout, workers)
    return plan_own(folder, wanted, function=function, seeds=seeds), on, place


def _incumbents(folder: Path, optimizers: Sequence[str] | None, runs: int | None) -> list[tuple[Space, Configuration]]:
    space, incumbents = Settings.read(folder).task.space, final_incumbents(folder)
    known = {one.optimizer for one in incumbents}
    for name in optimizers or ():
        if name not in known:
            raise UnknownNameError.of("optimizer", name, known)
    return [
        (space, one.configuration)
        for one in incumbents
        if (optimizers is None or one.optimizer in optimizers) and (runs is None or one.run_seed < runs)
    ]


def _references(chosen: Sequence[str] | None) -> list[tuple[Space, Configuration]]:
    if chosen is None:
        return [(space, configuration) for space in SPACES.values() for configuration in space.named.values()]
    return [find_configuration(name) for name in chosen]
