"""What a collection will take, before anything is trained: time, evaluations, disk, and what will not fit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration, Evaluation, Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import VALIDATION_ERROR
from jointbench.data.seeds import collection_seed
from jointbench.data.spaces.space import Space
from jointbench.optimizers import make_optimizer

#: Configurations drawn to say which share of them will not fit.
SAMPLE = 5_000

#: Bytes of an evaluation in a part that has been merged, and in its run's journal: means over the log `digits-cpu`.
LOG_BYTES, JOURNAL_BYTES = 180, 2_150

#: Weights, gradients and momentum of a parameter in fp32; of which a checkpoint keeps weights and momentum.
TRAINING_BYTES, CHECKPOINT_BYTES = 12, 8
#: A number that a convolution puts out is kept for the backward pass, once as it is and once after its norm.
ACTIVATION_BYTES = {"fp32": 8, "bf16": 4}


@dataclass(frozen=True)
class Plan:
    """`evaluations` a rung; `total` of the budgets and `makespan` until the last training ends, both in the ladder's
    unit and of the budgets alone; `log_bytes` and `checkpoint_bytes` on disk."""

    evaluations: dict[float, int]
    total: float
    makespan: float
    log_bytes: int
    checkpoint_bytes: int


class _AsLongAsItsBudget:
    """An objective for schedules: every training takes its budget; how good it is nobody knows yet."""

    def __init__(self, space: Space, ladder: Ladder) -> None:
        self.space, self.ladder = space, ladder

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        error = float(np.random.default_rng(seed).random())
        metrics = {VALIDATION_ERROR.name: error, "wall_seconds": budget}
        return Evaluation(self.space.name, configuration, budget, seed, Status.OK, metrics)


def plan(
    space: Space,
    ladder: Ladder,
    images: ImageFacts,
    *,
    optimizer: str,
    full_budgets: float,
    workers: int,
    precision: str,
    memory: int | None = None,
    seed: int = 0,
    checkpoint_every: float | None = None,
) -> Plan:
    """Run the optimizer's schedule on a simulated cluster. `memory` in bytes decides how large a checkpoint can be.

    A training of no more than `checkpoint_every` seconds leaves none; how long epochs take is not known.

    Raises UnknownNameError for the optimizer, OptimizerError when it fails.
    """
    cluster = SimulatedCluster(_AsLongAsItsBudget(space, ladder), workers)
    made = make_optimizer(optimizer, space, ladder, seed=collection_seed(seed), full_budgets=full_budgets)
    counted: Counter[float] = Counter(dict.fromkeys(ladder.rungs, 0))
    for finished in run(made, cluster, ladder, full_budgets=full_budgets, seed=made.seed, space=space):
        counted[finished.started.trial.budget] += 1
    needed, parameters = memory_needed(space, images, precision)
    fitting = parameters[needed <= memory] if memory is not None else parameters
    # Of the trainings on their way at once, each as large as one in a hundred.
    short = ladder.unit == "seconds" and checkpoint_every is not None and ladder.maximum <= checkpoint_every
    largest = float(np.quantile(fitting, 0.99)) if len(fitting) and not short else 0.0
    return Plan(
        dict(counted),
        sum(budget * number for budget, number in counted.items()),
        cluster.now,
        sum(counted.values()) * (LOG_BYTES + JOURNAL_BYTES),
        int(largest * CHECKPOINT_BYTES * workers),
    )


def memory_needed(space: Space, images: ImageFacts, precision: str) -> tuple[FloatArray, FloatArray]:
    """Bytes that a training of a random configuration needs, and its parameters: two arrays (SAMPLE,).

    12 bytes a parameter, and what the convolutions put out for a batch. In the log `digits-cpu` (fp32, on a CPU,
    1 GiB) this foretells 84 of 87 trainings that ran out of memory, and 7 of 1,139 that did not; of trainings above
    200 MB the real peak is between 0.7 and 1.2 times as much (5th and 95th percentile). bf16 was not measured.
    """
    configurations = space.sample(np.random.default_rng(0), SAMPLE)
    facts = space.facts(space.rows(configurations), images.shape, images.classes)
    batch = np.array([space.recipe(configuration).batch_size for configuration in configurations])
    parameters = np.asarray(facts.parameters, dtype=np.float64)
    return TRAINING_BYTES * parameters + ACTIVATION_BYTES[precision] * facts.activations * batch, parameters


def shares_that_do_not_fit(needed: FloatArray, memories: Sequence[int]) -> list[float]:
    """For each memory (bytes) the share of configurations that need more."""
    return [float((needed > memory).mean()) for memory in memories]
