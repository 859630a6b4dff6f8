"""A random forest on the unit cube of a space, as boxes."""

from functools import lru_cache

import numpy as np

from jointbench.bench.analysing.fanova import BoxTree, boxes
from jointbench.data.arrays import FloatArray
from jointbench.data.spaces.hyperparameters import Hyperparameter
from jointbench.data.spaces.space import Space

#: Bins of more numbers are so narrow that it makes no difference where in one a split lies.
_NARROW = 10_000
#: Halvings of the interval in which the edge of a whole number's bin lies.
_HALVINGS = 45


@lru_cache
def bin_edges(hyperparameter: Hyperparameter) -> FloatArray:
    """Where the shares of an integer's values (or of choices) in the unit interval meet, ascending, (values - 1,)."""
    numbers = np.arange(int(hyperparameter.low), int(hyperparameter.high))
    low, high = np.zeros(len(numbers)), np.ones(len(numbers))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = hyperparameter.decode_all(middle) <= numbers
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


class SpaceForest:
    """scikit-learn's forest of regression trees, each fitted to a bootstrap resample, on configurations in the unit
    cube (n, hyperparameters); splits of whole numbers are moved to where their bins meet, so that every value has its
    full share of the volume.
    """

    def __init__(self, space: Space, *, trees: int, least: int, seed: int = 0) -> None:
        """`least`: the fewest examples of a leaf."""
        from sklearn.ensemble import RandomForestRegressor

        self.space = space
        self._forest = RandomForestRegressor(
            trees, min_samples_leaf=least, max_features=0.5, random_state=seed, n_jobs=1
        )

    def fit(self, points: FloatArray, values: FloatArray) -> "SpaceForest":
        self._forest.fit(points, values)
        return self

    def predict(self, points: FloatArray) -> FloatArray:
        return np.asarray(self._forest.predict(points))

    def trees(self) -> list[BoxTree]:
        wide = [(k, h) for k, h in enumerate(self.space.hyperparameters) if h.integer and h.high - h.low < _NARROW]
        edges = {k: bin_edges(h) for k, h in wide}
        found = []
        for one in self._forest.estimators_:
            tree = one.tree_
            threshold = np.asarray(tree.threshold, dtype=np.float64)
            for dimension, cuts in edges.items():
                own = (tree.feature == dimension) & (tree.children_left >= 0)
                if own.any() and len(cuts):
                    threshold[own] = cuts[self._place(dimension, threshold[own])]
            value = np.asarray(tree.value[:, 0, 0], dtype=np.float64)
            found.append(
                boxes(tree.children_left, tree.children_right, tree.feature, threshold, value, len(self.space.names))
            )
        return found

    def _place(self, dimension: int, threshold: FloatArray) -> FloatArray:
        """Which edge separates the same whole numbers as a threshold does."""
        hyperparameter = self.space.hyperparameters[dimension]
        numbers = np.arange(int(hyperparameter.low), int(hyperparameter.high) + 1)
        middles = hyperparameter.encode(numbers.astype(np.float64))
        return np.clip(np.searchsorted(middles, threshold, side="right") - 1, 0, len(numbers) - 2)
