"""A judgement in words and tables: the same on the terminal, in the card and on the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from jointbench.data.ladder import Ladder
from jointbench.surrogate.judging.held_out import FOLDS
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.leave_out import PARTS
from jointbench.surrogate.judging.noise_floor import FEWEST
from jointbench.surrogate.judging.perfect import WORLDS
from jointbench.surrogate.judging.scores import Row
from jointbench.surrogate.judging.targets import targets
from jointbench.surrogate.judging.verdict import in_words, objective_in
from jointbench.surrogate.luck_shape import LEVELS


@dataclass(frozen=True)
class JudgedTable:
    """`words` say what is shown and what follows; every row has as many cells as there are headings."""

    title: str
    words: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


_SCORES = {
    "R2": "r2",
    "RMSE": "rmse",
    "Kendall": "kendall",
    "sparse Kendall": "sparse_kendall",
    "Spearman": "spearman",
    "regret of the best": "regret",
}

#: Of these, those in the unit of what is predicted.
_IN_ITS_UNIT = ("rmse", "regret")


def judged_tables(judgement: Judgement, ladder: Ladder) -> dict[str, JudgedTable]:
    """By the names of `Judgement`'s fields, in the order in which a reader needs them; none that would be empty."""
    makers: dict[str, Callable[[Judgement, Ladder], JudgedTable]] = {
        "targets": _targets,
        "scores": _scores,
        "best": _best,
        "noise_floor": _noise_floor,
        "luck": _luck,
        "doubts": _doubts,
        "promises": _promises,
        "leave_one_out": _leave_one_out,
        "rung_correlations": _rung_correlations,
        "failures": _failures,
        "costs": _costs,
        "learning_curve": _learning_curve,
        "baselines": _baselines,
        "tuning": _tuning,
        "ingredients": _ingredients,
    }
    made = {name: make(judgement, ladder) for name, make in makers.items()}
    return {name: table for name, table in made.items() if table.rows}


def _targets(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            row["target"],
            row["wanted"],
            _judged({**row, "reached_low": row["low"], "reached_high": row["high"]}, "reached"),
            _number(row["ceiling"]),
            "yes" if row["met"] else "no",
            f"{row['evaluations']:,}" if row["evaluations"] else "-",
        )
        for row in targets(judgement, ladder)
    ]
    return JudgedTable(
        "What it should reach",
        f"On {in_words(judgement.scores)} at the largest budget, "
        "where nothing else is said; R2 on what was left out is over all budgets. Where a target is missed, the number "
        "of evaluations at which it would be met if the learning curve below went on as a power of their number "
        "towards what a perfect predictor reaches; none where it would not.",
        ("target", "wanted", "reached", "perfect predictor", "met", "evaluations it would take"),
        rows,
    )


def _ingredients(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    keys = {"R2": "r2", "sparse Kendall": "sparse_kendall", "Spearman": "spearman", "RMSE": "rmse"}
    rows = [
        (
            *(row["ingredient"], row["error"]),
            *(_score(judgement, row, key) for key in keys.values()),
            *(_number(row["best_spearman"]), _share(row["best_relative_bias"])),
        )
        for row in judgement.ingredients
    ]
    return JudgedTable(
        "Ingredients",
        f"Scores on held-out configurations at the largest budget, {ladder.maximum:g} {ladder.unit}, means over "
        "partitions into folds: each model alone, all with the same features and folds. The last two columns are of "
        "the best quarter.",
        ("model", "error", *keys, "Spearman of the best", "relative bias of the best"),
        rows,
    )


def _scores(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            _budget(row),
            row["error"],
            str(row["n"]),
            *(_judged(row, key, _unit(judgement, row, key)) for key in _SCORES.values()),
        )
        for row in judgement.scores
    ]
    means = " means over several partitions into folds;" if judgement.partitions > 1 else ""
    return JudgedTable(
        "On held-out configurations",
        f"{FOLDS} folds that never part the evaluations of one configuration; trainings that ended ok;{means} n counts "
        "evaluations, one for each seed of a configuration. "
        f"{_intervals(judgement)} The regret is the real error of the configuration predicted best, less the lowest.",
        (f"budget, {ladder.unit}", "error", "n", *_SCORES),
        rows,
    )


