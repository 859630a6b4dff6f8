"""Comparing optimizers: one run for each optimizer and seed on a simulated cluster, side by side in processes."""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import jointbench
from jointbench.bench.cluster import Finished, SimulatedCluster
from jointbench.bench.run import run
from jointbench.bench.surrogate_objective import SurrogateObjective
from jointbench.data.errors import LogError, WouldOverwriteError
from jointbench.data.evaluation import Configuration
from jointbench.optimizers import check_optimizer, make_optimizer
from jointbench.surrogate.benchmark import Benchmark, load_benchmark

SETTINGS = "comparison.json"
RUNS = "runs"
RETRAINED = "retrained.parquet"

#: Runs of each optimizer where nobody says otherwise. SMAC's own thinking takes most of a comparison's time.
DEFAULT_SEEDS = 10
FEWER_SEEDS: Mapping[str, int] = {"smac": 4, "smac-default": 2}

#: The slowest first, so that no core waits for a long run that began last.
SLOWEST = ("smac-default", "smac", "two-stage-long", "two-stage", "bohb")

#: Libraries whose versions decide what a comparison finds.
VERSIONS = ("numpy", "scipy", "scikit-learn", "ConfigSpace", "smac")

#: A run reports its progress every so many evaluations.
TICK = 25


def default_seeds(optimizer: str) -> int:
    return FEWER_SEEDS.get(optimizer, DEFAULT_SEEDS)


@dataclass(frozen=True)
class Settings:
    """What all runs of a comparison share; `benchmark` is a name that ships or a folder.

    `guessing_error`: the fraction that a network makes which guesses.
    """

    benchmark: str
    benchmark_name: str
    benchmark_checksum: str
    workers: int
    full_budgets: float
    guessing_error: float

    @classmethod
    def read(cls, folder: Path) -> "Settings":
        """Raises LogError when the folder holds no comparison."""
        try:
            return cls(**json.loads((folder / SETTINGS).read_text())["settings"])
        except (OSError, ValueError, KeyError, TypeError):
            raise LogError(
                "comparison", str(folder), f"a folder with {SETTINGS}, as `jointbench compare` writes"
            ) from None


@dataclass(frozen=True)
class _Job:
    optimizer: str
    seed: int
    settings: Settings
    path: str


def compare(
    benchmark: Benchmark,
    optimizers: Sequence[str],
    *,
    seeds: Mapping[str, int],
    workers: int,
    full_budgets: float,
    out: Path,
    jobs: int | None,
    command: str,
    progress: Callable[[int, int], None],
    force: bool = False,
) -> None:
    """Run each optimizer with seeds 0 to n - 1 and keep every evaluation in `out`/runs.

    Runs that are there already are kept, so that a comparison that was stopped goes on and one that is extended
    computes only what is new. `progress` hears of evaluations done and expected. Raises WouldOverwriteError when
    `out` holds another comparison (or something else) and `force` is not set, UnknownNameError for an optimizer.
    """
    for name in optimizers:
        check_optimizer(name)
    settings = Settings(
        _source(benchmark),
        benchmark.name,
        benchmark.checksum,
        workers,
        full_budgets,
        1 - 1 / benchmark.images.classes,
    )
    _prepare(out, settings, command, force)
    wanted = [(name, seed) for seed in range(max(seeds.values())) for name in optimizers if seed < seeds[name]]
    missing = [
        _Job(name, seed, settings, str(path))
        for name, seed in wanted
        if not (path := run_file(out, name, seed)).exists()
    ]
    missing.sort(key=lambda job: SLOWEST.index(job.optimizer) if job.optimizer in SLOWEST else len(SLOWEST))
    if missing:
        _run_all(missing, jobs or os.cpu_count() or 1, progress)


def run_file(out: Path, optimizer: str, seed: int) -> Path:
    """Where the evaluations of a run are kept."""
    return out / RUNS / f"{Path(optimizer).name.replace(':', '-')}-{seed}.parquet"


def _source(benchmark: Benchmark) -> str:
    folder = Path(benchmark.source)
    return benchmark.name if folder.parent.name == "released" else str(folder.resolve())


