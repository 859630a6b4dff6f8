"""Axes that show a metric: title, scale and format follow from it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from jointbench.bench.drawing.axes import error_axis, number_axis
from jointbench.data.metrics import Metric

#: Where Python's format of a metric is not plotly's.
_SIZES = {"dtick": 1, "tickformat": "~s", "ticktext": None, "tickvals": None}


def metric_axis(metric: Metric, values: npt.ArrayLike, title: str = "") -> dict[str, Any]:
    """Plotly's settings of an axis over values of the metric: logarithmic where all are above 0."""
    array = np.asarray(values, dtype=np.float64)
    # Such as FLOPs, whose name is its unit.
    named = metric.unit if metric.unit.lower() == metric.label else metric.axis
    found = {"title_text": title or named}
    if metric.fraction:
        return found | error_axis(array)
    if not len(array) or array.min() <= 0:
        return found | {"tickformat": "~s"}
    large = metric.whole and array.max() >= 10_000
    return found | number_axis(array) | (_SIZES if large else {})


def hover(metric: Metric, axis: str = "y") -> str:
    """Plotly's template of a value of the metric."""
    return f"%{{{axis}:.2%}}" if metric.fraction else f"%{{{axis}:.4~s}}"
