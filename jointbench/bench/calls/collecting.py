"""`jointbench.collect`: train what an optimizer proposes, into a log; and what it gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from jointbench.bench.calls.given import above_zero, the_log, whole
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.calls.without_main import without_main
from jointbench.bench.calls.workers import Workers
from jointbench.bench.collecting.collection_display import CollectionDisplay
from jointbench.bench.pages.log_figures import against_parameters, against_seconds, every_evaluation
from jointbench.bench.pages.log_page import how_they_ended
from jointbench.bench.pages.report import write_report
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.evaluation import Evaluation
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.seeds import collection_seed
from jointbench.data.spaces.registry import get_space
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Optimizer

if TYPE_CHECKING:
    from pandas import DataFrame

    from jointbench.bench.training.hardware import Hardware

#: Seconds between two checkpoints of a training, where nobody says otherwise.
CHECKPOINT_EVERY = 300.0

#: What proposes where nobody says otherwise: configurations that no search has chosen judge a surrogate best.
OPTIMIZER = "random"


@dataclass(frozen=True)
class CollectionRun:
    """A run of a log: its name (which names files too), its optimizer, when it stops, the seed of its trainings."""

    name: str
    log: EvaluationLog
    optimizer: Optimizer
    full_budgets: float
    seed: int


class Collection(Result):
    """The trainings of a log."""

    def __init__(self, log: str | Path | EvaluationLog) -> None:
        self.log = the_log(log)

    @cached_property
    def evaluations(self) -> list[Evaluation]:
        """Oldest first, as they were when this was first asked for."""
        return list(self.log.evaluations())

    def tables(self) -> dict[str, ResultTable]:
        headings, rows = how_they_ended(self.log, self.evaluations)
        numbers = {
            heading: [float(row[index]) if not index else int(row[index].replace(",", "")) for row in rows]
            for index, heading in enumerate(headings)
        }
        return {"endings": ResultTable("how the trainings ended", headings, rows, numbers=numbers)}

    def drawings(self) -> dict[str, Drawing]:
        log, evaluations = self.log, self.evaluations
        return {
            "evaluations": Drawing(lambda: every_evaluation(log, evaluations), 520),
            "parameters": Drawing(lambda: against_parameters(log, evaluations), 400),
            "seconds": Drawing(lambda: against_seconds(log, evaluations), 400),
        }

    def to_pandas(self) -> "DataFrame":
        """A row an evaluation, as `EvaluationLog.to_pandas` has them."""
        return self.log.to_pandas()

    def report(self) -> Path:
        """Draw the page of the log, and say where it is."""
        return write_report(self.log.path)

    def __repr__(self) -> str:
        return f"<collection in {self.log!r}>"

    def _repr_html_(self) -> str:
        return self.log._repr_html_()


def train_runs(
    runs: Iterable[CollectionRun],
    images: str,
    *,
    hardware: "Hardware",
    workplace: Workplace,
    data: str | None,
    checkpoint_every: float,
    quiet: bool,
    lock: bool = True,
) -> Iterable[CollectionRun]:
    """Make each run, which goes on where it stood, and give it back when it has ended. `lock` as in `Journal`."""
    # Only where torch is known to be there.
    from jointbench.bench.collecting.collection import collect as collect_run
    from jointbench.bench.running.training_objective import TrainingObjective

    for made in runs:
        log = made.log
        objective = TrainingObjective(log.space, log.ladder, images, hardware, data, log.path, checkpoint_every)
        with CollectionDisplay(made.name, log.ladder, made.full_budgets, quiet=quiet) as display:
            collect_run(
                log,
                objective,
                made.optimizer,
                run_name=made.name,
                full_budgets=made.full_budgets,
                seed=made.seed,
                workplace=workplace,
                watcher=display,
                lock=lock,
            )
        yield made


def searching(log: EvaluationLog, optimizer: Optimizer, seed: int, full_budgets: float) -> CollectionRun:
    """The run of an optimizer that was made with `collection_seed(seed)`, the trainings' too."""
    name = f"{quote(optimizer.name, safe=':=')}-{seed}"
    return CollectionRun(name, log, optimizer, full_budgets, collection_seed(seed))


def collect(
    log: str | Path,
    *,
    images: str,
    ladder: str | Ladder,
    full_budgets: float,
    optimizer: str = OPTIMIZER,
    space: str = "joint",
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    precision: Literal["fp32", "bf16"] = "fp32",
    clock: str = "measured",
    compile: bool = False,  # noqa: A002
    memory: float | None = None,
    workers_per_gpu: int | None = None,
    cluster: Literal["local", "slurm"] = "local",
    config: str | Path | None = None,
    data: str | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    lock: bool = True,
    dashboard: bool = False,
    quiet: bool = False,
) -> Collection:
    """What `jointbench collect` does: train what an optimizer proposes until the budgets spent sum up to
    `full_budgets` of the largest, and log every evaluation; a run that was stopped goes on.

    `log`: its folder, begun if it does not exist. `images`: a name as `jointbench list images` shows it. `ladder`:
    a Ladder, or words such as "1,3,9,27" (seconds) or "3,9,27epochs". `memory` in GiB. `lock`: False for a file
    system that cannot lock files. All else as the command's options of the same names. Raises what the command says
    in a sentence, such as MissingExtraError without torch.
    """
    at, rungs = get_space(space), Ladder.parse(ladder) if isinstance(ladder, str) else ladder
    total, first = above_zero("full budgets", full_budgets), whole("seed", seed, 0)
    place, hardware = Workers(
        device,
        precision,
        clock,
        compile,
        None if memory is None else int(above_zero("memory", memory) * 2**30),
        None if workers is None else whole("workers", workers, 1),
        None if workers_per_gpu is None else whole("workers per GPU", workers_per_gpu, 1),
        cluster,
        None if config is None else Path(config),
        dashboard,
    ).workplace()
    facts = load_images(images, data).facts
    made = make_optimizer(optimizer, at, rungs, seed=collection_seed(first), full_budgets=total)
    opened = EvaluationLog.open_or_create(log, at, rungs, facts)
    every = above_zero("checkpoint every", checkpoint_every)
    run = searching(opened, made, first, total)
    with without_main():
        for _ in train_runs(
            [run],
            images,
            hardware=hardware,
            workplace=place,
            data=data,
            checkpoint_every=every,
            quiet=quiet,
            lock=lock,
        ):
            pass
    return Collection(opened)