def _prepare(out: Path, settings: Settings, command: str, force: bool) -> None:
    if (out / SETTINGS).exists():
        there = Settings.read(out)
        changed = [key for key, value in asdict(settings).items() if getattr(there, key) != value]
        if changed and not force:
            raise WouldOverwriteError(
                "comparison folder", str(out), f"one with the same {', '.join(changed)}, another --out, or --force"
            )
        if force:
            for old in (out / RUNS).glob("*.parquet"):
                old.unlink()
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WouldOverwriteError("comparison folder", str(out), "a comparison, or a folder that is empty or new")
    (out / RUNS).mkdir(parents=True, exist_ok=True)
    content = {
        "settings": asdict(settings),
        "command": command,
        "versions": {"jointbench": jointbench.__version__} | {name: metadata.version(name) for name in VERSIONS},
    }
    temporary = out / f".{SETTINGS}.writing"
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.replace(out / SETTINGS)


def _run_all(missing: list[_Job], processes: int, progress: Callable[[int, int], None]) -> None:
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
                running = {pool.submit(_run_one, job, ticks, key) for key, job in enumerate(missing)}
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


def _run_one(job: _Job, ticks: Any, key: int) -> None:
    """In a process of its own: one run, written whole or not at all."""
    settings = job.settings
    objective = SurrogateObjective(load_benchmark(settings.benchmark))
    ladder = objective.ladder
    optimizer = make_optimizer(
        job.optimizer, objective.space, ladder, seed=job.seed, full_budgets=settings.full_budgets
    )
    cluster = SimulatedCluster(objective, settings.workers)
    finished: list[Finished] = []
    spent = 0.0
    for one in run(optimizer, cluster, ladder, full_budgets=settings.full_budgets, seed=job.seed):
        finished.append(one)
        spent += one.evaluation.budget
        if len(finished) % TICK == 0:
            ticks[key] = len(finished), spent / (settings.full_budgets * ladder.maximum)
    ticks[key] = len(finished), 1.0
    temporary = f"{job.path}.{os.getpid()}.writing"
    pq.write_table(_table(finished, objective), temporary, compression="zstd")
    os.replace(temporary, job.path)


def incumbents(finished: Sequence[Finished]) -> Iterator[Configuration | None]:
    """The incumbent after each trial, in the order of their ends; None before the first that ended ok.

    It is the configuration with the lowest validation error seen on the largest budget that anything has been
    evaluated at so far: HpBandSter's rule. Smaller budgets are forgotten as soon as a larger one has spoken.
    """
    best: tuple[float, float] | None = None
    incumbent: Configuration | None = None
    for one in finished:
        evaluation = one.evaluation
        standing = (-evaluation.budget, evaluation.validation_error)
        if evaluation.ok and (best is None or standing < best):
            best, incumbent = standing, evaluation.configuration
        yield incumbent


def _table(finished: Sequence[Finished], objective: SurrogateObjective) -> pa.Table:
    """One row an evaluation, in the order of their ends.

    `incumbent_*_error`: what the incumbent then would be expected to reach at the largest budget, without noise;
    the error of guessing before there is one.
    """
    guessing = 1 - 1 / objective.benchmark.images.classes
    truth: tuple[float, float] = guessing, guessing
    known: Configuration | None = None
    rows = []
    for one, incumbent in zip(finished, incumbents(finished), strict=True):
        if incumbent is not None and incumbent is not known:
            known = incumbent
            expected = objective.expected(incumbent, objective.ladder.maximum)
            truth = expected.validation_error, expected.test_error
        evaluation = one.evaluation
        rows.append(
            {
                "number": one.started.number,
                "budget": evaluation.budget,
                "seed": one.started.seed,
                "start": one.start,
                "end": one.end,
                "status": evaluation.status.value,
                "validation_error": evaluation.validation_error,
                "test_error": evaluation.test_error,
                "training_seconds": evaluation.training_seconds,
                "wall_seconds": evaluation.wall_seconds,
                "incumbent": known is not None and evaluation.configuration is known,
                "incumbent_validation_error": truth[0],
                "incumbent_test_error": truth[1],
                "configuration": dict(evaluation.configuration),
            }
        )
    return pa.Table.from_pylist(rows)
