"""Axes of plots: ranges that fit what is drawn, and ticks at 1, 2 and 5 times powers of ten."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.data.metrics import Metric

#: Ticks of a logarithmic axis below which they stand at equal steps instead.
FEWEST = 3

#: Share of the range that is free at both ends, and decades below which a range is not narrowed.
_MARGIN, _NARROWEST = 0.03, 0.02

#: Longest time in seconds for which a unit is used, and its length in seconds.
_UNITS = ((2 * 3600.0, "seconds", 1.0), (np.inf, "hours", 3600.0))


def time_unit(longest: float) -> tuple[str, float]:
    """The unit in which times up to `longest` seconds are shown, and its seconds."""
    return next((name, seconds) for limit, name, seconds in _UNITS if longest <= limit)


def number_axis(values: npt.ArrayLike) -> dict[str, Any]:
    """Plotly's settings of a logarithmic axis over `values` with plain numbers, which follow when a reader zooms."""
    return _log_axis(values, "~g", lambda tick: f"{tick:,.10g}")


def error_axis(values: npt.ArrayLike) -> dict[str, Any]:
    """Of a logarithmic axis over fractions, in per cent."""
    return _log_axis(values, ".3~%", lambda tick: f"{100 * tick:.10g}%")


def metric_axis(metric: Metric, values: npt.ArrayLike) -> dict[str, Any]:
    """Of an axis over a metric's values: logarithmic where small ones are good and none is below 0."""
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if metric.maximize or (found < 0).any() or not (found > 0).any():
        return share_axis() if metric.fraction else {"tickformat": "~g"}
    return error_axis(values) if metric.fraction else number_axis(values)


def share_axis() -> dict[str, Any]:
    """Of a linear axis over fractions, in per cent; plotly's own ticks stand at steps of 1, 2 or 5."""
    return {"tickformat": ".3~%"}


def log_range(values: npt.ArrayLike) -> list[float]:
    """Plotly's range of a logarithmic axis: that of the values above 0 (NaN is none), and a little more."""
    low, high = _ends(values)
    spare = max(_NARROWEST - (high - low), 0.0) / 2
    margin = spare + _MARGIN * max(high - low, _NARROWEST)
    return [low - margin, high + margin]


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks from `low` to `high`, both above 0: 1, 2 and 5 times powers of ten, or, where that are fewer than FEWEST,
    multiples of a step that is one of these."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [tick for power in powers for digit in (1, 2, 5) if low <= (tick := _decimal(digit, power)) <= high]
    if len(ticks) >= FEWEST:
        return ticks
    wanted = (high - low) / FEWEST
    power = math.floor(math.log10(wanted))
    digit = max(digit for digit in (1, 2, 5) if digit == 1 or _decimal(digit, power) <= wanted)
    step = _decimal(digit, power)
    return [
        _decimal(digit * count, power)
        for count in range(math.ceil(low / step), math.floor(high / step * (1 + 1e-12)) + 1)
    ]


def _decimal(digit: int, power: int) -> float:
    """Rounded as the literal is: 0.05, not 0.05000000000000001."""
    return float(f"{digit}e{power}")


def _ends(values: npt.ArrayLike) -> tuple[float, float]:
    """Logarithms of the least and the largest value; 1 where there is none."""
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found) & (found > 0)]
    if not len(found):
        return 0.0, 0.0
    return float(np.log10(found.min())), float(np.log10(found.max()))


def _log_axis(values: npt.ArrayLike, tickformat: str, shown: Any) -> dict[str, Any]:
    low, high = log_range(values)
    ticks = log_ticks(10**low, 10**high)
    return {
        "type": "log",
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [shown(tick) for tick in ticks],
        # For a reader who zooms to where none of these ticks is.
        "tickformat": tickformat,
        "nticks": 6,
    }
