"""What every optimizer must do, as checks that anybody can run on theirs.

    import pytest
    from jointbench.optimizers.contract import CHECKS

    @pytest.mark.parametrize("check", CHECKS)
    def test_mine(check):
        check(lambda seed: MyOptimizer(MY_SPACE, Ladder(1, 27), seed=seed, full_budgets=20), trials=100)

A check takes a maker, from a seed to a fresh optimizer, and the number of trials to try it on; it raises
AssertionError with a sentence. The outcomes that it tells follow a formula: nothing is trained.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration, Evaluation, Status
from jointbench.data.metrics import TRAINED
from jointbench.data.quantities import counted
from jointbench.optimizers.optimizer import Optimizer, Trial

Maker = Callable[[int], Optimizer]
#: Trials that run at once at most.
MOST_OUTSTANDING = 200
#: By these a search is told how long a trial took, whatever its objectives are.
_TOLD = frozenset(
    ("training_seconds", "wall_seconds", "batch_seconds", "validation_seconds", "test_seconds", "measured_seconds")
)
#: What happened to an optimizer: a trial that it proposed, or one with its outcome that it was told.
Event = tuple[Trial, Evaluation | None]


class Check(Protocol):
    def __call__(self, make: Maker, *, trials: int) -> None: ...


def drive(
    optimizer: Optimizer, trials: int, *, outstanding: int = 1, failures: float = 0.0, order: int = 0
) -> list[Event]:
    """Keep `outstanding` trials running until so many were proposed, or the optimizer has no more.

    They end in an order drawn from `order`; a fraction `failures` of them fails. Returns what happened, in order.
    """
    rng = np.random.default_rng(order)
    events: list[Event] = []
    running: list[Trial] = []
    proposed = 0
    while proposed < trials:
        trial = optimizer.ask() if len(running) < outstanding else None
        if trial is not None:
            running.append(trial)
            events.append((trial, None))
            proposed += 1
            continue
        if not running:
            break
        ended = running.pop(rng.integers(len(running)))
        evaluation = outcome(optimizer, ended, failed=bool(rng.random() < failures))
        optimizer.tell(ended, evaluation)
        events.append((ended, evaluation))
    return events


def outcome(optimizer: Optimizer, trial: Trial, *, failed: bool) -> Evaluation:
    """A bowl over the unit cube that gets lower with the budget, in steps of 0.01 so that there are ties; each of
    several objectives has its lowest point elsewhere, and what is to be maximised is a hill."""
    space, ladder = optimizer.space, optimizer.ladder
    point = space.encode([trial.configuration], inactive=0.5)[0]
    metrics: dict[str, float] = {"wall_seconds": trial.budget}
    for number, objective in enumerate(optimizer.objectives):
        lowest = 0.4 + 0.2 * number
        height = float(np.mean((point - lowest) ** 2)) + 0.2 * ladder.minimum / trial.budget
        error = 0.9 if failed else round(height, 2)
        metrics[objective.name] = 1 - error if objective.maximize else error
        metrics.setdefault("test_error", error)
    status = Status.CRASHED if failed else Status.OK
    return Evaluation(space.name, trial.configuration, trial.budget, 0, status, metrics)


def proposals(events: list[Event]) -> list[tuple[float, dict[str, Any]]]:
    """Budget and configuration of each trial that was proposed."""
    return [(trial.budget, dict(trial.configuration)) for trial, evaluation in events if evaluation is None]


def digest(make: Maker, *, trials: int) -> str:
    """A hash of what the optimizer proposes: compare it between processes of different PYTHONHASHSEED."""
    return hashlib.sha256(repr(proposals(drive(make(0), trials, outstanding=3, failures=0.1))).encode()).hexdigest()


def check_legal(make: Maker, *, trials: int) -> None:
    """Configurations of the space and rungs of the ladder, nothing else, however many are outstanding."""
    for outstanding in (1, 7, MOST_OUTSTANDING):
        optimizer = make(0)
        for budget, configuration in proposals(drive(optimizer, trials, outstanding=outstanding, failures=0.1)):
            _assert_legal(optimizer, budget, configuration)


def _assert_legal(optimizer: Optimizer, budget: float, configuration: Configuration) -> None:
    assert budget in optimizer.ladder.rungs, f"budget {budget} is no rung of {optimizer.ladder}"
    try:
        checked = optimizer.space.check(configuration)
    except InputError as error:
        raise AssertionError(f"not a configuration of {optimizer.space}: {error}") from error
    assert list(checked.items()) == list(configuration.items()), "hyperparameters in another order"


def check_many_outstanding(make: Maker, *, trials: int) -> None:
    """200 trials run at once, or as many as there are before it waits; told in any order, and it goes on."""
    optimizer = make(0)
    running: list[Trial] = []
    while len(running) < MOST_OUTSTANDING and (trial := optimizer.ask()) is not None:
        running.append(trial)
    assert len(set(map(id, running))) == len(running) > 0, "no trial, or one object twice"
    order = np.random.default_rng(0).permutation(len(running))
    for number, place in enumerate(order):
        optimizer.tell(running[place], outcome(optimizer, running[place], failed=number % 10 == 0))
    assert optimizer.ask() is not None, f"nothing more after {counted(len(running), 'trial')} at once"


def check_deterministic(make: Maker, *, trials: int) -> None:
    """One seed and one course of events lead to one run."""
    for outstanding in (1, 5):
        first, second = (proposals(drive(make(1), trials, outstanding=outstanding)) for _ in range(2))
        assert first == second, f"two runs of one seed differ with {outstanding} outstanding"


def check_seed(make: Maker, *, trials: int) -> None:
    """Another seed leads to another run."""
    assert proposals(drive(make(1), trials)) != proposals(drive(make(2), trials)), "two seeds give one run"


def check_goes_on(make: Maker, *, trials: int) -> None:
    """Some trial is proposed whenever none is running, whatever fails and in whatever order trials end."""
    for failures in (0.0, 0.5, 1.0):
        for outstanding in (1, 30):
            count = len(proposals(drive(make(0), trials, outstanding=outstanding, failures=failures, order=1)))
            assert count == trials, (
                f"{count} of {counted(trials, 'trial')} when {failures:.0%} fail, {outstanding} outstanding"
            )


def check_no_number(make: Maker, *, trials: int) -> None:
    """It goes on, with legal proposals, when it is told of NaN or infinity though nothing failed."""
    for error in (math.nan, math.inf, -math.inf):
        optimizer = make(0)
        for number in range(trials):
            trial = optimizer.ask()
            assert trial is not None, f"no trial {number} after an error of {error}"
            _assert_legal(optimizer, trial.budget, trial.configuration)
            evaluation = outcome(optimizer, trial, failed=False)
            if number % 3 == 0:
                evaluation = evaluation.measuring(**{objective.name: error for objective in optimizer.objectives})
            optimizer.tell(trial, evaluation)


def check_objectives(make: Maker, *, trials: int) -> None:
    """It searches for its objectives: no other metric changes what it proposes."""

    class Distracted(Optimizer):
        """Hears of other metrics too, which get better all the time."""

        def __init__(self, inner: Optimizer) -> None:
            super().__init__(inner.space, inner.ladder, seed=inner.seed, full_budgets=inner.full_budgets)
            self.inner, self.objectives, self.told = inner, inner.objectives, 0

        def ask(self) -> Trial | None:
            return self.inner.ask()

        def tell(self, trial: Trial, evaluation: Evaluation) -> None:
            self.told += 1
            others = {metric.name: 1 / self.told for metric in TRAINED if metric.name not in _TOLD}
            self.inner.tell(trial, replace(evaluation, metrics={**others, **evaluation.metrics}))

    plain = proposals(drive(make(5), trials, outstanding=3, failures=0.1))
    assert proposals(drive(Distracted(make(5)), trials, outstanding=3, failures=0.1)) == plain, (
        "a metric that is none of its objectives changed the run"
    )


def check_none_changes_nothing(make: Maker, *, trials: int) -> None:
    """Asking until None and asking once more at each None lead to the same run."""

    class Insistent(Optimizer):
        """Asks twice where the answer is None."""

        def __init__(self, inner: Optimizer) -> None:
            super().__init__(inner.space, inner.ladder, seed=inner.seed, full_budgets=inner.full_budgets)
            self.inner = inner

        def ask(self) -> Trial | None:
            trial = self.inner.ask()
            if trial is None:
                assert self.inner.ask() is None, "a trial right after None, with nothing told in between"
            return trial

        def tell(self, trial: Trial, evaluation: Evaluation) -> None:
            self.inner.tell(trial, evaluation)

    plain = proposals(drive(make(3), trials, outstanding=MOST_OUTSTANDING))
    assert proposals(drive(Insistent(make(3)), trials, outstanding=MOST_OUTSTANDING)) == plain, (
        "asking again changed the run"
    )


def check_replay(make: Maker, *, trials: int) -> None:
    """A fresh optimizer to which the same things happen proposes the same, at any time."""
    events = drive(make(4), trials, outstanding=5, failures=0.2)
    for length in (0, len(events) // 3, len(events) // 2):
        replayed = make(4)
        twins: dict[int, Trial] = {}
        asked = 0
        for trial, evaluation in events[: length + 1]:
            if evaluation is None:
                twin = replayed.ask()
                asked += 1
                assert twin is not None, f"None instead of proposal {asked} in a replay"
                same = twin.budget == trial.budget and dict(twin.configuration) == dict(trial.configuration)
                assert same, f"another proposal {asked} in a replay"
                twins[id(trial)] = twin
            else:
                replayed.tell(twins[id(trial)], evaluation)


#: All of them.
CHECKS: tuple[Check, ...] = (
    check_legal,
    check_many_outstanding,
    check_deterministic,
    check_seed,
    check_goes_on,
    check_no_number,
    check_objectives,
    check_none_changes_nothing,
    check_replay,
)
