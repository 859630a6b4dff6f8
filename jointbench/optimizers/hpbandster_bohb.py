"""HpBandSter's own BOHB, for comparison with ours: its model and its brackets, without its network layer."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from jointbench.data.errors import MissingExtraError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial


class HpBandSterBOHB(Optimizer):
    """Its config generator and its iterations in the order in which its master asks them.

    It searches the unit cube of floats, which `Space` decodes, and its model is told the point of the configuration
    that was evaluated, so that integers sit at the centres of their bins whatever ConfigSpace does. Raises
    MissingExtraError where hpbandster is not installed.
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
        from ConfigSpace import ConfigurationSpace, UniformFloatHyperparameter

        cube = ConfigurationSpace(seed=seed)
        cube.add(*[UniformFloatHyperparameter(name, 0.0, 1.0) for name in space.names])
        self._generator = generators.BOHB(cube)
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
        with self._their_random_numbers():
            iteration, (identity, point, budget) = self._next_run()
        configuration = self.space.at(np.array([point[name] for name in self.space.names]))
        if point is self._first_point:
            # A point and back may miss the values by a rounding error.
            configuration = {**configuration, **self.first}
        # A plain float: theirs is NumPy's.
        trial = Trial(configuration, float(budget))
        # Its iterations compare a job's point with the one that they gave out.
        proposed = self._job(identity, config=point, budget=budget)
        evaluated = self._job(identity, config=self._point(trial.configuration), budget=budget)
        self._running[trial] = iteration, proposed, evaluated
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        iteration, proposed, evaluated = self._running.pop(trial)
        loss = self.loss(evaluation)
        result = {"loss": loss} if math.isfinite(loss) else None
        proposed.result = evaluated.result = result
        with self._their_random_numbers():
            iteration.register_result(proposed)
            self._generator.new_result(evaluated)

    def _point(self, configuration: Configuration) -> dict[str, float]:
        """The unit cube's point of a configuration, as its configuration space names it."""
        encoded = self.space.encode(self.space.rows([configuration]))[0]
        return dict(zip(self.space.names, encoded.tolist(), strict=True))

    def _new_point(self, budget: float) -> tuple[dict[str, float], dict[str, Any]]:
        """What its generator proposes, the first time with the values of `first`."""
        point, about = self._generator.get_config(budget)
        if self._first_point is not None:
            return point, about
        first = {name: float(self.space.by_name[name].encode(self.first[name])) for name in self.first}
        self._first_point = {**point, **first}
        return self._first_point, about

    def _next_run(self) -> tuple[Any, tuple[Any, dict[str, float], float]]:
        for iteration in self._iterations:
            run = None if iteration.is_finished else iteration.get_next_run()
            if run is not None:
                return iteration, run
        self._iterations.append(self._master.get_next_iteration(len(self._iterations)))
        return self._next_run()

    @contextmanager
    def _their_random_numbers(self) -> Iterator[None]:
        """NumPy's global random state is this optimizer's while its code runs."""
        outside = np.random.get_state()  # noqa: NPY002
        np.random.set_state(self._random_state)  # noqa: NPY002
        try:
            yield
        finally:
            self._random_state = np.random.get_state()  # noqa: NPY002
            np.random.set_state(outside)  # noqa: NPY002
