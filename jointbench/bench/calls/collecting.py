"""`jointbench.collect`: train what an optimizer proposes, into a log; and what it gives."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from jointbench.bench.calls.given import above_zero, the_ladder, the_log, the_optimizer, the_path, the_space, whole
from jointbench.bench.calls.none_ended_ok import none_ended_ok
from jointbench.bench.calls.own_trainings import own_trainings
from jointbench.bench.calls.progress import heard
from jointbench.bench.calls.result import Drawing, Result, ResultTable
from jointbench.bench.calls.time_limit import time_limit
from jointbench.bench.calls.without_main import without_main
from jointbench.bench.calls.workers import WorkerOptions, Workers
from jointbench.bench.collecting.collection import Trained, repeats
from jointbench.bench.collecting.collection import collect as collect_run
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.collecting.evidence import EvidencePlan, has_ended, optimizer_of
from jointbench.bench.pages.log_figures import against_parameters, against_seconds, every_evaluation, seconds_taken
from jointbench.bench.pages.log_page import how_they_ended
from jointbench.bench.pages.report import write_report
from jointbench.bench.running.own_function import Function
from jointbench.bench.running.workplaces import Workplace
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Evaluation
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metric_words import parse_metrics
from jointbench.data.metrics import METRICS, VALIDATION_ERROR, Metric
from jointbench.data.option_words import option
from jointbench.data.seeds import collection_seed
from jointbench.data.task import Task
from jointbench.data.visible import visible_name
from jointbench.optimizers.optimizer import Optimizer
from jointbench.optimizers.several_draws import SeveralDraws

if TYPE_CHECKING:
    from pandas import DataFrame

#: Seconds between two checkpoints of a training, where nobody says otherwise.
CHECKPOINT_EVERY = 300.0

#: Evaluations of a configuration that is repeated, at each budget.
REPEAT_SEEDS = 3

WALL_SECONDS = METRICS["wall_seconds"]

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
    """The trainings of a log. `complete`: whether what was to be collected is there, as far as anybody knows."""

    def __init__(self, log: str | Path | EvaluationLog, *, complete: bool = True) -> None:
        self.log, self.complete = the_log(log), complete

    @cached_property
    def evaluations(self) -> list[Evaluation]:
        """Oldest first, as they were when this was first asked for."""
        return list(self.log.evaluations())

    @property
    def nothing_known(self) -> str:
        """How they ended where not one training of the log ended ok, in words; else empty."""
        return none_ended_ok(self.log.evaluations())

    def tables(self) -> dict[str, ResultTable]:
        headings, rows = how_they_ended(self.log, self.evaluations)
        numbers = {
            heading: [float(row[index]) if not index else int(row[index].replace(",", "")) for row in rows]
            for index, heading in enumerate(headings)
        }
        return {"endings": ResultTable("how the trainings ended", headings, rows, numbers=numbers)}

    def drawings(self) -> dict[str, Drawing]:
        log, evaluations = self.log, self.evaluations
        drawn = {"evaluations": Drawing(lambda: every_evaluation(log, evaluations), 520)}
        if any(e.parameters for e in evaluations):
            drawn["parameters"] = Drawing(lambda: against_parameters(log, evaluations), 400)
        if any(map(seconds_taken, evaluations)):
            drawn["seconds"] = Drawing(lambda: against_seconds(log, evaluations), 400)
        return drawn

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


@dataclass(frozen=True)
class _Trained:
    """What is trained and where: the task of its log, and the objective that writes to one."""

    task: Task
    workplace: Workplace
    on: Callable[[EvaluationLog], Trained]


def train_runs(
    runs: Iterable[CollectionRun],
    trained: _Trained,
    hear: Callable[[CollectionProgress], None],
    lock: bool,
) -> None:
    """Make each run, which goes on where it stood. `lock` as in `Journal`."""
    for made in runs:
        log = made.log
        collect_run(
            log,
            trained.on(log),
            made.optimizer,
            run_name=made.name,
            full_budgets=made.full_budgets,
            seed=made.seed,
            workplace=trained.workplace,
            watcher=CollectionProgress(
                log.ladder, made.full_budgets, objective=log.task.objective, stage=made.name, hear=hear
            ),
            lock=lock,
        )


def _searching(log: EvaluationLog, optimizer: Optimizer, seed: int, full_budgets: float) -> CollectionRun:
    """The run of an optimizer that was made with `collection_seed(seed)`, the trainings' too."""
    name = f"{visible_name(optimizer.name, safe=':=')}-{seed}"
    return CollectionRun(name, log, optimizer, full_budgets, collection_seed(seed))


