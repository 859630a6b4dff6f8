"""A named space of configurations: its hyperparameters, their unit-cube encoding, its facts."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jointbench.data.arrays import FloatArray
from jointbench.data.errors import ConfigurationError, InputError, UnknownNameError
from jointbench.data.evaluation import Configuration, ReadOnlyConfiguration
from jointbench.data.json_text import read_json
from jointbench.data.metrics import TRAINED, Metric
from jointbench.data.notebook import html_table
from jointbench.data.spaces.conditions import Condition
from jointbench.data.spaces.facts import Convolution, Facts, ImageShape, Work
from jointbench.data.spaces.hyperparameters import Hyperparameter, Number
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.tables import by_name, in_order, is_missing

if TYPE_CHECKING:  # ConfigSpace takes 0.3 s to import and only people ask for its objects
    from ConfigSpace import ConfigurationSpace

    from jointbench.data.images.facts import ImageFacts


#: From so many configurations on they are decoded together, which gives the same bits.
_BATCH = 16

#: What is surely a dict as Python has it, and nobody's own mapping.
_DICTS = (dict, ReadOnlyConfiguration)


class Space(ABC):
    """A named configuration space: hyperparameters, conditions, named configurations, and what it knows of them.

    A configuration is a plain mapping from name to value, without the hyperparameters that are inactive; a batch is a
    float array of numbers (n, hyperparameters) in the order of `hyperparameters`, NaN where one is inactive. Methods
    that are given either take what people hold them in: what has names (a row or a frame of pandas, a record, a list of
    mappings) is read by name and has values, an array is read by position and has numbers (`Hyperparameter.number`).

    Samples are uniform in the unit cube: uniform in the number or in its logarithm, integers over bins that reach half
    a step to both sides, choices by their shares. `configspace` samples by another law.

    Two spaces are equal when they are of one class and have the same content, attributes of their own among it: a class
    may have parameters, such as a limit, which its constructor keeps.
    """

    name: str
    hyperparameters: tuple[Hyperparameter, ...]
    #: By the names of the hyperparameters that are not always active.
    conditions: Mapping[str, Condition] = MappingProxyType({})
    #: Names of the hyperparameters that shape the network; the others shape its training.
    architecture: tuple[str, ...] = ()
    #: By what its network is found where it is trained; its own name where it is empty.
    network: str = ""
    #: Whether a seed draws its networks (`architecture_seed`), and what a training of one measures.
    draws: bool = False
    metrics: tuple[Metric, ...] = TRAINED
    #: Where it comes from, in a few words, and what whoever asks a benchmark of it should keep in mind, in sentences.
    source: str = ""
    remarks: tuple[str, ...] = ()
    #: What a practitioner gives the others while architectures are searched, where it is not their usual values.
    expert: Configuration = MappingProxyType({})

    @staticmethod
    def from_configspace(
        given: str | Mapping[str, Any] | ConfigurationSpace, *, name: str = "", architecture: tuple[str, ...] = ()
    ) -> Space:
        """The space that a ConfigSpace object is, or its JSON as text or as a dict; it knows no facts.

        `name`: instead of the object's own; `architecture`: which of its hyperparameters shape the network. JSON is
        read without ConfigSpace. Raises InputError for what is no such space, or has what no space here can have:
        forbidden combinations, numbers of a normal or beta law.
        """
        from jointbench.data.spaces.configspace import read_configspace

        return read_configspace(given, name=name, architecture=architecture)

    def as_dict(self) -> dict[str, Any]:
        """Its hyperparameters and conditions as ConfigSpace's JSON has them, and its architecture; `from_configspace`
        undoes it, but for what only its class knows."""
        from jointbench.data.spaces.configspace import described

        return described(self)

    def facts(
        self,
        configuration: Configuration | FloatArray,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> Facts:
        """Exact facts of one configuration (a mapping) or of a batch (n, hyperparameters).

        `architecture_seed`: of the draws of a network that is drawn; others do not depend on it. Raises InputError
        where the space knows none (`knows_facts`).
        """
        raise InputError("space", self.name, "one that knows the facts of its networks")

    def features(self, at: Mapping[str, Any], budget: Any, work: Work | None) -> Mapping[str, Any]:
        """What only the space knows to tell a model, by name, beside the hyperparameters and the budget.

        `at`: the hyperparameters' numbers, floats of one configuration or arrays (n,) of a batch, NaN where one is
        inactive; `work`: None where nothing is known of the training. The names are always the same. Without logarithms
        and the like a number's bits are the same on every machine (`data/exact.py` has some that are).
        """
        return {}

    @property
    def knows_facts(self) -> bool:
        return type(self).facts is not Space.facts

    def facts_on(self, images: ImageFacts | None, configuration: Configuration | FloatArray) -> Facts | None:
        """The facts for a data set's images; None where there are no images, or the space knows no facts."""
        if images is None or not self.knows_facts:
            return None
        return self.facts(configuration, images.shape, images.classes)

    def inert(self, configuration: Configuration) -> Mapping[str, str]:
        """Of its hyperparameters those that have no effect in this configuration, or not their own, and why."""
        return {}

    def recipe(self, configuration: Configuration) -> Recipe:
        """How the network of a configuration is trained. Raises InputError where the space does not say."""
        raise InputError("space", self.name, "one that says how its networks are trained")

    def convolutions(
        self,
        configuration: Configuration,
        image_shape: ImageShape = (3, 32, 32),
        classes: int = 10,
        architecture_seed: int = 0,
    ) -> tuple[Convolution, ...]:
        """The network's convolutions, from the input on; what a reference clock counts. Empty where a space does not
        say."""
        return ()

    @property
    def _content(self) -> tuple[object, ...]:
        kept = {
            key: value
            for key, value in vars(self).items()
            if not isinstance(getattr(type(self), key, None), cached_property)
        }
        return type(self), self.name, self.hyperparameters, dict(self.conditions), self.architecture, kept

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Space) and self._content == other._content)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((type(self), self.name, self.hyperparameters))

    def __getstate__(self) -> object:
        # What is cached need not travel to other processes.
        return self._content[-1]

    def __repr__(self) -> str:
        return f"<space {self.name}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                *(h.name, h.range, "log" if h.log else ""),
                "architecture" if h.name in self.architecture else "training",
                str(self.conditions.get(h.name, "")),
            )
            for h in self.hyperparameters
        ]
        shown = slice(None) if self.conditions else slice(4)
        headings = ("hyperparameter", "range", "scale", "part", "active where")
        return html_table(f"space {self.name}", [row[shown] for row in rows], headings[shown])

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(h.name for h in self.hyperparameters)

    @cached_property
    def by_name(self) -> Mapping[str, Hyperparameter]:
        return {h.name: h for h in self.hyperparameters}

    @cached_property
    def all_numbers(self) -> bool:
        """Whether all that it has are numbers that are always active."""
        return not self.conditions and all(isinstance(h, Number) for h in self.hyperparameters)

    @cached_property
    def parents_first(self) -> tuple[Hyperparameter, ...]:
        """The hyperparameters in an order in which conditions can be asked.

        Raises InputError where a condition asks for what the space does not have, or for its own child.
        """
        waiting = {name: {one.name for one in condition.parents()} for name, condition in self.conditions.items()}
        for name, parents in waiting.items():
            if name not in self.by_name or not parents <= self.by_name.keys():
                raise InputError(f"condition of {name}", sorted(parents), "hyperparameters of the space")
        ordered: list[Hyperparameter] = []
        left = list(self.hyperparameters)
        while left:
            known = {h.name for h in ordered}
            ready = [h for h in left if waiting.get(h.name, known) <= known]
            if not ready:
                raise InputError("conditions", [h.name for h in left], "no circle among them")
            ordered += ready
            left = [h for h in left if h not in ready]
        return tuple(ordered)

    def check(self, configuration: Any) -> Configuration:
        """The configuration as plain values in the space's order; what is inactive may be missing, None or NaN.

        Raises ConfigurationError naming the hyperparameter, its value and its range.
        """
        if self.all_numbers and type(configuration) in _DICTS and (plain := self._plain(configuration)) is not None:
            return plain
        configuration = by_name(configuration, self.names)
        for name in configuration:
            if name not in self.by_name:
                raise ConfigurationError(str(name), configuration[name], f"only hyperparameters of '{self.name}'")
        if self.conditions:
            return self._checked_by_conditions(configuration)
        for name in self.names:
            if name not in configuration:
                raise ConfigurationError(name, None, self.by_name[name].range)
        return {h.name: h.check(configuration[h.name]) for h in self.hyperparameters}

    def _checked_by_conditions(self, given: Mapping[str, Any]) -> Configuration:
        numbers: dict[str, float] = {}
        checked: dict[str, Any] = {}
        for h in self.parents_first:
            value, condition = given.get(h.name), self.conditions.get(h.name)
            if condition is None or condition.holds(numbers):
                checked[h.name] = h.check(value)
                numbers[h.name] = h.number(checked[h.name])
            else:
                if not is_missing(value):
                    raise ConfigurationError(h.name, value, f"no value, since it is active where {condition}")
                numbers[h.name] = math.nan
        return {name: checked[name] for name in self.names if name in checked}

    def active(self, values: Mapping[str, Any]) -> Configuration:
        """Of legal values of all hyperparameters those that are active, in the space's order."""
        if not self.conditions:
            return {name: values[name] for name in self.names}
        numbers: dict[str, float] = {}
        for h in self.parents_first:
            condition = self.conditions.get(h.name)
            holds = condition is None or condition.holds(numbers)
            numbers[h.name] = h.number(values[h.name]) if holds else math.nan
        return {name: values[name] for name in self.names if not math.isnan(numbers[name])}

    def changed(self, configuration: Configuration, values: Mapping[str, Any]) -> Configuration:
        """The configuration with other legal values; what they make active has its usual value."""
        if not self.conditions:
            return {**configuration, **values}
        return self.active({**self.usual, **configuration, **values})

    @cached_property
    def usual(self) -> Mapping[str, Any]:
        """A value of each hyperparameter, active or not: its default, else the middle of its range."""
        return {h.name: h.usual for h in self.hyperparameters}

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
        """The numbers in the space's order, NaN for what is inactive."""
        if self.all_numbers:
            return [configuration[name] for name in self.names]
        return [h.number(configuration[h.name]) if h.name in configuration else math.nan for h in self.hyperparameters]

    def rows(self, configurations: Any) -> FloatArray:
        """A batch (n, hyperparameters) of numbers, of configurations or of a table of them.

        A frame, a mapping of columns, a structured array, or configurations one by one are read by name and have
        values, an array is read by position and has numbers. Ranges are not checked. Raises ConfigurationError for a
        name that lacks or is none of the space's, InputError for another shape and for what are no numbers.
        """
        expected = f"only hyperparameters of '{self.name}'"
        if self.all_numbers:
            return in_order(configurations, self.names, expected)
        return in_order(configurations, self.names, expected, number=self._number, optional=self.conditions)

    def _number(self, name: str, value: Any) -> float:
        """Of a value in a table, where what is inactive may be None or NaN."""
        return math.nan if name in self.conditions and is_missing(value) else self.by_name[name].number(value)

    def encode(self, rows: Any, *, inactive: float = math.nan) -> FloatArray:
        """Numbers (n, hyperparameters), as `rows` takes them, to the unit cube, same shape; `inactive`: for NaN."""
        if not self.all_numbers:
            rows = self.rows(rows)
            encoded = np.stack([h.encode(rows[:, i]) for i, h in enumerate(self.hyperparameters)], axis=1)
            return np.where(np.isnan(encoded), inactive, encoded)
        return self._encoded(np.array(self.rows(rows)))

    def encode_one(self, configuration: Configuration) -> FloatArray:
        """What `encode` says of one configuration (hyperparameters,), in half the time; NaN for what is inactive."""
        if not self.all_numbers:
            whole: FloatArray = self.encode(np.array([self.row(configuration)]))[0]
            return whole
        return self._encoded(np.array([configuration[name] for name in self.names], dtype=np.float64))

    def _encoded(self, numbers: FloatArray) -> FloatArray:
        """Numbers (..., hyperparameters) to the unit cube, in place."""
        logarithmic, low, length = self._encoding
        numbers[..., logarithmic] = np.log(numbers[..., logarithmic])
        numbers -= low
        numbers /= length
        return numbers

    @cached_property
    def _encoding(self) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
        """Columns that are encoded by their logarithms; where each column's range begins, and its length."""
        low, high = np.array([h.span for h in self.hyperparameters if isinstance(h, Number)]).T
        return np.flatnonzero([h.log for h in self.hyperparameters]), low, high - low

    def configuration(self, row: Any) -> Configuration:
        """One row of numbers as a configuration; its ranges are not checked."""
        numbers = by_name(row, self.names)
        if self.all_numbers:
            return {h.name: h.value(numbers[h.name]) for h in self.hyperparameters}
        there = [h for h in self.hyperparameters if not is_missing(numbers.get(h.name))]
        return {h.name: h.value(numbers[h.name]) for h in there}

    def values_at(self, point: Any) -> dict[str, Any]:
        """The values of all hyperparameters at a point (hyperparameters,) of the unit cube, active or not."""
        units = by_name(point, self.names)
        return {h.name: h.decode(units[h.name]) for h in self.hyperparameters}

    def at(self, point: Any) -> Configuration:
        """The configuration at a point (hyperparameters,) of the unit cube."""
        values = self.values_at(point)
        return self.active(values) if self.conditions else values

    def rows_at(self, points: FloatArray) -> FloatArray:
        """The numbers at points of the unit cube, both (n, hyperparameters): a batch of `at`."""
        units = in_order(points, self.names, f"only hyperparameters of '{self.name}'")
        numbers = np.stack([h.decode_all(units[:, i]) for i, h in enumerate(self.hyperparameters)], axis=1)
        return self.without_inactive(numbers)

    def without_inactive(self, numbers: FloatArray) -> FloatArray:
        """The same array (n, hyperparameters) of numbers, in which those that are inactive have become NaN."""
        columns = dict(zip(self.names, numbers.T, strict=True))
        for h in self.parents_first if self.conditions else ():
            if (condition := self.conditions.get(h.name)) is not None:
                columns[h.name][~condition.holds(columns)] = np.nan
        return numbers

    @cached_property
    def ends(self) -> FloatArray:
        """All ranges at their lower, then at their upper end, (2, hyperparameters)."""
        low, high = ([float(getattr(h, end)) for h in self.hyperparameters] for end in ("low", "high"))
        return self.without_inactive(np.array([low, high]))

    def sample(self, rng: np.random.Generator, count: int = 1) -> list[Configuration]:
        """Independent uniform configurations (uniform in the unit cube).

        However they are divided among calls, one generator gives the same ones.
        """
        points = rng.random((count, len(self.names)))
        if count < _BATCH:
            return [self.at(point) for point in points]
        rows = self.rows_at(points).tolist()
        if not self.all_numbers:
            return [self.configuration(row) for row in rows]
        kinds = [int if h.integer else float for h in self.hyperparameters]
        return [{name: kind(value) for name, kind, value in zip(self.names, kinds, row, strict=True)} for row in rows]

    @cached_property
    def configspace(self) -> ConfigurationSpace:
        """The same hyperparameters, ranges and conditions as a ConfigSpace object (for SMAC, fANOVA and people).

        Raises MissingExtraError where ConfigSpace is not installed.

        It samples by another law than `sample`, which all our optimizers draw from but smac's: ConfigSpace 1.2 draws
        integers on a log scale log-uniformly between both ends and rounds them in as many bins of equal width, so that
        of 1..16 the 1 has 23.9 % instead of 31.4 %. Floats and other integers have the same law in both.
        """
        from jointbench.data.spaces.configspace import write_configspace

        return write_configspace(self)

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
            file = f"a JSON file{'' if self.named else f', since the space {self.name} has no named configurations'}"
            raise UnknownNameError.of("configuration", name_or_file, self.named, hint=f", or {file}")
        try:
            content = read_json(path.read_bytes(), str(path), ConfigurationError)
        except OSError as error:
            said = f"a JSON file that can be read ({error.strerror})"
            raise ConfigurationError("configuration", name_or_file, said) from None
        if not isinstance(content, dict):
            raise ConfigurationError(str(path), type(content).__name__, "a JSON object of hyperparameters")
        return self.check(content)