_INTERVALS = (
    "In brackets: 95 % intervals, from configurations drawn with replacement; behind the stroke: what a perfect "
    "predictor would reach, which knows the expected error of each configuration: the mean of "
    f"{WORLDS} logs drawn with the surrogate's own noise."
)
#: Where nothing says how large luck is.
_GUESSED = (
    " Nothing was trained twice with one budget, so that the noise is a guess, and with it what a perfect predictor "
    "would reach."
)


def _intervals(judgement: Judgement) -> str:
    return _INTERVALS if judgement.noise_floor else f"{_INTERVALS}{_GUESSED}"


def _best(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            *(
                _budget(row),
                row["error"],
                f"{row['share']:.0%}",
                str(row["n"]),
                judgement.shown(-row["real"] if row["error"] in judgement.maximized else row["real"], row["error"]),
            ),
            _judged(row, "bias", partial(judgement.shown, error=row["error"], places=1)),
            _judged(row, "relative_bias", _share),
            _judged(row, "rmse", partial(judgement.shown, error=row["error"], places=1)),
            _judged(row, "spearman"),
        )
        for row in judgement.best
    ]
    return JudgedTable(
        "Where optimizers end",
        "The same predictions among the configurations whose measured mean error is lowest: their real error, by how "
        "much the predicted is above it (bias; also as a share of the real), and how well they are ordered. Selecting "
        f"by what was measured selects luck too, so that even a perfect predictor is above. {_intervals(judgement)}"
        f"{_signs(judgement)}",
        (
            *(f"budget, {ladder.unit}", "error", "best", "n", "real value" if judgement.maximized else "real error"),
            *("bias", "relative bias", "RMSE", "Spearman"),
        ),
        rows,
    )


def _signs(judgement: Judgement) -> str:
    """What is judged are losses, which those that are maximised become by the other sign."""
    if judgement.maximized.isdisjoint(row["error"] for row in judgement.best):
        return ""
    return (
        " Of what is to be maximised they are the configurations whose measured mean is highest, and the bias is by "
        "how much the predicted is below the real; its share is of what is missing to the best value that there can "
        "be, and where there is none of the spread between configurations, one standard deviation."
    )


def _judged(row: Row, key: str, how: Callable[[float], str] | None = None) -> str:
    """A score, its interval and its ceiling, as far as they are there."""
    say = how or _number
    if row[key] is None:
        return "-"
    words = say(row[key])
    if row.get(f"{key}_low") is not None:
        words += f" ({say(row[f'{key}_low'])} to {say(row[f'{key}_high'])})"
    if row.get(f"ceiling_{key}") is not None:
        words += f" / {say(row[f'ceiling_{key}'])}"
    return words


