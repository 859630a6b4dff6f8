"""The trees of all models as one forest, walked with NumPy alone."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import BenchmarkError
from jointbench.surrogate.features import Features
from jointbench.surrogate.model_file import MOST_TREES, Booster
from jointbench.surrogate.slices import SlicedForest

#: Smaller batches are walked row by row, larger ones sliced.
_WALKED = 64


class Forest:
    """Several boosters as one set of trees: all trees of all of them step down one level at a time.

    A step is `left + (feature >= threshold)`, as `model_file.Booster` lays the nodes out. Leaves are added up as
    XGBoost does, tree after tree in float32, so that the sums are XGBoost's own to the last bit.
    """

    def __init__(self, boosters: Sequence[Booster]) -> None:
        """Raises BenchmarkError when there are too many trees."""
        self.boosters = boosters
        trees = [len(booster.roots) for booster in boosters]
        if sum(trees) > MOST_TREES:
            raise BenchmarkError("trees of the benchmark", sum(trees), f"at most {MOST_TREES}")
        nodes = [len(booster.left) for booster in boosters]
        outputs = [booster.outputs for booster in boosters]
        self.depth = max(booster.depth for booster in boosters)
        offsets = np.cumsum([0, *nodes])
        placed = list(zip(boosters, offsets.tolist(), strict=False))
        # The last node is a tree of its own that adds nought: it fills up the boosters with fewer trees.
        self.roots = np.concatenate([*(b.roots + start for b, start in placed), offsets[-1:]])
        self.left = np.concatenate([*(b.left + start for b, start in placed), offsets[-1:]])
        self.feature = np.append(np.concatenate([booster.feature for booster in boosters]), 0)
        self.threshold = np.append(np.concatenate([b.threshold for b in boosters]), np.float32(np.inf))
        #: Leaves (nodes, most outputs), zeros behind the boosters with fewer; as many as make pairs.
        width = max(outputs) + max(outputs) % 2
        value = np.zeros((len(self.left), width), dtype=np.float32)
        #: Trees by booster (most trees, boosters), and the true outputs among all columns of `value` by booster.
        self._layout = np.full((max(trees), len(boosters)), sum(trees))
        self._outputs = np.concatenate([np.arange(n) + k * width for k, n in enumerate(outputs)])
        for k, (booster, start) in enumerate(placed):
            value[start : start + nodes[k], : outputs[k]] = booster.value
            self._layout[: trees[k], k] = np.arange(trees[k]) + sum(trees[:k])
        self._pairs = value.view(np.complex64)

    def one(self, row: Features) -> list[float]:
        """Sums of leaves for one row (features,): every output of every booster, in order."""
        node = self.roots
        for _ in range(self.depth):
            node = self.left.take(node) + (row.take(self.feature.take(node)) >= self.threshold.take(node))
        leaves = self._pairs.take(node.take(self._layout), axis=0).reshape(len(self._layout), -1)
        # Unlike a sum, an accumulation has only one order in which it can be made; complex numbers add two at once.
        sums: list[float] = np.add.accumulate(leaves, axis=0)[-1].view(np.float32).take(self._outputs).tolist()
        return sums

    def many(self, rows: Features) -> FloatArray:
        """Sums of leaves (outputs, n) for rows (n, features); equal to `one` on each, bit for bit."""
        if len(rows) < _WALKED:
            return np.array([self.one(row) for row in rows]).reshape(len(rows), len(self._outputs)).T
        return self._sliced.sums(rows).astype(np.float64)

    @cached_property
    def _sliced(self) -> SlicedForest:
        return SlicedForest(self.boosters)
