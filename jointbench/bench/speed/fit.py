"""Speed of `jointbench fit`: the whole command on 2,000 evaluations, and one fit of the errors beside its baselines'.

The evaluations are a released benchmark's own draws, in simulated runs of three optimizers and trained again with
other seeds; the command fits, judges on held-out configurations, leaves optimizers out, and writes the card and page.
With --quick there are fewer evaluations, the baselines that fit quickly, and of the command the first part alone: the
fit and its cross-validation.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.bench.speed.measure import interleave, parser, present, progress, ratio
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.optimizers import make_optimizer
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.judging.baselines import BASELINES
from jointbench.surrogate.stored import load_benchmark, released
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import training_table
from jointbench.surrogate.teacher import CONDITIONED

NAME = "digits-cpu"
EVALUATIONS, QUICK_EVALUATIONS = 2_000, 300
#: What a baseline does not do in full.
CAPPED = {"Gaussian process": f"Gaussian process (of {CONDITIONED:,} at most)"}
QUICK_BASELINES = ("XGBoost", "random forest", "LightGBM")
#: Who collected, by turns, each run with so many trainings at the largest budget.
OPTIMIZERS, FULL_BUDGETS = ("random", "hyperband", "two-stage"), 60.0
#: Every so many evaluations one is of a configuration that was trained before, with another seed.
REPEATED = 8


def drawn(benchmark: Benchmark) -> Iterator[Evaluation]:
    """Evaluations without end, with keys and times of their own."""
    objective, number, rng = SurrogateObjective(benchmark), 0, np.random.default_rng(0)
    while True:
        name = OPTIMIZERS[number % len(OPTIMIZERS)]
        optimizer = make_optimizer(name, objective.space, objective.ladder, seed=number, full_budgets=FULL_BUDGETS)
        cluster = SimulatedCluster(objective, 1)
        made = [
            replace(
                finished.evaluation,
                key=f"{number}/{finished.started.number}",
                trial=finished.started.number,
                finished_at=finished.end,
                provenance=replace(finished.evaluation.provenance, optimizer=name, run=f"{name}-{number}"),
            )
            for finished in run(optimizer, cluster, objective.ladder, full_budgets=FULL_BUDGETS, seed=number)
        ]
        yield from made
        for chosen in rng.choice(len(made), len(made) // REPEATED, replace=False):
            first = made[chosen]
            again = objective(first.configuration, first.budget, first.seed + 1_000_000_007)
            provenance = replace(again.provenance, optimizer="repeats", run="repeats")
            yield replace(again, key=f"again {first.key}", provenance=provenance)
        number += 1


def make(folder: Path, benchmark: Benchmark, count: int) -> EvaluationLog:
    """A log of `count` draws."""
    log = EvaluationLog.open_or_create(folder, benchmark.space, benchmark.ladder, benchmark.images)
    log.append([evaluation for evaluation, _ in zip(drawn(benchmark), range(count), strict=False)])
    return log


def command(log: Path, out: Path) -> tuple[float, float]:
    """Seconds of `jointbench fit` by the clock and of all cores, in a process of its own."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [sys.executable, "-m", "jointbench", "fit", str(log), "--out", str(out), "--name", "drawn"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cores


def main() -> None:
    program = parser(__doc__ or "")
    arguments = program.parse_args()
    count = QUICK_EVALUATIONS if arguments.quick else EVALUATIONS
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        progress(f"drawing {count:,} evaluations")
        log = make(folder / "log", load_benchmark(released()[NAME]), count)
        progress("fitting and judging" if arguments.quick else "jointbench fit, whole")
        start, cores = time.perf_counter(), time.process_time()
        if arguments.quick:
            Surrogate.fit(log, "drawn", partitions=1)
            taken, of_cores = time.perf_counter() - start, time.process_time() - cores
        else:
            taken, of_cores = command(log.path, folder / "fitted")
        table = training_table(log)
        ok = table.take(table.ok)
        progress("one fit of the errors' models, ours and the others by turns")
        fits: dict[str, Callable[[], object]] = {name: partial(fit, ok, 0) for name, fit in BASELINES.items()}
        if arguments.quick:
            fits = {name: fits[name] for name in QUICK_BASELINES}
        # Seconds of a core, which depend little on who else is at work.
        timings = interleave(fits, seconds=0, least=1 if arguments.quick else 3, clock=time.process_time)
    ours = timings["XGBoost"]
    figures: dict[str, float | int | str] = {"evaluations": count, "seconds": taken, "core_seconds": of_cores}
    for name, timing in timings.items():
        figures[f"fit_{name.lower().replace(' ', '_')}_core_seconds"] = timing.median
    title = "fit and cross-validation" if arguments.quick else "`jointbench fit`"
    rows = [(title, f"{taken:.1f} s ({of_cores:.1f} s of a core)", "")]
    rows += [
        (
            f"one fit of the errors, {CAPPED.get(name, name)}",
            f"{timing.median:.2f} s of a core",
            f"{ratio(timing, ours):.1f}x",
        )
        for name, timing in timings.items()
    ]
    notes = (
        ()
        if arguments.quick
        else (f"`jointbench fit` of {count:,} evaluations: {taken:.0f} s; most of it is judging, on ten partitions",)
    )
    present(
        f"fitting to {count:,} evaluations",
        ("", "time", "of XGBoost's"),
        rows,
        figures,
        as_json=arguments.json,
        libraries=("numpy", "xgboost", "scikit-learn", "lightgbm"),
        notes=notes,
    )


if __name__ == "__main__":
    main()
