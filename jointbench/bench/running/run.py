"""The run loop: the only place where an optimizer meets an objective."""

import math
from collections.abc import Iterator
from dataclasses import replace

from jointbench.bench.running.cluster import Cluster, Finished, Started
from jointbench.bench.running.journal import Journal
from jointbench.bench.running.proposals import Proposals
from jointbench.data.evaluation import Evaluation
from jointbench.data.ladder import SAME_RUNG, Ladder
from jointbench.data.seeds import architecture_seed, training_seed
from jointbench.data.spaces.space import Space
from jointbench.optimizers.optimizer import Optimizer, Trial


def run(
    optimizer: Optimizer,
    cluster: Cluster,
    ladder: Ladder,
    *,
    seed: int,
    full_budgets: float = math.inf,
    time: float = math.inf,
    space: Space | None = None,
    journal: Journal | None = None,
    evaluated: dict[int, Evaluation] | None = None,
) -> Iterator[Finished]:
    """Run `optimizer` on `cluster`, yielding trials as they end (in the order in which the optimizer hears of them).

    Ends when the next trial would bring the sum of budgets above `full_budgets` times the ladder's maximum and
    nothing is running any more, when `time` (seconds on the cluster's clock) has passed, or when the optimizer has no
    more to ask. What is still running at `time` does not count: nobody hears of it. What the optimizer proposes is
    checked against `space` (None: the optimizer's own) and `ladder`. With a journal every decision is written down
    before it takes effect; a journal that holds some already is replayed first, with the outcomes in `evaluated` (trial
    number to evaluation), and the trials that were on their way start again. Raises ReplayError when the optimizer does
    not repeat its journal, OptimizerError when it raises or proposes what cannot be evaluated.
    """
    limit = full_budgets * ladder.maximum * (1 + SAME_RUNG)
    running: dict[int, Started] = {}
    spent, number, over = 0.0, 0, False
    evaluated = evaluated or {}
    proposals = Proposals(optimizer, optimizer.space if space is None else space, ladder, seed)
    draws = proposals.space.draws

    if journal:
        for entry in journal.entries:
            if entry.kind == "ask":
                proposed = proposals.ask(entry.number)
                if proposed is not None and draws:
                    proposed = _drawn(proposed, entry.seed)
                started = Started(entry.number, journal.confirm(entry, proposed), entry.seed)
                running[entry.number] = started
                spent, number = spent + started.trial.budget, entry.number + 1
            else:
                del running[entry.number]
                proposals.tell(entry.number, journal.outcome(entry, evaluated))
        # What ended while nobody listened is heard of now; the rest starts again.
        for started in list(running.values()):
            if started.number in evaluated:
                evaluation = evaluated[started.number]
                journal.tell(started.number, evaluation)
                del running[started.number]
                proposals.tell(started.number, evaluation)
                yield Finished(started, evaluation, 0.0, 0.0)

    waiting = list(running.values())
    running.clear()
    while True:
        while len(running) < cluster.workers and not (over and not waiting):
            if waiting:
                started = waiting.pop(0)
            else:
                trial = proposals.ask(number)
                if trial is None:
                    break
                if spent + trial.budget > limit:
                    over = True
                    break
                spent += trial.budget
                of_training = training_seed(seed, number) if trial.seed is None else trial.seed
                if draws:
                    trial = _drawn(trial, of_training)
                started = Started(number, trial, of_training)
                if journal:
                    journal.ask(started)
                number += 1
            running[started.number] = started
            cluster.start(started)
        if not running:
            return
        finished = cluster.wait()
        if finished.end > time:
            return
        del running[finished.started.number]
        if journal:
            journal.tell(finished.started.number, finished.evaluation)
        proposals.tell(finished.started.number, finished.evaluation)
        yield finished


def _drawn(trial: Trial, seed: int) -> Trial:
    """With a network of its own, where the optimizer insists on none: a fresh one at every evaluation, at a promotion
    too (Ru et al. 2020)."""
    if trial.architecture_seed:
        return trial
    return replace(trial, architecture_seed=architecture_seed(seed))
