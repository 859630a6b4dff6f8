"""The verdict on a surrogate: may optimizers be compared on it, and which numbers decide that.

All are of validation errors, or of another task's objective, at the largest budget, of configurations that the
surrogate had not seen. It is only numbers in, words out, so that it travels with a benchmark that needs NumPy alone.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from jointbench.data.errors import BenchmarkError
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import TEST_ERROR, VALIDATION_ERROR, Metric, fractions_among
from jointbench.data.notebook import html_table
from jointbench.data.option_words import option

Word = Literal["usable", "usable with care", "not usable"]
USABLE: Word = "usable"
CARE: Word = "usable with care"
NOT: Word = "not usable"

#: Below 20 configurations rank correlations up to about .3 are chance (95 % of Kendall's tau of unrelated ranks); below
#: 50 the best tenth has fewer than five.
CONFIGURATIONS_REFUSED, CONFIGURATIONS_USABLE = 20, 50
#: At .5 the error of a prediction is .7 of the spread between configurations, at .8 it is under half of it.
R2_REFUSED, R2_USABLE = 0.5, 0.8
#: Of two configurations it says (1 + tau) / 2 times rightly which is better: 7 of 10 at .4, 8 of 10 at .6. Who wins
#: is a question of order, and a coin is right 5 times.
ORDER_REFUSED, ORDER_USABLE = 0.4, 0.6
#: Where luck keeps even a perfect predictor below what is refused, the task is noisy and the surrogate not at fault: it
#: is refused below this share of what that reaches, and wherever it could be by chance.
SHARE_OF_PERFECT, CHANCE = 0.5, 0.2
#: Among the best, differences are small and partly luck, so that little order is no reason to refuse. Of the quarter;
#: of the tenth, which are few, more cannot be asked than that there is an order at all: that it is not chance.
BEST_ORDER_USABLE = 0.3
#: Of the real error. A bias that all optimizers share moves no rank, so it is no reason to refuse; a quarter is more
#: than separates the first from the last of the default comparison (20 %), and selecting by luck alone makes 11 to 17 %
#: of it on digits-cpu, even of a perfect predictor.
BEST_BIAS_USABLE = 0.25
#: Of the real error: where predictions are off by more than half of it, 3 % cannot be told from 2 %. Of a metric to be
#: maximised of what is missing to its bound, as an accuracy's error is.
BEST_RMSE_USABLE = 0.5

#: The best of which it decides whether they are ordered at all.
SHARE_OF_ORDER = 0.25

HEADINGS = ("number that decides", "reached", "usable", "refused", "says")

#: What the numbers mean.
_WORDS = (
    "R2: the share of the differences between configurations that is predicted, 1 at best, 0 for always saying the "
    "mean. Sparse Kendall: how much more often than not the better of two configurations is said to be better, 1 "
    "always, 0 as a coin would. Spearman: how far the order is right, 1 at best. Relative bias: by how much the "
    "predicted {bias}. In brackets: 95 % intervals; behind the stroke: what a perfect predictor would reach."
)
_BIAS = "error is above the real one, as a share of it"

Rows = Sequence[Mapping[str, Any]]

#: Which are fractions of images; a task of any other metrics is judged by their names.
ERRORS_OF_IMAGES = ("validation", "test")
#: The same where they are metrics of a task beside others.
_AS_METRICS = {VALIDATION_ERROR.name: "validation errors", TEST_ERROR.name: "test errors"}


@dataclass(frozen=True)
class Ground:
    """A number that decides, in words: what it is (`name`), what was `reached` with the ends of its 95 % `interval`
    and what a `perfect` predictor reaches ("" where unknown), from where on it is `usable`, where it is `refused`
    ("-": nowhere), and what follows from it alone. `unordered`: which of the best may be ordered by chance alone, ""
    where that is not what it says.
    """

    name: str
    reached: str
    interval: str
    perfect: str
    usable: str
    refused: str
    word: Word
    unordered: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of HEADINGS."""
        interval, perfect = f" ({self.interval})" * bool(self.interval), f" / {self.perfect}" * bool(self.perfect)
        return (self.name, f"{self.reached}{interval}{perfect}", self.usable, self.refused, self.word)

    @property
    def sentence(self) -> str:
        said = (
            f"95 % interval {self.interval}" * bool(self.interval),
            f"a perfect predictor's is {self.perfect}" * bool(self.perfect),
            f"usable {self.usable}",
            f"refused {self.refused}" * (self.refused != "-"),
        )
        return f"{self.name} is {self.reached} ({', '.join(filter(None, said))})"