def _noise_floor(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    kinds = ("floor", "table", "given_one", "held_out")
    rows = [
        (
            _budget(row),
            row["error"],
            str(row["n"]),
            *(_in_its_unit(judgement, row[kind], row["error"]) for kind in kinds),
            _number(row["given_one"] / row["table"] if row["table"] else None, 2),
            _number(row["held_out"] / row["table"] if row["table"] else None, 2),
        )
        for row in judgement.noise_floor
    ]
    return JudgedTable(
        "Against the noise",
        "RMSE of predicting one training of a configuration that was trained with several seeds: by its true mean (the "
        "noise floor, below which nothing can be), by one other training of it (a table of single runs), by a "
        "surrogate that has seen what such a table holds, and by one that has seen no training of it. Trainings that "
        "share a seed are no repeats. " + _verdict(judgement.noise_floor, ladder),
        (
            *(f"budget, {ladder.unit}", "error", "configurations", "noise floor", "one-run table"),
            *("surrogate, given one run", "surrogate, given none", "given one / table", "given none / table"),
        ),
        rows,
    )


def _verdict(rows: Sequence[Row], ladder: Ladder) -> str:
    """Whether the surrogate beats the table, said plainly, and of which budgets nothing can be said."""
    at = [row for row in rows if row["budget"] is not None]
    judged = {row["budget"] for row in at}
    unknown = ", ".join(f"{rung:g}" for rung in ladder.rungs if rung not in judged)
    if not at:
        return f"No budget has the {FEWEST} repeated configurations by which it could be judged alone."
    better = [f"{_budget(row)} ({row['error']})" for row in at if row["given_one"] <= row["table"]]
    if len(better) == len(at):
        every = f"the only budget, {ladder}" if len(ladder.rungs) == 1 else "every budget"
        beaten = f"beats the table at {every}{' that can be judged' if unknown else ''}"
    else:
        where = f"at {', '.join(better)} and not elsewhere" if better else "nowhere yet"
        beaten = f"beats the table {where}"
        ratios = [row["given_one"] / row["table"] for row in at if row["table"]]
        beaten += f" (at worst {max(ratios):.2f} times the table's error)" if ratios else ""
    said = f"Given one run, the surrogate {beaten}."
    budgets = "budgets" if "," in unknown else "budget"
    few = f" With fewer than {FEWEST} repeated configurations, nothing is said of the {budgets} {unknown}."
    return said + (few if unknown else "")


def _luck(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            row["error"],
            str(row["n"]),
            *(_in_its_unit(judgement, row[key], row["error"]) for key in ("real", "drawn")),
            *(_share(row[f"coverage_{100 * level:.0f}"]) for level in LEVELS),
            *(_in_its_unit(judgement, row[key], row["error"]) for key in ("crps", "crps_constant")),
        )
        for row in judgement.luck
    ]
    return JudgedTable(
        "The luck of a seed",
        "How two trainings of one configuration differ, and two draws of a query: root mean squares, the share of real "
        "differences inside the drawn 50, 80 and 95 % intervals, and the CRPS of the draws beside that of a normal "
        "noise as wide for every configuration (lower is better).",
        (
            *("error", "configurations", "real difference", "drawn difference"),
            *(f"in {100 * level:.0f} %" for level in LEVELS),
            *("CRPS", "CRPS, constant noise"),
        ),
        rows,
    )


def _promises(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            row["search"],
            judgement.shown(row["promised"], row["error"]),
            "-" if row["uncertainty"] is None else judgement.shown(row["uncertainty"], row["error"]),
            judgement.shown(row["real"], row["error"]),
        )
        for row in judgement.promises
    ]
    return JudgedTable(
        "What it promises to hard searches",
        f"The best of the {in_words(judgement.scores)} that it expects at {ladder.amount(ladder.maximum)}, without "
        "noise, of configurations that a search finds on it; one standard deviation of what it does not know there; "
        "and the best of all trainings. Where a promise is better than anything that was trained by more than a few "
        "of these standard deviations, it is rather a fault of the surrogate than a find: train it "
        "(`jointbench retrain`) before you believe it.",
        ("search", "best promised", "not known of it", "best that was trained"),
        rows,
    )


def _doubts(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            *(_budget(row), str(row["n"])),
            *(_share(row[f"coverage_{100 * level:.0f}"]) for level in LEVELS),
            _number(row["spearman"]),
        )
        for row in judgement.doubts
    ]
    return JudgedTable(
        "What it knows that it does not know",
        f"Held-out trainings: the share of {in_words(judgement.scores)} inside "
        "the 50, 80 and 95 % intervals of uncertainty and "
        "luck together, and Spearman's rank correlation between the width of these intervals and how far off the "
        "prediction was.",
        (
            *(f"budget, {ladder.unit}", "n"),
            *(f"in {100 * level:.0f} %" for level in LEVELS),
            "Spearman",
        ),
        rows,
    )


