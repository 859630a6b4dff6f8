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
