"""`jointbench.retrain`: check a comparison's winners by real trainings, and what that gives."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from jointbench.bench.calls.comparing import Comparison
from jointbench.bench.calls.given import check_trained_here, whole
from jointbench.bench.calls.progress import heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.calls.without_main import without_main
from jointbench.bench.calls.workers import WorkerOptions, Workers
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.retraining_results import Retrained, read_retrained
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.report import PAGE, write_report
from jointbench.bench.pages.retraining_section import SAID, cells, headings, scatter
from jointbench.data.errors import UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.files import check_writable
from jointbench.data.frames import frame
from jointbench.data.metrics import TEST_ERROR, VALIDATION_ERROR
from jointbench.data.quantities import counted
from jointbench.data.spaces.registry import SPACES, find_configuration, get_space
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

    def _groups(self) -> dict[str, list[Retrained]]:
        groups: dict[str, list[Retrained]] = {}
        for one in self.configurations:
            groups.setdefault(one.name, []).append(one)
        return groups

    def tables(self) -> dict[str, ResultTable]:
        ladder, said = self.settings.ladder, SAID[self.settings.objective]
        rows = [cells(name, own, ladder.amount(ladder.maximum)) for name, own in self._groups().items()]
        first, *others = headings(said)
        return {"retrainings": ResultTable("trained for real", (first, *others), rows, (first,))}

    def drawings(self) -> dict[str, Drawing]:
        """Where incumbents were trained: what was said of their errors, and what is real."""
        incumbents = [one for one in self.configurations if one.incumbent]
        groups = {name: [one for one in own if one.incumbent] for name, own in self._groups().items()}
        groups = {name: own for name, own in groups.items() if own}
        if not incumbents:
            return {}
        look = styles(list(groups))
        return {"errors": Drawing(lambda: scatter(groups, look, SAID[self.settings.objective]), 480)}

    def to_pandas(self) -> "DataFrame":
        """A row a training: `name` of the optimizer or network, `run_seed` of the run that ended with it (missing for
        a network), the training's `seed` and `status`, `said_validation_error` of the comparison and the real
        `validation_error` and `test_error` (fractions, 1 after a failure), `parameters`."""
        rows: list[dict[str, Any]] = [
            {
                "name": one.name,
                "run_seed": None if one.incumbent is None else one.incumbent.run_seed,
                "seed": evaluation.seed,
                "status": evaluation.status.value,
                "said_validation_error": None
                if one.incumbent is None
                else one.incumbent.metrics[VALIDATION_ERROR.name],
                "validation_error": VALIDATION_ERROR.counted_of(evaluation),
                "test_error": TEST_ERROR.counted_of(evaluation),
                "parameters": evaluation.parameters,
            }
            for one in self.configurations
            for evaluation in one.evaluations
        ]
        names = (
            *("name", "run_seed", "seed", "status", "said_validation_error", "validation_error", "test_error"),
            "parameters",
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
    published networks to train beside them, by default all, `[]` for none. `images`: by default those that the
    comparison is about. `lock`: False for a file system that cannot lock files. `progress` hears of every training;
    without one there is a bar in a notebook, unless `quiet`. `planned` hears in a sentence what there is to do.
    `workers`: as `WorkerOptions` has them. Raises LogError where there is no comparison, UnknownNameError,
    InputError, MissingExtraError without torch.
    """
    folder = comparison.folder if isinstance(comparison, Comparison) else Path(comparison)
    check_trained_here(Settings.read(folder).space)
    check_writable(folder / PAGE, "page")
    first_runs, several = None if runs is None else whole("runs", runs, 1), whole("seeds", seeds, 1)
    wanted = [*_incumbents(folder, optimizers, first_runs), *_references(references)]
    place, hardware = Workers.of(**workers).workplace()
    # Only now that torch is known to be there.
    from jointbench.bench.comparing.retraining import plan
    from jointbench.bench.comparing.retraining import retrain as train_all

    plans = plan(folder, wanted, images=images, data_folder=data, hardware=hardware, seeds=several)
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
        train_all(plans, hardware, data, place, lock=lock, hear=hear)
    write_report(folder)
    return Retrainings(folder, made=made, there=there)


def _incumbents(folder: Path, optimizers: Sequence[str] | None, runs: int | None) -> list[tuple[Space, Configuration]]:
    space, incumbents = get_space(Settings.read(folder).space), final_incumbents(folder)
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