def _leave_one_out(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    at = [row for row in judgement.leave_one_out if row["budget"] in (None, ladder.maximum)]
    rows = [
        (
            row["left_out"] or "by hand",
            _budget(row),
            row["error"],
            str(row["n"]),
            *(_score(judgement, row, key) for key in _SCORES.values()),
        )
        for row in at
    ]
    return JudgedTable(
        "Leave one optimizer out",
        "A surrogate fitted without any configuration that an optimizer tried, or a part of a plan that is none "
        f"({', '.join(PARTS)}), on its evaluations. What it tries is unlike the rest, so this is harder than held-out "
        "configurations.",
        ("left out", f"budget, {ladder.unit}", "error", "n", *_SCORES),
        rows,
    )


def _rung_correlations(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (f"{row['low']:g}", f"{row['high']:g}", str(row["n"]), _number(row["log"], 2), _number(row["surrogate"], 2))
        for row in judgement.rung_correlations
    ]
    return JudgedTable(
        "What a short training tells of a long one",
        f"Spearman's rank correlation of the {in_words(judgement.scores)} at two budgets "
        "(the paper's Table 1), of the n "
        "configurations trained at both: as logged, and as predicted without having seen them. Predictions carry no "
        "noise, so theirs is higher.",
        (f"budget, {ladder.unit}", "and", "n", "log", "surrogate"),
        rows,
    )


def _failures(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            row["kind"].replace("_", " "),
            str(row["n"]),
            _share(row["rate"]),
            _number(row["brier"], 4),
            _number(row["brier_rate"], 4),
            _number(row["auc"]),
            "; ".join(f"{one['predicted']:.0%} said, {one['came']:.0%} came (n={one['n']})" for one in row["bins"]),
        )
        for row in judgement.failures
    ]
    return JudgedTable(
        "Failures",
        "Predicted probabilities on held-out configurations: the Brier score beside that of always saying the rate "
        "(lower is better), the area under the ROC curve, and how often what was said came.",
        ("failure", "n", "rate", "Brier", "Brier of the rate", "AUC", "calibration"),
        rows,
    )


def _costs(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            row["cost"].replace("_", " "),
            str(row["n"]),
            _share(row["median"]),
            _share(row["tail"]),
            _number(row["spearman"]),
        )
        for row in judgement.costs
    ]
    return JudgedTable(
        "Costs",
        "Relative errors on held-out configurations. Parameters and FLOPs are computed, not predicted.",
        ("cost", "n", "median error", "90 % are below", "Spearman"),
        rows,
    )


def _learning_curve(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    of = {"error": objective_in(judgement.scores)}
    rows = [
        (f"{row['n']:,}", _budget(row), *(_score(judgement, {**row, **of}, key) for key in _SCORES.values()))
        for row in judgement.learning_curve
    ]
    return JudgedTable(
        "The surrogate's learning curve",
        f"{_capital(in_words(judgement.scores))} of the same held-out configurations, "
        "of one partition, by surrogates fitted to fewer "
        "evaluations: while this still rises, collecting more pays.",
        ("evaluations", f"budget, {ladder.unit}", *_SCORES),
        rows,
    )


def _baselines(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            *(row["baseline"], _budget(row), row["error"]),
            *(_score(judgement, row, key) for key in _SCORES.values()),
            _number(row["seconds"], 1),
        )
        for row in judgement.baselines
        if row["budget"] in (None, ladder.maximum)
    ]
    return JudgedTable(
        "Baselines",
        "Other models in XGBoost's place, with the same features, targets and folds. XGBoost's are trees, which freeze "
        "into plain arrays and answer in microseconds; a Gaussian process must carry its evaluations along, and its "
        "fit takes the cube of their number.",
        ("model", f"budget, {ladder.unit}", "error", *_SCORES, "seconds of its fits"),
        rows,
    )


def _tuning(judgement: Judgement, ladder: Ladder) -> JudgedTable:
    rows = [
        (
            str(row["partition"] + 1),
            "yes" if row["searched"] else "no",
            *(_number(row[key], 4) for key in ("default", "found")),
        )
        for row in judgement.tuning
    ]
    return JudgedTable(
        "Model selection",
        "1 - R2 on held-out configurations, the mean over budgets and both errors (lower is better), of XGBoost's "
        "default parameters and of those that Optuna found: on the partitions into folds that it searched on, and on "
        "others of the same configurations.",
        ("partition", "searched on", "default", "found"),
        rows,
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _budget(row: Row) -> str:
    return "all" if row["budget"] is None else f"{row['budget']:g}"


def _score(judgement: Judgement, row: Row, key: str) -> str:
    return "-" if row[key] is None else _unit(judgement, row, key)(row[key])


def _unit(judgement: Judgement, row: Row, key: str) -> Callable[[float], str]:
    """How a score of the row's error or metric is written."""
    return partial(_in_its_unit, judgement, error=row["error"]) if key in _IN_ITS_UNIT else _number


def _in_its_unit(judgement: Judgement, value: float | None, error: object) -> str:
    return "-" if value is None else judgement.shown(value, error)


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:z.{digits}f}"


def _share(value: float) -> str:
    return f"{value:z.1%}"
