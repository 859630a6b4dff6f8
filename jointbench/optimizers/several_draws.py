"""An optimizer whose configurations are each evaluated on several networks that are drawn from them."""

from collections import deque
from dataclasses import dataclass, field, replace

from jointbench.data.evaluation import Evaluation
from jointbench.optimizers.optimizer import Optimizer, Trial


@dataclass
class _Draws:
    """What is known of a trial of the inner optimizer."""

    trial: Trial
    evaluations: list[Evaluation] = field(default_factory=list)


class SeveralDraws(Optimizer):
    """Asks `inner`, hands each trial out `architectures` times, and tells it the means once all have ended.

    A mean over draws is a failure where one of them is. The log has each evaluation.
    """

    def __init__(self, inner: Optimizer, architectures: int) -> None:
        super().__init__(inner.space, inner.ladder, seed=inner.seed, full_budgets=inner.full_budgets)
        self.inner, self.architectures = inner, architectures
        self.name, self.objectives = f"{inner.name}-{architectures}-draws", inner.objectives
        self._waiting: deque[Trial] = deque()
        #: By the identity of each trial that was handed out.
        self._of: dict[int, tuple[Trial, _Draws]] = {}

    def ask(self) -> Trial | None:
        if not self._waiting:
            trial = self.inner.ask()
            if trial is None:
                return None
            draws = _Draws(trial)
            for _ in range(self.architectures):
                # A seed that is insisted on would give the same network each time.
                copied = replace(trial, seed=None, architecture_seed=0)
                self._waiting.append(copied)
                self._of[id(copied)] = copied, draws
        return self._waiting.popleft()

    def tell(self, trial: Trial, evaluation: Evaluation) -> None:
        _, draws = self._of.pop(id(trial))
        draws.evaluations.append(evaluation)
        if len(draws.evaluations) == self.architectures:
            self.inner.tell(draws.trial, _mean(draws.evaluations))


def _mean(evaluations: list[Evaluation]) -> Evaluation:
    failed = next((one for one in evaluations if not one.ok), None)
    if failed is not None:
        return failed
    first = evaluations[0]
    shared = [name for name in first.metrics if all(name in one.metrics for one in evaluations)]
    return first.measuring(
        **{name: sum(one.metrics[name] for one in evaluations) / len(evaluations) for name in shared}
    )
