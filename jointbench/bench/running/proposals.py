"""The border between an optimizer and a run: what crosses it is checked and copied, once."""

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter

from jointbench.data.errors import InputError, OptimizerError
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import Ladder
from jointbench.data.numbers import checked_seed
from jointbench.data.seeds import given_seed
from jointbench.data.space import Space
from jointbench.optimizers.failure import happened
from jointbench.optimizers.optimizer import Optimizer, Trial

_fields = attrgetter(*(field.name for field in fields(Evaluation)))


class Proposals:
    """An optimizer's trials, as plain numbers that nobody changes any more.

    An optimizer may keep the trial that it returned and change it; and what it is told is a copy, which it may change
    as well. Its own object is the one that comes back to it. `seed` is that of the run.
    """

    def __init__(self, optimizer: Optimizer, space: Space, ladder: Ladder, seed: int) -> None:
        self.optimizer, self.space, self.ladder, self.seed = optimizer, space, ladder, seed
        self._own: dict[int, Trial] = {}

    def ask(self, number: int) -> Trial | None:
        """The run's trial of this number, from 0 on; None where the optimizer waits or has no more.

        Raises OptimizerError when the optimizer raises (SystemExit included), or returns anything else than a Trial
        with a configuration of the space, a rung of the ladder and a seed or None.
        """
        try:
            proposed = self.optimizer.ask()
        except (Exception, SystemExit) as error:
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
        # As `dataclasses.replace`, which takes three times as long.
        space, configuration, *rest = _fields(evaluation)
        told = Evaluation(space, dict(configuration), *rest)
        try:
            self.optimizer.tell(self._own.pop(number), told)
        except (Exception, SystemExit) as error:
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
        rung = self.ladder.rung_of(self.ladder.check_within(proposed.budget))
        return Trial(configuration, self.ladder.rungs[rung], _seed(proposed.seed))


def _seed(value: object) -> int | None:
    seed = None if value is None else checked_seed("seed", value)
    if seed is not None and seed < 0:
        raise InputError("seed", value, "an integer of 64 bits from 0 on, or None")
    return seed
