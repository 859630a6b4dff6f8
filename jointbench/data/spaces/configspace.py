"""Spaces from and to ConfigSpace: its JSON is read without it, its objects are written with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jointbench.data.errors import InputError, MissingExtraError
from jointbench.data.evaluation import Configuration
from jointbench.data.json_text import read_json
from jointbench.data.spaces.conditions import All, Comparison, Condition, Either
from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter, Number
from jointbench.data.spaces.space import Space

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

#: Of the JSON that is written.
_VERSION, _FORMAT = "1.2.0", 0.4
_KINDS = "uniform_float, uniform_int, categorical, ordinal or constant"


class PlainSpace(Space):
    """Hyperparameters and conditions, and nothing that is known beside them. Raises InputError for names that are given
    twice or are not there."""

    def __init__(
        self,
        name: str,
        hyperparameters: tuple[Hyperparameter, ...],
        conditions: Mapping[str, Condition] | None = None,
        architecture: tuple[str, ...] = (),
    ) -> None:
        self.name, self.hyperparameters, self.architecture = name, tuple(hyperparameters), tuple(architecture)
        self.conditions = dict(conditions or {})
        if not self.hyperparameters or len(self.by_name) < len(self.names):
            raise InputError("hyperparameters", list(self.names), "at least one, and each name once")
        for one in self.architecture:
            if one not in self.by_name:
                raise InputError("architecture", one, f"hyperparameters of '{name}'")
        # Says at once what is wrong with the conditions.
        assert len(self.parents_first) == len(self.names)

    @cached_property
    def named(self) -> Mapping[str, Configuration]:
        """None: what is read may be called like a space that ships, or like any folder."""
        return {}


def read_configspace(given: Any, *, name: str = "", architecture: tuple[str, ...] = ()) -> PlainSpace:
    """`Space.from_configspace` says what of."""
    if isinstance(given, str):
        given = read_json(given.encode(), "configuration space")
    elif hasattr(given, "to_serialized_dict"):
        given = given.to_serialized_dict()
    if not isinstance(given, Mapping) or not isinstance(given.get("hyperparameters"), list):
        raise InputError("configuration space", given, "a ConfigSpace object, or its JSON")
    if given.get("forbiddens"):
        raise InputError("configuration space: forbiddens", given["forbiddens"], "none")
    hyperparameters = tuple(_hyperparameter(one) for one in given["hyperparameters"])
    by_name = {h.name: h for h in hyperparameters}
    conditions: dict[str, Condition] = {}
    for one in given.get("conditions") or ():
        child = one.get("child") if isinstance(one, Mapping) else None
        if not isinstance(child, str) or child in conditions:
            raise InputError("configuration space: condition", one, "one condition a child")
        conditions[child] = _condition(one, by_name)
    shaping = architecture or tuple(given.get("architecture") or ())
    return PlainSpace(name or given.get("name") or "space", hyperparameters, conditions, shaping)


def _hyperparameter(given: Any) -> Hyperparameter:
    try:
        name, kind = given["name"], given["type"]
        if not isinstance(name, str):
            raise TypeError
        # Before ConfigSpace 1 it was `default`.
        default = given.get("default_value", given.get("default"))
        match kind:
            case "uniform_float" | "uniform_int":
                integer = kind == "uniform_int"
                low, high = (int(given[end]) if integer else float(given[end]) for end in ("lower", "upper"))
                return Number(name, low, high, bool(given.get("log", False)), integer, default)
            case "categorical":
                weights = given.get("weights", given.get("probabilities"))
                even = weights is None or len(set(weights)) == 1
                return Choice(name, tuple(given["choices"]), False, None if even else tuple(weights), default)
            case "ordinal":
                return Choice(name, tuple(given["sequence"]), True, None, default)
            case "constant":
                return Choice(name, (given["value"],))
    except (KeyError, TypeError, ValueError):
        raise InputError("configuration space: hyperparameter", given, "one as ConfigSpace writes it") from None
    raise InputError(f"configuration space: type of {name}", kind, _KINDS)


def _condition(given: Any, by_name: Mapping[str, Hyperparameter]) -> Condition:
    try:
        kind = given["type"]
        if kind in ("AND", "OR"):
            parts = tuple(_condition(part, by_name) for part in given["conditions"])
            return All(parts) if kind == "AND" else Either(parts)
        values = tuple(given["values"]) if kind == "IN" else (given["value"],)
        if kind in ("EQ", "NEQ", "IN", "LT", "GT") and values:
            return Comparison(by_name[given["parent"]], kind, values)
    except (KeyError, TypeError):
        pass
    raise InputError("configuration space: condition", given, "one as ConfigSpace writes it, on hyperparameters of it")


def described(space: Space) -> dict[str, Any]:
    """The space as ConfigSpace's JSON, in its own order, with what shapes the network under `architecture`; without
    ConfigSpace. `read_configspace` reads it, and so does ConfigSpace."""
    return {
        "name": space.name,
        "hyperparameters": [_described(h) for h in space.hyperparameters],
        "conditions": [_described_condition(one, child) for child, one in space.conditions.items()],
        "forbiddens": [],
        "python_module_version": _VERSION,
        "format_version": _FORMAT,
        "architecture": list(space.architecture),
    }


def _described(h: Hyperparameter) -> dict[str, Any]:
    default = {} if h.default is None else {"default_value": h.default}
    if h.constant:
        return {"type": "constant", "name": h.name, "value": h.value(h.low)}
    if isinstance(h, Choice):
        choices = {"sequence" if h.ordered else "choices": list(h.choices)}
        weights = {} if h.weights is None else {"weights": list(h.weights)}
        return {"type": "ordinal" if h.ordered else "categorical", "name": h.name, **choices, **weights, **default}
    kind = "uniform_int" if h.integer else "uniform_float"
    return {"type": kind, "name": h.name, "lower": h.value(h.low), "upper": h.value(h.high), "log": h.log, **default}


def _described_condition(condition: Condition, child: str) -> dict[str, Any]:
    if isinstance(condition, (All, Either)):
        kind = "AND" if isinstance(condition, All) else "OR"
        return {"type": kind, "child": child, "conditions": [_described_condition(p, child) for p in condition.parts]}
    assert isinstance(condition, Comparison)
    values = {"values": list(condition.values)} if condition.relation == "IN" else {"value": condition.values[0]}
    return {"type": condition.relation, "child": child, "parent": condition.parent.name, **values}


def write_configspace(space: Space) -> ConfigurationSpace:
    """Raises MissingExtraError where ConfigSpace is not installed, InputError for numbers that it rounds away."""
    try:
        import ConfigSpace as library  # noqa: N813
    except ImportError:
        raise MissingExtraError("a ConfigSpace object needs ConfigSpace: pip install ConfigSpace") from None

    def written(h: Hyperparameter) -> Any:
        if h.constant:
            return library.Constant(h.name, h.value(h.low))
        default: dict[str, Any] = {} if h.default is None else {"default_value": h.default}
        if isinstance(h, Choice):
            if h.ordered:
                return library.OrdinalHyperparameter(h.name, h.choices, **default)
            return library.CategoricalHyperparameter(h.name, h.choices, weights=h.weights, **default)
        if h.integer:
            return library.UniformIntegerHyperparameter(h.name, int(h.low), int(h.high), log=h.log, **default)
        try:
            return library.UniformFloatHyperparameter(h.name, h.low, h.high, log=h.log, **default)
        except ValueError:
            raise InputError(
                h.name, (h.low, h.high), "ends that ConfigSpace, which rounds to 13 decimals, keeps"
            ) from None

    made = library.ConfigurationSpace(name=space.name)
    for h in space.hyperparameters:
        made.add(written(h))
    for child, condition in space.conditions.items():
        made.add(written_condition(condition, made[child], made))
    return made


def written_condition(condition: Condition, child: Any, made: Any) -> Any:
    """The condition of a child in a ConfigSpace that has all its parents."""
    import ConfigSpace as library  # noqa: N813

    if isinstance(condition, (All, Either)):
        kind = library.AndConjunction if isinstance(condition, All) else library.OrConjunction
        return kind(*[written_condition(part, child, made) for part in condition.parts])
    assert isinstance(condition, Comparison)
    parent = made[condition.parent.name]
    if condition.relation == "IN":
        return library.InCondition(child, parent, list(condition.values))
    kinds = {
        "EQ": library.EqualsCondition,
        "NEQ": library.NotEqualsCondition,
        "LT": library.LessThanCondition,
        "GT": library.GreaterThanCondition,
    }
    return kinds[condition.relation](child, parent, condition.values[0])
