"""How good a surrogate is, on configurations that it has not seen."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.ladder import Ladder
from jointbench.surrogate.boosters import fit_members, predict_errors
from jointbench.surrogate.table import TrainingTable
from jointbench.surrogate.transform import ErrorScale

FloatArray = npt.NDArray[np.float64]

FOLDS = 5

#: Errors closer than this count as equal in the sparse Kendall tau (NAS-Bench-301's 0.1 %).
SPARSE = 0.001


def scores(real: FloatArray, predicted: FloatArray) -> dict[str, float | None]:
    """R2, RMSE (a fraction), Kendall's tau, sparse Kendall's tau and Spearman's rho; None where undefined."""
    from scipy.stats import kendalltau, spearmanr

    def defined(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    varies = len(real) > 1 and np.ptp(real) > 0 and np.ptp(predicted) > 0
    return {
        "r2": defined(1 - np.mean((real - predicted) ** 2) / real.var()) if varies else None,
        "rmse": defined(float(np.sqrt(np.mean((real - predicted) ** 2)))) if len(real) else None,
        "kendall": defined(kendalltau(real, predicted).statistic) if varies else None,
        "sparse_kendall": defined(kendalltau(real, np.round(predicted / SPARSE) * SPARSE).statistic)
        if varies
        else None,
        "spearman": defined(spearmanr(real, predicted).statistic) if varies else None,
    }


def judge(
    table: TrainingTable, scales: tuple[ErrorScale, ErrorScale], ladder: Ladder, seed: int
) -> tuple[list[dict[str, Any]], FloatArray]:
    """Cross-validated scores, one row a budget and one for all, for the evaluations that ended ok.

    The folds part configurations, never evaluations of one. Also gives the held-out residuals of the validation
    error on the line, (n ok,).
    """
    fold = np.random.default_rng(seed).integers(FOLDS, size=int(table.group.max()) + 1)[table.group]
    line = np.full((len(table), 2), np.nan)
    for held_out in range(FOLDS):
        members = fit_members(table.take(fold != held_out), scales, seed)
        chosen = fold == held_out
        if chosen.any():
            line[chosen] = predict_errors(members, table.features[chosen]).mean(axis=0)
    real, line, budgets = table.errors[table.ok], line[table.ok], table.budgets[table.ok]
    predicted = np.stack([scale.from_lines(line[:, part]) for part, scale in enumerate(scales)], axis=1)
    rows: list[dict[str, Any]] = []
    for budget in (*ladder.rungs, None):
        chosen = np.ones(len(budgets), dtype=bool) if budget is None else np.isclose(budgets, budget)
        for part, error in enumerate(("validation", "test")):
            row = {"budget": budget, "error": error, "n": int(chosen.sum())}
            rows.append(row | scores(real[chosen, part], predicted[chosen, part]))
    return rows, scales[0].to_line(real[:, 0]) - line[:, 0]
