"""What an optimizer is: ask for the next trial, tell its outcome."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.images.facts import ImageFacts
from jointbench.data.incumbent import OBJECTIVE
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import Metric
from jointbench.data.notebook import html_table
from jointbench.data.numbers import readable
from jointbench.data.spaces.space import Space

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


#: What an optimizer expects of a space that searches for an architecture apart.
TWO_PARTS = "one with hyperparameters of an architecture, and of its training"

#: Of an optimizer, where it is shown.
_SHOWN = ("space", "ladder", "seed", "full_budgets")


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A configuration to be evaluated at a budget; the same object comes back with its outcome.

    `seed` is that of the training where the optimizer insists on one; None lets the run choose. `architecture_seed` is
    that with which the network is drawn, where the space draws any; 0 lets the run choose, a new one for each trial.
    """

    configuration: Configuration
    budget: float
    seed: int | None = None
    architecture_seed: int = 0

    def _repr_html_(self) -> str:
        values = ((name, readable(value)) for name, value in self.configuration.items())
        return html_table("trial", [("budget", readable(self.budget)), *values])


@dataclass(frozen=True)
class WallClock:
    """The time that a search has: so many seconds on so many workers, each of which evaluates one trial at a time."""

    seconds: float
    workers: int


class Optimizer(ABC):
    """Proposes evaluations. Deterministic given its seed and the order of calls.

    `ask` returns the next trial, or None when it must hear of a running trial first; None changes nothing, so
    asking again at once gives None again. None while nothing is running means that the search is over.
    `tell` takes any outstanding trial, in any order, failures included (`evaluation.ok` is false then), with its
    evaluation or with a benchmark's answer, and goes on when a metric is no finite number; `loss` is what ours
    minimize.
    The run ends the search when `full_budgets` times the ladder's maximum has been spent. Where `wall_clock` is set it
    ends the search after that time instead, in which random search spends `full_budgets`. Most optimizers need not look
    at either. Where `first` is not empty, the first configuration that is proposed has these values, which are a
    practitioner's; the rest of it is what it would have been. `objectives` are the metrics that it searches for, one,
    or several where it says that it takes `several_objectives`. `images` are the facts of those that networks are
    trained on, where there are any, by which a space counts exactly. `make_optimizer` sets all four before `__init__`
    is called.
    """

    #: The name in tables; the name of the class where it is not set.
    name: str
    #: Rungs of a ladder below which it is not what its name says: successive halving has nothing to halve on one.
    fewest_rungs: ClassVar[int] = 1
    #: Whether it tells hyperparameters of an architecture from those of its training, and needs some of both.
    two_parts: ClassVar[bool] = False
    #: Whether it searches for several objectives at once; what it finds then is a Pareto front.
    several_objectives: ClassVar[bool] = False
    objectives: Sequence[Metric] = OBJECTIVE
    #: None where the search ends by its budgets.
    wall_clock: WallClock | None = None
    #: None where the task has none, or nobody said.
    images: ImageFacts | None = None
    #: Hyperparameter to value, of some of the space's.
    first: Configuration = MappingProxyType({})

    def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
        self.space, self.ladder, self.seed, self.full_budgets = space, ladder, seed, full_budgets
        self.rng = np.random.default_rng(seed)

    def __repr__(self) -> str:
        # A class of a person's own may not have come to its end in being made.
        made = ", ".join(f"{key} {value}" for key, value in self._shown())
        return f"<optimizer {getattr(self, 'name', type(self).__name__)}: {made}>"

    def _repr_html_(self) -> str:
        return html_table(f"optimizer {getattr(self, 'name', type(self).__name__)}", self._shown())

    def _shown(self) -> list[tuple[str, str]]:
        """What it was made with, in words."""
        return [(key.replace("_", " "), _in_words(vars(self)[key])) for key in _SHOWN if key in vars(self)]

    @property
    def configspace(self) -> "ConfigurationSpace":
        """The space as a ConfigSpace object, which samples by ConfigSpace's law (`Space.configspace`)."""
        return self.space.configspace

    @classmethod
    def options_of(cls) -> Callable[..., object]:
        """Whose keywords a name may set, as in `two-stage:share=0.3`."""
        return cls

    def loss(self, evaluation: Evaluation) -> float:
        """What is minimized of the (first) objective; infinite for a failure, and for what is no finite number."""
        return self.objectives[0].loss_of(evaluation)

    @abstractmethod
    def ask(self) -> Trial | None: ...

    @abstractmethod
    def tell(self, trial: Trial, evaluation: Evaluation) -> None: ...


def _in_words(made_with: object) -> str:
    match made_with:
        case Space():
            return made_with.name
        case Ladder():
            return made_with.amounts()
    return readable(made_with)
