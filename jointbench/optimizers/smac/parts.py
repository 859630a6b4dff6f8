"""Parts of SMAC without what takes time but is not its algorithm.

Each leads to the proposals that smac's own part leads to, with one exception that is said where it stands: smac
orders the starts of its local search by a hash.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
from ConfigSpace import Configuration
from smac.acquisition.maximizer.local_and_random_search import LocalAndSortedRandomSearch
from smac.acquisition.maximizer.local_search import LocalSearch
from smac.intensifier.hyperband import Hyperband
from smac.main.config_selector import ConfigSelector
from smac.model.random_forest import RandomForest
from smac.runhistory import RunHistory, StatusType, TrialInfo, TrialValue
from smac.runhistory.dataclasses import InstanceSeedBudgetKey, InstanceSeedKey, TrialKey

from jointbench.data.arrays import FloatArray
from jointbench.optimizers.smac.configurations import Kept

_Values = tuple[Any, ...]


class Forest(RandomForest):
    """A forest that asks its trees one after the other, where smac has threads that poll each other."""

    @classmethod
    def of(cls, forest: RandomForest, **changed: Any) -> Self:
        """A facade's own forest, before it was fitted, as one of these; `changed` are scikit-learn's settings."""
        forest.__class__ = cls
        assert isinstance(forest, cls)
        forest._rf_opts.update(n_jobs=1, **changed)
        return forest

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


class _Running(list[TrialInfo]):
    """Running trials, found by the values of their configurations; smac compares with each."""

    def __init__(self) -> None:
        super().__init__()
        self.by_values: dict[_Values, list[TrialInfo]] = {}

    def append(self, trial: TrialInfo) -> None:
        super().append(trial)
        self.by_values.setdefault(tuple(trial.config.values()), []).append(trial)

    def remove(self, trial: TrialInfo) -> None:
        same = self.by_values[tuple(trial.config.values())]
        first = same.pop(same.index(trial))
        if not same:
            del self.by_values[tuple(trial.config.values())]
        del self[next(place for place, one in enumerate(self) if one is first)]

    def __contains__(self, trial: object) -> bool:
        return isinstance(trial, TrialInfo) and trial in self.by_values.get(tuple(trial.config.values()), ())


class History(RunHistory):
    """A history in which a hundred running trials cost no more than one; smac's takes the cube of their number."""

    @classmethod
    def of(cls, history: RunHistory) -> Self:
        """A facade's own history, still empty, as one of these."""
        history.__class__ = cls
        assert isinstance(history, cls)
        history._running_trials = _Running()
        return history

    def get_running_trials(self, config: Configuration | None = None) -> list[TrialInfo]:
        assert isinstance(self._running_trials, _Running)
        if config is None:
            return list(self._running_trials)
        return list(self._running_trials.by_values.get(tuple(config.values()), ()))

    def get_running_configs(self) -> list[Configuration]:
        configurations = _Configurations([])
        for trial in self._running_trials:
            if trial.config not in configurations:
                configurations.append(trial.config)
        return configurations

    def _update_objective_bounds(self) -> None:
        """Of several objectives, by which ParEGO scales them; of one, whose bounds are recomputed over all trials at
        every ask and tell and used by nobody, nothing."""
        if self._n_objectives > 1:
            super()._update_objective_bounds()

    def _check_json_serializable(self, *_: object) -> None:
        """Nothing: whether each of 13 fields of a trial could be written as JSON, which ours is not."""


class BracketsHistory(History):
    """Of a facade with budgets, which compares configurations by what was told at one budget alone."""

    def update_cost(self, config: Configuration) -> None:
        """Nothing: means over the trials of a configuration, by which only incumbents are sorted."""

    def _add(self, k: TrialKey, v: TrialValue, status: StatusType) -> None:
        """What is looked up of a trial; smac also hashes each configuration for a line of its log."""
        self._data[k] = v
        trial = TrialInfo(self._ids_config[k.config_id], instance=k.instance, seed=k.seed, budget=k.budget)
        if status == StatusType.RUNNING:
            self._running_trials.append(trial)
            return
        of_seeds = self._config_id_to_isk_to_budget.setdefault(k.config_id, {})
        of_seeds.setdefault(InstanceSeedKey(k.instance, k.seed), []).append(k.budget)
        if trial in self._running_trials:
            self._running_trials.remove(trial)

    def average_cost(
        self,
        config: Configuration,
        instance_seed_budget_keys: list[InstanceSeedBudgetKey] | None = None,
        normalize: bool = False,
    ) -> float | list[float]:
        """Of one trial its cost, which is the mean that smac computes."""
        if instance_seed_budget_keys is None or len(instance_seed_budget_keys) != 1:
            return super().average_cost(config, instance_seed_budget_keys, normalize)
        (key,) = instance_seed_budget_keys
        trial = TrialKey(self._config_ids[config], key.instance, key.seed, key.budget)
        return self._data[trial].cost


class Brackets(Hyperband):
    """smac's Hyperband without incumbents: nobody asks for them, and no proposal hangs on them."""

    @classmethod
    def of(cls, intensifier: Hyperband) -> Self:
        """A facade's own intensifier as one of these."""
        intensifier.__class__ = cls
        assert isinstance(intensifier, cls)
        return intensifier

    def update_incumbents(self, config: Configuration) -> None:
        """Nothing."""


class Selector(ConfigSelector):
    """A selector that reads each configuration once, and finds those that it has proposed by their values."""

    @classmethod
    def of(cls, selector: ConfigSelector) -> Self:
        """A facade's own selector as one of these."""
        selector.__class__ = cls
        assert isinstance(selector, cls)
        return selector

    def __setattr__(self, name: str, value: Any) -> None:
        # smac assigns a plain list where it starts to iterate.
        super().__setattr__(name, _Configurations(value) if name == "_processed_configs" else value)

    def __iter__(self) -> Iterator[Configuration]:
        yield from map(Kept.of, super().__iter__())


class ForestSelector(Selector):
    """Predicts the incumbent among all configurations in one batch instead of one by one."""

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


def in_order(search: LocalAndSortedRandomSearch) -> LocalAndSortedRandomSearch:
    """A facade's search for the largest acquisition value, the same in every process."""
    search._local_search.__class__ = _OrderedLocalSearch
    return search
