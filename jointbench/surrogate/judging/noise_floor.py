"""A surrogate against the noise of training: a perfect model cannot be below it, and a table of single runs is above.

Zela, Siems, Zimmer et al., *Surrogate NAS Benchmarks*, 2020: a surrogate is worth its name where it predicts another
training of a configuration better than one stored training of the same configuration does.
"""

from collections.abc import Sequence

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.judging.held_out import HeldOut, Said
from jointbench.surrogate.judging.scores import Row
from jointbench.surrogate.models import Models
from jointbench.surrogate.repeats import Repeats

#: Repeated configurations at a budget below which nothing is said.
FEWEST = 5


def noise_floor(held_out: HeldOut, seed: int) -> list[Row]:
    """A row a budget, one for all budgets, and of each error, over the configurations trained with several seeds.

    RMSEs (fractions) of predicting one training of a configuration: `floor` by its true mean, which is the noise
    itself; `table` by one other training of it; `given_one` by a surrogate that has seen what such a table holds, one
    training of each repeated configuration (and all others); `held_out` by one that has seen none of them.
    """
    table = held_out.table
    repeats = Repeats.of(table)
    if not len(repeats):
        return []
    seen_one = _given_one(held_out, repeats, seed)
    budgets = np.array([table.budgets[rows[0]] for rows in repeats.rows])
    found: list[Row] = []
    for budget in (*table.ladder.rungs, None):
        at = np.ones(len(repeats), dtype=bool) if budget is None else table.ladder.at(budgets, budget)
        chosen = [k for k in range(len(repeats)) if at[k]]
        if len(chosen) < FEWEST:
            continue
        rows = [repeats.rows[k] for k in chosen]
        for part, error in enumerate(table.error_names):
            variance = repeats.variance[chosen, part]
            found.append(
                {
                    "budget": budget,
                    "error": error,
                    "n": len(chosen),
                    "floor": float(np.sqrt(variance.mean())),
                    "table": float(np.sqrt(2 * variance.mean())),
                    "given_one": _rmse(rows, table.errors[:, part], seen_one.errors[:, part], skip=1),
                    "held_out": float(
                        np.mean([_rmse(rows, table.errors[:, part], said[:, part]) for said in held_out.partitions])
                    ),
                }
            )
    return found


def _given_one(held_out: HeldOut, repeats: Repeats, seed: int) -> Said:
    table = held_out.table
    kept = np.ones(len(table), dtype=bool)
    for first, *_ in repeats.rows:
        kept[(table.group == table.group[first]) & (table.budgets == table.budgets[first])] = False
        kept[first] = True
    return Said.by(Models.fit(table.take(kept), seed, held_out.settings), table)


def _rmse(groups: Sequence[np.ndarray], real: FloatArray, predicted: FloatArray, skip: int = 0) -> float:
    """Each configuration counts once, however often it was trained; its first `skip` trainings do not."""
    squares = [np.mean((real[rows[skip:]] - predicted[rows[skip:]]) ** 2) for rows in groups]
    return float(np.sqrt(np.mean(squares)))
