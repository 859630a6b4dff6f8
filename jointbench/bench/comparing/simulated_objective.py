"""What a simulated comparison evaluates: a benchmark, a log or a known task, told apart by its settings."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jointbench.bench.comparing.comparison_folder import First, Kind, Overhead, Settings
from jointbench.bench.comparing.front_box import box_of
from jointbench.bench.comparing.searched_for import with_exact
from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.known_objective import KnownObjective, known_objective
from jointbench.bench.running.replay import ReplayObjective
from jointbench.bench.running.run import run
from jointbench.bench.running.run_code import simulation_code
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.bench.running.with_facts import Expecting
from jointbench.data.errors import BenchmarkError, InputError, LogError
from jointbench.data.incumbent import IncumbentRule
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.data.option_words import option
from jointbench.data.seeds import comparison_seed
from jointbench.data.spaces.registry import SPACES
from jointbench.optimizers import make_optimizer
from jointbench.surrogate.stored import load_benchmark

SimulatedObjective = SurrogateObjective | ReplayObjective | KnownObjective

#: What random search may spend in a comparison's time where nobody says otherwise.
DEFAULT_FULL_BUDGETS = 256.0


#: Of random search, on which the default time of a comparison is the mean: so many runs, with seeds from 0 on.
_YARDSTICK_RUNS = 10


def random_seconds(objective: SimulatedObjective, workers: int, full_budgets: float = DEFAULT_FULL_BUDGETS) -> float:
    """Simulated seconds that random search takes for so many full budgets on so many workers, without deaths and
    overhead: the mean over 10 seeds, to three digits. Raises InputError where the evaluations take no time."""
    space, ladder = objective.space, objective.ladder
    ends = []
    for number in range(_YARDSTICK_RUNS):
        seed = comparison_seed(number)
        optimizer = make_optimizer("random", space, ladder, seed=seed, full_budgets=full_budgets)
        cluster = SimulatedCluster(objective, workers)
        ends += [max(one.end for one in run(optimizer, cluster, ladder, full_budgets=full_budgets, seed=seed))]
    seconds = float(f"{sum(ends) / len(ends):.3g}")
    if not seconds > 0:
        wanted = option("full_budgets", round(DEFAULT_FULL_BUDGETS))
        raise InputError("full budgets", None, f"{wanted} or so, since no time is known of these evaluations")
    return seconds


def timed_settings(objective: SimulatedObjective, *, workers: int, time: float | None, **others: Any) -> Settings:
    """The settings of a comparison of so many wall-clock seconds; None: of what `DEFAULT_FULL_BUDGETS` take random
    search. `others` as `simulated_settings` takes them."""
    usual = random_seconds(objective, workers)
    seconds = usual if time is None else time
    full_budgets = DEFAULT_FULL_BUDGETS * seconds / usual
    return simulated_settings(objective, workers=workers, full_budgets=full_budgets, time=seconds, **others)


def simulated_settings(
    objective: SimulatedObjective,
    *,
    workers: int,
    full_budgets: float,
    time: float | None = None,
    overhead: Overhead = 0.0,
    death_rate: float = 0.0,
    incumbent: IncumbentRule = "any-budget",
    first: First = "own",
    objectives: Sequence[Metric] = (),
) -> Settings:
    """The settings of a comparison on this objective, as `Settings` explains them; `objectives`: what it is about,
    where that is not the task's own objective. Raises InputError as `box_of` does."""
    kind: Kind
    task = objective.task
    about = tuple(objectives) or task.metrics[:1]
    own = about == task.metrics[:1]
    metrics = (*about, *(metric for metric in task.metrics if metric not in about))
    if isinstance(objective, SurrogateObjective):
        kind, benchmark = "surrogate", objective.benchmark
        folder = Path(benchmark.source)
        source = benchmark.name if folder.parent.name == "released" else str(folder.resolve())
        name = benchmark.name
    elif isinstance(objective, ReplayObjective):
        path = objective.log.path.resolve()
        kind, name, source = "replay", path.stem, str(path)
    else:
        kind, name, source = "known", objective.name, objective.name
    return Settings(
        kind,
        source,
        name,
        objective.checksum,
        objective.space.name,
        objective.ladder,
        task.images,
        workers,
        full_budgets,
        overhead,
        death_rate,
        code=simulation_code(),
        time=time,
        incumbent=incumbent,
        first=first,
        metrics=metrics,
        configspace=None if objective.space.name in SPACES else objective.space.as_dict(),
        optimum=objective.optimum if own and not isinstance(objective, (SurrogateObjective, ReplayObjective)) else None,
        box=box_of(objective, about) if len(about) > 1 else (),
    )


def simulated_objective(settings: Settings) -> Expecting:
    """Its evaluations have what the comparison is about. Raises BenchmarkError or LogError when what answered the
    comparison's other runs has changed."""
    return with_exact(_unchanged(settings.objective, settings.source, settings.checksum), settings.objectives)


# Once a process: reading the trees takes longer than many a run.
@cache
def _unchanged(kind: Kind, source: str, checksum: str) -> SimulatedObjective:
    found = answering(kind, source)
    if found.checksum != checksum:
        if kind == "known":
            raise BenchmarkError("task", source, f"the one that was compared on, {checksum}")
        error, field = (BenchmarkError, "benchmark") if kind == "surrogate" else (LogError, "log")
        raise error(field, source, "one that does not change while it is compared on")
    return found


def answering(kind: Kind, source: str) -> SimulatedObjective:
    """What answers there now. Raises as what reads it does."""
    if kind == "surrogate":
        return SurrogateObjective(load_benchmark(source))
    return known_objective(source) if kind == "known" else ReplayObjective(EvaluationLog.open(source))
