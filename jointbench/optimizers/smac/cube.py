"""Points of smac's unit cube that are the same to the bit on every processor, and the configurations that they are.

ConfigSpace encodes and decodes with NumPy's exponential and logarithm, whose last bits differ between processors. Here
a float's place is a multiple of 2^-20 and an integer's comes from a table, both are decoded by `data.exact`, and what
ConfigSpace drew itself is moved there. For spaces of floats and integers without conditions.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from ConfigSpace import Configuration, ConfigurationSpace, UniformIntegerHyperparameter
from ConfigSpace.hyperparameters import Hyperparameter

from jointbench.data.arrays import FloatArray, IntArray
from jointbench.data.exact import exp, log
from jointbench.optimizers.kde import GRID
from jointbench.optimizers.smac.configurations import Kept

#: Words of random bits.
WordArray = npt.NDArray[np.uint64]

#: Of an integer with more levels no table is made.
MOST_LEVELS = 100_000
#: Cells of the unit interval by which `Levels` looks a number up; of a space with narrower levels it takes more.
CELLS = 512


def snapped(floats: FloatArray) -> FloatArray:
    """The nearest multiples of 2^-20."""
    on_grid: FloatArray = np.rint(floats / GRID) * GRID
    return on_grid


class Axis:
    """One hyperparameter: what its places in the unit interval stand for.

    `values`: of an integer the places (levels,) of its values, ascending; `borders` (levels - 1,): where ConfigSpace
    1.2.2 takes the next level, for what it draws as for neighbours. Levels have equal shares of the range, on the
    scale of the values themselves.
    """

    def __init__(self, hyperparameter: Hyperparameter[Any, Any]) -> None:
        self.integer = isinstance(hyperparameter, UniformIntegerHyperparameter)
        self.log = bool(hyperparameter.log)  # type: ignore[attr-defined]
        self.lower: float = hyperparameter.lower  # type: ignore[attr-defined]
        self.upper: float = hyperparameter.upper  # type: ignore[attr-defined]
        self._low, self._high = (log(float(end)) if self.log else end for end in (self.lower, self.upper))
        if self.integer:
            levels = int(self.upper - self.lower) + 1
            shares = np.arange(1, levels) * (self.upper - self.lower) / levels
            self.values = self._place(np.arange(self.lower, self.upper + 1, dtype=np.float64))
            self.borders = self._place(self.lower + shares)
            self._middles: list[float] = ((self.values[1:] + self.values[:-1]) / 2).tolist()

    def _place(self, values: FloatArray) -> FloatArray:
        places: FloatArray = ((log(values) if self.log else values) - self._low) / (self._high - self._low)
        return places

    def snapped(self, places: FloatArray) -> FloatArray:
        """Places (n,) as they are on every processor."""
        return self.values[self.level(places)] if self.integer else snapped(places)

    def level(self, places: FloatArray) -> IntArray:
        """Of an integer the levels (n,) whose places are nearest."""
        return np.searchsorted(self._middles, places)

    def value(self, place: float) -> float | int:
        """What a snapped place stands for."""
        if self.integer:
            return int(self.lower) + bisect_left(self._middles, place)
        raw = self._low + place * (self._high - self._low)
        value: float = min(max(exp(raw) if self.log else raw, self.lower), self.upper)
        return value


class Levels:
    """Finds the levels of numbers, of several integers at once: a cell holds one border at most."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        narrowest = min((np.diff(axis.borders).min(initial=1.0) for axis in axes), default=1.0)
        self.cells = max(CELLS, 2 ** int(np.ceil(np.log2(1 / narrowest)) + 1))
        starts = np.arange(self.cells + 1) / self.cells
        #: Of each integer and cell: the levels below it, and the border in it, behind all numbers where there is none.
        self.below = np.concatenate([np.empty(0, dtype=np.int64), *(np.searchsorted(a.borders, starts) for a in axes)])
        border = (np.append(axis.borders, 2.0)[np.searchsorted(axis.borders, starts)] for axis in axes)
        self.border = np.concatenate([np.empty(0), *border])

    def of(self, numbers: FloatArray, which: IntArray) -> IntArray:
        """Levels of numbers in the unit interval; `which` integer each belongs to, of a shape that broadcasts."""
        cell = (numbers * self.cells).astype(np.int64) + which * (self.cells + 1)
        levels: IntArray = self.below[cell] + (numbers >= self.border[cell])
        return levels


class Cube:
    """The hyperparameters of a ConfigSpace in its order."""

    def __init__(self, configspace: ConfigurationSpace) -> None:
        self.axes = [Axis(hyperparameter) for hyperparameter in configspace.values()]
        self.names = list(configspace)
        self._integers = [axis for axis in self.axes if axis.integer]
        self._levels = Levels(self._integers)

    def sample(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Points (count, d) by the law by which ConfigSpace samples."""
        return self.placed(self.uniform(rng, count))

    def uniform(self, rng: np.random.Generator, count: int) -> FloatArray:
        """The random numbers (d, count) of which such points are made."""
        return rng.random((len(self.axes), count))

    def placed(self, uniform: FloatArray) -> FloatArray:
        """The points (count, d) of such numbers, which become their places."""
        number = 0
        for row, axis in zip(uniform, self.axes, strict=True):
            if axis.integer:
                row[:] = axis.values[self._levels.of(row, np.array(number))]
                number += 1
            else:
                row[:] = snapped(row)
        return np.ascontiguousarray(uniform.T)

    def snapped(self, points: FloatArray) -> FloatArray:
        """Points (n, d) as they are on every processor."""
        return np.stack([axis.snapped(points[:, column]) for column, axis in enumerate(self.axes)], axis=1)

    def configuration(self, configspace: ConfigurationSpace, point: FloatArray, origin: str | None) -> Kept:
        """The configuration at a snapped point (d,)."""
        values = {
            name: axis.value(place) for name, axis, place in zip(self.names, self.axes, point.tolist(), strict=True)
        }
        return Kept.of(Configuration(configspace, vector=point.copy(), origin=origin), values)


class CubeSpace(ConfigurationSpace):
    """A ConfigSpace that samples such points."""

    cube: Cube

    @classmethod
    def of(cls, configspace: ConfigurationSpace) -> Self:
        """The space itself, as one of these."""
        configspace.__class__ = cls
        assert isinstance(configspace, cls)
        configspace.cube = Cube(configspace)
        return configspace

    def sample_configuration(self, size: int | None = None) -> Any:
        sampled: Any = super().sample_configuration(size)
        return self.moved(sampled) if size is None else [self.moved(one) for one in sampled]

    def moved(self, configuration: Configuration) -> Kept:
        """A configuration, moved to the nearest such point."""
        point = self.cube.snapped(configuration.get_array()[None])[0]
        return self.cube.configuration(self, point, configuration.origin)
