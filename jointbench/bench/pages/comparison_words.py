"""What a page says of a comparison, by the kind of objective that it was made on."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import escape

from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.pages.templates import fill
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import VALIDATION_ERROR, Metric
from jointbench.data.numbers import readable
from jointbench.optimizers import works_on
from jointbench.optimizers.registry import ships


@dataclass(frozen=True)
class Words:
    """HTML, but for `title` and `clock`.

    `searched`: what the optimizers search on, with which workers and budgets; `judged`: which error is drawn;
    `title`: the same in a line, over the table in the terminal; `clock`: the name of the time axis.
    """

    searched: str
    judged: str
    title: str
    clock: str


def called(metric: Metric) -> tuple[str, str]:
    """One value of it, and several; of images the validation error is the error for short."""
    return ("error", "errors") if metric == VALIDATION_ERROR else (metric.label, metric.labels)


def words(settings: Settings) -> Words:
    name, images = (
        fill("<b>{{ name }}</b>", name=settings.name),
        escape(settings.images.name if settings.images else ""),
    )
    budgets = f"{settings.full_budgets:.4g} full budgets of {settings.ladder.amount(settings.ladder.maximum)}"
    spent = budgets
    if settings.time is not None:
        spent = f"{settings.time:,g} seconds of wall-clock time, in which random search spends about {budgets}"
    simulated = f"each with {_workers(settings, 'simulated worker')} and {spent}"
    after = "" if settings.time is None else f" after {settings.time:,g} seconds"
    objective = settings.compared_by
    quality, qualities = called(objective)
    noise = f"An optimizer picks it by the noisy {qualities} that it has seen; "
    if settings.box:
        quality, qualities = "hypervolume of what they are", "hypervolumes of fronts"
        noise = "An optimizer picks them by the noisy values that it has seen; "
    one, evaluated = (
        ("evaluation", "evaluations") if settings.images is None else ("training", f"trainings on {images}")
    )
    if settings.objective == "surrogate":
        return Words(
            f"on {name}, a surrogate of {evaluated}, {simulated}",
            f"{noise}the plot shows the {quality} {'' if settings.box else 'that it is '}expected to reach at the "
            "largest budget, without noise",
            f"{qualities} without noise, at the largest budget{after}; medians over seeds",
            "simulated wall-clock time",
        )
    if settings.objective == "replay":
        return Words(
            f"on {name}, a log of {evaluated} that is replayed: every proposal is answered with the logged "
            f"{one} that is nearest to it at the same budget; {simulated}",
            f"{noise}the plot shows the {'hypervolume of the means' if settings.box else f'mean {quality}'} of the "
            f"logged {one}s nearest to {'them' if settings.box else 'it'} at the largest budget",
            f"mean {qualities} of logged {one}s at the largest budget{after}; medians over seeds",
            "simulated wall-clock time",
        )
    if settings.objective == "known":
        return Words(
            f"on {name}, where the truth is known, {simulated}",
            f"{noise}the plot shows the true {objective.label if settings.box else quality} at the largest budget, the "
            "mean over the seeds of a table",
            f"true {qualities} at the largest budget{after}; medians over seeds",
            "simulated wall-clock time",
        )
    return Words(
        f"by real trainings on {images}, each with {_workers(settings, 'worker')} and {budgets}",
        f"{noise}what it reaches without noise is not known. The one that looked best was partly lucky, so the "
        "validation errors on this page are too low on average; <code>jointbench retrain</code> says by how much. The "
        "plot shows the mean error of the run's trainings of it at the largest budget, or the largest at which the run "
        "has trained it",
        "mean errors of a run's own trainings of its incumbent; medians over seeds",
        "wall-clock time of trainings",
    )


def incumbent_words(settings: Settings) -> str:
    """Which configuration an optimizer would recommend, and why that one."""
    objective = settings.metrics[0]
    if settings.box:
        on = "on any budget" if settings.incumbent == "any-budget" else "at the largest budget so far"
        return (
            f"those of which it has seen no other that is at least as good in every objective and better in one, {on}."
        )
    if settings.incumbent == "any-budget":
        return (
            f"the one with the {'highest' if objective.maximize else 'lowest'} {escape(objective.label)} that it has "
            "seen on any budget. (By HpBandSter's rule, a larger "
            "budget always wins, and with its first answer the incumbent can leap to a configuration that nobody would "
            "recommend: <code>--incumbent largest-budget</code>.)"
        )
    return (
        f"by HpBandSter's rule the best that it has seen at the largest budget so far, so that its "
        f"{escape(called(objective)[0])} can leap whenever a larger budget gives its first answer. "
        "(<code>--incumbent any-budget</code> is the default)."
    )


def first_words(settings: Settings) -> str:
    """With what optimizers began, where it is not what they propose by themselves."""
    if settings.first == "own":
        return ""
    values = ", ".join(f"{name} {readable(value)}" for name, value in settings.first_values.items())
    return f" The first trial of each has an expert's hyperparameters ({values}), as two-stage's first stage has."


def one_rung_words(optimizers: Iterable[str], ladder: Ladder) -> str:
    """What became of optimizers that compare budgets where there is one; empty where there is no such optimizer."""
    # What a person's own file is, whoever wrote it knows.
    several = [name for name in optimizers if ships(name) and not works_on(name, ladder)]
    if not several:
        return ""
    return (
        f"{', '.join(several)}: {ladder.amount(ladder.maximum)} is the only budget, and they are their one-rung forms, "
        "which propose at it as they do at the first of a bracket: hyperband and asha at random, bohb by its densities."
    )


def _workers(settings: Settings, word: str) -> str:
    return f"{settings.workers:,} {word}" + ("" if settings.workers == 1 else "s")


def _seconds(number: float) -> str:
    return f"{number:g} second" + ("" if number == 1 else "s")


def shown_settings(settings: Settings) -> list[tuple[str, str]]:
    """Names and values as the rows of a table."""
    images, ladder = settings.images, settings.ladder
    shown = "none"
    if images is not None:
        counts = f"{images.training:,} for training, {images.validation:,} for validation, {images.test:,} for test"
        shown = f"{images.name}: {counts} (split seed {images.split_seed})"
    overhead = settings.overhead
    rows = [
        ("objective", settings.objective),
        ("source", settings.source),
        ("checksum", settings.checksum),
        ("space", settings.space),
        ("budgets", ladder.amounts()),
        ("images", shown),
        ("workers", f"{settings.workers:,}"),
        ("wall-clock time", "-" if settings.time is None else f"{settings.time:,g} simulated seconds"),
        ("full budgets", f"{settings.full_budgets:.4g}" + ("" if settings.time is None else " by random search")),
        ("objectives", ", ".join(metric.name for metric in settings.objectives)),
        ("incumbent", settings.incumbent),
        ("first trial", settings.first),
        ("overhead charged", overhead if isinstance(overhead, str) else f"{_seconds(overhead)} a trial"),
        ("deaths of a worker", f"{settings.death_rate:g} an hour"),
        ("code", settings.code),
    ]
    simulated_only = ("overhead charged", "deaths of a worker", "checksum", "wall-clock time")
    return [row for row in rows if settings.objective != "training" or row[0] not in simulated_only]
