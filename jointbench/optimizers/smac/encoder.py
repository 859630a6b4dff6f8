"""SMAC's view of its history as a matrix and costs, with the same bits on every processor."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from smac.constants import VERY_SMALL_NUMBER
from smac.runhistory.encoder import RunHistoryLogScaledEncoder
from smac.utils.multi_objective import normalize_costs

from jointbench.data.arrays import FloatArray
from jointbench.data.exact import log


class ExactEncoder(RunHistoryLogScaledEncoder):
    """Reads the history once, where smac reads it four times; without instances."""

    @classmethod
    def of(cls, encoder: RunHistoryLogScaledEncoder) -> Self:
        """A facade's own encoder as one of these."""
        encoder.__class__ = cls
        assert isinstance(encoder, cls)
        return encoder

    def transform(self, budget_subset: list[float | None] | None = None) -> tuple[FloatArray, FloatArray]:
        """Points (n, d) and scaled logarithms of costs (n, 1) of what ended at these budgets, in the order of asking.

        smac's scale: from as far below the least cost as it lies below the 5 % quantile, to the largest.
        """
        told = self._told(budget_subset)
        costs = np.array([self._cost(cost) for _, cost in told], dtype=np.float64)
        if len(told):
            least, most = costs.min(), costs.max()
            low = least - (np.percentile(costs, self._scale_percentage) - least) - VERY_SMALL_NUMBER
            if low == most:
                low *= 1 - 1e-10
            costs = log((costs - low) / (most - low))
        return self._points([identity for identity, _ in told]), costs[:, None]

    def _cost(self, cost: Any) -> float:
        """What ParEGO makes of several costs, scaled to what was seen."""
        if not isinstance(cost, list):
            return float(cost)
        assert self.multi_objective_algorithm is not None
        return self.multi_objective_algorithm(normalize_costs(cost, self.runhistory.objective_bounds))

    def get_configurations(self, budget_subset: list[float | None] | None = None) -> FloatArray:
        """The configurations (n, d) among them, each once."""
        return self._points(dict.fromkeys(identity for identity, _ in self._told(budget_subset)))

    def _told(self, budgets: list[float | None] | None) -> list[tuple[int, Any]]:
        """Configurations by their identities, and costs."""
        # An ordered dictionary looks every key up on its way; the dictionary that it is has the same order.
        known = dict.items(self.runhistory._data)
        return [
            (key.config_id, value.cost)
            for key, value in known
            if (budgets is None or key.budget in budgets) and value.status in self._considered_states
        ]

    def _points(self, identities: Iterable[int]) -> FloatArray:
        configurations = self.runhistory._ids_config
        rows = [configurations[identity].get_array() for identity in identities]
        return np.array(rows, dtype=np.float64).reshape(len(rows), self._n_params)
