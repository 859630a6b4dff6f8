"""SMAC's random forest with the same bits on every processor, and the boxes in which its predictions are constant.

The trees are scikit-learn's with smac's settings: a bootstrap sample each, grown depth first. smac keeps costs as
logarithms, and a leaf predicts the logarithm of its mean cost (Hutter et al. 2011); the moments of a prediction are
those of the trees' predictions.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import config_context
from sklearn.tree import DecisionTreeRegressor

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import exp, log, total
from jointbench.optimizers.smac.parts import Forest

#: Of smac's settings those that are a tree's own; smac 2.4.1 leaves scikit-learn's best splits, whatever it says.
TREE = ("criterion", "max_depth", "min_samples_split", "min_samples_leaf", "min_weight_fraction_leaf", "max_features")
#: scikit-learn's seeds of a forest's trees lie below it.
_SEEDS = 2**31 - 1

Leaves = npt.NDArray[np.intp]


class ExactForest(Forest):
    """A leaf is numbered over all trees; leaves of n points have the shape (trees, n)."""

    _trees: list[Any]
    #: Of each tree its root.
    roots: IntArray
    #: Of each node of all trees: its children (itself in a leaf), and what it decides by.
    left: IntArray
    right: IntArray
    feature: IntArray
    threshold: FloatArray
    #: What each leaf predicts, and the box (nodes, d) that it is responsible for.
    costs: FloatArray
    above: FloatArray
    upto: FloatArray

    def _train(self, X: FloatArray, y: FloatArray) -> "ExactForest":  # noqa: N803 - smac's name
        rows, logs = np.ascontiguousarray(X, dtype=np.float32), y.ravel()
        costs = exp(logs)
        options: dict[str, Any] = self._rf_opts
        seeds = np.random.RandomState(options["random_state"])
        settings = {name: options[name] for name in (*TREE, "min_impurity_decrease")}
        self._trees, reached, drawn = [], [], []
        for seed in seeds.randint(_SEEDS, size=options["n_estimators"]).tolist():
            counts = np.bincount(np.random.RandomState(seed).randint(0, len(rows), len(rows)), minlength=len(rows))
            tree = DecisionTreeRegressor(**settings, random_state=seed)
            with config_context(assume_finite=True, skip_parameter_validation=True):
                tree = tree.fit(rows, logs, sample_weight=counts, check_input=False).tree_
            self._trees.append(tree)
            reached.append(tree.apply(rows))
            drawn.append(counts)
        self._number([tree.node_count for tree in self._trees])
        leaves, counts = (np.stack(reached) + self.roots[:, None]).ravel(), np.concatenate(drawn)
        sizes, sums = (
            np.bincount(leaves, weights=weights, minlength=len(self.left))
            for weights in (counts, counts * np.tile(costs, len(self._trees)))
        )
        # Inner nodes have no size, and nobody asks for their costs.
        self.costs = log(np.where(sizes > 0, sums, 1.0) / np.maximum(sizes, 1))
        self.above, self.upto = self._boxes(rows.shape[1])
        return self

    def _number(self, nodes: list[int]) -> None:
        """Numbers the nodes over all trees, which have so many."""
        self.roots = np.cumsum([0, *nodes[:-1]])
        own, root = np.arange(sum(nodes)), np.repeat(self.roots, nodes)
        left, right, feature = (
            np.concatenate([getattr(tree, name) for tree in self._trees])
            for name in ("children_left", "children_right", "feature")
        )
        leaf = left < 0
        self.left, self.right = (np.where(leaf, own, children + root) for children in (left, right))
        self.feature = np.where(leaf, 0, feature)
        self.threshold = np.concatenate([tree.threshold for tree in self._trees])

    def _boxes(self, dimensions: int) -> tuple[FloatArray, FloatArray]:
        """Of each node the box (nodes, d) that it is responsible for."""
        above, upto = (np.full((len(self.left), dimensions), end) for end in (-np.inf, np.inf))
        level = self.roots
        while len(level := level[self.left[level] != level]):
            left, right, feature = self.left[level], self.right[level], self.feature[level]
            for child in (left, right):
                above[child], upto[child] = above[level], upto[level]
            upto[left, feature] = above[right, feature] = self.threshold[level]
            level = np.concatenate([left, right])
        return above, upto

    def leaves(self, points: FloatArray) -> Leaves:
        """The leaves of points (n, d)."""
        rows = points.astype(np.float32)
        return np.stack([tree.apply(rows) for tree in self._trees]) + self.roots[:, None]

    def leaves_beside(self, leaves: Leaves, columns: Leaves, places: FloatArray, points: FloatArray) -> Leaves:
        """The leaves of points (n, d) that differ from points with the leaves given in one column each (n,), where
        they lie at such places (n,); asks only trees in which that is another leaf."""
        single = places.astype(np.float32)
        # In the order of rows, so that what each tree is asked lies in one piece.
        elsewhere = (single <= self.above[leaves, columns]) | (single > self.upto[leaves, columns])
        which, asked = np.nonzero(elsewhere)
        rows = points[asked].astype(np.float32)
        ends = np.searchsorted(which, np.arange(len(self._trees) + 1)).tolist()
        found = [tree.apply(rows[ends[k] : ends[k + 1]]) for k, tree in enumerate(self._trees)]
        beside = leaves.copy()
        beside[which, asked] = np.concatenate(found) + self.roots[which]
        return beside

    def moments(self, leaves: Leaves) -> tuple[FloatArray, FloatArray]:
        """Means and variances (n,) of the trees' predictions."""
        # NumPy's own sum adds in another order where there is one point.
        each = self.costs[leaves]
        mean = total(each) / len(each)
        each -= mean
        each *= each
        return mean, np.maximum(total(each) / len(each), self.least_variance)

    @property
    def least_variance(self) -> float:
        """What the variance of a prediction is at least."""
        return float(self._var_threshold)

    def box(self, leaves: Leaves) -> tuple[FloatArray, FloatArray]:
        """Around each point what changes no tree's leaf (n, d): places above the first and up to the second.

        As scikit-learn does, compare in single precision.
        """
        return self.above[leaves].max(axis=0), self.upto[leaves].min(axis=0)

    def _predict(
        self,
        X: FloatArray,  # noqa: N803 - smac's name
        covariance_type: str | None = "diagonal",
    ) -> tuple[FloatArray, FloatArray]:
        mean, variance = self.moments(self.leaves(X))
        return mean[:, None], variance[:, None]
