"""HpBandSter's own BOHB, for comparison with ours: its model and its brackets, without its network layer."""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from jointbench.data.errors import MissingExtraError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.hyperparameters import Choice
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial


class HpBandSterBOHB(Optimizer):
    """Its config generator and its iterations in the order in which its master asks them.

    It searches the unit cube of floats, which `Space` decodes, and its model is told the point of the configuration
    that was evaluated, so that integers sit at the centres of their bins whatever ConfigSpace does. Choices without an
    order are its own kind of choices; ordered ones, which it does not take, lie in the cube as integers do, and so do
    hyperparameters that are inactive, where they were proposed. Raises MissingExtraError where hpbandster is not
    installed.
    """

    name = "hpbandster-bohb"
    fewest_rungs = 2

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
        try:
            dispatcher, optimizers, generators = (
                import_module(f"hpbandster.{module}")
                for module in ("core.dispatcher", "optimizers.bohb", "optimizers.config_generators.bohb")
            )
        except ImportError as error:
            raise MissingExtraError(
                f"'{self.name}' needs hpbandster, whose installation needs a C compiler: install jointbench[reference]"
            ) from error
        self._generator = generators.BOHB(_cube(space, seed))
        # Its constructor would start servers; these are what its brackets depend on. Its own count of rungs loses
        # one at 3^5.
        self._master = object.__new__(optimizers.BOHB)
        self._master.config_generator = SimpleNamespace(get_config=self._new_point)
        self._master.eta, self._master.max_SH_iter = ladder.eta, len(ladder.rungs)
        self._master.budgets = np.array(ladder.rungs)
        #: Once it has been proposed.
        self._first_point: dict[str, float] | None = None
        self._iterations: list[Any] = []
        self._job = dispatcher.Job
        self._running: dict[Trial, tuple[Any, Any, Any]] = {}
        self._random_state = np.random.RandomState(seed).get_state()

    def ask(self) -> Trial:
        with self._their_code():
            iteration, (identity, point, budget) = self._next_run()
        configuration = self._configuration(point)
        if point is self._first_point:
            # A point and back may miss the values by a rounding error.
            configuration = self.space.changed(configuration, self.first)
        # A plain float: theirs is NumPy's.
        trial = Trial(configuration, float(budget))
        # Its iterations compare a job's point with the one that they gave out.
        proposed = self._job(identity, config=point, budget=budget)
        evaluated = self._job(identity, config={**point, **self._point(trial.configuration, point)}, budget=budget)
        self._running[trial] = iteration, proposed, evaluated
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        iteration, proposed, evaluated = self._running.pop(trial)
        loss = self.loss(evaluation)
        result = {"loss": loss} if math.isfinite(loss) else None
        proposed.result = evaluated.result = result
        with self._their_code():
            iteration.register_result(proposed)
            self._generator.new_result(evaluated)

    def _configuration(self, point: Mapping[str, float]) -> Configuration:
        """What the cube's point stands for; of choices without an order it has their places in the list."""
        values = {
            name: h.value(point[name]) if h.unordered else h.decode(float(point[name]))
            for name, h in self.space.by_name.items()
            if name in point
        }
        return self.space.active({**self.space.usual, **values})

    def _point(self, configuration: Configuration, names: Iterable[str]) -> dict[str, float]:
        """The cube's point of a configuration, as far as it is active and among these."""
        numbers = self.space.row(configuration)
        places = self.space.encode([configuration])[0].tolist()
        return {
            h.name: number if h.unordered else place
            for h, number, place in zip(self.space.hyperparameters, numbers, places, strict=True)
            if h.name in names and h.name in configuration
        }

    def _new_point(self, budget: float) -> tuple[dict[str, float], dict[str, Any]]:
        """What its generator proposes, the first time with the values of `first`."""
        point, about = self._generator.get_config(budget)
        if self._first_point is not None:
            return point, about
        first = self.space.changed(self._configuration(point), self.first) if self.first else {}
        self._first_point = {**point, **self._point(first, self.first)} if first else dict(point)
        return self._first_point, about

    def _next_run(self) -> tuple[Any, tuple[Any, dict[str, float], float]]:
        for iteration in self._iterations:
            run = None if iteration.is_finished else iteration.get_next_run()
            if run is not None:
                return iteration, run
        self._iterations.append(self._master.get_next_iteration(len(self._iterations)))
        return self._next_run()

    @contextmanager
    def _their_code(self) -> Iterator[None]:
        """NumPy's global random state is this optimizer's while its code runs; what its libraries will do some day is
        nothing that a person who compares can change."""
        outside = np.random.get_state()  # noqa: NPY002
        np.random.set_state(self._random_state)  # noqa: NPY002
        try:
            with warnings.catch_warnings(action="ignore", category=FutureWarning):
                yield
        finally:
            self._random_state = np.random.get_state()  # noqa: NPY002
            np.random.set_state(outside)  # noqa: NPY002


def _cube(space: Space, seed: int) -> Any:
    """The configuration space that it searches."""
    from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, UniformFloatHyperparameter

    cube = ConfigurationSpace(seed=seed)
    for h in space.hyperparameters:
        if h.unordered and isinstance(h, Choice):
            cube.add(CategoricalHyperparameter(h.name, range(h.unordered), weights=h.weights))
        elif not h.constant:
            cube.add(UniformFloatHyperparameter(h.name, 0.0, 1.0))
    return cube
