"""What is said of a comparison whose runs will be very long, before they begin."""

from pathlib import Path

import pytest

import jointbench
from jointbench.bench.calls.comparison_runs import LONG, Wanted
from jointbench.data.ladder import Ladder
from jointbench.data.option_words import on_command_line


def said(*optimizers: str, full_budgets: float, seeds: int = 3) -> str:
    with on_command_line():
        return Wanted(optimizers, Path("out"), [10], seeds).said_of_length(Ladder(1, 27), full_budgets)


def test_very_long_runs_are_announced_with_their_number_and_what_makes_them_shorter() -> None:
    words = said("random", "hyperband", "two-stage", full_budgets=1.5 * LONG / 27)
    assert words == (
        "hyperband, two-stage: up to some 150,000 evaluations in each of 6 runs, since the smallest budget fits 27 "
        "times into the largest; --full-budgets below 5,556 makes them fewer"
    )


def test_what_is_usual_or_evaluates_at_the_largest_budget_alone_is_not() -> None:
    assert said("hyperband", full_budgets=256) == said("random", full_budgets=LONG) == ""


@pytest.mark.parametrize("several", [False, True])
def test_they_are_announced_before_the_first_run_on_one_task_and_on_several(several: bool, tmp_path: Path) -> None:
    class HeardError(Exception):
        pass

    def hear(words: str) -> None:
        raise HeardError(words)

    where = "digits-cpu: " if several else ""
    call = jointbench.compare_tasks if several else jointbench.compare
    about = ["digits-cpu"] if several else "digits-cpu"
    how = {"full_budgets": 1.5 * LONG / 27, "seeds": 2, "out": tmp_path / "out", "quiet": True, "planned": hear}
    with pytest.raises(HeardError, match=f"^{where}hyperband: up to some 150,000 evaluations in each of 2 runs"):
        call(about, ["random", "hyperband"], **how)  # type: ignore[operator]
    assert not list(tmp_path.rglob("*.parquet"))
