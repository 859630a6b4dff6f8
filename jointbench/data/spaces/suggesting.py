"""A configuration as Optuna suggests it: hyperparameter by hyperparameter, those that are inactive not at all."""

import math
from collections.abc import Mapping
from typing import Any

from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter
from jointbench.data.spaces.space import Space


def suggested(space: Space, trial: Any) -> Configuration:
    """What a trial of Optuna's suggests; a hyperparameter's parents come first.

    Choices with an order are numbers to Optuna, from 0; weights of choices it does not have.
    """
    values: dict[str, Any] = {}
    numbers: dict[str, float] = {}
    for h in space.parents_first:
        condition = space.conditions.get(h.name)
        if condition is None or condition.holds(numbers):
            values[h.name] = _suggested(h, trial)
            numbers[h.name] = h.number(values[h.name])
        else:
            numbers[h.name] = math.nan
    return {name: values[name] for name in space.names if name in values}


def _suggested(h: Hyperparameter, trial: Any) -> Any:
    if h.constant:
        return h.value(h.low)
    if h.unordered and isinstance(h, Choice):
        return h.check(trial.suggest_categorical(h.name, h.choices))
    suggest = trial.suggest_int if h.integer else trial.suggest_float
    number = suggest(h.name, h.low, h.high, log=h.log)
    return h.value(number) if isinstance(h, Choice) else h.check(number)


def as_suggested(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values as Optuna knows them."""
    chosen = {name: (space.by_name[name], value) for name, value in values.items()}
    return {
        name: h.number(value) if isinstance(h, Choice) and not h.unordered else value
        for name, (h, value) in chosen.items()
        if not h.constant
    }