@dataclass(frozen=True)
class Verdict:
    """What the `grounds` come to: the worst that one of them says. `where` says at which budget, `judged` on what, in
    the plural; `bias`: what a relative bias is of."""

    grounds: tuple[Ground, ...]
    where: str
    judged: str
    bias: str = _BIAS

    @property
    def words(self) -> str:
        """What the numbers mean."""
        return _WORDS.format(bias=self.bias)

    @property
    def word(self) -> Word:
        words = [ground.word for ground in self.grounds]
        return NOT if NOT in words else CARE if CARE in words else USABLE

    @property
    def decisive(self) -> list[Ground]:
        """The grounds that say it."""
        return [ground for ground in self.grounds if ground.word == self.word]

    @property
    def reasons(self) -> str:
        """The decisive grounds without a full stop: with their bounds where they refuse, else briefly, and what follows
        from those of the order among the best."""
        if self.word == NOT:
            said = "; ".join(ground.sentence for ground in self.decisive)
        else:
            said = "; ".join(f"{ground.name} {ground.reached}" for ground in self.decisive)
        unordered = " or ".join(ground.unordered for ground in self.decisive if ground.unordered)
        follows = f". It is not known to order {unordered} of the configurations" * bool(unordered)
        return f"on configurations that it had not seen, {self.where}: {said}{follows}"

    @property
    def sentence(self) -> str:
        return f"{self.word}. {self.reasons[0].upper()}{self.reasons[1:]}."

    def __repr__(self) -> str:
        return f"<verdict {self.word}: {self.reasons}>"

    def _repr_html_(self) -> str:
        return html_table(f"verdict: {self.word}", [ground.cells for ground in self.grounds], HEADINGS)


def verdict(ladder: Ladder, scores: Rows, best: Rows, metrics: Sequence[Metric] = ()) -> Verdict:
    """From the rows of `HeldOut.scores` and `best.best`, as a manifest carries them; what an older one does not carry
    is no ground, and where nothing is known of the best the surrogate is usable with care at most. `metrics`: the
    task's.
    """
    where = f"at {ladder.amount(ladder.maximum)}"
    score: Mapping[str, Any] = next(iter(_at_the_top(ladder, scores)), {})
    grounds: list[Ground] = []
    if (count := _number(score, "configurations")) is not None:
        fewest, usable = CONFIGURATIONS_REFUSED, CONFIGURATIONS_USABLE
        word = NOT if count < fewest else CARE if count < usable else USABLE
        grounds.append(
            Ground("number of configurations", f"{count:,.0f}", "", "", f"from {usable}", f"below {fewest}", word)
        )
    for name, key, low, high in (
        ("R2", "r2", R2_REFUSED, R2_USABLE),
        ("sparse Kendall", "sparse_kendall", ORDER_REFUSED, ORDER_USABLE),
    ):
        reached, interval, perfect = _reached(score, key)
        if interval == "" and _number(score, key) is not None:
            reached += " without an interval"
        wanted = f"from {high:g}, interval above {low:g}"
        word, refused = _word(score, key, low, high), f"below {low:g}"
        value, ceiling = _number(score, key), _number(score, f"ceiling_{key}")
        if value is not None and ceiling is not None and ceiling < low:
            least = max(SHARE_OF_PERFECT * ceiling, CHANCE)
            word, refused = NOT if value < least else CARE, f"below {least:.2f}, as luck hides the rest"
        grounds.append(Ground(name, reached, interval, perfect, wanted, refused, word))
    rows = _at_the_top(ladder, best) or [{"share": SHARE_OF_ORDER}]
    among = (ground for row in rows for ground in _among_the_best(row, metrics))
    whole = next(filter(None, (_held_against(row, metrics) for row in rows)), "")
    bias = f"value is worse than the real one, as a share of {whole}" if whole else _BIAS
    return Verdict((*grounds, *among), where, in_words(scores), bias)


def _held_against(row: Mapping[str, Any], metrics: Sequence[Metric]) -> str:
    """Of what `best.held_against` takes a share, in words; "" where that is the real error."""
    if _number(row, "against") is None:
        return ""
    metric = next((one for one in metrics if one.name == row.get("error")), None)
    if metric is None or metric.ideal is None:
        return "the spread between configurations"
    return f"what is missing to {shown(metric.ideal, metric.name, 0, fractions_among(metrics))}"


