"""The contract of optimizers, run on a person's own: what holds and, in a sentence, what does not."""

from collections.abc import Iterator
from dataclasses import dataclass

from jointbench.bench.calls.given import the_optimizer, whole
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.registry import get_space
from jointbench.data.spaces.space import Space
from jointbench.optimizers.contract import CHECKS
from jointbench.optimizers.failure import happened
from jointbench.optimizers.optimizer import Optimizer

#: Trials of a check; more find more, and take longer.
TRIALS = 100

#: On which it is tried: four rungs, as in the paper.
LADDER = Ladder(1.0, 27.0)


@dataclass(frozen=True)
class Checked:
    """A promise of the contract: its `name`, what it `asks`, and what `failed` in a sentence, empty where it holds."""

    name: str
    asks: str
    failed: str = ""

    @property
    def holds(self) -> bool:
        return not self.failed

    def __str__(self) -> str:
        return f"{self.name}: {self.failed or 'holds'}"


def check(optimizer: str | type[Optimizer], *, space: str | Space = "joint", trials: int = TRIALS) -> list[Checked]:
    """Run the optimizer contract on a name (`mine.py:Greedy`) or a class of your own; nothing is trained.

    The outcomes that it is told follow a formula. Raises UnknownNameError, InputError and OptimizerError where no
    optimizer can be made of what was given.
    """
    return list(checks(optimizer, space=space, trials=trials))


def checks(optimizer: str | type[Optimizer], *, space: str | Space, trials: int) -> Iterator[Checked]:
    """As `check`, one after the other."""
    at = get_space(space) if isinstance(space, str) else space
    whole("trials", trials, 1)

    def make(seed: int) -> Optimizer:
        return the_optimizer(optimizer, at, LADDER, seed=seed, full_budgets=float(trials))

    # What is no optimizer at all is said once.
    make(0)
    for one in CHECKS:
        name = one.__name__.removeprefix("check_").replace("_", " ")  # type: ignore[attr-defined]
        asks = " ".join((one.__doc__ or "").split())
        try:
            one(make, trials=trials)
        except AssertionError as error:
            # Python's own assertions, in the optimizer, have no sentence.
            yield Checked(name, asks, " ".join(str(error).split()) or happened(error))
        except (Exception, SystemExit) as error:
            yield Checked(name, asks, happened(error))
        else:
            yield Checked(name, asks)
