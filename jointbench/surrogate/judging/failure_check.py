"""Whether failures come as often as they are predicted, and whether costs are what they are predicted to be."""

from itertools import pairwise

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.scores import Row, correlation
from jointbench.surrogate.outcome import COSTS

#: Borders of the predicted probabilities that are compared with what came.
BINS = (0.0, 0.02, 0.1, 0.3, 0.7, 1.0)


def failure_check(held_out: HeldOut) -> list[Row]:
    """For each kind of failure in the log, on held-out configurations: how often it came (`rate`), the Brier scores of
    the predicted probability and of always saying `rate`, the area under the ROC curve, and that of the memory which
    the device's law says (for running out of it); and in `bins` the predicted mean, what came, and n.
    """
    table, rows = held_out.table, []
    for kind in held_out.odds:
        came, chance = table.status == kind.value, held_out.chance(kind)
        bins = []
        for low, high in pairwise(BINS):
            inside = (chance >= low) & ((chance < high) | (high == 1))
            if inside.any():
                shown = {"low": low, "high": high, "n": int(inside.sum())}
                bins.append(shown | {"predicted": float(chance[inside].mean()), "came": float(came[inside].mean())})
        rows.append(
            {
                "kind": kind.value,
                "n": int(came.sum()),
                "rate": float(came.mean()),
                "brier": float(np.mean((chance - came) ** 2)),
                "brier_rate": float(came.mean() * (1 - came.mean())),
                "auc": area_under_roc(chance[came], chance[~came]),
                "bins": bins,
            }
        )
    return rows


def area_under_roc(hits: FloatArray, others: FloatArray) -> float | None:
    """The probability that a hit is above another, ties half (Mann and Whitney); None where one of them is empty."""
    if not len(hits) or not len(others):
        return None
    from sklearn.metrics import roc_auc_score

    came = np.concatenate([np.ones(len(hits)), np.zeros(len(others))])
    return float(roc_auc_score(came, np.concatenate([hits, others])))


def cost_check(held_out: HeldOut) -> list[Row]:
    """For each predicted cost of held-out trainings that ended ok: the median and the 90 % quantile of the relative
    error (a fraction), and Spearman's rank correlation (None where one is constant). Parameters and FLOPs are exact
    and not among them.
    """
    from scipy.stats import spearmanr

    table = held_out.table
    ok, real, said = table.ok, table.costs, held_out.costs
    names: tuple[str, ...] = (*COSTS, "wall_seconds", "epochs")
    if table.measures is not None:
        names = tuple(cost.name for cost in table.measures.costs)

    def with_sums(costs: FloatArray) -> FloatArray:
        if table.measures is not None:
            sums = costs.copy()
            if {"training_seconds", "wall_seconds"} <= set(names):
                # What is modelled of the time on the wall is what lies beside the budget.
                sums[:, names.index("wall_seconds")] += costs[:, names.index("training_seconds")]
            return sums
        epochs = costs[:, 0] * costs[:, 3] / table.trained_on.training
        return np.column_stack([costs, costs[:, 0] + costs[:, 1], epochs])

    rows = []
    for name, came, predicted in zip(names, with_sums(real)[ok].T, with_sums(said)[ok].T, strict=True):
        measured = ~np.isnan(came)
        came, predicted = came[measured], predicted[measured]
        relative = np.abs(predicted - came) / np.maximum(came, 1e-12)
        middle, tail = np.quantile(relative, [0.5, 0.9])
        rank = correlation(spearmanr, predicted, came)
        how_far = {"median": float(middle), "tail": float(tail), "spearman": rank}
        rows.append({"cost": name, "n": int(measured.sum()), **how_far})
    return rows
