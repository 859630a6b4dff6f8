"""What a simulated comparison evaluates: a benchmark or a log, told apart by its settings."""

from functools import cache
from pathlib import Path

from jointbench.bench.comparing.comparison_folder import Overhead, Settings
from jointbench.bench.running.replay import ReplayObjective
from jointbench.bench.running.run_code import simulation_code
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import BenchmarkError, LogError
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.stored import load_benchmark

SimulatedObjective = SurrogateObjective | ReplayObjective


def simulated_settings(
    objective: SimulatedObjective, *, workers: int, full_budgets: float, overhead: Overhead, death_rate: float
) -> Settings:
    """The settings of a comparison on this objective, as `Settings` explains them."""
    if isinstance(objective, SurrogateObjective):
        benchmark = objective.benchmark
        folder = Path(benchmark.source)
        source = benchmark.name if folder.parent.name == "released" else str(folder.resolve())
        name = benchmark.name
    else:
        path = objective.log.path.resolve()
        name, source = path.stem, str(path)
    return Settings(
        "surrogate" if isinstance(objective, SurrogateObjective) else "replay",
        source,
        name,
        objective.checksum,
        objective.space.name,
        objective.ladder,
        objective.images,
        workers,
        full_budgets,
        overhead,
        death_rate,
        code=simulation_code(),
    )


def simulated_objective(settings: Settings) -> SimulatedObjective:
    """Raises BenchmarkError or LogError when what answered the comparison's other runs has changed."""
    if settings.objective == "surrogate":
        return _benchmark(settings.source, settings.checksum)
    return _log(settings.source, settings.checksum)


# Once a process: reading the trees takes longer than many a run.
@cache
def _benchmark(source: str, checksum: str) -> SurrogateObjective:
    benchmark = load_benchmark(source)
    if benchmark.checksum != checksum:
        raise BenchmarkError("benchmark", source, "one that does not change while it is compared on")
    return SurrogateObjective(benchmark)


@cache
def _log(source: str, checksum: str) -> ReplayObjective:
    replay = ReplayObjective(EvaluationLog.open(source))
    if replay.checksum != checksum:
        raise LogError("log", source, "one that does not change while it is compared on")
    return replay
