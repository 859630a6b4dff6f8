"""One of XGBoost's model files as flat arrays, refused unless it is whole."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import BenchmarkError
from jointbench.surrogate.ubjson import read_ubjson

IntArray = npt.NDArray[np.intp]

#: Deeper trees than these are not fitted here.
DEEPEST = 8

#: The base score with which each objective starts from zero.
_BASES = {"reg:squarederror": 0.0, "binary:logistic": 0.5}

#: Leaves are rounded to this grid and bounded, so that float64 sums of them are exact, in whatever order.
_GRID = 2.0**32
_LARGEST_LEAF = 2.0**10


@dataclass(frozen=True)
class Booster:
    """The nodes of all trees of a file in a row; `roots` and `left` count from the first.

    A node's children stand side by side: `left`, for a feature below the threshold, and `left + 1`. A leaf is its
    own left child behind an infinite threshold. `value` is (nodes, outputs), zero at inner nodes.
    """

    roots: IntArray
    left: IntArray
    feature: IntArray
    threshold: npt.NDArray[np.float32]
    value: npt.NDArray[np.float64]
    depth: int

    @property
    def outputs(self) -> int:
        return len(self.value[0])


def read_booster(content: bytes, source: str, features: int) -> Booster:
    """The trees in UBJSON written by XGBoost 3.2; `source` names them in errors.

    Raises BenchmarkError when the content is damaged or does not fit the number of features. The direction of
    missing values is not kept: no feature is ever missing.
    """

    def refuse(what: str) -> BenchmarkError:
        return BenchmarkError("model file", source, f"an XGBoost model with {what}")

    try:
        learner = read_ubjson(content, source)["learner"]
        outputs = int(learner["learner_model_param"]["num_target"])
        bases = [float(base) for base in learner["learner_model_param"]["base_score"].strip("[]").split(",")]
        usual = _BASES[learner["objective"]["name"]]
        trees = learner["gradient_booster"]["model"]["trees"]
        left, right, feature = (_joined(trees, k, "i") for k in ("left_children", "right_children", "split_indices"))
        condition, kind = _joined(trees, "split_conditions", "f"), _joined(trees, "split_type", "u")
        sizes = np.array([len(tree["left_children"]) for tree in trees])
        leaves = _joined(trees, "leaf_weights", "f") if outputs > 1 else condition
        leaf_counts = np.array([len(tree["leaf_weights"]) // outputs for tree in trees]) if outputs > 1 else sizes
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise refuse("trees as XGBoost 3.2 writes them") from None
    if bases != [usual] * outputs:
        raise refuse("a base score of nought")
    count = len(left)
    if (
        not len(right) == len(feature) == len(condition) == len(kind) == count
        or len(leaves) != leaf_counts.sum() * outputs
    ):
        raise refuse("as many children, features and thresholds as nodes")
    inner = left != -1
    if kind[inner].any() or not np.isfinite(condition[inner]).all():
        raise refuse("finite thresholds")
    if not ((feature[inner] >= 0) & (feature[inner] < features)).all():
        raise refuse(f"features among {features}")
    roots = np.cumsum(sizes) - sizes
    first, tree = np.repeat(roots, sizes), np.repeat(np.arange(len(sizes)), sizes)
    own = np.arange(count)
    # XGBoost adds children in pairs behind their parent: so there is one way to each node and no way round.
    pairs = left[inner] + first[inner]
    reached = np.sort(np.concatenate([roots, pairs, pairs + 1]))
    side_by_side = (right[inner] == left[inner] + 1).all() and (pairs > own[inner]).all()
    if not side_by_side or not np.array_equal(reached, own) or (tree[pairs + 1] != tree[inner]).any():
        raise refuse("one way to each node")
    left = np.where(inner, left + first, own)
    if outputs > 1:
        # A leaf's right child is its place among the tree's leaves.
        place = right[~inner]
        if ((place < 0) | (place >= leaf_counts[tree[~inner]])).any():
            raise refuse("a value for each leaf")
        rows = leaves.reshape(-1, outputs)[place + (np.cumsum(leaf_counts) - leaf_counts)[tree[~inner]]]
    else:
        rows = leaves[~inner][:, None]
    if not (np.abs(rows) <= _LARGEST_LEAF).all():
        raise refuse(f"leaves within {_LARGEST_LEAF:g}")
    value = np.zeros((count, outputs))
    value[~inner] = np.rint(rows.astype(np.float64) * _GRID) / _GRID
    threshold = np.where(inner, condition, np.float32(np.inf))
    depth, level = 0, roots
    while inner[level].any():
        level = left[level[inner[level]]]
        level = np.concatenate([level, level + 1])
        depth += 1
        if depth > DEEPEST:
            raise refuse(f"at most {DEEPEST} levels")
    return Booster(roots, left, np.where(inner, feature, 0), threshold, value, depth)


def _joined(trees: list[dict[str, Any]], key: str, kind: str) -> Any:
    """One array of all trees' arrays. Raises ValueError when there is none, or one of another kind."""
    parts = [tree[key] for tree in trees]
    if not all(isinstance(part, np.ndarray) and part.dtype.kind == kind and part.ndim == 1 for part in parts):
        raise ValueError
    joined = np.concatenate(parts)
    return joined.astype(np.intp) if kind == "i" else joined
