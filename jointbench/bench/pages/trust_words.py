"""How far a comparison on a surrogate can be trusted, in words: under its lead, on the page and on the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jointbench.bench.comparing.as_trained import as_trained
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.comparing.extrapolation import extrapolation, modelled
from jointbench.bench.comparing.its_benchmark import its_benchmark
from jointbench.bench.comparing.judged import judged, judged_verdict
from jointbench.bench.comparing.nearest import nearest
from jointbench.bench.comparing.summary import Row
from jointbench.bench.pages.comparison_words import called
from jointbench.bench.pages.templates import fill, with_code
from jointbench.data.metrics import Metric
from jointbench.data.quantities import counted, listed
from jointbench.surrogate.judging.verdict import CARE, NOT, USABLE, Verdict, off_among_best


def verdict_box(name: str, found: Verdict, warning: str = "") -> str:
    """The verdict on a benchmark as a paragraph of HTML; `warning`: what follows from it, a sentence."""
    kind = {USABLE: "well", CARE: "care", NOT: "refused"}[found.word]
    return fill(
        '<p class="judged {{ kind }}"><b>{{ name }} is {{ word }}.</b> {{ warning }}{{ reasons }}</p>',
        kind=kind,
        name=name,
        word=found.word,
        warning=warning,
        reasons=f"{found.reasons[0].upper()}{found.reasons[1:]}.",
    )


def judged_box(name: str, found: Verdict | None) -> list[str]:
    """At the top of every page of a comparison on a surrogate that is not usable, or with care; HTML."""
    if found is None or found.word == USABLE:
        return []
    warning = "Nothing below says which optimizer is better. " if found.word == NOT else ""
    return [verdict_box(name, found, warning)]


def judged_line(folder: Path) -> str:
    """The same on the terminal, above everything; empty where there is nothing to say."""
    found = judged_verdict(folder)
    if found is None or found.word == USABLE:
        return ""
    return f"{Settings.read(folder).name} is {found.sentence}"


def trust_html(folder: Path, table: Sequence[Row]) -> list[str]:
    """The sentences of `trust_words` as a paragraph."""
    said = with_code(" ".join(trust_words(folder, table)))
    return [f"<p>{said}</p>"] if said else []


def trust_words(folder: Path, table: Sequence[Row]) -> list[str]:
    """Sentences of plain text: how large the surrogate's error is beside the differences shown, how far the incumbents
    lie from its trainings, and what decides. `table` as `summary` gives it, the best first; empty where no surrogate
    answered.
    """
    settings = Settings.read(folder)
    if settings.objective != "surrogate":
        return []
    if not modelled(settings):
        known = listed([metric.labels for metric in settings.objectives])
        return [f"{known[0].upper()}{known[1:]} follow from a configuration by arithmetic, and are no surrogate's."]
    said = [*_error_words(folder, table), *_distance_words(folder), *_doubt_words(folder)]
    if settings.images is None:
        # No network of ours, which `jointbench retrain` could train.
        return said
    return [*said, _retrain_words(settings)]


def _error_words(folder: Path, table: Sequence[Row]) -> list[str]:
    known, settings = judged(folder), Settings.read(folder)
    found = None if known is None else off_among_best(settings.ladder, known.best)
    compared = modelled(settings)
    whose = f"The {_named(compared)} are a surrogate's{_fitted_words(settings)}"
    if found is None or known is None:
        return [f"{whose}, and how wrong it is among the best configurations has not been judged."]
    share, row = found
    # What a benchmark is judged by is its own objective, whatever is compared on it.
    objective = settings.task.by_name[known.objective]

    def shown(value: float, decimals: int = 1) -> str:
        return f"{100 * value:.{decimals}f}" if objective.fraction else objective.shown(value)

    points = " percentage points" if objective.fraction else ""
    # What is judged are losses.
    direction = "high" if (row["bias"] > 0) != objective.maximize else "low"
    predictions = "predictions" if compared == [objective] else f"predictions of {objective.labels}"
    line = (
        f"{whose}. Its {predictions} for the best {share} of the configurations that it had not "
        f"seen are off by {shown(row['off'])}{points} in the median and too {direction} by {shown(abs(row['bias']))} "
        f"on average{_order_words(row)}"
    )
    if len(table) < 2 or settings.compared_by != objective:
        # Errors and what is compared have no common scale.
        return [f"{line}."]
    first, second = table[0], table[1]
    apart = abs(second.value - first.value)
    line += f"; the best two optimizers, {first.optimizer} and {second.optimizer}, differ by {shown(apart, 2)}"
    if apart < row["off"]:
        return [f"{line}, which is less: real trainings may order them otherwise."]
    return [f"{line}, which is more."]


def _fitted_words(settings: Settings) -> str:
    """To how many evaluations it was fitted, where that is known."""
    benchmark = its_benchmark(settings)
    fitted = 0 if benchmark is None else benchmark.provenance.get("evaluations", 0)
    one = "evaluation" if settings.images is None else "training"
    return f", fitted to {counted(fitted, one)}" if fitted else ""


def _order_words(row: Mapping[str, Any]) -> str:
    """Where the order of these few may as well be guessed: that, as a clause."""
    rho, low, high = (row.get(name) for name in ("spearman", "spearman_low", "spearman_high"))
    if rho is None or low is None or high is None or low > 0:
        return ""
    return (
        f", and whether it orders these {row['n']:,} rightly is not known (Spearman {rho:.2f}, 95 % interval {low:.2f} "
        f"to {high:.2f})"
    )


def _retrain_words(settings: Settings) -> str:
    line = "`jointbench retrain` trains what the optimizers found for real, and decides"
    benchmark = its_benchmark(settings)
    made = {} if benchmark is None else benchmark.provenance
    options = as_trained(made.get("clocks", ()), made.get("precisions", ()))
    return f"{line}; with `{options}`, as the surrogate's trainings were." if options else f"{line}."


def _distance_words(folder: Path) -> list[str]:
    found = nearest(folder)
    if found is None:
        return []
    ladder = Settings.read(folder).ladder
    return [
        f"The incumbents lie {found.median:.2f} (median) from the nearest configuration that was trained for "
        f"{ladder.amount(ladder.maximum)}, where each hyperparameter runs from 0 to 1; random configurations lie "
        f"{found.random:.2f} away" + (": where the optimizers end, little was trained." if found.far else ".")
    ]


def _doubt_words(folder: Path) -> list[str]:
    found = extrapolation(folder)
    if not found:
        return []
    objective = found[0].objective
    shown = objective.shown
    each = ", ".join(f"{row.optimizer} {shown(row.median)}" for row in found)
    return [
        f"What the surrogate does not know of the incumbents' {_named([objective])}, one standard deviation: {each}; "
        f"of random configurations' {shown(found[0].random)}."
    ]


def _named(metrics: Sequence[Metric]) -> str:
    """What several values of them are called; validation errors alone are the errors."""
    return called(metrics[0])[1] if len(metrics) == 1 else listed([metric.labels for metric in metrics])
