"""What each ingredient of the errors' models gains, on the way from XGBoost on the trainings to the student."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from jointbench.data.arrays import FloatArray
from jointbench.surrogate.judging.baselines import PredictLogits
from jointbench.surrogate.judging.best import among, held_against, lowest
from jointbench.surrogate.judging.held_out import folds
from jointbench.surrogate.judging.scores import Row, mean_rows, scores, side_by_side
from jointbench.surrogate.models import ErrorModels, student
from jointbench.surrogate.student import Distillation, distillation
from jointbench.surrogate.table import TrainingTable
from jointbench.surrogate.teacher import Teacher

#: Partitions into folds that ingredients are judged on where nobody says otherwise; each takes minutes of a core.
PARTITIONS = 2


#: From a table of trainings that ended ok, a seed and the teacher of both.
Fit = Callable[[TrainingTable, int, Teacher], PredictLogits]


def _teacher(**without: bool) -> Fit:
    return lambda ok, seed, _: Teacher.fit(ok, seed, **without).logits


def _mean(ok: TrainingTable, seed: int, teacher: Teacher) -> PredictLogits:
    other = ErrorModels.fit(ok, seed)
    return lambda table: np.asarray((teacher.logits(table) + other.logits(table)) / 2)


def _student(changed: Callable[[Distillation], Distillation] = lambda usual: usual) -> Fit:
    return lambda ok, seed, teacher: student(teacher, changed(distillation(ok)), seed).logits


#: By name, in the order in which they build on each other.
INGREDIENTS: Mapping[str, Fit] = {
    "XGBoost on the trainings (format 3)": lambda ok, seed, _: ErrorModels.fit(ok, seed).logits,
    "teacher without logarithms": _teacher(logarithms=False),
    "teacher without noise by rung": _teacher(noise_by_rung=False),
    "teacher without what learning curves share": _teacher(shared=False),
    "teacher with none beside the process": _teacher(stacked=False),
    "teacher that knows of no collapse": _teacher(collapses=False),
    "teacher": lambda ok, seed, teacher: teacher.logits,
    "teacher and XGBoost, their mean": _mean,
    "student of 1,000 questions": _student(lambda usual: replace(usual, questions=1_000)),
    "student of 4,000 questions": _student(lambda usual: replace(usual, questions=4_000)),
    "student, all questions spread evenly": _student(lambda usual: replace(usual, even=1.0)),
    "student, half the trees": _student(lambda usual: replace(usual, rounds=usual.rounds // 2)),
    "student of trees alone, twice as many": _student(lambda usual: replace(usual, units=(), rounds=usual.rounds * 2)),
    "student": _student(),
}


def ingredients(
    table: TrainingTable, seed: int, partitions: int = PARTITIONS, contenders: Mapping[str, Fit] = INGREDIENTS
) -> list[Row]:
    """Scores on held-out configurations at the largest budget, a row a contender and error: means over the partitions
    into folds of `scores` and, with `best_` before them, those `among` the best quarter. On a fold all learn from one
    teacher.
    """
    ok = table.take(table.ok)
    scales = ok.scales
    at = ok.ladder.at(ok.budgets, ok.ladder.maximum)
    fold = [folds(table, seed + number)[table.ok] for number in range(partitions)]
    work = [(number, part) for number in range(partitions) for part in np.unique(fold[number]).tolist()]

    def say(one: tuple[int, int]) -> list[FloatArray]:
        chosen = fold[one[0]] == one[1]
        seen, asked = ok.take(~chosen), ok.take(chosen)
        teacher = Teacher.fit(seen, seed)
        return [fit(seen, seed, teacher)(asked) for fit in contenders.values()]

    logits = np.zeros((len(contenders), partitions, len(ok), len(scales)))
    for (number, part), said in zip(work, side_by_side(say, work), strict=True):
        logits[:, number, fold[number] == part] = said
    rows: list[Row] = []
    for name, of_one in zip(contenders, logits, strict=True):
        for part, error in enumerate(ok.error_names):
            real, predicted = ok.errors[at, part], scales[part].from_logit(of_one[:, at, part])
            few = lowest(real, ok.group[at], 0.25)
            against = held_against(ok.measures.metrics[part] if ok.measures else None, real)
            best = mean_rows(among(real[few], one[few], against) for one in predicted)
            row = {"ingredient": name, "error": error, "n": int(at.sum())}
            row |= mean_rows(scores(real, one) for one in predicted)
            rows.append(row | {f"best_{key}": value for key, value in best.items()})
    return rows
