"""What a short training tells of a long one, in the log and in the surrogate (the paper's Table 1)."""

from itertools import combinations

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.scores import Row, correlation

#: Configurations trained at both budgets below which no correlation is given.
FEWEST = 10


def rung_correlations(held_out: HeldOut) -> list[Row]:
    """Spearman's rank correlation of the validation errors at two budgets, for each pair of rungs: of the `n`
    configurations that ended ok at both, as logged (`log`) and as predicted by a surrogate that has not seen them.
    """
    from scipy.stats import spearmanr

    table = held_out.table
    real, predicted = _by_group(held_out, table.errors[:, 0]), _by_group(held_out, held_out.errors[:, 0])
    rows: list[Row] = []
    for (i, low), (j, high) in combinations(enumerate(table.ladder.rungs), 2):
        both = np.isfinite(real[i]) & np.isfinite(real[j])
        enough = both.sum() >= FEWEST
        rows.append(
            {
                "low": low,
                "high": high,
                "n": int(both.sum()),
                "log": correlation(spearmanr, real[i, both], real[j, both]) if enough else None,
                "surrogate": correlation(spearmanr, predicted[i, both], predicted[j, both]) if enough else None,
            }
        )
    return rows


def _by_group(held_out: HeldOut, values: FloatArray) -> FloatArray:
    """Means of a configuration's trainings at each rung (rungs, groups); NaN where none ended ok."""
    table = held_out.table
    groups = int(table.group.max()) + 1
    means = np.full((len(table.ladder.rungs), groups), np.nan)
    for index, (budget, chosen) in enumerate(table.ok_by_budget()):
        if budget is not None:
            count = np.bincount(table.group[chosen], minlength=groups)
            total = np.bincount(table.group[chosen], values[chosen], minlength=groups)
            means[index, count > 0] = total[count > 0] / count[count > 0]
    return means
