"""`jointbench analyse`: the paper's figures and tables, and more, of a log, a benchmark or a comparison."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from jointbench.cli.command import Commands, say
from jointbench.cli.values import formats

if TYPE_CHECKING:
    from jointbench.bench.calls.analysing import Analysis


def add_to(commands: Commands) -> None:
    summary = "Say what a log, a benchmark or a comparison shows: the paper's figures and tables, and more, as a page."
    sub = commands.add("analyse", run, summary, "analyse digits-cpu --out runs/analysis")
    add = sub.add_argument
    add(
        "source",
        metavar="LOG|BENCHMARK|COMPARISON",
        help="folder of a log, a benchmark or a comparison, a released log, or a benchmark that ships",
    )
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the page, the figures and the tables; default `analysis` in the source's folder, or "
        "`NAME-analysis` here for what ships with JointBench; files of the same names are replaced",
    )
    add(
        "--format",
        type=formats,
        metavar="svg,pdf,png,csv,latex",
        help="figures as svg, pdf or png, tables as csv or latex, beside the page; default all",
    )
    add(
        "--configuration",
        metavar="NAME|FILE.json",
        help="a configuration, such as zela-2018, whose difference from the average is shared out among its "
        "hyperparameters",
    )
    add(
        "--retrainings",
        type=paths,
        default=[],
        metavar="LOG,...",
        help="logs of trainings of the reference networks, for Table 2",
    )
    add(
        "--claims",
        choices=("nago",),
        help="instead of all that, how the claims of a paper come out on this evidence: nago, Ru et al. 2020, of "
        "generators",
    )
    add("--beside", metavar="LOG|BENCHMARK", help="for --claims: evidence of another space, such as rnag-small")
    add(
        "--fronts",
        type=Path,
        metavar="COMPARISON",
        help="for --claims: a comparison on the benchmark for several objectives",
    )


def paths(text: str) -> list[str]:
    """Separated by commas, as they are typed."""
    return text.split(",")


def run(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls.analysing import PAGE, analyse, default_folder, default_formats
    from jointbench.bench.calls.files import FIGURES

    out: Path = arguments.out or default_folder(arguments.source)
    made = analyse(
        arguments.source,
        out=out,
        formats=arguments.format,
        configuration=arguments.configuration,
        retrainings=arguments.retrainings,
        claims=arguments.claims,
        beside=arguments.beside,
        fronts=arguments.fronts,
    )
    if arguments.claims is None:
        for sentence in made.findings:
            say(sentence)
    else:
        _say_claims(made)
    if arguments.format is None and not set(FIGURES) & set(default_formats()):
        say("note: figures as files need kaleido: pip install 'jointbench[export]'")
    say(f"the page, with its figures and tables beside it: {out / PAGE}")


def _say_claims(made: "Analysis") -> None:
    """Each with its tables, and what cannot be told."""
    say(made.about)
    for exhibit in made.exhibits:
        for sentence in filter(None, [exhibit.finding, *exhibit.missing]):
            say(f"\n{sentence}")
        for table in exhibit.tables:
            say(f"\n{made.table(table.name)}")
