"""Whether a surrogate knows what it does not know: its uncertainty and its noise against the errors that it makes."""

import numpy as np

from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.scores import Row, correlation
from jointbench.surrogate.luck_shape import LEVELS
from jointbench.surrogate.noise import ErrorScale

#: Evaluations below which nothing is said of a budget.
FEWEST = 10


def doubt_check(held_out: HeldOut) -> list[Row]:
    """A row a budget, and one for all, over held-out trainings that ended ok: `coverage_50` and so on, the share of
    validation errors inside the central interval of a normal law of logits (`ErrorScale`) whose variance is the
    uncertainty, the luck of the training and that of counting; and `spearman`, between its width and how far off the
    prediction was. Empty of an ensemble, which has no uncertainty.
    """
    from scipy.stats import norm, spearmanr

    table, noise = held_out.table, held_out.noise
    if held_out.uncertainty is None:
        return []
    scale, said, counting = table.scales[0], held_out.errors[:, 0], 0.0
    if isinstance(scale, ErrorScale):
        said = np.clip(said, scale.half, 1 - scale.half)
        counting = noise.counting * said * (1 - said) / scale.images * scale.slope(said) ** 2
    width = np.sqrt(held_out.uncertainty + noise.deviation(held_out.spread) ** 2 + counting)
    off = np.abs(scale.to_logit(table.errors[:, 0]) - scale.to_logit(said))
    rows: list[Row] = []
    for budget, chosen in table.ok_by_budget():
        if chosen.sum() < FEWEST:
            continue
        row: Row = {"budget": budget, "n": int(chosen.sum())}
        for level in LEVELS:
            inside = off[chosen] <= norm.ppf(0.5 + level / 2) * width[chosen]
            row[f"coverage_{100 * level:.0f}"] = float(inside.mean())
        rows.append(row | {"spearman": correlation(spearmanr, width[chosen], off[chosen])})
    return rows
