"""The examination of a benchmark's folder: what it is, whether it answers as it did, and its evaluations."""

from pathlib import Path

from jointbench.bench.collecting.doctor import Findings, examine
from jointbench.data.errors import BenchmarkError
from jointbench.data.quantities import counted
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.card import CARD
from jointbench.surrogate.croissant import EVALUATIONS
from jointbench.surrogate.golden import check_golden, read_golden
from jointbench.surrogate.judging.verdict import NOT
from jointbench.surrogate.stored import read_benchmark


def examine_benchmark(folder: Path) -> Findings:
    """Look through a benchmark; changes nothing."""
    found = Findings()
    try:
        benchmark = read_benchmark(folder)
    except BenchmarkError as error:
        found.problems.append(str(error))
    else:
        _answers(benchmark, folder, found)
    if (folder / EVALUATIONS).exists():
        log = examine(folder / EVALUATIONS)
        found.facts.append(f"its evaluations: {', '.join(log.facts)}")
        found.notes += log.notes
        found.problems += log.problems
        found.evaluations = log.evaluations
    missing = [name for name in (CARD, EVALUATIONS) if not (folder / name).exists()]
    if missing:
        found.notes.append(f"without its {' and '.join(missing)}, which `jointbench publish` takes")
    return found


def _answers(benchmark: Benchmark, folder: Path, found: Findings) -> None:
    images, verdict = benchmark.task.images, benchmark.verdict
    on = "" if images is None else f" on {images.name}"
    fitted = counted(benchmark.provenance["evaluations"], "evaluation")
    found.facts.append(
        f"the benchmark {benchmark.name}, {verdict.word}: space {benchmark.space.name}{on}, "
        f"{benchmark.ladder.in_words()}, fitted to {fitted}"
    )
    if verdict.word == NOT:
        found.notes.append(f"it is {verdict.sentence}")
    try:
        count = check_golden(benchmark, read_golden(folder))
    except BenchmarkError as error:
        found.problems.append(str(error))
    else:
        found.facts.append(f"all {count} golden answers to the last bit")
