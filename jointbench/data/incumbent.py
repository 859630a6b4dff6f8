"""What an incumbent is: which of its evaluations a search would recommend, for one objective and for several."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from jointbench.data.evaluation import Evaluation
from jointbench.data.metrics import VALIDATION_ERROR, Metric

#: By "any-budget" every evaluation counts, whatever its budget. By "largest-budget", HpBandSter's, only those on the
#: largest budget that anything has ended well at: smaller budgets are forgotten as soon as a larger one has spoken,
#: and with its first answer the incumbent may become a much worse one.
IncumbentRule = Literal["any-budget", "largest-budget"]

#: What the commands minimise where nobody says otherwise.
OBJECTIVE = (VALIDATION_ERROR,)


class Incumbents:
    """The incumbents of the evaluations heard of so far, in the order in which they came.

    For one objective there is one: the evaluation with the best value, of equal ones that of the larger budget, then
    the earlier. For several there is a Pareto front: those that no other is at least as good as in every objective and
    better in one; of those that are equal in all, one stands, as above. Failures, and values that are no finite
    numbers, are never incumbents.
    """

    def __init__(self, objectives: Sequence[Metric] = OBJECTIVE, rule: IncumbentRule = "any-budget") -> None:
        self.objectives, self.rule = tuple(objectives), rule
        self.front: tuple[Evaluation, ...] = ()
        self._losses: list[tuple[float, ...]] = []

    @property
    def best(self) -> Evaluation | None:
        """Of one objective the incumbent, of several the earliest of the front; None before there is any."""
        return self.front[0] if self.front else None

    def hear(self, evaluation: Evaluation) -> bool:
        """Whether the evaluation is an incumbent now."""
        if not evaluation.ok:
            return False
        losses = tuple([objective.loss_of(evaluation) for objective in self.objectives])
        if float("inf") in losses:
            return False
        if self.rule == "largest-budget" and self.front and evaluation.budget != self.front[0].budget:
            if evaluation.budget < self.front[0].budget:
                return False
            self.front, self._losses = (), []
        stays = []
        for place, (other, theirs) in enumerate(zip(self.front, self._losses, strict=True)):
            if losses == theirs and evaluation.budget <= other.budget:
                return False
            if losses != theirs and all(their <= own for their, own in zip(theirs, losses, strict=True)):
                return False
            if not all(own <= their for their, own in zip(theirs, losses, strict=True)):
                stays.append(place)
        self.front = (*(self.front[place] for place in stays), evaluation)
        self._losses = [*(self._losses[place] for place in stays), losses]
        return True


def incumbents(
    evaluations: Iterable[Evaluation],
    objectives: Sequence[Metric] = OBJECTIVE,
    rule: IncumbentRule = "any-budget",
) -> Iterator[tuple[Evaluation, ...]]:
    """The front after each evaluation, in the order in which they came; of one objective, none or one."""
    heard = Incumbents(objectives, rule)
    for evaluation in evaluations:
        heard.hear(evaluation)
        yield heard.front


def ranked(evaluations: Iterable[Evaluation], objective: Metric = VALIDATION_ERROR) -> list[Evaluation]:
    """Best first; of equal ones the earlier, failures last."""
    return sorted(evaluations, key=objective.loss_of)
