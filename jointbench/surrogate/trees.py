"""XGBoost's trees as flat arrays, evaluated with NumPy alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import BenchmarkError
from jointbench.surrogate.features import Features
from jointbench.surrogate.ubjson import read_ubjson

#: Deeper trees than these are not fitted here; the bound keeps a damaged file from walking for ever.
DEEPEST = 32

#: Rows of a batch that are walked together; their node indices stay in the processor's cache.
_CHUNK = 256


class Forest:
    """Several boosters as one set of trees: all trees of all of them step down one level at a time.

    A node's children stand side by side, so a step is `left + (feature >= threshold)`. A leaf is its own left
    child behind a threshold that nothing reaches.
    """

    def __init__(self, boosters: Sequence[tuple[bytes, str]], features: int) -> None:
        """boosters: contents of XGBoost's UBJSON files (one output each) and names for error messages.

        Raises BenchmarkError when one is damaged or does not fit the number of features.
        """
        trees = [_read(content, source, features) for content, source in boosters]
        flat = [tree for booster in trees for tree in booster]
        sizes = np.array([len(tree.feature) for tree in flat])
        offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        self.roots = offsets
        self.feature = np.concatenate([tree.feature for tree in flat])
        self.threshold = np.concatenate([tree.threshold for tree in flat])
        self.left = np.concatenate([tree.left + offset for tree, offset in zip(flat, offsets, strict=True)])
        self.value = np.concatenate([tree.value for tree in flat])
        self.depth = max(tree.depth for tree in flat)
        #: First tree of each booster: where the sums begin.
        self.starts = np.cumsum([0] + [len(booster) for booster in trees[:-1]])

    def one(self, row: Features) -> npt.NDArray[np.float32]:
        """Sum of leaves of each booster (boosters,) for one row (features,)."""
        node = self.roots
        for _ in range(self.depth):
            node = self.left[node] + (row[self.feature[node]] >= self.threshold[node])
        return np.add.reduceat(self.value[node], self.starts)

    def many(self, rows: Features) -> npt.NDArray[np.float32]:
        """Sums of leaves (n, boosters) for rows (n, features); equal to `one` on each."""
        out = np.empty((len(rows), len(self.starts)), dtype=np.float32)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            index = np.arange(len(chunk))[:, None]
            node = np.broadcast_to(self.roots, (len(chunk), len(self.roots)))
            for _ in range(self.depth):
                node = self.left[node] + (chunk[index, self.feature[node]] >= self.threshold[node])
            out[start : start + _CHUNK] = np.add.reduceat(self.value[node], self.starts, axis=1)
        return out


class _Tree:
    """One tree with its nodes in breadth-first order, siblings side by side."""

    def __init__(self, raw: dict[str, Any], source: str, features: int) -> None:
        def refuse(what: str) -> BenchmarkError:
            return BenchmarkError("model file", source, f"trees with {what}")

        try:
            left, right = (np.asarray(raw[k], dtype=np.int64) for k in ("left_children", "right_children"))
            feature = np.asarray(raw["split_indices"], dtype=np.int64)
            condition = np.asarray(raw["split_conditions"], dtype=np.float32)
        except (KeyError, ValueError, TypeError, OverflowError):
            raise refuse("children, split indices and split conditions") from None
        count = len(left)
        if count == 0 or not len(right) == len(feature) == len(condition) == count:
            raise refuse("as many of each as there are nodes")
        if not np.isfinite(condition).all():
            raise refuse("finite numbers")
        order, depths, seen = [0], [0], {0}
        for position, node in enumerate(order):
            # The list grows while it is walked: breadth first.
            if left[node] == -1:
                continue
            pair = [int(left[node]), int(right[node])]
            if not all(0 < child < count for child in pair) or not 0 <= feature[node] < features:
                raise refuse("children and features that exist")
            if pair[0] == pair[1] or seen.intersection(pair):
                raise refuse("one way to each node")
            seen.update(pair)
            order += pair
            depths += [depths[position] + 1] * 2
            if depths[-1] > DEEPEST:
                raise refuse(f"at most {DEEPEST} levels")
        self.depth = depths[-1]
        placed = np.array(order)
        position_of = np.zeros(count, dtype=np.int64)
        position_of[placed] = np.arange(len(placed))
        leaf = left[placed] == -1
        self.feature = np.where(leaf, 0, feature[placed])
        self.threshold = np.where(leaf, np.float32(np.inf), condition[placed])
        self.left = np.where(leaf, np.arange(len(placed)), position_of[left[placed]])
        self.value = np.where(leaf, condition[placed], np.float32(0))


def _read(content: bytes, source: str, features: int) -> list[_Tree]:
    try:
        trees = read_ubjson(content, source)["learner"]["gradient_booster"]["model"]["trees"]
    except (KeyError, TypeError):
        raise BenchmarkError("model file", source, "an XGBoost model of trees") from None
    if not isinstance(trees, list) or not trees or not all(isinstance(tree, dict) for tree in trees):
        raise BenchmarkError("model file", source, "an XGBoost model with at least one tree")
    return [_Tree(tree, source, features) for tree in trees]
