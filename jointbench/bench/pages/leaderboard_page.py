"""The page of a leaderboard: who stands where, by task and by what was spent, and how each entry is made again."""

import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from jointbench.bench.comparing.across_tasks import TaskRuns
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.leaderboard_folder import ENTRIES, Entry
from jointbench.bench.comparing.leaderboard_runs import SPENT, LeaderboardRuns, Place, versions_of
from jointbench.bench.comparing.statistics import omnibus, pairs
from jointbench.bench.comparing.summary import rows
from jointbench.bench.comparing.trajectories import final_losses
from jointbench.bench.drawing.palette import Style, styles
from jointbench.bench.pages.differences_section import differences_section
from jointbench.bench.pages.page import figure_html, script, table_html
from jointbench.bench.pages.tasks_page import differences, fallbacks, lead, rank_figure, regret_figure
from jointbench.bench.pages.templates import fill
from jointbench.bench.pages.verdict import verdict
from jointbench.data.quantities import counted
from jointbench.data.visible import visible_name
from jointbench.optimizers.options import split_name

#: Of the tables, in the files beside the page too.
HEADINGS = ("optimizer", "place", "regret", "95 % interval", "mean rank", "95 % interval of the rank", "tasks won")
VERSIONS = ("made again", "benchmark", "code")
TASK_HEADINGS = ("optimizer", "place", "final", "regret", "95 % interval", "mean rank", *VERSIONS)

#: More names than these in a cell are counted instead.
_FEW = 3


def leaderboard_page(board: LeaderboardRuns, files: Sequence[str]) -> list[str]:
    """The body of the page; `files`: those beside it that hold its numbers."""
    look = styles([entry.name for entry in board.entries])
    return [
        script(),
        "<h1>Leaderboard</h1>",
        f'<p class="lead">{_lead(board)}</p>',
        fill(
            '<p class="note">The runs of an entry are made again before it comes here (all of them, or as many as it '
            "says) and have to come out to the bit. JointBench {{ version }}, code {{ code }}; {{ seeds }} an "
            "optimizer and task. The numbers: {{ links }}.</p>",
            version=board.rules.version,
            code=board.rules.code[:12],
            seeds=counted(board.rules.seeds, "run"),
            links=Markup(", ").join(fill('<a href="{{ name }}">{{ name }}</a>', name=name) for name in files),
        ),
        *_standings(board, look),
        *_differences(board, look),
        *_over_time(board, look),
        *_by_spending(board, look),
        *(["<h2>Task by task</h2>"] if len(board.tasks) > 1 else []),
        *[part for task in board.tasks.values() if len(board.tasks) > 1 for part in _task(board, task, look)],
        *_entries(board, look),
        "<h2>The rules</h2>",
        "<p>Who stands here has run with the seeds and the settings of the board on a task, none picked and none left "
        "out, with the code and the benchmark of these versions. Its runs are made again from its name, or from its "
        "file, which lies beside them: read it, since a run can show what an optimizer did, and not why. The rules of "
        'this board stand in <a href="leaderboard.json">leaderboard.json</a>.</p>',
        "<p>Regret is normalised: 0 is the optimum of a task (where nobody knows it, the best that any entry ever "
        "had), 1 what a random configuration has in the median and all that is worse. Means over seeds, then over "
        "tasks, each of which counts once.</p>",
        fill(
            "<pre>{{ commands }}</pre>",
            commands="# your comparison, made again and added\n"
            "jointbench leaderboard add BOARD runs/mine\n"
            "jointbench leaderboard build BOARD\n"
            "# all runs of this board, made again\n"
            "jointbench leaderboard add runs/again BOARD/entries/*",
        ),
    ]


def _lead(board: LeaderboardRuns) -> str:
    across = board.across
    if across is None:
        return "No entry has run on all tasks; task by task they stand below."
    if len(across.tasks) > 1:
        return fill("{{ said }}", said=lead(across))
    (task,) = across.tasks
    first, *_ = board.places_over_all()
    low, high = first.interval
    said = (
        f"{counted(len(across.optimizers), 'optimizer')} on {task.name}. {first.optimizer} has the lowest normalised "
        f"regret, {first.regret:.3f} ({low:.3f} to {high:.3f})."
    )
    errors = final_losses(task.runs)
    return fill("{{ said }} {{ sure }}", said=said, sure=verdict(rows(task.runs), pairs(errors), omnibus(errors)))


