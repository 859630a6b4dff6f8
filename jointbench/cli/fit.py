"""`jointbench fit`: fit and freeze a surrogate."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, force, say
from jointbench.cli.values import whole
from jointbench.data.quantities import counted


def add_to(commands: Commands) -> None:
    summary = "Fit the surrogate to a log, judge it on held-out configurations and freeze it."
    sub = commands.add("fit", run, summary, "fit runs/log --out runs/benchmark")
    add = sub.add_argument
    add("log", metavar="LOG", help="folder of the log, or a released Parquet file")
    add("--out", type=Path, required=True, metavar="BENCHMARK", help="folder to write")
    add("--name", help="the benchmark's name; default that of the folder")
    add("--version", type=whole("version", 1), default=1, help="raise it when answers change; default 1")
    add("--seed", type=whole("seed", 0), default=0, help="default 0")
    add("--baselines", action="store_true", help="judge other models beside XGBoost, which takes minutes")
    add("--ingredients", action="store_true", help="judge what each part of the models gains, which takes minutes")
    add(
        "--partitions",
        type=whole("partitions", 1),
        help="into folds of the configurations, that it is judged on; default 10, with --quick 1",
    )
    add(
        "--quick",
        action="store_true",
        help="seconds instead of minutes: XGBoost on the trainings themselves, without teacher and uncertainty",
    )
    add(
        "--tune",
        type=whole("tune", 0),
        default=0,
        metavar="TRIALS",
        help="fit XGBoost alone, its parameters chosen first",
    )
    force(sub)


def run(arguments: argparse.Namespace) -> None:
    import jointbench
    from jointbench.bench.pages.console import judged_table, show, verdict_table
    from jointbench.bench.pages.report import PAGE
    from jointbench.cli.displays import StagesDisplay

    with StagesDisplay(arguments.quiet) as display:
        made = jointbench.fit(
            arguments.log,
            arguments.out,
            name=arguments.name,
            version=arguments.version,
            seed=arguments.seed,
            baselines=arguments.baselines,
            ingredients=arguments.ingredients,
            partitions=arguments.partitions,
            quick=arguments.quick,
            tune=arguments.tune,
            force=arguments.force,
            command=arguments.words,
            progress=display,
        )
    found = made.benchmark.verdict
    say(f"{made.benchmark.name} is {found.sentence}")
    show(verdict_table(found))
    for sentence in made.notes:
        say(f"note: {sentence}")
    if arguments.tune:
        say(f"found by {counted(arguments.tune, 'trial')}: {made.surrogate.held_out.settings}")
    for shown in ("scores", "best", "noise_floor", "targets", "baselines", "tuning", "ingredients"):
        if shown in made.judged:
            show(judged_table(made.judged[shown]))
    benchmark = made.benchmark
    evaluations = counted(benchmark.provenance["evaluations"], "evaluation")
    say(f"{benchmark.name}: fitted to {evaluations}, in {arguments.out}")
    say(f"how far it can be trusted: {arguments.out / PAGE}")