def _among_the_best(row: Mapping[str, Any], metrics: Sequence[Metric]) -> list[Ground]:
    """Of one share of the best."""
    decisive = row.get("share") == SHARE_OF_ORDER
    share = "quarter" if decisive else "tenth"
    order, lowest = _number(row, "spearman"), _number(row, "spearman_low")
    by_more_than_chance = lowest is not None and lowest > 0
    bias, rmse, real, against = (_number(row, key) for key in ("relative_bias", "rmse", "real", "against"))
    of = _held_against(row, metrics)
    if decisive:
        wanted = f"from {BEST_ORDER_USABLE:g}, interval above 0"
        ordered = order is not None and order >= BEST_ORDER_USABLE and by_more_than_chance
    else:
        wanted, ordered = "interval above 0", by_more_than_chance
    unbiased = bias is not None and abs(bias) <= BEST_BIAS_USABLE
    say = partial(shown, error=row.get("error", "validation"), fractions=fractions_among(metrics))
    whole = against if of else None if real is None else abs(real)
    most = "" if whole is None else f", {say(BEST_RMSE_USABLE * whole)}"
    close = rmse is not None and whole is not None and rmse <= BEST_RMSE_USABLE * whole
    within = f"within {BEST_BIAS_USABLE:.0%}{f' of {of}' * bool(of)}"
    found = (
        ("Spearman", _reached(row, "spearman"), wanted, ordered),
        ("relative bias", _reached(row, "relative_bias", "{:z.0%}".format), within, unbiased),
        (
            "RMSE",
            _reached(row, "rmse", say),
            f"up to {BEST_RMSE_USABLE:.0%} of {of or 'the real error'}{most}",
            close,
        ),
    )
    unordered = "" if order is None or by_more_than_chance else f"the best {share}"
    grounds = []
    for name, reached, usable, well in found:
        word: Word = USABLE if well else CARE
        says = unordered if name == "Spearman" else ""
        grounds.append(Ground(f"{name} of the best {share}", *reached, usable, "-", word, says))
    return grounds


def _word(row: Mapping[str, Any], key: str, refused: float, usable: float) -> Word:
    value, low = _number(row, key), _number(row, f"{key}_low")
    if value is None or value < refused:
        return NOT
    # What may be by chance above the bound is not known to be.
    return USABLE if value >= usable and low is not None and low >= refused else CARE


def _reached(row: Mapping[str, Any], key: str, say: Callable[[float], str] = "{:z.2f}".format) -> tuple[str, str, str]:
    """The value, the ends of its interval, and what a perfect predictor reaches."""
    value, low, high, perfect = (_number(row, name) for name in (key, f"{key}_low", f"{key}_high", f"ceiling_{key}"))
    if value is None:
        return f"not judged{_why_undefined(row, key)}", "", ""
    interval = "" if low is None or high is None else f"{say(low)} to {say(high)}"
    return say(value), interval, "" if perfect is None else say(perfect)


def _why_undefined(row: Mapping[str, Any], key: str) -> str:
    """Why a score that was computed is none, as a clause; empty where it was not computed."""
    count = _number(row, "n")
    if key not in row or count is None:
        return ""
    if count < 2:
        return ", since it takes two evaluations"
    if key == "relative_bias":
        return ", since what it would be a share of is 0"
    return ", since the real values or the predicted ones are all the same"


def _at_the_top(ladder: Ladder, rows: Rows) -> list[Mapping[str, Any]]:
    """Those of the objective at the largest budget."""
    error = objective_in(rows)
    return [row for row in rows if row.get("error") == error and row.get("budget") == ladder.maximum]


def objective_in(rows: Rows) -> str:
    """What rows call the error, or the metric, that they are about first: the objective."""
    first = rows[0].get("error") if rows else None
    return first if isinstance(first, str) and first not in ERRORS_OF_IMAGES else "validation"


def in_words(rows: Rows) -> str:
    """The objective of the rows, in the plural."""
    error = objective_in(rows)
    if error in ERRORS_OF_IMAGES:
        return "validation errors"
    return _AS_METRICS.get(error, f"values of {error.replace('_', ' ')}")


def is_share(error: object, fractions: Collection[str] = ()) -> bool:
    """Whether what rows call so is a share of wrong answers, or one of `fractions`, the names of a task's own metrics
    that are."""
    return error in ERRORS_OF_IMAGES or error in _AS_METRICS or error in fractions


def shown(value: float, error: object, places: int = 2, fractions: Collection[str] = ()) -> str:
    """A share in per cent, as `is_share` has it, a value of any other metric as it is."""
    # What is nearly nought has no sign.
    return f"{value:z.{places}%}" if is_share(error, fractions) else f"{value:.4g}"


def _number(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    try:
        number = float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        number = math.nan
    return number if math.isfinite(number) else None


def off_among_best(ladder: Ladder, best: Rows) -> tuple[str, Mapping[str, Any]] | None:
    """Where optimizers end, as few of the best as could be judged: "tenth" or "quarter", and the row of `best.best`;
    None where nothing is known of them.
    """
    known = [row for row in _at_the_top(ladder, best) if None not in (_number(row, "off"), _number(row, "bias"))]
    for share, name in ((0.1, "tenth"), (0.25, "quarter")):
        for row in known:
            if row.get("share") == share:
                return name, row
    return None


def check_usable(name: str, found: Verdict, *, anyway: bool) -> None:
    """Raises BenchmarkError for what is not usable, unless it is to be used `anyway`."""
    if found.word == NOT and not anyway:
        expected = f"a usable benchmark, or {option('anyway', True)}, since this one is {found.word}"
        raise BenchmarkError("benchmark", name, f"{expected}: {found.reasons}")
