"""What a surrogate should reach, whether it does, and where not, how many evaluations it would take."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jointbench.data.ladder import Ladder
from jointbench.surrogate.judging.leave_out import PARTS
from jointbench.surrogate.judging.scores import Row
from jointbench.surrogate.judging.verdict import objective_in

if TYPE_CHECKING:
    from jointbench.surrogate.judging.judgement import Judgement

#: On validation errors at the largest budget.
R2, SPARSE_KENDALL = 0.93, 0.82
#: Among the best quarter there.
BEST_SPEARMAN, BEST_RELATIVE_BIAS = 0.6, 0.1
#: Of a surrogate without an optimizer's configurations, on that optimizer's evaluations.
LEFT_OUT_R2 = 0.5
#: How far the share of real differences inside an interval may be from what the interval says.
COVERAGE_OFF = 0.02


def targets(judgement: "Judgement", ladder: Ladder) -> list[Row]:
    """A row a target: what is `wanted`, what was `reached`, the `low` and `high` ends of its 95 % interval and what a
    perfect predictor reaches (`ceiling`), None where there are none; whether it is `met`; and the `evaluations` that
    the learning curve would need, None where it is met or no number of them would do.
    """
    curve = [row for row in judgement.learning_curve if row["budget"] == ladder.maximum]
    rows: list[Row] = []
    error = objective_in(judgement.scores)
    for row in judgement.scores:
        if row["budget"] == ladder.maximum and row["error"] == error and row["r2"] is not None:
            for key, wanted, name in (("r2", R2, "R2"), ("sparse_kendall", SPARSE_KENDALL, "sparse Kendall")):
                rows.append(_scored(name, row, key, wanted, [(one["n"], one[key]) for one in curve]))
    for row in judgement.best:
        if (row["budget"], row["error"], row["share"]) == (ladder.maximum, error, 0.25):
            points = [(one["n"], one["best_spearman"]) for one in curve]
            rows.append(_scored("Spearman among the best quarter", row, "spearman", BEST_SPEARMAN, points))
            rows.append(_bias(row, [(one["n"], one["best_relative_bias"]) for one in curve]))
    rows += [
        _plain(f"given one run, error over a table's at {row['budget']:g}", row["given_one"] / row["table"], below=1.0)
        for row in judgement.noise_floor
        if row["budget"] is not None and row["error"] == error and row["table"]
    ]
    rows += [
        _plain(f"R2 on the evaluations of {row['left_out'] or 'hand'}, left out", row["r2"], above=LEFT_OUT_R2)
        for row in judgement.leave_one_out
        if row["budget"] is None and row["error"] == error and row["r2"] is not None and row["left_out"] not in PARTS
    ]
    off = [abs(row[key] - float(key[9:]) / 100) for row in judgement.luck for key in row if key.startswith("coverage_")]
    if off:
        rows.append(_plain("coverage, farthest from what it says", max(off), below=COVERAGE_OFF))
    return rows


def _scored(name: str, row: Row, key: str, wanted: float, points: Sequence[tuple[int, float | None]]) -> Row:
    reached, ceiling = row[key], row.get(f"ceiling_{key}")
    met = reached is not None and reached >= wanted
    needed = None if met else evaluations_needed(points, wanted, 1.0 if ceiling is None else ceiling)
    return {
        "target": name,
        "wanted": f"at least {wanted:g}",
        "reached": reached,
        "low": row.get(f"{key}_low"),
        "high": row.get(f"{key}_high"),
        "ceiling": ceiling,
        "met": met,
        "evaluations": needed,
    }


def _bias(row: Row, points: Sequence[tuple[int, float | None]]) -> Row:
    made = _scored("relative bias among the best quarter", row, "relative_bias", BEST_RELATIVE_BIAS, ())
    met = made["reached"] is not None and abs(made["reached"]) <= BEST_RELATIVE_BIAS
    sizes = [(n, None if value is None else -abs(value)) for n, value in points]
    needed = None if met else evaluations_needed(sizes, -BEST_RELATIVE_BIAS, -abs(made["ceiling"] or 0.0))
    return made | {"wanted": f"within {BEST_RELATIVE_BIAS:g}", "met": met, "evaluations": needed}


def _plain(name: str, reached: float, *, below: float | None = None, above: float | None = None) -> Row:
    met = reached <= below if below is not None else reached >= (above or 0.0)
    wanted = f"at most {below:g}" if below is not None else f"at least {above:g}"
    nothing = dict.fromkeys(("low", "high", "ceiling", "evaluations"))
    return {"target": name, "wanted": wanted, "reached": reached, "met": bool(met)} | nothing


def evaluations_needed(points: Sequence[tuple[int, float | None]], wanted: float, ceiling: float) -> int | None:
    """The number of evaluations at which a score would be `wanted`, if its distance from the ceiling fell as a power of
    their number, as it did at `points` (evaluations, score). None where it did not fall, where the points are fewer
    than three, or where the ceiling is below what is wanted.
    """
    known = [(n, ceiling - score) for n, score in points if score is not None and score < ceiling]
    if len(known) < 3 or wanted >= ceiling:
        return None
    logs = np.log(np.array(known))
    slope, offset = np.polyfit(logs[:, 0], logs[:, 1], 1)
    if slope >= 0:
        return None
    needed = (np.log(ceiling - wanted) - offset) / slope
    # Beyond this a power law that was seen over a factor of eight says nothing.
    return round(float(np.exp(needed))) if needed < np.log(_FAR * known[-1][0]) else None


#: Times the evaluations of the last point.
_FAR = 100
