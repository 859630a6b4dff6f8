"""`jointbench leaderboard`: a board of optimizers whose runs were made again before they came there."""

import argparse
from pathlib import Path

from jointbench.cli.command import Commands, say
from jointbench.cli.values import names, whole


def add_to(commands: Commands) -> None:
    summary = "Keep a board of optimizers, each of whose runs was made again before it came there; build its page."
    sub = commands.add("leaderboard", run, summary, "leaderboard add board runs/compare", answers=True)
    actions = Commands(sub, "what", required=True)
    summary = (
        "Make the runs of comparisons again, and add them to a board if they come out to the bit: all or none. Runs "
        "the code of the optimizers that are submitted."
    )
    more = actions.add("add", run_add, summary, "leaderboard add board runs/compare")
    add = more.add_argument
    add("board", type=Path, metavar="DIR", help="folder of the board; made by the first submission")
    add(
        "submissions",
        nargs="+",
        type=Path,
        metavar="SUBMISSION",
        help="folder of a comparison (also over tasks), or an entry of another board; an optimizer's own file lies in "
        "it, or where it was",
    )
    add(
        "--optimizers",
        type=names("optimizers"),
        metavar="NAME[,NAME...]",
        help="which of the comparison's; default all",
    )
    add("--name", metavar="NAME", help="what the board calls the one that is added; default as tables do")
    add(
        "--fifth",
        action="store_true",
        help="make a fifth of the runs again, drawn by lot, at least one an optimizer and task; default all",
    )
    add("--new-tasks", action="store_true", help="take tasks that the board has not, too")
    add("--jobs", type=whole("jobs", 1), help="processes; default one a core")
    summary = "Write a board's page, index.html, and its numbers as CSV files into its folder."
    actions.add("build", run_build, summary, "leaderboard build board").add_argument(
        "board", type=Path, metavar="DIR", help="folder of the board"
    )


def run(arguments: argparse.Namespace) -> None:
    """Never without one of its own commands, which the parser asks for."""


def run_add(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls import leaderboard
    from jointbench.cli.displays import StagesDisplay

    with StagesDisplay(arguments.quiet) as display:
        made = leaderboard.add(
            arguments.board,
            arguments.submissions,
            optimizers=arguments.optimizers,
            name=arguments.name,
            fifth=arguments.fifth,
            new_tasks=arguments.new_tasks,
            jobs=arguments.jobs,
            progress=display,
        )
    for sentence in made.sentences:
        say(sentence)
    say(f"its page: jointbench leaderboard build {arguments.board}")


def run_build(arguments: argparse.Namespace) -> None:
    from jointbench.bench.calls import leaderboard
    from jointbench.bench.pages.console import WideTable, show

    made = leaderboard.build(arguments.board)
    table = made.table("standings")
    show(WideTable(table.title, table.headings, table.rows, tuple(table.words), table.spare, table.caption))
    say(f"the page, with its numbers beside it: {made.page}")
