"""Comparing optimizers: one run for each optimizer and seed on a simulated cluster, side by side in processes."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from jointbench.bench.comparing.comparison_folder import Settings, run_file
from jointbench.bench.comparing.comparison_run import Job
from jointbench.bench.comparing.comparison_start import outdated, start
from jointbench.bench.comparing.failures import Failure, forget_failure, write_failure
from jointbench.bench.comparing.run_processes import Progress, run_side_by_side
from jointbench.bench.running.run_code import optimizer_code
from jointbench.data.seeds import comparison_seed
from jointbench.optimizers import check_optimizer

#: Runs of each optimizer where nobody says otherwise. SMAC's own overhead takes most of a comparison's time.
DEFAULT_SEEDS = 10
FEWER_SEEDS: Mapping[str, int] = {"smac-default": 2}

#: The slowest first, so that no core waits for a long run that began last.
SLOWEST = ("smac-default", "smac", "two-stage-long", "two-stage", "bohb")


def default_seeds(optimizer: str) -> int:
    return FEWER_SEEDS.get(optimizer, DEFAULT_SEEDS)


def compare(
    settings: Settings,
    optimizers: Sequence[str],
    *,
    seeds: Mapping[str, int],
    out: Path,
    jobs: int | None,
    command: str,
    progress: Callable[[int, int], None],
    force: bool = False,
    looks: Sequence[int] = (),
) -> list[str]:
    """Run each optimizer with seeds 0 to n - 1 and keep every evaluation in `out`/runs.

    Runs that are there already are kept, so that a comparison that was stopped goes on and one that is extended
    computes only what is new. `progress` hears of evaluations done and expected. Returns the optimizers whose own
    code has changed since they ran: all their runs are made anew. A run whose optimizer fails is kept as a Failure in
    `out`, the others are made; the next call tries it again. `looks`: as `comparison_start.start` has them. Raises
    WouldOverwriteError when `out` holds another comparison (or something else) and `force` is not set,
    UnwritableError where it cannot be written to,
    UnknownNameError for an optimizer.
    """
    for name in optimizers:
        known = settings.objective == "known"
        check_optimizer(
            name, settings.task.space, settings.ladder, full_budgets=settings.full_budgets, any_ladder=known
        )
    comparison_seed(max(seeds.values()) - 1)
    start(out, settings, optimizers, command, force, looks)
    changed = outdated(out, optimizers)
    for paths in changed.values():
        for path in paths:
            path.unlink(missing_ok=True)
    wanted = [(name, seed) for seed in range(max(seeds.values())) for name in optimizers if seed < seeds[name]]
    missing = [
        Job(name, seed, settings, path, optimizer_code(name))
        for name, seed in wanted
        if not (path := run_file(out, name, seed)).exists()
    ]
    missing.sort(key=lambda job: SLOWEST.index(job.optimizer) if job.optimizer in SLOWEST else len(SLOWEST))
    if missing:
        _run_all(missing, out, jobs or os.cpu_count() or 1, progress)
    return list(changed)


def _run_all(missing: Sequence[Job], out: Path, processes: int, progress: Callable[[int, int], None]) -> None:
    def ended(index: int, failure: Failure | None) -> None:
        if failure is not None:
            write_failure(out, failure)

    for job in missing:
        forget_failure(out, job.optimizer, job.seed)
    make_runs(missing, processes, ended=ended, progress=progress)


def make_runs(
    jobs: Sequence[Job],
    processes: int,
    *,
    ended: Callable[[int, Failure | None], None],
    progress: Callable[[int, int], None],
) -> None:
    """Make these runs, in the environment in which one seed is one run. `ended` is told of each by its index, and
    `progress` of evaluations done and expected; raises as `run_side_by_side` does."""
    heard: dict[int, Progress] = {}
    over: set[int] = set()
    failed: set[int] = set()

    def run_ended(index: int, failure: Failure | None) -> None:
        over.add(index)
        if failure is not None:
            failed.add(index)
        ended(index, failure)

    def looked() -> None:
        evaluations = sum(one.evaluations for one in heard.values())
        # A run says which share of it has been made; one that failed is over, however short it is.
        lengths = {index: one.evaluations / one.share for index, one in heard.items() if one.share > 0}
        lengths |= {index: heard[index].evaluations if index in heard else 0 for index in over}
        # Runs not begun are taken to be as long as the others.
        whole = [length for index, length in lengths.items() if index not in failed]
        typical = sum(whole) / len(whole) if whole else 0.0
        expected = sum(lengths.values()) + typical * (len(jobs) - len(lengths))
        progress(evaluations, max(evaluations, round(expected)))

    with _environment_of_runs():
        run_side_by_side(jobs, min(processes, len(jobs)), heard=heard.__setitem__, ended=run_ended, looked=looked)


@contextmanager
def _environment_of_runs() -> Iterator[None]:
    # The hash seed is fixed because a set somewhere below an optimizer would otherwise order itself anew in each
    # process.
    kept = {key: os.environ.get(key) for key in ("PYTHONHASHSEED", "OMP_NUM_THREADS")}
    os.environ.update(PYTHONHASHSEED="0", OMP_NUM_THREADS="1")
    try:
        yield
    finally:
        for key, value in kept.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
