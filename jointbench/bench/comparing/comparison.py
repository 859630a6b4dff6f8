"""Comparing optimizers: one run for each optimizer and seed on a simulated cluster, side by side in processes."""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from jointbench.bench.comparing.comparison_folder import Settings, run_file
from jointbench.bench.comparing.comparison_run import Job, run_job
from jointbench.bench.comparing.comparison_start import outdated, start
from jointbench.bench.running.run_code import optimizer_code
from jointbench.data.spaces import get_space
from jointbench.optimizers import check_optimizer

#: Runs of each optimizer where nobody says otherwise. SMAC's own thinking takes most of a comparison's time.
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
) -> list[str]:
    """Run each optimizer with seeds 0 to n - 1 and keep every evaluation in `out`/runs.

    Runs that are there already are kept, so that a comparison that was stopped goes on and one that is extended
    computes only what is new. `progress` hears of evaluations done and expected. Returns the optimizers whose own
    code has changed since they ran: all their runs are made anew. Raises WouldOverwriteError when `out` holds another
    comparison (or something else) and `force` is not set, UnknownNameError for an optimizer.
    """
    for name in optimizers:
        check_optimizer(name, get_space(settings.space), settings.ladder, full_budgets=settings.full_budgets)
    start(out, settings, command, force)
    changed = outdated(out, optimizers)
    for paths in changed.values():
        for path in paths:
            path.unlink()
    wanted = [(name, seed) for seed in range(max(seeds.values())) for name in optimizers if seed < seeds[name]]
    missing = [
        Job(name, seed, settings, path, optimizer_code(name))
        for name, seed in wanted
        if not (path := run_file(out, name, seed)).exists()
    ]
    missing.sort(key=lambda job: SLOWEST.index(job.optimizer) if job.optimizer in SLOWEST else len(SLOWEST))
    if missing:
        _run_all(missing, jobs or os.cpu_count() or 1, progress)
    return list(changed)


def _run_all(missing: list[Job], processes: int, progress: Callable[[int, int], None]) -> None:
    # Spawned, so that threads of the parent's libraries are not copied half-way; the hash seed is fixed because
    # a set somewhere below an optimizer would otherwise order itself anew in each process.
    context = multiprocessing.get_context("spawn")
    kept = {key: os.environ.get(key) for key in ("PYTHONHASHSEED", "OMP_NUM_THREADS")}
    os.environ.update(PYTHONHASHSEED="0", OMP_NUM_THREADS="1")
    try:
        with context.Manager() as manager:
            ticks = manager.dict()
            pool = ProcessPoolExecutor(min(processes, len(missing)), mp_context=context)
            try:
                running = {pool.submit(run_job, job, ticks, key) for key, job in enumerate(missing)}
                _watch(running, len(missing), ticks, progress)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    finally:
        for key, value in kept.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def _watch(running: set[Future[None]], runs: int, ticks: Any, progress: Callable[[int, int], None]) -> None:
    while running:
        done, running = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        heard = dict(ticks)
        evaluations = sum(count for count, _ in heard.values())
        # A run says which share of its budgets it has spent; runs not begun are taken to be as long as the others.
        lengths = [count / share for count, share in heard.values() if share > 0]
        expected = sum(lengths) / len(lengths) * runs if lengths else 0.0
        progress(evaluations, max(evaluations, round(expected)))
