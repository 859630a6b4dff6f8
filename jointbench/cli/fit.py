"""`jointbench fit`: fit and freeze a surrogate."""

import argparse
from dataclasses import replace
from pathlib import Path

from jointbench.cli.command import Commands, force, say
from jointbench.cli.values import whole


def add_to(commands: Commands) -> None:
    summary = "Fit the surrogate to a log, judge it on held-out configurations and freeze it."
    sub = commands.add("fit", run, summary, "fit runs/log --out runs/benchmark")
    add = sub.add_argument
    add("log", metavar="LOG", help="folder of the log, or a released Parquet file")
    add("--out", type=Path, required=True, metavar="BENCHMARK", help="folder to write")
    add("--name", help="the benchmark's name; default that of the folder")
    add("--version", type=whole("version", 1), default=1, help="raise it when answers change; default 1")
    add("--seed", type=whole("seed", 0), default=0, help="default 0")
    add("--rivals", action="store_true", help="judge other models beside XGBoost, which takes minutes")
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
    from jointbench.bench.comparing.left_out_runs import left_out_runs
    from jointbench.bench.pages.console import judged_table, show
    from jointbench.bench.pages.fit_page import fit_page
    from jointbench.bench.pages.page import page_html
    from jointbench.bench.pages.report import PAGE
    from jointbench.data.log import EvaluationLog
    from jointbench.surrogate.card import card
    from jointbench.surrogate.croissant import EVALUATIONS
    from jointbench.surrogate.golden import GOLDEN, golden
    from jointbench.surrogate.judging.held_out import PARTITIONS
    from jointbench.surrogate.judging.ingredients import ingredients
    from jointbench.surrogate.judging.judgement import Judgement
    from jointbench.surrogate.judging.rivals import rivals
    from jointbench.surrogate.judging.tables import judged_tables
    from jointbench.surrogate.manifest import checked_name
    from jointbench.surrogate.models import DEFAULT, Settings
    from jointbench.surrogate.publish import CARD
    from jointbench.surrogate.rungs import at_fitted_rungs
    from jointbench.surrogate.student import DISTILLED
    from jointbench.surrogate.surrogate import Surrogate
    from jointbench.surrogate.table import training_table
    from jointbench.surrogate.tuning import tune
    from jointbench.surrogate.whole_folder import check_replaceable

    out: Path = arguments.out
    check_replaceable(out, force=arguments.force)
    log = EvaluationLog.open(arguments.log)
    name = arguments.name or out.resolve().name
    checked_name(name)
    fitted, rungs = at_fitted_rungs(log)
    for sentence in rungs.words(fitted.table(["optimizer"])["optimizer"].unique().to_pylist()):
        say(f"note: {sentence}")
    settings: Settings = DEFAULT if arguments.quick else DISTILLED
    tuning: list[dict[str, object]] = []
    if arguments.tune:
        tuned = tune(training_table(fitted), arguments.tune, arguments.seed)
        settings, tuning = tuned.settings, tuned.rows
        say(f"found by {arguments.tune} trials: {settings}")
    surrogate = Surrogate.fit(
        log,
        name,
        version=arguments.version,
        seed=arguments.seed,
        settings=settings,
        partitions=arguments.partitions or (1 if arguments.quick else PARTITIONS),
    )
    benchmark, held_out = surrogate.benchmark, surrogate.held_out
    rivalled = rivals(held_out, arguments.seed) if arguments.rivals else []
    parts = ingredients(held_out.table, arguments.seed) if arguments.ingredients else []
    judgement = replace(Judgement.of(held_out, arguments.seed), rivals=rivalled, tuning=tuning, ingredients=parts)
    left_out = list(left_out_runs(surrogate, fitted))
    body = fit_page(benchmark, held_out, judgement, left_out, arguments.words)
    files = {
        CARD: card(benchmark, fitted, judgement),
        GOLDEN: golden(benchmark),
        PAGE: page_html(f"{benchmark.name}: how far it can be trusted", body),
    }
    extra = {name: text.encode() for name, text in files.items()} | {EVALUATIONS: fitted.content()}
    surrogate.save(out, extra=extra, force=arguments.force)
    tables = judged_tables(judgement, benchmark.ladder)
    for shown in ("scores", "best", "noise_floor", "targets", "rivals", "tuning", "ingredients"):
        if shown in tables:
            show(judged_table(tables[shown]))
    say(f"{benchmark.name}: fitted to {benchmark.provenance['evaluations']} evaluations, in {out}")
    say(f"how far it can be trusted: {out / PAGE}")
