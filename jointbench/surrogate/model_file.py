"""The file of a benchmark's models, each as XGBoost itself writes it, read into flat arrays or refused.

The file is one UBJSON object; its members are XGBoost's own models, so that any program which reads those can take
one out of it, and behind them a student's network, where it has one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.errors import BenchmarkError
from jointbench.surrogate.student_network import StudentNetwork
from jointbench.surrogate.ubjson import read_ubjson, write_numbers, write_object

IntArray = npt.NDArray[np.intp]

#: What a student's network is called in the file.
NETWORK = "network"

#: Deeper trees than these are not fitted here.
DEEPEST = 8

#: The base score with which each objective starts from zero.
_BASES = {"reg:squarederror": 0.0, "binary:logistic": 0.5, "reg:gamma": 1.0}

#: Nodes of a tree as deep as may be.
_MOST_NODES = 2 ** (DEEPEST + 1) - 1
#: More trees than these, of all models, would take a query longer than it may.
MOST_TREES = 2**12

#: A forest whose leaves could add up to more than this predicts no logarithm or log odds of this world.
_LARGEST_SUM = 300.0


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
    value: npt.NDArray[np.float32]
    depth: int

    @property
    def outputs(self) -> int:
        return len(self.value[0])


def join_models(models: Mapping[str, bytes], network: StudentNetwork | None = None) -> bytes:
    """The file of models that XGBoost saved as UBJSON, by name, and of a student's network."""
    if network is None:
        return write_object(models)
    arrays = {name: write_numbers(array) for name, array in network.as_dict().items()}
    return write_object({**models, NETWORK: write_object(arrays)})


def read_models(
    content: bytes, source: str, names: Sequence[str], features: int
) -> tuple[list[Booster], StudentNetwork | None]:
    """The models of these names, in their order, and the network whose outputs are added to those of the first, where
    there is one; `source` names the file in errors.

    Raises BenchmarkError when the content is damaged, holds others, or does not fit the number of features.
    """
    models = read_ubjson(content, source)
    if not isinstance(models, dict) or list(models) not in (list(names), [*names, NETWORK]):
        raise BenchmarkError("model file", source, f"the models {', '.join(names)}")
    boosters = [read_booster(models[name], f"{name} in {source}", features) for name in names]
    if NETWORK not in models:
        return boosters, None
    return boosters, StudentNetwork.from_dict(models[NETWORK], source, features, boosters[0].outputs)


def read_booster(model: Any, source: str, features: int) -> Booster:
    """The trees of one decoded model, as XGBoost 3.2 writes it; `source` names it in errors.

    Raises BenchmarkError when they are damaged or do not fit the number of features. The direction of missing values
    is not kept: no feature is ever missing.
    """

    def refuse(what: str) -> BenchmarkError:
        return BenchmarkError("model", source, f"an XGBoost model with {what}")

    try:
        learner = model["learner"]
        outputs = _count(learner["learner_model_param"]["num_target"])
        bases = [float(base) for base in learner["learner_model_param"]["base_score"].strip("[]").split(",")]
        usual = _BASES[learner["objective"]["name"]]
        trees = learner["gradient_booster"]["model"]["trees"]
        # Before anything is made of them: what is too large is not even joined.
        if len(trees) > MOST_TREES:
            raise refuse(f"at most {MOST_TREES} trees")
        if any(len(tree["left_children"]) > _MOST_NODES for tree in trees):
            raise refuse(f"at most {_MOST_NODES} nodes a tree")
        left, right, feature = (_joined(trees, k, "i") for k in ("left_children", "right_children", "split_indices"))
        condition, kind = _joined(trees, "split_conditions", "f"), _joined(trees, "split_type", "u")
        sizes = np.array([len(tree["left_children"]) for tree in trees])
        leaves = _joined(trees, "leaf_weights", "f") if outputs > 1 else condition
        leaf_counts = np.array([len(tree["leaf_weights"]) // outputs for tree in trees]) if outputs > 1 else sizes
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise refuse("trees as XGBoost 3.2 writes them") from None
    if len(bases) != outputs or set(bases) != {usual}:
        raise refuse("a base score of nought for each output")
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
    value = np.zeros((count, outputs), dtype=np.float32)
    value[~inner] = rows
    if not np.maximum.reduceat(np.abs(value).max(axis=1), roots).sum(dtype=np.float64) <= _LARGEST_SUM:
        raise refuse(f"leaves that add up to at most {_LARGEST_SUM:g}")
    threshold = np.where(inner, condition, np.float32(np.inf))
    depth, level = 0, roots
    while inner[level].any():
        level = left[level[inner[level]]]
        level = np.concatenate([level, level + 1])
        depth += 1
        if depth > DEEPEST:
            raise refuse(f"at most {DEEPEST} levels")
    return Booster(roots, left, np.where(inner, feature, 0), threshold, value, depth)


def _count(digits: str) -> int:
    """Raises TypeError when it is no text, ValueError when it is no number that XGBoost would write."""
    if not digits.isdecimal() or len(digits) > 9:
        raise ValueError
    return int(digits)


def _joined(trees: list[dict[str, Any]], key: str, kind: str) -> Any:
    """One array of all trees' arrays. Raises ValueError when there is none, or one of another kind."""
    parts = [tree[key] for tree in trees]
    if not all(isinstance(part, np.ndarray) and part.dtype.kind == kind and part.ndim == 1 for part in parts):
        raise ValueError
    joined = np.concatenate(parts)
    return joined.astype(np.intp) if kind == "i" else joined
