"""Ticks of axes over a hyperparameter."""

from typing import Any

from jointbench.bench.drawing.axes import log_ticks
from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter


def few_ticks(hyperparameter: Hyperparameter) -> dict[str, Any]:
    """Plotly's ticks of an axis over its values, as few as half of a page has room for."""
    if isinstance(hyperparameter, Choice):
        places = list(range(len(hyperparameter.choices)))
        return {"tickvals": places, "ticktext": [str(choice) for choice in hyperparameter.choices]}
    if hyperparameter.log and hyperparameter.high / hyperparameter.low >= 100:
        return {"dtick": 1, "tickformat": "~g"}
    if hyperparameter.log:
        values = log_ticks(hyperparameter.low, hyperparameter.high)
        return {"tickvals": values, "ticktext": [f"{value:g}" for value in values]}
    return {"nticks": 6}
