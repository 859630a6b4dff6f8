"""A small network of a student, frozen in whole numbers so that it says the same everywhere.

Sums of rounded numbers hang on their order, which is another in each library of linear algebra, in each size of a batch
and on each processor. Here weights and what passes between layers are whole numbers small enough that every sum is
exact in float64, in whatever order it is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import BenchmarkError
from jointbench.data.exact import clip, log, rint
from jointbench.surrogate.features import Features

#: What passes between layers is counted in units of 2^-12, weights in units of 2^-16.
SHIFT, WEIGHT_SHIFT = 12, 16
#: How far inputs, in standard deviations, and what passes between layers are from nought at most.
FARTHEST, LARGEST = 8.0, 256.0
#: Every whole number up to it is a float64.
_EXACT = 2.0**53
#: Widths and layers of networks that answer in time, and how large what they say may be.
WIDEST, _MOST_LAYERS, _LARGEST_OUTPUT = 1_024, 8, 300.0
#: Of the numbers by which inputs are made: no feature is larger, and it is far from where float64 ends.
_LARGEST_NUMBER = 1e38
#: A feature differs whose deviation is more than this, and than this share of its largest value.
_SMALLEST, _SMALLEST_SHARE = 1e-37, 1e-9


@dataclass(frozen=True)
class NetworkInputs:
    """How inputs are made of features: first those that are taken as they are, then `logged` logarithms of them, then
    whether `choice` features have a value.

    Arrays (inputs,): the number of the feature in `column`; `least`, below which no feature is taken, and what is
    `added` to it (of a choice, the value itself); `mean` and `scale`, the inverse of a standard deviation, within
    `FARTHEST` of which an input stays.
    """

    column: npt.NDArray[np.intp]
    least: FloatArray
    added: FloatArray
    mean: FloatArray
    scale: FloatArray
    logged: int
    choices: int

    @classmethod
    def fit(
        cls, rows: Features, *, plain: Sequence[Any], logged: Sequence[Any], choices: Sequence[Any]
    ) -> "NetworkInputs":
        """To rows (n, features) of what is learned from: `plain` and `logged` are (column, least, added), `choices`
        (column, value)."""
        entries = [*plain, *logged, *((column, 0.0, value) for column, value in choices)]
        column = np.array([entry[0] for entry in entries], dtype=np.intp)
        least, added = (np.array([entry[part] for entry in entries], dtype=np.float64) for part in (1, 2))
        unit = np.ones(len(entries))
        made = cls(column, least, added, 0 * unit, unit, len(logged), len(choices))
        values = made._values(rows)
        deviation = values.std(axis=0)
        # What never differs says nothing elsewhere.
        differs = deviation > np.maximum(_SMALLEST_SHARE * np.abs(values).max(axis=0), _SMALLEST)
        scale = np.where(differs, 1 / np.maximum(deviation, _SMALLEST), 0.0)
        return cls(column, least, added, values.mean(axis=0), scale, len(logged), len(choices))

    def __call__(self, rows: Features) -> FloatArray:
        """Whole numbers (..., inputs), in units of 2^-SHIFT, of rows (..., features)."""
        scaled = (self._values(rows) - self.mean) * self.scale
        return np.asarray(rint(clip(scaled, -FARTHEST, FARTHEST) * 2.0**SHIFT))

    def _values(self, rows: Features) -> FloatArray:
        """(..., inputs)."""
        first, last = len(self.column) - self.logged - self.choices, len(self.column) - self.choices
        taken = rows.take(self.column, axis=-1).astype(np.float64)
        values = np.maximum(taken, self.least) + self.added
        values[..., first:last] = log(values[..., first:last])
        values[..., last:] = taken[..., last:] == self.added[last:]
        return values


@dataclass(frozen=True)
class StudentNetwork:
    """`weights` (inputs, units) and `biases` (units,) of each layer, whole numbers in units of 2^-WEIGHT_SHIFT and of
    2^-(SHIFT + WEIGHT_SHIFT). Between layers nothing is below nought; what the last one says, times `deviation` and
    with `mean` added, stays from `low` to `high` (outputs,)."""

    inputs: NetworkInputs
    weights: Sequence[FloatArray]
    biases: Sequence[FloatArray]
    deviation: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def outputs(self) -> int:
        return len(self.mean)

    def __call__(self, rows: Features) -> FloatArray:
        """(..., outputs) of rows (..., features), each row's with the same bits alone as in a batch."""
        at = self.inputs(rows)
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            passed = rint((at @ weights + biases) * 2.0**-WEIGHT_SHIFT)
            at = np.minimum(np.maximum(passed, 0.0), LARGEST * 2.0**SHIFT)
        said = (at @ self.weights[-1] + self.biases[-1]) * 2.0 ** -(SHIFT + WEIGHT_SHIFT)
        return np.asarray(np.minimum(np.maximum(said * self.deviation + self.mean, self.low), self.high))

    @classmethod
    def rounded(
        cls,
        inputs: NetworkInputs,
        weights: Sequence[FloatArray],
        biases: Sequence[FloatArray],
        lessons: FloatArray,
    ) -> "StudentNetwork":
        """Of a network in floats, which learned `lessons` (n, outputs) less their mean over their deviation."""
        # No larger than that sums are exact: hundreds, where learned weights are below ten.
        most = [_EXACT / 4 / (LARGEST * 2.0**SHIFT * len(each)) for each in weights]
        whole = [
            np.clip(np.rint(each.astype(np.float64) * 2.0**WEIGHT_SHIFT), -limit, limit).astype(np.int32).astype(float)
            for each, limit in zip(weights, most, strict=True)
        ]
        added = [np.rint(each.astype(np.float64) * 2.0 ** (SHIFT + WEIGHT_SHIFT)) for each in biases]
        deviation = np.maximum(lessons.std(axis=0), 1e-9)
        low, high = (
            np.clip(end, -_LARGEST_OUTPUT, _LARGEST_OUTPUT) for end in (lessons.min(axis=0), lessons.max(axis=0))
        )
        return cls(inputs, whole, added, deviation, lessons.mean(axis=0), low, high)

    def as_dict(self) -> dict[str, npt.NDArray[Any]]:
        """For the models' file: arrays of int32, int64 and float64."""
        made, units = self.inputs, [len(biases) for biases in self.biases]
        columns = made.column.astype(np.int32)
        found: dict[str, npt.NDArray[Any]] = {"column": columns}
        for name in _INPUTS:
            found[f"input-{name}"] = getattr(made, name)
        found["kinds"] = np.array([len(columns) - made.logged - made.choices, made.logged, made.choices], np.int32)
        found["units"] = np.array(units, dtype=np.int32)
        found["weights"] = np.concatenate([weights.ravel() for weights in self.weights]).astype(np.int32)
        found["biases"] = np.concatenate(self.biases).astype(np.int64)
        for name in _OUTPUTS:
            found[f"output-{name}"] = getattr(self, name)
        return found

    @classmethod
    def from_dict(cls, content: Any, source: str, features: int, outputs: int) -> "StudentNetwork":
        """Raises BenchmarkError when it is damaged, does not fit so many features and outputs, or could not be
        summed exactly; `source` names the file."""
        try:
            arrays = _arrays(content)
            inputs = _inputs(arrays, features)
            weights, biases = _layers(arrays, outputs)
            deviation, mean, low, high = (_numbers(arrays, f"output-{name}", outputs) for name in _OUTPUTS)
            if not ((low <= high) & (low >= -_LARGEST_OUTPUT) & (high <= _LARGEST_OUTPUT)).all():
                raise ValueError(f"outputs within {_LARGEST_OUTPUT:g}")
        except ValueError as error:
            raise BenchmarkError("network", source, f"a student's network with {error}") from None
        return cls(inputs, weights, biases, deviation, mean, low, high)