def collect(
    log: str | Path,
    *,
    images: str | None = None,
    ladder: str | Ladder | None = None,
    full_budgets: float | None = None,
    optimizer: str | type[Optimizer] = OPTIMIZER,
    space: Any = None,
    seed: int = 0,
    objective: str | Function | None = None,
    metrics: str | Sequence[str | Metric] | None = None,
    timeout: float | None = None,
    plan: str | Path | None = None,
    repeat: int | None = None,
    repeat_seeds: int = REPEAT_SEEDS,
    architectures: int = 1,
    stop_after: float | None = None,
    data: str | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    lock: bool = True,
    quiet: bool = False,
    progress: Callable[[CollectionProgress], None] | None = None,
    **workers: Unpack[WorkerOptions],
) -> Collection:
    """What `jointbench collect` does: train what an optimizer proposes until the budgets spent sum up to
    `full_budgets` of the largest, and log every evaluation; a run that was stopped goes on.

    `log`: its folder, begun if it does not exist. `images`: a name as `jointbench list images` shows it. `ladder`:
    a Ladder, or words such as "1,3,9,27" (seconds) or "3,9,27epochs", for a function of your own in any unit,
    "10,30,90trees". `optimizer`: a name, or a class. `space`: a Space
    (default joint), its name, a ConfigSpace object or a file of its JSON. `plan`: a TOML file that names space, images,
    ladder, clock and memory, and the parts to collect instead. `repeat`: instead of searching, bring so many
    configurations of the log up to `repeat_seeds` evaluations at each of its two largest budgets. `architectures`:
    train each proposal of a generator on so many networks drawn from it, and tell the optimizer the means; each counts
    for the budgets. `stop_after` minutes,
    so that the same call can go on later (then the result is not `complete`). `checkpoint_every`: seconds.
    `lock`: False for a file system that cannot lock files. `progress` hears of every training; without one there is
    a bar in a notebook, unless `quiet`. `workers`: as `WorkerOptions` has them. Raises what the command says in a
    sentence, such as MissingExtraError without torch.

    `objective`: train by a function of your own instead of our networks on images, "FILE.py:FUNCTION" or the function
    itself, `train(configuration, budget, seed, report)`. It is given a dict, a number (whole where it can be), a seed
    of 32 bits, and a function that logs a point of its learning curve (a dict of numbers). It returns a dict of
    numbers, or raises, which is a crash that is recorded. `metrics`: those that it returns, words such as
    "accuracy:max:fraction,loss" or Metric objects, the objective first; default validation_error. `timeout`: seconds
    after which a training is given up.
    """
    evidence = None if plan is None else EvidencePlan.read(the_path("plan", plan))
    if evidence is not None:
        space, images, ladder = evidence.space, evidence.images, evidence.ladder
        workers = {**workers, "clock": evidence.clock, "memory": evidence.memory}
    for field, needed in (("ladder", ladder), ("full budgets", evidence or full_budgets)):
        if needed is None:
            raise InputError(field, None, f"{option(field.replace(' ', '_'))}, or a {option('plan')}")
    assert ladder is not None
    every = above_zero("checkpoint every", checkpoint_every)
    minutes = None if stop_after is None else above_zero("stop after", stop_after)
    if objective is None:
        for field, value in (("metrics", metrics), ("timeout", timeout)):
            if value is not None:
                raise InputError(field, value, f"an {option('objective')} of your own with it")
        trained = _of_networks("joint" if space is None else space, images, ladder, data, every, workers)
    else:
        for field, ours in (("images", images), ("data", data), ("plan", plan)):
            if ours is not None:
                raise InputError(field, ours, f"no {field} with an objective of your own, which sees to its data")
        trained = _of_function(objective, space, ladder, metrics, timeout, workers)
    task = trained.task

    def opened() -> EvaluationLog:
        return EvaluationLog.open_or_create(log, task.space, task.ladder, task.images, task.metrics)

    if evidence is not None:
        runs: Iterable[CollectionRun] = _parts(evidence, opened)
    else:
        total, first = above_zero("full budgets", full_budgets), whole("seed", seed, 0)
        how: dict[str, Any] = {"seed": collection_seed(first), "full_budgets": total}
        if repeat is None:
            made = the_optimizer(optimizer, task.space, task.ladder, objectives=[task.objective], **how)
            if whole("architectures", architectures, 1) > 1:
                if not task.space.draws:
                    raise InputError("architectures", architectures, f"1, since '{task.space.name}' draws no networks")
                made = SeveralDraws(made, architectures)
        else:
            several, each = whole("repeat", repeat, 1), whole("repeat seeds", repeat_seeds, 2)
            made = repeats(opened(), several, each, **how)
        runs = [_searching(opened(), made, first, total)]
    with heard(progress, quiet) as hear, without_main(), time_limit(minutes) as limit:
        train_runs(runs, trained, hear, lock)
    return Collection(opened(), complete=not limit.reached)


