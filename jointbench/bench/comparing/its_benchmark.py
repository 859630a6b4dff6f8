"""The benchmark that answered a comparison, where it still is what it was."""

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.data.errors import JointBenchError
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.stored import load_benchmark


def its_benchmark(settings: Settings) -> Benchmark | None:
    """None where no surrogate answered, or it is not there (any more) as it was."""
    if settings.objective != "surrogate":
        return None
    try:
        benchmark = load_benchmark(settings.source)
    except JointBenchError:
        return None
    return benchmark if benchmark.checksum == settings.checksum else None


def benchmark_of_both(surrogate: Settings, real: Settings) -> Benchmark | None:
    """`its_benchmark` of the one comparison, where the other is of real trainings of the same problem."""
    benchmark = its_benchmark(surrogate)
    if benchmark is None or real.objective != "training":
        return None
    here = benchmark.space.name, benchmark.ladder, benchmark.task.images
    return benchmark if here == (real.space, real.ladder, real.images) else None
