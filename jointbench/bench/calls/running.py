"""`jointbench.run`: one run of an optimizer on a benchmark, as a frame."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.bench.calls.comparing import WORKERS, check_objective, simulated, with_run
from jointbench.bench.calls.given import above_zero, the_optimizer, whole
from jointbench.bench.comparing.run_table import run_table
from jointbench.bench.comparing.searched_for import searched_for, with_exact
from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.proposals import Proposals
from jointbench.bench.running.run import run as run_on
from jointbench.data.default_benchmark import DEFAULT_BENCHMARK
from jointbench.data.evaluation import Evaluation, Metrics
from jointbench.data.frames import tidy
from jointbench.data.listed_names import listed_names
from jointbench.data.log import EvaluationLog
from jointbench.data.seeds import comparison_seed
from jointbench.optimizers.optimizer import Optimizer
from jointbench.optimizers.registry import told_of
from jointbench.surrogate.benchmark import Benchmark

if TYPE_CHECKING:
    from pandas import DataFrame


def run(
    optimizer: str | type[Optimizer] | Optimizer,
    benchmark: str | Path | Benchmark | EvaluationLog = DEFAULT_BENCHMARK,
    *,
    seed: int = 0,
    workers: int = WORKERS,
    full_budgets: float = 64.0,
    objectives: Sequence[str] | None = None,
    anyway: bool = False,
) -> "DataFrame":
    """Run an optimizer on a simulated cluster of so many workers until the budgets spent sum up to `full_budgets` of
    the largest; a row an evaluation, in the order of their ends.

    `optimizer`: a name, a class, or a fresh optimizer, which brings its own seed. `benchmark` as `compare` takes it;
    the run is the one that `compare` makes with this seed. Columns: `optimizer`, `run_seed`; `number` of the trial,
    its `budget`, the `seed` of its training, `start` and `end` (simulated seconds), `status`, a column a metric as the
    optimizer saw it; `incumbent`, whether it became the incumbent, and a column `incumbent_…` a metric, without noise,
    of the incumbent then; one a hyperparameter. `objectives` as `compare` takes them; of several, `incumbent` marks
    those that came onto the front, `front_until` is the row with which they left it again, and `incumbent_…` is about
    them. `anyway`: also on a benchmark that is not usable. Raises
    BenchmarkError for one otherwise, OptimizerError when the optimizer fails, UnknownNameError,
    MissingExtraError where pandas is missing.
    """
    objective = simulated(benchmark)
    check_objective(objective, anyway=anyway)
    space, ladder = objective.space, objective.ladder
    total = above_zero("full budgets", full_budgets)
    own = comparison_seed(whole("seed", seed, 0))
    sought = None if objectives is None else listed_names("objectives", objectives)
    about = objective.task.metrics[:1] if sought is None else searched_for(objective, sought)
    metrics = (*about, *(metric for metric in objective.task.metrics if metric not in about))
    answers = with_exact(objective, about)
    told = told_of(optimizer, about)
    made = the_optimizer(
        optimizer, space, ladder, seed=own, full_budgets=total, objectives=told, images=objective.task.images
    )
    cluster = SimulatedCluster(answers, whole("workers", workers, 1))
    finished = list(run_on(made, cluster, ladder, full_budgets=total, seed=own, space=space))
    if not finished:
        Proposals(made, space, ladder, own).check_any()

    def truth(incumbent: Evaluation) -> Metrics:
        return answers.expected(incumbent.configuration, ladder.maximum).metrics

    table = run_table(finished, space, truth, metrics=metrics, objectives=len(about))
    return tidy(with_run(table, getattr(made, "name", type(made).__name__), seed))
