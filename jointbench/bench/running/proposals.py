"""The border between an optimizer and a run: what crosses it is checked and copied once, and then read-only."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jointbench.bench.running.child_process import hears_ctrl_c
from jointbench.data.errors import InputError, OptimizerError
from jointbench.data.evaluation import Evaluation, ReadOnlyConfiguration
from jointbench.data.ladder import Ladder
from jointbench.data.numbers import checked_seed
from jointbench.data.seeds import given_seed
from jointbench.data.spaces.space import Space
from jointbench.optimizers.failure import happened
from jointbench.optimizers.optimizer import Optimizer, Trial


class Proposals:
    """An optimizer's trials, as plain numbers that nobody changes any more.

    An optimizer may keep the trial that it returned and change it; its own object is the one that comes back to it.
    The evaluation that it is told is the one that is recorded, with a configuration that cannot be changed. `seed` is
    that of the run.
    """

    def __init__(self, optimizer: Optimizer, space: Space, ladder: Ladder, seed: int) -> None:
        self.optimizer, self.space, self.ladder, self.seed = optimizer, space, ladder, seed
        self._own: dict[int, Trial] = {}
        self._rungs = frozenset(ladder.rungs)

    def ask(self, number: int) -> Trial | None:
        """The run's trial of this number, from 0 on; None where the optimizer waits or has no more.

        Raises OptimizerError when the optimizer raises (SystemExit included, and KeyboardInterrupt where no person can
        interrupt), or returns anything else than a Trial with a configuration of the space, a rung of the ladder and a
        seed or None.
        """
        try:
            proposed = self.optimizer.ask()
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            _check_its_own(error)
            raise self._failed("ask", number, happened(error)) from error
        if proposed is None:
            return None
        try:
            trial = self._checked(proposed)
        except InputError as error:
            raise self._failed("ask", number, str(error)) from None
        except Exception as error:
            # A mapping of a person's own, or a number that is none.
            raise self._failed("ask", number, happened(error)) from error
        self._own[number] = proposed
        return trial

    def tell(self, number: int, evaluation: Evaluation) -> None:
        """Raises OptimizerError when the optimizer raises."""
        # An objective hands on the configuration that it was given, but for one that has its own, such as a log.
        if type(evaluation.configuration) is not ReadOnlyConfiguration:
            evaluation = replace(evaluation, configuration=ReadOnlyConfiguration(evaluation.configuration))
        try:
            self.optimizer.tell(self._own.pop(number), evaluation)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            _check_its_own(error)
            raise self._failed("tell of trial", number, happened(error)) from error

    def check_any(self) -> None:
        """After a run without any trial. Raises OptimizerError when the optimizer proposes none while none is running,
        and as `ask` does."""
        if self.ask(0) is None:
            raise self._failed("ask", 0, "trial: None given, expected a Trial, since none is running")

    def _failed(self, call: str, number: int, what: str) -> OptimizerError:
        name = getattr(self.optimizer, "name", type(self.optimizer).__name__)
        # A person counts from 1.
        return OptimizerError(f"{name}, seed {given_seed(self.seed)}, {call} {number + 1}: {what}")

    def _checked(self, proposed: object) -> Trial:
        if not isinstance(proposed, Trial):
            raise InputError("trial", proposed, "a Trial, or None to wait")
        if not isinstance(proposed.configuration, Mapping):
            raise InputError("configuration", proposed.configuration, "a mapping from hyperparameters to numbers")
        configuration = self.space.check(proposed.configuration)
        budget: Any = proposed.budget
        if type(budget) is not float or budget not in self._rungs:
            budget = self.ladder.rungs[self.ladder.rung_of(self.ladder.check_within(budget))]
        seed = None if proposed.seed is None else _seed(proposed.seed)
        drawn = proposed.architecture_seed
        architecture_seed = 0 if drawn == 0 else _seed(drawn, "architecture seed")
        return Trial(ReadOnlyConfiguration(configuration), budget, seed, architecture_seed)


def _check_its_own(error: BaseException) -> None:
    """Raises an interrupt again that may be a person's, who stops the run and is no failing optimizer."""
    if isinstance(error, KeyboardInterrupt) and hears_ctrl_c():
        raise error


def _seed(value: object, field: str = "seed") -> int:
    seed = checked_seed(field, value)
    if seed < 0:
        raise InputError(field, value, "an integer of 64 bits from 0 on" + ", or None" * (field == "seed"))
    return seed