def _standings(board: LeaderboardRuns, look: Mapping[str, Style]) -> list[str]:
    if len(board.tasks) == 1:
        (task,) = board.tasks.values()
        return _task(board, task, look)
    found = [f"<h2>Over {counted(len(board.tasks), 'task')}</h2>"]
    found += [table_html((*HEADINGS, *VERSIONS), standing_rows(board), look)] if board.across else []
    if lacking := [entry for entry in board.entries if board.missing(entry)]:
        said = "; ".join(f"{entry.name} has no runs on {_few(board.missing(entry))}" for entry in lacking)
        found.append(fill('<p class="note">Not among them: {{ said }}.</p>', said=said))
    if board.across:
        found += [fill('<p class="note">{{ said }}</p>', said=said) for said in fallbacks(board.across)]
    return found


def standing_rows(board: LeaderboardRuns) -> list[tuple[str, ...]]:
    """Below HEADINGS and VERSIONS."""
    across, entries = board.across, {entry.name: entry for entry in board.entries}
    if across is None:
        return []
    winners = [across.winner(place) for place in range(len(across.tasks))]
    return [
        (*_place_cells(one), str(winners.count(one.optimizer)), *version_cells(board, entries[one.optimizer]))
        for one in board.places_over_all()
    ]


def _place_cells(one: Place) -> tuple[str, ...]:
    return (
        one.optimizer,
        str(one.place),
        f"{one.regret:.4f}",
        "{:.4f} to {:.4f}".format(*one.interval),
        f"{one.rank:.2f}",
        "{:.2f} to {:.2f}".format(*one.rank_interval),
    )


def version_cells(board: LeaderboardRuns, entry: Entry, task: str | None = None) -> tuple[str, str, str]:
    """How many of an entry's runs were made again, on which benchmarks, with which code; on one task or all."""
    tasks = [task] if task else [name for name in board.tasks if name in entry.tasks]
    again = sum(len(entry.tasks[name].seeds) for name in tasks)
    benchmarks = [board.tasks[name].settings.name for name in tasks]
    shown = benchmarks[0] if len(benchmarks) == 1 else f"{len(benchmarks)}, below"
    return f"{again} of {board.rules.seeds * len(tasks)}", shown, code_words(board)


def code_words(board: LeaderboardRuns) -> str:
    return f"{board.rules.version} ({board.rules.code[:7]})"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _FEW else f"{len(names)} tasks"


def _differences(board: LeaderboardRuns, look: Mapping[str, Style]) -> list[str]:
    if board.across is None:
        return []
    if len(board.across.tasks) > 1:
        return differences(board.across, look)
    (task,) = board.across.tasks
    errors = final_losses(task.runs)
    return differences_section(rows(task.runs), pairs(errors), len(task.seeds), look, omnibus(errors))


def _over_time(board: LeaderboardRuns, look: Mapping[str, Style]) -> list[str]:
    across = board.across
    if across is None:
        return []
    over = "seeds" if len(across.tasks) == 1 else "seeds and tasks"
    return [
        "<h2>Over time</h2>",
        "<p>Over the share of the simulated time that runs of a task have.</p>",
        '<div class="two">',
        f"<div><p>Normalised regret, mean over {over}.</p>{figure_html(regret_figure(across, look), 420)}</div>",
        f"<div><p>Mean rank over {over}, 1 the best.</p>{figure_html(rank_figure(across, look), 420)}</div>",
        "</div>",
    ]


def _by_spending(board: LeaderboardRuns, look: Mapping[str, Style]) -> list[str]:
    if board.across is None:
        return []
    by_share = [{one.optimizer: one for one in board.places_over_all(share)} for share in SPENT]
    cells = [
        (one.optimizer, *(f"{at[one.optimizer].regret:.4f} ({_ordinal(at[one.optimizer].place)})" for at in by_share))
        for one in board.places_over_all()
    ]
    return [
        "<h2>By what was spent</h2>",
        "<p>Normalised regret, and the place by it, when runs have spent a share of what they may: of their simulated "
        "time, or, on tasks where runs end by their budgets, of these.</p>",
        table_html(("optimizer", *map(share_words, SPENT)), cells, look),
    ]


def share_words(share: float) -> str:
    return "all" if share == 1 else f"1/{round(1 / share)}"


def _ordinal(place: int) -> str:
    end = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{end}"


