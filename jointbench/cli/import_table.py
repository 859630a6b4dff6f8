"""`jointbench import`: make a log of a table that others made."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, force, say
from jointbench.cli.values import whole
from jointbench.data.quantities import counted


def add_to(commands: Commands) -> None:
    summary = "Make a log of a table of your own, a row an evaluation: then fit, analyse, compare and publish it."
    example = "import mine.csv --budget epochs --metrics validation_error=val_err,training_seconds=time --out runs/mine"
    sub = commands.add("import", run, summary, example)
    add = sub.add_argument
    add("table", metavar="TABLE", help="a CSV or Parquet file, with names of columns")
    add("--budget", required=True, metavar="COLUMN", help="the column of budgets")
    add(
        "--metrics",
        required=True,
        metavar="NAME=COLUMN,…",
        help="the objective first; of your own with :max behind the column to maximise it, with :0..20 to bound it, "
        "with :fraction for one from 0 to 1, shown in per cent",
    )
    add("--space", metavar="SPACE.json", help="ConfigSpace's JSON, or a space that ships; default inferred")
    add("--hyperparameters", metavar="COLUMN,…", help="those to infer a space from; default all that are nothing else")
    add("--unit", help="of the budget, such as epochs; default the name of its column")
    add("--seed-column", metavar="COLUMN", help="of seeds; default repeated evaluations are numbered")
    add(
        "--status-column",
        metavar="COLUMN[=STATUS]",
        help="how evaluations ended: ok, diverged, out_of_memory, crashed, timeout; or where that is true",
    )
    add("--group", metavar="COLUMN", help="evaluations with the same value are never parted when models are judged")
    add("--skip-bad-rows", type=whole("skip bad rows", 0), default=0, metavar="N", help="leave out up to N; default 0")
    add("--out", type=Path, required=True, metavar="LOG", help="folder of the log, to be written")
    force(sub)


def run(arguments: argparse.Namespace) -> None:
    import jointbench
    from jointbench.bench.calls.importing import SPACE_FILE
    from jointbench.bench.pages.console import WideTable, show

    chosen = arguments.hyperparameters
    made = jointbench.import_table(
        arguments.table,
        arguments.out,
        budget=arguments.budget,
        metrics=arguments.metrics,
        space=arguments.space,
        hyperparameters=None if chosen is None else [name.strip() for name in chosen.split(",")],
        unit=arguments.unit,
        seed_column=arguments.seed_column,
        status_column=arguments.status_column,
        group=arguments.group,
        skip_bad_rows=arguments.skip_bad_rows,
        force=arguments.force,
    )
    log = made.log
    if made.inferred:
        table = made.table("space")
        show(WideTable(table.title, table.headings, table.rows, tuple(table.words), table.spare, table.caption))
        say("inferred from the columns: check types, ranges and scales; where they are wrong, change a copy of")
        say(f"{log.path / SPACE_FILE} and import again with --space COPY --force")
    for sentence in made.notes:
        say(f"note: {sentence}")
    for error in made.left_out:
        say(f"left out: {error}")
    count = len({tuple(e.configuration.items()) for e in made.evaluations})
    objective = log.task.objective
    goal = "maximised" if objective.maximize else "minimised"
    found = f"{counted(len(made.evaluations), 'evaluation')} of {counted(count, 'configuration')}"
    say(f"{found} in {log.path}; {objective.name} is {goal}")
    between = ", and anywhere between" if log.ladder.continuous else ""
    say(f"budgets: {log.ladder.amounts()}{between}")
    say(f"next: jointbench fit {log.path} --out BENCHMARK")
