"""How right a surrogate is where optimizers end: among the best quarter and the best tenth."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.metrics import Metric
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.scores import Row, correlation, mean_rows, resamples, rms, with_intervals

SHARES = (0.25, 0.1)

#: Evaluations below which nothing is scored.
FEWEST = 5

#: Of mean losses (any shape), what errors of predictions among the best are held against.
Against = Callable[[FloatArray], FloatArray]


def best(held_out: HeldOut, seed: int) -> list[Row]:
    """A row a budget, error and share of `SHARES`, over the evaluations (`n`) of the configurations whose measured
    mean error is among the lowest: `real`, that mean (a fraction); `bias`, predicted less real (a fraction), and
    `relative_bias`, as a share of what `held_against` says, which of a metric to be maximised is in the row (`against`)
    since it is not the real; `rmse`; `off`, the median distance between predicted and real (a fraction);
    `spearman`. Means over the partitions; `low` and `high` are ends of 95 % intervals; `ceiling_` is a perfect
    predictor's, which selecting by luck biases as well.
    """
    table, perfect, rng = held_out.table, held_out.perfect, np.random.default_rng(seed)
    rows: list[Row] = []
    for budget, at in table.ok_by_budget():
        if budget is None:
            continue
        for part, error in enumerate(table.error_names):
            real, said, group = table.errors[at, part], held_out.partitions[:, at, part], table.group[at]
            metric = table.measures.metrics[part] if table.measures else None
            against = held_against(metric, real)
            for share in SHARES:
                chosen = lowest(real, group, share)
                if chosen.sum() < FEWEST:
                    continue
                found = mean_rows(among(real[chosen], one[chosen], against) for one in said)
                drawn = _resampled(real[chosen], said[:, chosen], group[chosen], rng, against)
                worlds = [
                    among(world[inside], perfect.expected[at, part][inside], against)
                    for world in perfect.drawn[:, at, part]
                    if (inside := lowest(world, group, share)).sum() >= FEWEST
                ]
                ceiling = {f"ceiling_{key}": value for key, value in mean_rows(worlds).items()} if worlds else {}
                row = {"budget": budget, "error": error, "share": share, "n": int(chosen.sum())}
                if metric is not None and metric.maximize:
                    row["against"] = float(against(real[chosen].mean()))
                rows.append(row | with_intervals(found, drawn) | ceiling)
    return rows


def lowest(real: FloatArray, group: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.bool_]:
    """The evaluations (n,) of the `share` of the configurations whose mean error is lowest, ties included."""
    if not len(real):
        return np.zeros(0, dtype=bool)
    _, own = np.unique(group, return_inverse=True)
    mean = np.bincount(own, real) / np.bincount(own)
    return np.asarray((mean <= np.quantile(mean, share, method="lower"))[own])


def held_against(metric: Metric | None, real: FloatArray) -> Against:
    """The real value itself; of a metric to be maximised what is missing to its bound, and where it has none the spread
    of all losses (n,), one standard deviation: what is near 1 cannot be far off as a share of itself."""
    if metric is None or not metric.maximize:
        return np.abs
    ideal = metric.ideal
    if ideal is None:
        spread = float(np.std(real))
        return lambda loss: np.full_like(loss, spread)
    return lambda loss: ideal + loss


def among(real: FloatArray, predicted: FloatArray, against: Against = np.abs) -> Row:
    """As `best` explains them, of arrays (n,)."""
    from scipy.stats import spearmanr

    bias, whole = float(np.mean(predicted - real)), float(against(real.mean()))
    return {
        "real": float(real.mean()),
        "bias": bias,
        "relative_bias": bias / whole if whole else None,
        "rmse": rms(real - predicted),
        "off": float(np.median(np.abs(predicted - real))),
        "spearman": correlation(spearmanr, real, predicted),
    }


def _resampled(
    real: FloatArray,
    predicted: FloatArray,
    group: npt.NDArray[np.int64],
    rng: np.random.Generator,
    against: Against,
) -> Row:
    """Relative bias and Spearman of resamples of the chosen configurations, means over predictions (partitions, n)."""
    from scipy.stats import rankdata

    drawn = resamples(group, rng)
    weight = drawn / drawn.sum(axis=1, keepdims=True)

    def correlations(a: FloatArray, b: FloatArray) -> FloatArray:
        def covariance(first: FloatArray, second: FloatArray) -> FloatArray:
            return np.asarray(weight @ (first * second) - (weight @ first) * (weight @ second))

        return covariance(a, b) / np.sqrt(covariance(a, a) * covariance(b, b))

    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "relative_bias": ((weight @ predicted.T).mean(axis=1) - weight @ real) / against(weight @ real),
            "spearman": np.mean([correlations(rankdata(real), rankdata(one)) for one in predicted], axis=0),
        }