def _task(board: LeaderboardRuns, task: TaskRuns, look: Mapping[str, Style]) -> list[str]:
    objective, settings = task.settings.metrics[0], task.settings
    headings = (*TASK_HEADINGS[:2], f"final {objective.label}", *TASK_HEADINGS[3:])
    known = "the optimum is" if task.known else "the best that any entry had is"
    best = objective.shown(float(objective.losses(task.best)))
    return [
        *([fill("<h3>{{ name }}</h3>", name=task.name)] if len(board.tasks) > 1 else []),
        fill(
            "<p>{{ stop }} on {{ workers }}; {{ known }} {{ best }}. Final values are medians over "
            "{{ seeds }}, regrets means: 0 is the best, 1 a random configuration.</p>",
            stop=stop_words(settings),
            workers=counted(settings.workers, "simulated worker"),
            known=known,
            best=best,
            seeds=counted(len(task.seeds), "seed"),
        ),
        table_html(headings, task_cells(board, task), look),
    ]


def task_cells(board: LeaderboardRuns, task: TaskRuns) -> list[tuple[str, ...]]:
    """Below TASK_HEADINGS."""
    entries, objective = {entry.name: entry for entry in board.entries}, task.settings.metrics[0]
    found = list[tuple[str, ...]]()
    for one in board.places_on(task.name):
        name, place, regret, interval, rank, _ = _place_cells(one)
        final = objective.shown(final_value(task, name))
        found.append((name, place, final, regret, interval, rank, *version_cells(board, entries[name], task.name)))
    return found


def final_value(task: TaskRuns, optimizer: str) -> float:
    """The median over seeds of the final incumbent's objective."""
    return float(np.median([run.values[-1] for run in task.runs[optimizer]]))


def stop_words(settings: Settings) -> str:
    if settings.time is None:
        return f"{settings.full_budgets:g} full budgets a run"
    return f"{settings.time:,g} simulated seconds a run"


def _entries(board: LeaderboardRuns, look: Mapping[str, Style]) -> list[str]:
    cells = []
    for entry in board.entries:
        folder = f"{ENTRIES}/{quote(visible_name(entry.name))}"
        code = Markup("ships") if not entry.code else fill("{{ code }}", code=entry.code)
        if entry.file is not None:
            link = fill('<a href="{{ folder }}/{{ file }}">{{ file }}</a>', folder=folder, file=entry.file.name)
            code = link + fill(", code {{ code }}", code=entry.code[:7])
        runs = fill('<a href="{{ at }}/">runs</a>', at=folder)
        cells.append((entry.name, entry.optimizer.rpartition(".py:")[2], code, runs))
    commands = [again for entry in board.entries for again in commands_of(board, entry)]
    return [
        "<h2>The entries</h2>",
        table_html(("entry", "optimizer", "its code", "kept"), cells, look, kind="words"),
        *[fill('<p class="note">{{ said }}</p>', said=said) for said in _made_with(board)],
        "<details><summary>The commands that make them again</summary>",
        fill("<pre>{{ commands }}</pre>", commands="\n".join(commands)),
        "</details>",
    ]


def _made_with(board: LeaderboardRuns) -> list[str]:
    """With which versions runs were made again; a sentence for each set of them."""
    names: dict[str, list[str]] = {}
    for entry in board.entries:
        said = ", ".join(f"{of} {version}" for of, version in versions_of(entry).items())
        names.setdefault(said, []).append(entry.name)
    whole = len(names) == 1
    return [f"{'All' if whole else ', '.join(those)} made again with {said}." for said, those in names.items()]


def commands_of(board: LeaderboardRuns, entry: Entry) -> list[str]:
    """Which make an entry's runs, in the folder of the board: one a task."""
    return [
        command_of(board.tasks[name].settings, optimizer_here(entry), board.rules.seeds)
        for name in board.tasks
        if name in entry.tasks
    ]


def optimizer_here(entry: Entry) -> str:
    """Its name as it is called in the folder of the board."""
    return entry.optimizer if entry.file is None else f"{ENTRIES}/{visible_name(entry.name)}/{entry.optimizer}"


def command_of(settings: Settings, optimizer: str, seeds: int) -> str:
    """Which makes runs with these settings."""
    words = ["jointbench", "compare"]
    words += ["--objective", settings.source] if settings.objective == "replay" else [settings.source]
    words += ["--optimizers", optimizer, "--seeds", str(seeds), "--workers", str(settings.workers)]
    words += (
        ["--full-budgets", repr(settings.full_budgets)] if settings.time is None else ["--time", repr(settings.time)]
    )
    if settings.incumbent != "any-budget":
        words += ["--incumbent", settings.incumbent]
    if settings.first != "own":
        words += ["--first", settings.first]
    if settings.overhead:
        words += ["--charge-overhead", str(settings.overhead)]
    if settings.death_rate:
        words += ["--death-rate", str(settings.death_rate)]
    label = split_name(optimizer)[0].rpartition(":")[2]
    return shlex.join([*words, "--out", f"runs/{label}"])
