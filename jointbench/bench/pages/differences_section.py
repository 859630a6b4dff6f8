"""Whether the differences of a comparison are real: ranks, paired tests, and which optimizers cannot be told apart."""

from collections.abc import Mapping, Sequence

from jointbench.bench.comparing.statistics import LEVEL, Omnibus, Pair, groups, seeds_needed
from jointbench.bench.comparing.summary import Row
from jointbench.bench.drawing.palette import Style
from jointbench.bench.pages.page import table_html
from jointbench.bench.pages.probability import probability
from jointbench.bench.pages.rank_diagram import rank_diagram
from jointbench.data.quantities import counted


def differences_section(
    rows: Sequence[Row],
    tested: Sequence[Pair],
    seeds: int,
    look: Mapping[str, Style],
    asked: Omnibus | None = None,
    looks: int = 1,
) -> list[str]:
    """Nothing where there is one optimizer; `seeds`: how many all optimizers share; `looks`: how often the comparison
    may have been looked at before it was decided."""
    if len(rows) < 2:
        return []
    ranks = {row.optimizer: row.rank for row in rows if row.rank is not None}
    if not ranks:
        return ["<h2>Is the difference real?</h2>", "<p>So far the optimizers have no seed in common.</p>"]
    shared, objective = counted(seeds, "seed"), rows[0].objective
    return [
        "<h2>Is the difference real?</h2>",
        f"<p>Mean ranks over the {shared} that all optimizers share. A bar joins optimizers that cannot be told apart: "
        f"no pair among them differs by a paired Wilcoxon signed-rank test of the final {objective.labels} at "
        f"{LEVEL / looks:.2g}, after Holm's correction over all pairs.{_asked(asked)}{_repeated(looks)}"
        f"{_power(tested)}</p>",
        f'<div class="wide">{rank_diagram(ranks, groups(list(ranks), tested), look, "mean ranks")}</div>',
        "<details><summary>All pairs</summary>",
        table_html(
            ("pair", "seeds", "median difference", "p", "after Holm"),
            [
                (
                    f"{pair.first} / {pair.second}",
                    str(pair.seeds),
                    objective.shown_difference(pair.difference),
                    probability(pair.p),
                    probability(pair.corrected) + (" *" if pair.significant else ""),
                )
                for pair in tested
            ],
        ),
        "</details>",
    ]


def _asked(asked: Omnibus | None) -> str:
    """What the test of all together says, before the pairs."""
    if asked is None:
        return ""
    found = "so pairs may differ" if asked.significant else "so no pair is said to differ"
    return (
        f" Before the pairs, Friedman's test asks whether any of {len(asked.optimizers)} differ on {asked.seeds} seeds "
        f"(in Iman and Davenport's form): p = {asked.p:.2g}, {found}."
    )


def _repeated(looks: int) -> str:
    """Why the level is lower where seeds were added until the comparison was decided."""
    if looks == 1:
        return ""
    return (
        f" Seeds were added until the best three were decided, in up to {looks} looks. Each look tests at {LEVEL:g} / "
        f"{looks}, so that all of them together err as seldom as one would: Bonferroni's correction (Dunn 1961, "
        "Multiple comparisons among means)."
    )


def _power(tested: Sequence[Pair]) -> str:
    """A warning where the seeds are too few for any difference to show."""
    needed = seeds_needed(len(tested), min(pair.level for pair in tested))
    if any(pair.seeds >= needed for pair in tested):
        return ""
    return f" So few seeds cannot show a difference: with {counted(len(tested), 'pair')} it takes at least {needed}."
