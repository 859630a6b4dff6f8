"""The surrogate's features as models want them that are not trees: on scales where a step means the same everywhere."""

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.spaces.space import Space
from jointbench.surrogate.cost_model import CostModel
from jointbench.surrogate.features import FeatureMap
from jointbench.surrogate.student_network import NetworkInputs
from jointbench.surrogate.table import TrainingTable

#: What is added to a feature that can be nought before its logarithm is taken, in medians of what is not.
_ADDED = 0.05
#: Where nought was never seen in the training part, its logarithm is taken of this.
_LEAST = 1e-12


def fit_features(ok: TrainingTable) -> FeatureMap:
    """The features of trainings that ended ok; with a cost model of their device where they are such on images."""
    if ok.measures is not None or ok.facts is None:
        return FeatureMap(ok.space, ok.images, ok.ladder)
    cost_model = CostModel.fit(ok.columns, ok.facts, 1 / ok.costs[:, 3], ok.costs[:, 2])
    return FeatureMap(ok.space, ok.images, ok.ladder, cost_model)


def _encoded(space: Space, rows: FloatArray) -> FloatArray:
    """Numbers (n, hyperparameters) as the space encodes them; choices without an order as a column each, and one that
    says whether it is active for each that need not be."""
    if space.all_numbers:
        return space.encode(rows)
    columns = []
    encoded = space.encode(rows, inactive=0.5)
    for number, h in enumerate(space.hyperparameters):
        if h.unordered > 2:
            columns += [rows[:, number] == choice for choice in range(h.unordered)]
        else:
            columns.append(encoded[:, number])
        if h.name in space.conditions:
            columns.append(~np.isnan(rows[:, number]))
    return np.stack(columns, axis=1).astype(np.float64)


class Inputs:
    """The features with the cost model of the training part, `raw`; and `scaled`: hyperparameters as the space encodes
    them, the others by their logarithms, all of mean 0 and variance 1 in the training part.

    The logarithms are what a Gaussian process needs most: on `digits-cpu` it explains more than XGBoost with them, and
    less without.
    """

    def __init__(self, ok: TrainingTable, *, logarithms: bool = True) -> None:
        self._logarithms = logarithms
        self.features = fit_features(ok)
        derived = self._derived(ok)
        nought = derived.min(axis=0) <= 0
        usual = [np.median(column[column > 0]) if (column > 0).any() else 1.0 for column in derived.T]
        self._added = np.where(nought, _ADDED * np.array(usual), 0.0)
        logged = self._logged(ok)
        self._mean, self._deviation = logged.mean(axis=0), logged.std(axis=0)
        # What never differs in the training part says nothing elsewhere.
        self._deviation[self._deviation < 1e-9] = np.inf

    def raw(self, table: TrainingTable) -> FloatArray:
        """(n, features)."""
        return self.features.many(table.rows, table.facts, table.budgets).astype(np.float64)

    def scaled(self, table: TrainingTable) -> FloatArray:
        """(n, features)."""
        return np.asarray((self._logged(table) - self._mean) / self._deviation)

    def of_network(self, ok: TrainingTable) -> NetworkInputs:
        """The same of `raw` features, for a network that is frozen with a benchmark; scaled to the training part."""
        space = self.features.space
        plain, logged, choices = (
            list[tuple[int, float, float]](),
            list[tuple[int, float, float]](),
            list[tuple[int, float]](),
        )
        for column, (h, absent) in enumerate(zip(space.hyperparameters, self.features.absent, strict=True)):
            if h.unordered > 2:
                choices += [(column, float(choice)) for choice in range(h.unordered)]
            else:
                # What is inactive is told by a choice, and beside that as the lowest of its range.
                (logged if h.log else plain).append((column, h.low, 0.0))
            if h.name in space.conditions:
                choices.append((column, float(np.float32(absent))))
        first, least = len(space.names), np.where(self._added > 0, 0.0, _LEAST)
        derived = zip(least.tolist(), self._added.tolist(), strict=True)
        if self._logarithms:
            logged += [(first + k, *one) for k, one in enumerate(derived)]
        else:
            plain += [(first + k, 0.0, 0.0) for k, _ in enumerate(derived)]
        rows = self.raw(ok).astype(np.float32)
        return NetworkInputs.fit(rows, plain=plain, logged=logged, choices=choices)

    def _derived(self, table: TrainingTable) -> FloatArray:
        return self.raw(table)[:, len(table.space.names) :]

    def _logged(self, table: TrainingTable) -> FloatArray:
        derived = self._derived(table)
        if self._logarithms:
            derived = np.log(np.maximum(derived + self._added, _LEAST))
        return np.concatenate([_encoded(table.space, table.rows), derived], axis=1)
