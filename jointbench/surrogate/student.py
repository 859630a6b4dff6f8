"""The student: trees, and a network, that learn what the teacher says of many configurations that nobody trained.

Distillation (Hinton, Vinyals and Dean, 2015): trees fitted to a thousand noisy errors alone are a poor model, but a
thousand trees are a good way to write a smooth one down, and a network that trees correct a better one. The teacher is
asked where optimizers go: a third of the questions are spread evenly, the others lie around what was trained, more of
them around the best.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.beside import MANY
from jointbench.surrogate.boosting import boost
from jointbench.surrogate.networks import taught
from jointbench.surrogate.student_network import WIDEST, StudentNetwork
from jointbench.surrogate.table import TrainingTable
from jointbench.surrogate.teacher import Teacher, error_logits


@dataclass(frozen=True)
class Distillation:
    """How the errors' models are made: `questions` to the teacher (fewer where it has seen little), and XGBoost's
    parameters of the student.

    `even` is the share of questions that are spread evenly; of the others, each is a training's configuration with a
    share `moved` of its hyperparameters moved by `by` of their range (a standard deviation). `units`: of the hidden
    layers of a network that learns first, so that the trees are left what it does not say; none is without it, as is a
    space whose choices are too many for one.
    """

    questions: int = 16_000
    even: float = 1 / 3
    moved: float = 0.4
    by: float = 0.15
    max_depth: int = 7
    rounds: int = 256
    learning_rate: float = 0.15
    subsample: float = 0.8
    colsample_bynode: float = 0.6
    min_child_weight: float = 1.0
    units: tuple[int, ...] = ()


#: `jointbench fit --ingredients` shows what each part of it gains; docs/surrogate.md keeps the figures.
DISTILLED = Distillation()
#: Of teachers that know much, of which trees alone would lose a part (docs/surrogate.md).
LONGER = Distillation(questions=32_000, rounds=200, learning_rate=0.1, units=(128, 64))

#: Questions that one training is worth.
_FOR_A_TRAINING = 25
#: How much likelier the best training is asked around than the worst: e to this.
_TOWARDS_THE_BEST = 2.0
#: The share of questions at budgets that were seen, where there are evaluations at any.
_AT_SEEN = 0.7
#: Questions of the uncertainty, which costs more than a prediction and varies less.
_UNCERTAIN = 4_000
#: A variance of logits below which it makes no difference.
_LEAST = 1e-4

_TREES: dict[str, Any] = {"tree_method": "hist", "nthread": 1, "max_bin": 64, "base_score": 0.0}
#: A mean of squares has few large ones, which its logarithm's mean forgets: the deviance of a gamma law, by whose
#: logarithm a variance is a sum of trees, does not.
_SPREAD: dict[str, Any] = {
    **_TREES,
    "objective": "reg:gamma",
    "base_score": 1.0,
    "max_depth": 2,
    "learning_rate": 0.2,
    "subsample": 0.7,
    "min_child_weight": 10,
    "reg_lambda": 10,
}
_SPREAD_ROUNDS = 40
_UNCERTAINTY: dict[str, Any] = {**_TREES, "max_depth": 6, "learning_rate": 0.2, "colsample_bynode": 0.6}
_UNCERTAINTY_ROUNDS = 48


def distillation(table: TrainingTable) -> Distillation:
    """How a student of such trainings is made where nobody says otherwise."""
    return LONGER if len(table) >= MANY else DISTILLED


def questions(seen: TrainingTable, settings: Distillation, seed: int) -> TrainingTable:
    """A table whose rows and budgets are to be asked, everything else in it means nothing; in random order."""
    rng, space = np.random.default_rng(seed), seen.space
    count = min(settings.questions, _FOR_A_TRAINING * len(seen))
    even = rng.random((round(count * settings.even), len(space.names)))
    rank = np.empty(len(seen))
    rank[np.argsort(seen.errors[:, 0], kind="stable")] = np.arange(len(seen))
    chance = np.exp(-_TOWARDS_THE_BEST * rank / len(seen))
    around = space.encode(seen.rows, inactive=0.5)[rng.choice(len(seen), count - len(even), p=chance / chance.sum())]
    moves = rng.normal(0.0, settings.by, around.shape) * (rng.random(around.shape) < settings.moved)
    points = rng.permutation(np.concatenate([even, np.clip(around + moves, 0.0, 1.0)]))
    budgets = np.array(seen.ladder.rungs)[rng.integers(len(seen.ladder.rungs), size=count)]
    if seen.ladder.continuous:
        # As often as there are trainings, and evenly between.
        low, high = math.log(seen.ladder.minimum), math.log(seen.ladder.maximum)
        budgets = np.exp(rng.uniform(low, high, size=count))
        budgets = np.where(rng.random(count) < _AT_SEEN, rng.choice(seen.budgets, count), budgets)
    return replace(seen.take(np.zeros(count, dtype=np.int64)), rows=space.rows_at(points), budgets=budgets)


def learn_errors(teacher: Teacher, settings: Distillation, seed: int) -> tuple[Any, StudentNetwork | None]:
    """A booster of all errors of trainings that work, as logits, not yet bounded, and the network to whose outputs its
    own are added; deterministic given the teacher, settings and seed."""
    asked = questions(teacher.seen, settings, seed)
    parameters = {
        **_TREES,
        "multi_strategy": "multi_output_tree",
        "max_depth": settings.max_depth,
        "learning_rate": settings.learning_rate,
        "subsample": settings.subsample,
        "colsample_bynode": settings.colsample_bynode,
        "min_child_weight": settings.min_child_weight,
    }
    rows = np.concatenate([teacher.inputs.raw(asked), teacher.inputs.raw(teacher.seen)]).astype(np.float32)
    lessons, of_seen = teacher.lessons(asked), teacher.lessons(teacher.seen)
    real = error_logits(teacher.seen)
    if teacher.collapse is not None:
        # How likely that is, and what it makes of errors, is said beside the student.
        real = np.where(teacher.collapse.happened[:, None], of_seen, real)
    logits = np.concatenate([lessons, real])
    inputs = teacher.inputs.of_network(teacher.seen)
    # So many choices without order would make a network that answers late: trees alone do not mind them.
    if not settings.units or len(inputs.column) > WIDEST:
        return boost(rows, logits, parameters, settings.rounds, seed), None
    # The luck of single trainings is for the trees alone.
    network = taught(inputs, rows, np.concatenate([lessons, of_seen]), settings.units, seed)
    return boost(rows, logits - network(rows), parameters, settings.rounds, seed), network


def learn_spread(teacher: Teacher, seed: int) -> Any:
    """A booster of the logarithm of how far off a training is likely to be, a variance of logits in units of its mean
    (luck that grows with it is calibrated on repeats)."""
    rows, surprise = teacher.inputs.raw(teacher.seen), np.maximum(teacher.surprise(), _LEAST)
    return boost(rows, surprise / surprise.mean(), _SPREAD, _SPREAD_ROUNDS, seed)


def learn_uncertainty(teacher: Teacher, settings: Distillation, seed: int) -> Any:
    """A booster of the logarithm of the teacher's variance of the expected validation error's logit."""
    asked = questions(teacher.seen, replace(settings, questions=min(settings.questions, _UNCERTAIN)), seed)
    rows = np.concatenate([teacher.inputs.raw(asked), teacher.inputs.raw(teacher.seen)])
    variance = np.concatenate([teacher.variance(asked), teacher.variance(teacher.seen)])
    return boost(rows, _logarithm(variance), _UNCERTAINTY, _UNCERTAINTY_ROUNDS, seed)


def _logarithm(variance: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(variance, _LEAST)))