def _of_networks(
    space: Any, images: str | None, ladder: str | Ladder, data: str | None, every: float, workers: WorkerOptions
) -> _Trained:
    """Trainings of our networks, with a checkpoint `every` so many seconds."""
    if images is None:
        expected = f"{option('images')}, a {option('plan')}, or an {option('objective')} of your own"
        raise InputError("images", None, expected)
    at, rungs = the_space(space), the_ladder(ladder)
    place, hardware = Workers.of(**workers).workplace()
    # Only now that torch is known to be there.
    from jointbench.bench.running.training_objective import TrainingObjective

    def on(log: EvaluationLog) -> Trained:
        return TrainingObjective(log.space, log.ladder, images, hardware, data, log.path, every)

    return _Trained(Task(at, rungs, load_images(images, data).facts, at.metrics), place, on)


def _of_function(
    objective: str | Function,
    space: Any,
    ladder: str | Ladder,
    metrics: str | Sequence[str | Metric] | None,
    timeout: float | None,
    workers: WorkerOptions,
) -> _Trained:
    """Calls of a person's own function, which can be loaded."""
    if space is None:
        expected = f"{option('space')} with an objective of your own: a name, or a file of ConfigSpace's JSON"
        raise InputError("space", None, expected)
    named = parse_metrics(VALIDATION_ERROR.name if metrics is None else metrics)
    # On the simulated cluster of a comparison a training takes as long as it did.
    measured = () if any(metric == WALL_SECONDS for metric in named) else (WALL_SECONDS,)
    # What its budgets are is the function's to know.
    rungs = Ladder.parse(ladder, any_unit=True) if isinstance(ladder, str) else ladder
    task = Task(the_space(space), rungs, metrics=(*named, *measured))
    _, place, on = own_trainings(objective, task, timeout, workers)
    return _Trained(task, place, on)


def _parts(evidence: EvidencePlan, opened: Callable[[], EvaluationLog]) -> Iterator[CollectionRun]:
    """Each is made when those before it have ended: what a part of a plan trains may follow from them."""
    log = opened()
    for part in evidence.parts:
        optimizer, full_budgets = optimizer_of(part, log)
        if has_ended(part, log, full_budgets):
            continue
        yield CollectionRun(part.name, log, optimizer, full_budgets, collection_seed(part.seed))
