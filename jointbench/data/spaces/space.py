"""A named space of configurations: its hyperparameters, their unit-cube encoding, its facts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import ConfigurationError, MissingExtraError, UnknownNameError
from jointbench.data.evaluation import Configuration, ReadOnlyConfiguration
from jointbench.data.json_text import read_json
from jointbench.data.notebook import html_table
from jointbench.data.spaces.facts import Convolution, Facts, ImageShape
from jointbench.data.spaces.hyperparameters import Hyperparameter
from jointbench.data.tables import by_name, in_order

if TYPE_CHECKING:  # ConfigSpace takes 0.3 s to import and only people ask for its objects
    from ConfigSpace import ConfigurationSpace


#: From so many configurations on they are decoded together, which gives the same bits.
_BATCH = 16

#: What is surely a dict as Python has it, and nobody's own mapping.
_DICTS = (dict, ReadOnlyConfiguration)


class Space(ABC):
    """A named configuration space with named configurations and facts.

    A configuration is a plain mapping from name to number; a batch is a float array of shape
    (n, hyperparameters) in the order of `hyperparameters`. Methods that are given either take what people hold them
    in: what has names (a row or a frame of pandas, a record, a list of mappings) is read by name, an array by position.

    Samples are uniform in the unit cube: uniform in the number or in its logarithm, integers over bins that reach half
    a step to both sides (`Hyperparameter`). `configspace` samples by another law.
    """

    name: str
    hyperparameters: tuple[Hyperparameter, ...]
    #: Names of the hyperparameters that shape the network; the others shape its training.
    architecture: tuple[str, ...]

    @abstractmethod
    def facts(
        self, configuration: Configuration | FloatArray, image_shape: ImageShape = (3, 32, 32), classes: int = 10
    ) -> Facts:
        """Exact facts of one configuration (a mapping) or of a batch (n, hyperparameters)."""

    def convolutions(
        self, configuration: Configuration, image_shape: ImageShape = (3, 32, 32), classes: int = 10
    ) -> tuple[Convolution, ...]:
        """The network's convolutions, from the input on; what a reference clock counts. Empty where a space does not
        say."""
        return ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __reduce__(self) -> tuple[type[Space], tuple[()]]:
        # What is cached need not travel to other processes.
        return type(self), ()

    def __repr__(self) -> str:
        return f"<space {self.name}>"

    def _repr_html_(self) -> str:
        rows = [
            (h.name, h.range, "log" if h.log else "", "architecture" if h.name in self.architecture else "training")
            for h in self.hyperparameters
        ]
        return html_table(f"space {self.name}", rows, ("hyperparameter", "range", "scale", "part"))

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(h.name for h in self.hyperparameters)

    @cached_property
    def by_name(self) -> Mapping[str, Hyperparameter]:
        return {h.name: h for h in self.hyperparameters}

    def check(self, configuration: Any) -> Configuration:
        """The configuration as plain numbers in the space's order.

        Raises ConfigurationError naming the hyperparameter, its value and its range.
        """
        if type(configuration) in _DICTS and (plain := self._plain(configuration)) is not None:
            return plain
        configuration = by_name(configuration, self.names)
        for name in configuration:
            if name not in self.by_name:
                raise ConfigurationError(str(name), configuration[name], f"only hyperparameters of '{self.name}'")
        for name in self.names:
            if name not in configuration:
                raise ConfigurationError(name, None, self.by_name[name].range)
        return {h.name: h.check(configuration[h.name]) for h in self.hyperparameters}

    def _plain(self, configuration: dict[str, object]) -> Configuration | None:
        """A copy in the space's order where all values are legal and of their own types; None otherwise."""
        found: dict[str, Any] = {}
        for name, kind, low, high in self._bounds:
            value: Any = configuration.get(name)
            if type(value) is not kind or not low <= value <= high:
                return None
            found[name] = value
        return found if len(found) == len(configuration) else None

    @cached_property
    def _bounds(self) -> list[tuple[str, type[Any], float, float]]:
        return [(h.name, int if h.integer else float, h.low, h.high) for h in self.hyperparameters]

    def row(self, configuration: Configuration) -> list[float]:
        """The values in the space's order."""
        return [configuration[name] for name in self.names]

    def rows(self, configurations: Any) -> FloatArray:
        """A batch (n, hyperparameters) of raw values, of configurations or of a table of them.

        A frame, a mapping of columns, a structured array, or configurations one by one are read by name, an array by
        position. Ranges are not checked. Raises ConfigurationError for a name that lacks or is none of the space's,
        InputError for another shape and for what are no numbers.
        """
        return in_order(configurations, self.names, f"only hyperparameters of '{self.name}'")

    def encode(self, rows: Any) -> FloatArray:
        """Raw values (n, hyperparameters), as `rows` takes them, to the unit cube, same shape."""
        logarithmic, low, length = self._encoding
        raw = np.array(self.rows(rows))
        raw[:, logarithmic] = np.log(raw[:, logarithmic])
        raw -= low
        raw /= length
        return raw

    @cached_property
    def _encoding(self) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
        """Columns that are encoded by their logarithms; where each column's range begins, and its length."""
        low, high = np.array([h._span for h in self.hyperparameters]).T
        return np.flatnonzero([h.log for h in self.hyperparameters]), low, high - low

    def configuration(self, row: Any) -> Configuration:
        """One row of raw values as a configuration; its ranges are not checked."""
        values = by_name(row, self.names)
        return {h.name: int(values[h.name]) if h.integer else float(values[h.name]) for h in self.hyperparameters}

    def at(self, point: Any) -> Configuration:
        """The configuration at a point (hyperparameters,) of the unit cube."""
        units = by_name(point, self.names)
        return {h.name: h.decode(units[h.name]) for h in self.hyperparameters}

    def rows_at(self, points: Any) -> FloatArray:
        """The raw values at points of the unit cube, both (n, hyperparameters): a batch of `at`."""
        units = self.rows(points)
        return np.stack([h.decode_all(units[:, i]) for i, h in enumerate(self.hyperparameters)], axis=1)

    def sample(self, rng: np.random.Generator, count: int = 1) -> list[Configuration]:
        """Independent uniform configurations (uniform in the unit cube).

        However they are divided among calls, one generator gives the same ones.
        """
        points = rng.random((count, len(self.names)))
        if count < _BATCH:
            return [self.at(point) for point in points]
        kinds = [int if h.integer else float for h in self.hyperparameters]
        return [
            {name: kind(value) for name, kind, value in zip(self.names, kinds, row, strict=True)}
            for row in self.rows_at(points).tolist()
        ]

    @cached_property
    def configspace(self) -> ConfigurationSpace:
        """The same hyperparameters and ranges as a ConfigSpace object (for SMAC, fANOVA and people).

        It samples by another law than `sample`, which all our optimizers draw from but smac's: ConfigSpace 1.2 draws
        integers on a log scale log-uniformly between both ends and rounds them in as many bins of equal width, so that
        of 1..16 the 1 has 23.9 % instead of 31.4 %. Floats and other integers have the same law in both.
        """
        try:
            from ConfigSpace import ConfigurationSpace, UniformFloatHyperparameter, UniformIntegerHyperparameter
        except ImportError:
            raise MissingExtraError("a ConfigSpace object needs ConfigSpace: pip install ConfigSpace") from None

        space = ConfigurationSpace(name=self.name)
        for h in self.hyperparameters:
            if h.integer:
                space.add(UniformIntegerHyperparameter(h.name, int(h.low), int(h.high), log=h.log))
            else:
                space.add(UniformFloatHyperparameter(h.name, h.low, h.high, log=h.log))
        return space

    @cached_property
    def named(self) -> Mapping[str, Configuration]:
        """The named configurations that ship with the space."""
        files = sorted((Path(__file__).parent / "configurations" / self.name).glob("*.json"))
        return {file.stem: self.check(read_json(file.read_bytes(), file.name)) for file in files}

    def load(self, name_or_file: str) -> Configuration:
        """A named configuration, or one read from a JSON file.

        Raises UnknownNameError when it is neither, ConfigurationError when the file holds no legal configuration.
        """
        if name_or_file in self.named:
            return self.named[name_or_file]
        path = Path(name_or_file)
        if not path.is_file():
            raise UnknownNameError.of("configuration", name_or_file, self.named, hint=", or a JSON file")
        try:
            content = read_json(path.read_bytes(), str(path), ConfigurationError)
        except OSError as error:
            raise ConfigurationError(str(path), type(error).__name__, "a JSON file that can be read") from None
        if not isinstance(content, dict):
            raise ConfigurationError(str(path), type(content).__name__, "a JSON object of hyperparameters")
        return self.check(content)