#: By which numbers inputs are made, and outputs.
_INPUTS, _OUTPUTS = ("least", "added", "mean", "scale"), ("deviation", "mean", "low", "high")
#: The entries in the models' file, and their kinds.
_KINDS: dict[str, Any] = {
    "column": np.int32,
    **{f"input-{name}": np.float64 for name in _INPUTS},
    "kinds": np.int32,
    "units": np.int32,
    "weights": np.int32,
    "biases": np.int64,
    **{f"output-{name}": np.float64 for name in _OUTPUTS},
}

Arrays = Mapping[str, npt.NDArray[Any]]


def _arrays(content: Any) -> Arrays:
    """All entries, each of its kind. This and what follows raise ValueError, which says what there should be."""
    if not isinstance(content, Mapping) or set(content) != set(_KINDS):
        raise ValueError(f"the entries {', '.join(_KINDS)}")
    for name, kind in _KINDS.items():
        array = content[name]
        if not isinstance(array, np.ndarray) or array.dtype != kind or array.ndim != 1:
            raise ValueError(f"{name} as an array of {np.dtype(kind).name}")
    return content


def _inputs(arrays: Arrays, features: int) -> NetworkInputs:
    column, kinds = arrays["column"].astype(np.intp), arrays["kinds"].tolist()
    if len(kinds) != 3 or min(kinds) < 0 or sum(kinds) != len(column) or not 0 < len(column) <= WIDEST:
        raise ValueError(f"1 to {WIDEST:,} inputs of three kinds")
    if not ((column >= 0) & (column < features)).all():
        raise ValueError(f"features among {features}")
    least, added, mean, scale = (_numbers(arrays, f"input-{name}", len(column)) for name in _INPUTS)
    plain, logged, choices = kinds
    if not (least + added)[plain : plain + logged].min(initial=1.0) > 0:
        raise ValueError("logarithms of positive numbers")
    return NetworkInputs(column, least, added, mean, scale, logged, choices)


def _layers(arrays: Arrays, outputs: int) -> tuple[list[FloatArray], list[FloatArray]]:
    """Weights and biases of each."""
    units = arrays["units"].tolist()
    if not 0 < len(units) <= _MOST_LAYERS or not all(0 < n <= WIDEST for n in units) or units[-1] != outputs:
        raise ValueError(f"at most {_MOST_LAYERS} layers, none wider than {WIDEST:,}, the last of {outputs}")
    shapes = list(pairwise([len(arrays["column"]), *units]))
    ends = np.cumsum([before * after for before, after in shapes])
    if len(arrays["weights"]) != ends[-1] or len(arrays["biases"]) != sum(units):
        raise ValueError("a weight for each pair of units, and a bias for each unit")
    flat = np.split(arrays["weights"].astype(np.float64), ends[:-1])
    weights = [part.reshape(shape) for part, shape in zip(flat, shapes, strict=True)]
    biases = np.split(arrays["biases"].astype(np.float64), np.cumsum(units)[:-1])
    for k, (each, bias) in enumerate(zip(weights, biases, strict=True)):
        largest = (LARGEST if k else FARTHEST) * 2.0**SHIFT
        if not (np.abs(each).sum(axis=0) * largest + np.abs(bias) < _EXACT).all():
            raise ValueError("weights whose sums are exact")
    return weights, biases


def _numbers(arrays: Arrays, name: str, count: int) -> FloatArray:
    array = arrays[name]
    if len(array) != count:
        raise ValueError(f"as many of {name} as there are")
    if not (np.abs(array) <= _LARGEST_NUMBER).all():
        raise ValueError(f"{name} within {_LARGEST_NUMBER:g}")
    return array
