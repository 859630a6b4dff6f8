"""What each ingredient of the errors' models gains, on the way from XGBoost on the trainings to the student."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from jointbench.data.space import FloatArray
from jointbench.surrogate.judging.best import among, lowest
from jointbench.surrogate.judging.held_out import folds
from jointbench.surrogate.judging.rivals import FitLines, PredictLines
from jointbench.surrogate.judging.scores import Row, mean_rows, scores, side_by_side
from jointbench.surrogate.models import DEFAULT, ErrorModels, Settings, error_models
from jointbench.surrogate.noise import ErrorScale
from jointbench.surrogate.student import DISTILLED
from jointbench.surrogate.table import TrainingTable
from jointbench.surrogate.teacher import Teacher

#: Partitions into folds that ingredients are judged on where nobody says otherwise; each takes minutes of a core.
PARTITIONS = 2


def _models(settings: Settings) -> FitLines:
    return lambda ok, seed: error_models(ok, seed, settings).lines


def _teacher(**without: bool) -> FitLines:
    return lambda ok, seed: Teacher.fit(ok, seed, **without).lines


def _mean(ok: TrainingTable, seed: int) -> PredictLines:
    both = Teacher.fit(ok, seed), ErrorModels.fit(ok, seed)
    return lambda table: np.asarray((both[0].lines(table) + both[1].lines(table)) / 2)


#: By name, in the order in which they build on each other.
INGREDIENTS: Mapping[str, FitLines] = {
    "XGBoost on the trainings (format 3)": _models(DEFAULT),
    "teacher without logarithms": _teacher(logarithms=False),
    "teacher without noise by rung": _teacher(noise_by_rung=False),
    "teacher": _teacher(),
    "teacher and XGBoost, their mean": _mean,
    "student of 1,000 questions": _models(replace(DISTILLED, questions=1_000)),
    "student of 4,000 questions": _models(replace(DISTILLED, questions=4_000)),
    "student, all questions spread evenly": _models(replace(DISTILLED, even=1.0)),
    "student, half the trees": _models(replace(DISTILLED, rounds=DISTILLED.rounds // 2)),
    "student": _models(DISTILLED),
}


def ingredients(
    table: TrainingTable,
    seed: int,
    partitions: int = PARTITIONS,
    contenders: Mapping[str, FitLines] = INGREDIENTS,
    tell: Callable[[str], object] = lambda name: None,
) -> list[Row]:
    """Scores on held-out configurations at the largest budget, a row a contender and error: means over the partitions
    into folds of `scores` and, with `best_` before them, those `among` the best quarter. `tell` hears of each name.
    """
    ok = table.take(table.ok)
    scales = ErrorScale(ok.images.validation), ErrorScale(ok.images.test)
    at = np.isclose(ok.budgets, ok.ladder.maximum)
    fold = [folds(table, seed + number)[table.ok] for number in range(partitions)]
    work = [(number, part) for number in range(partitions) for part in np.unique(fold[number]).tolist()]
    rows: list[Row] = []
    for name, fit in contenders.items():
        tell(name)

        def say(one: tuple[int, int], fit: FitLines = fit) -> FloatArray:
            chosen = fold[one[0]] == one[1]
            return fit(ok.take(~chosen), seed)(ok.take(chosen))

        lines = np.zeros((partitions, len(ok), 2))
        for (number, part), said in zip(work, side_by_side(say, work), strict=True):
            lines[number, fold[number] == part] = said
        for part, error in enumerate(("validation", "test")):
            real, said = ok.errors[at, part], scales[part].from_line(lines[:, at, part])
            few = lowest(real, ok.group[at], 0.25)
            best = mean_rows(among(real[few], one[few]) for one in said)
            row = {"ingredient": name, "error": error, "n": int(at.sum())} | mean_rows(
                scores(real, one) for one in said
            )
            rows.append(row | {f"best_{key}": value for key, value in best.items()})
    return rows
