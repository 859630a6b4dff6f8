"""A cost model, the device in two sums: how long an image takes, and how much memory a training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import BenchmarkError
from jointbench.data.numbers import json_float
from jointbench.data.spaces.facts import Facts

#: Weights beyond these are of no device; a law must have one between them.
_LEAST, _MOST = 1e-30, 1e30


@dataclass(frozen=True)
class CostModel:
    """Weights, none negative, of what a network is made of; fitted to the log's device.

    `image_seconds` (6 weights): seconds of forward, backward and step for one image, as a sum over its work and its
    share of what each step costs: [1, FLOPs, activations, 1/batch, layers/batch, parameters/batch].
    `peak_bytes` (3 weights): [1, parameters, activations * batch].

    A roofline in spirit: such laws hold far outside the sampled configurations, where trees stay flat; the trees
    then learn only what the laws miss.
    """

    image_seconds: tuple[float, ...]
    peak_bytes: tuple[float, ...]

    @classmethod
    def fit(
        cls, at: Mapping[str, FloatArray], facts: Facts, image_seconds: FloatArray, peak_bytes: FloatArray
    ) -> "CostModel":
        """From arrays (n,) of trainings that ended ok; relative errors count, not absolute ones. NaN: not measured."""
        return cls(relative_weights(_work(at, facts), image_seconds), relative_weights(_storage(at, facts), peak_bytes))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "CostModel":
        """Raises BenchmarkError when a weight is missing, negative or of no device, or all are as good as nought."""
        laws = []
        for name, count in (("image_seconds", 6), ("peak_bytes", 3)):
            weights = content[name]
            weights = [*map(json_float, weights)] if isinstance(weights, list) else weights
            numbers = isinstance(weights, list) and len(weights) == count and all(type(w) is float for w in weights)
            if not numbers or not all(0 <= w <= _MOST for w in weights) or not any(w >= _LEAST for w in weights):
                expected = f"{count} numbers from 0 to {_MOST:g}, not all of them nought"
                raise BenchmarkError(f"law {name} of the benchmark", weights, expected)
            laws.append(tuple(weights))
        return cls(*laws)

    def seconds_of_image(self, at: Mapping[str, Any], facts: Facts) -> Any:
        return weighted(self.image_seconds, _work(at, facts))

    def bytes_of_training(self, at: Mapping[str, Any], facts: Facts) -> Any:
        return weighted(self.peak_bytes, _storage(at, facts))


def _work(at: Mapping[str, Any], facts: Facts) -> tuple[Any, ...]:
    batch = at["batch_size"]
    return 1.0, facts.flops, facts.activations, 1 / batch, facts.layers / batch, facts.parameters / batch


def _storage(at: Mapping[str, Any], facts: Facts) -> tuple[Any, ...]:
    return 1.0, facts.parameters, facts.activations * at["batch_size"]


def weighted(weights: tuple[float, ...], terms: tuple[Any, ...]) -> Any:
    total: Any = 0.0
    for weight, term in zip(weights, terms, strict=True):
        total = total + weight * term
    return total


def relative_weights(terms: tuple[Any, ...], measured: FloatArray) -> tuple[float, ...]:
    """None negative, of a sum of terms, each a number or (n,), for what was measured (n,): least squares of the
    relative errors."""
    from scipy.optimize import nnls

    ratios = np.stack([np.broadcast_to(term, len(measured)) / measured for term in terms], axis=1)
    ratios = ratios[np.isfinite(measured)]
    scale = ratios.max(axis=0)
    weights, _ = nnls(ratios / scale, np.ones(len(ratios)))
    return tuple(float(weight) for weight in weights / scale)
