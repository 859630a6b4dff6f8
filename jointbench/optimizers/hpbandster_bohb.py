"""HpBandSter's own BOHB, for comparison with ours: its model and its brackets, without its network layer."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from jointbench.data.errors import MissingExtraError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial, loss_of


class HpBandSterBOHB(Optimizer):
    """Its config generator and its iterations in the order in which its master asks them.

    It searches the unit cube of floats, which `Space` decodes, so that integers sit at the centres of their bins
    whatever ConfigSpace does. Raises MissingExtraError where hpbandster is not installed.
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
        self._master.config_generator = self._generator
        self._master.eta, self._master.max_SH_iter = ladder.eta, len(ladder.rungs)
        self._master.budgets = np.array(ladder.rungs)
        self._iterations: list[Any] = []
        self._job = dispatcher.Job
        self._running: dict[Trial, tuple[Any, Any]] = {}
        self._random_state = np.random.RandomState(seed).get_state()

    def ask(self) -> Trial:
        with self._their_random_numbers():
            iteration, (identity, point, budget) = self._next_run()
        # A plain float: theirs is NumPy's.
        trial = Trial(self.space.at(np.array([point[name] for name in self.space.names])), float(budget))
        job = self._job(identity, config=point, budget=budget)
        self._running[trial] = iteration, job
        return trial

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        iteration, job = self._running.pop(trial)
        job.result = {"loss": evaluation.validation_error} if math.isfinite(loss_of(evaluation)) else None
        with self._their_random_numbers():
            iteration.register_result(job)
            self._generator.new_result(job)

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
