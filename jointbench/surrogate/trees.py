"""The trees of all model files as one forest, walked with NumPy alone."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import BenchmarkError
from jointbench.surrogate.features import Features
from jointbench.surrogate.model_file import read_booster
from jointbench.surrogate.slices import SlicedForest

FloatArray = npt.NDArray[np.float64]

#: More trees than these could add up leaves beyond what float64 sums exactly.
_MOST_TREES = 2**10

#: Smaller batches are walked row by row, larger ones sliced.
_WALKED = 64


class Forest:
    """Several boosters as one set of trees: all trees of all of them step down one level at a time.

    A step is `left + (feature >= threshold)`, as `model_file.Booster` lays the nodes out.
    """

    def __init__(self, boosters: Sequence[tuple[bytes, str]], features: int) -> None:
        """boosters: contents of XGBoost's UBJSON files, and names for error messages.

        Raises BenchmarkError when one is damaged or does not fit the number of features.
        """
        self.boosters = [read_booster(content, source, features) for content, source in boosters]
        trees = [len(booster.roots) for booster in self.boosters]
        if sum(trees) > _MOST_TREES:
            raise BenchmarkError("trees of the benchmark", sum(trees), f"at most {_MOST_TREES}")
        nodes = [len(booster.left) for booster in self.boosters]
        offsets = np.cumsum([0, *nodes[:-1]]).tolist()
        placed = list(zip(self.boosters, offsets, strict=True))
        self._roots = np.concatenate([booster.roots + offset for booster, offset in placed])
        self._left = np.concatenate([booster.left + offset for booster, offset in placed])
        self._feature = np.concatenate([booster.feature for booster in self.boosters])
        self._threshold = np.concatenate([booster.threshold for booster in self.boosters])
        self._depth = max(booster.depth for booster in self.boosters)
        #: First tree of each booster: where the sums begin.
        self._starts = np.cumsum([0, *trees[:-1]])
        outputs = [booster.outputs for booster in self.boosters]
        #: Leaves (nodes, most outputs), zeros behind the boosters with fewer, and where the true outputs are.
        self._value = np.zeros((sum(nodes), max(outputs)))
        for booster, offset in placed:
            self._value[offset : offset + len(booster.left), : booster.outputs] = booster.value
        self._true = np.concatenate([np.arange(n) + i * max(outputs) for i, n in enumerate(outputs)])

    def one(self, row: Features) -> list[float]:
        """Sums of leaves for one row (features,): every output of every booster, in order."""
        node = self._roots
        for _ in range(self._depth):
            node = self._left.take(node) + (row.take(self._feature.take(node)) >= self._threshold.take(node))
        sums: list[float] = np.add.reduceat(self._value.take(node, axis=0), self._starts).take(self._true).tolist()
        return sums

    def many(self, rows: Features) -> FloatArray:
        """Sums of leaves (outputs, n) for rows (n, features); equal to `one` on each, bit for bit."""
        if len(rows) < _WALKED:
            return np.array([self.one(row) for row in rows]).reshape(len(rows), len(self._true)).T
        return self._sliced.sums(rows)

    @cached_property
    def _sliced(self) -> SlicedForest:
        return SlicedForest(self.boosters)
