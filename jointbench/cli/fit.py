"""`jointbench fit`: fit and freeze a surrogate."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, force, say
from jointbench.cli.values import whole
from jointbench.data.errors import WouldOverwriteError


def add_to(commands: Commands) -> None:
    summary = "Fit the surrogate to a log, judge it on held-out configurations and freeze it."
    sub = commands.add("fit", run, summary, "fit runs/log --out runs/benchmark")
    add = sub.add_argument
    add("log", metavar="LOG", help="folder of the log, or a released Parquet file")
    add("--out", type=Path, required=True, metavar="BENCHMARK", help="folder to write")
    add("--name", help="the benchmark's name; default that of the folder")
    add("--version", type=whole("version", 1), default=1, help="raise it when answers change; default 1")
    add("--seed", type=whole("seed", 0), default=0, help="default 0")
    force(sub)


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.console import quality_table, show
    from jointbench.data.log import EvaluationLog
    from jointbench.surrogate.card import card
    from jointbench.surrogate.croissant import EVALUATIONS
    from jointbench.surrogate.golden import GOLDEN, golden
    from jointbench.surrogate.publish import CARD
    from jointbench.surrogate.surrogate import Surrogate

    out: Path = arguments.out
    if out.exists() and not arguments.force:
        raise WouldOverwriteError("benchmark folder", str(out), "one that does not exist, or --force")
    log = EvaluationLog.open(arguments.log)
    name = arguments.name or out.resolve().name
    surrogate = Surrogate.fit(log, name, version=arguments.version, seed=arguments.seed)
    benchmark = surrogate.benchmark
    extra = {CARD: card(benchmark, log).encode(), EVALUATIONS: log.content(), GOLDEN: golden(benchmark).encode()}
    surrogate.save(out, extra=extra, force=arguments.force)
    show(quality_table(benchmark))
    say(f"{benchmark.name}: fitted to {benchmark.provenance['evaluations']} evaluations, in {out}")
