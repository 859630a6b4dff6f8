"""Parts of SMAC without what takes time but is not its algorithm.

Each leads to the proposals that smac's own part leads to, with one exception that is said where it stands: smac
orders the starts of its local search by a hash.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from smac.acquisition.maximizer.local_and_random_search import LocalAndSortedRandomSearch
from smac.acquisition.maximizer.local_search import LocalSearch
from smac.main.config_selector import ConfigSelector
from smac.model.random_forest import RandomForest
from smac.scenario import Scenario

from jointbench.data.space import FloatArray
from jointbench.optimizers.smac_configurations import Kept


class Forest(RandomForest):
    """The facade's forest; asks its trees one after the other, where smac has threads that poll each other.

    smac's `max_leaf_nodes` is 2**20; None is no limit.
    """

    def __init__(self, scenario: Scenario, *, max_leaf_nodes: int | None) -> None:
        super().__init__(
            log_y=True,
            n_trees=10,
            bootstrapping=True,
            ratio_features=1.0,
            min_samples_split=2,
            min_samples_leaf=1,
            max_depth=2**20,
            max_leaf_nodes=max_leaf_nodes,  # type: ignore[arg-type]  # scikit-learn takes None
            n_jobs=1,
            configspace=scenario.configspace,
            instance_features=scenario.instance_features,
            seed=scenario.seed,
        )

    def _predict(
        self,
        X: FloatArray,  # noqa: N803 - smac's name
        covariance_type: str | None = "diagonal",
    ) -> tuple[FloatArray, FloatArray]:
        assert self._rf is not None
        rows = np.ascontiguousarray(X, dtype=np.float32)
        each = np.stack([tree.tree_.predict(rows)[:, 0] for tree in self._rf.estimators_], axis=1)  # (n, trees)
        mean = each.mean(axis=1, keepdims=True)
        return mean, each.var(axis=1, keepdims=True, mean=mean)


class _Configurations(list[Configuration]):
    """A list that finds equal configurations by their values at once; smac compares with each member."""

    def __init__(self, members: Iterable[Configuration]) -> None:
        super().__init__(members)
        self._values = {tuple(member.values()) for member in self}

    def append(self, member: Configuration) -> None:
        super().append(member)
        self._values.add(tuple(member.values()))

    def __contains__(self, candidate: object) -> bool:
        return isinstance(candidate, Configuration) and tuple(candidate.values()) in self._values


class Selector(ConfigSelector):
    """The facade's selector; predicts the incumbent among all configurations in one batch instead of one by one."""

    def __setattr__(self, name: str, value: Any) -> None:
        # smac assigns a plain list where it starts to iterate.
        super().__setattr__(name, _Configurations(value) if name == "_processed_configs" else value)

    def __iter__(self) -> Iterator[Configuration]:
        yield from map(Kept.of, super().__iter__())

    def _get_x_best(self, X: FloatArray) -> tuple[FloatArray, float]:  # noqa: N803 - smac's name
        assert self._model is not None
        costs = self._model.predict_marginalized(X)[0][:, 0]
        best = int(np.argmin(costs))
        return X[best], costs[best]


class _OrderedLocalSearch(LocalSearch):
    """smac's local search, its starts ordered by their values.

    smac takes them from a set of configurations whose hash is that of a string, so that their order, and with it
    every proposal, changes with PYTHONHASHSEED.
    """

    def _get_init_points_from_previous_configs(self, *arguments: Any, **keywords: Any) -> list[Configuration]:
        points = super()._get_init_points_from_previous_configs(*arguments, **keywords)
        return sorted(points, key=lambda point: tuple(point.get_array()))


class OrderedSearch(LocalAndSortedRandomSearch):
    """The facade's search for the largest acquisition value, the same in every process."""

    def __init__(self, configspace: ConfigurationSpace, *, seed: int) -> None:
        super().__init__(configspace, challengers=10_000, local_search_iterations=10, seed=seed)
        self._local_search = _OrderedLocalSearch(configspace, n_steps_plateau_walk=10, seed=seed)
