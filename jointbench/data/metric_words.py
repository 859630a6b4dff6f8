"""Metrics in words, as commands take them: `validation_error`, `accuracy:max:fraction`, `loss:0..`."""

import math
from collections.abc import Iterable, Sequence

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.metrics import METRICS, Metric, checked_metrics, get_metric

#: The word for a metric that is shown in per cent, which says its bounds, too.
FRACTION = "fraction"

_EXPECTED = (
    f"a name, :max behind it to maximise it, and bounds such as :0..20, or :{FRACTION} for a fraction from 0 to 1"
)


def parse_metric(text: str) -> Metric:
    """A metric that is known by its name (`get_metric`) means what it means everywhere. Another is a person's own:
    to be minimised, or with `:max` behind it maximised, and with `:LOW..HIGH` bounded; with `:fraction` it is one from
    0 to 1, which is shown in per cent.

    >>> parse_metric("accuracy:max:fraction").shown(0.5)
    '50.00%'
    >>> parse_metric("accuracy:max:0..1").failure
    0.0

    A failure counts as the worst that the bounds allow; without such a bound it has no value, and ranks last all the
    same. Raises InputError.
    """
    name, *words = (part.strip() for part in text.split(":"))
    try:
        known = get_metric(name)
    except UnknownNameError:
        return _own(text, name, words)
    if words:
        raise InputError("metric", text, f"{known.name} alone: direction and bounds of this name are known")
    return known


def in_words(metrics: Iterable[Metric]) -> str:
    """As `parse_metrics` takes them; of one that words cannot make, what they can say of it."""
    return ",".join(map(_in_words, metrics))


def _in_words(metric: Metric) -> str:
    if METRICS.get(metric.name) == metric:
        return metric.name
    low, high = ("" if math.isinf(end) else f"{end:g}" for end in metric.bounds)
    bounds = f":{low}..{high}" if low or high else ""
    if metric.fraction and metric.bounds == (0, 1):
        bounds = f":{FRACTION}"
    return f"{metric.name}{':max' if metric.maximize else ''}{bounds}"


def parse_metrics(given: str | Iterable[str | Metric]) -> tuple[Metric, ...]:
    """Words with commas between them, or metrics and words one by one; the first is the objective.

    Raises as `parse_metric` does, and InputError for a name that stands twice.
    """
    parts: Sequence[str | Metric] = given.split(",") if isinstance(given, str) else list(given)
    return checked_metrics([part if isinstance(part, Metric) else parse_metric(part) for part in parts])


def _own(text: str, name: str, words: Sequence[str]) -> Metric:
    directions = [word for word in words if word in ("min", "max")]
    ranges = [(0.0, 1.0) if word == FRACTION else _bounds(text, word) for word in words if word not in directions]
    if len(directions) > 1 or len(ranges) > 1:
        raise InputError("metric", text, _EXPECTED)
    maximize, bounds = directions == ["max"], ranges[0] if ranges else (-math.inf, math.inf)
    worst = bounds[0] if maximize else bounds[1]
    unit, failure = FRACTION if FRACTION in words else "", worst if math.isfinite(worst) else None
    return Metric(name, unit, maximize=maximize, bounds=bounds, failure=failure)


def _bounds(text: str, word: str) -> tuple[float, float]:
    low, dots, high = word.partition("..")
    try:
        if not dots:
            raise ValueError
        return float(low) if low else -math.inf, float(high) if high else math.inf
    except ValueError:
        raise InputError("metric", text, _EXPECTED) from None
