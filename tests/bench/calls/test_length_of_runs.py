"""What is said of a comparison whose runs will be very long, before they begin."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import jointbench
from jointbench.bench.calls.comparing import OPTIMIZERS, SEEDS
from jointbench.bench.calls.comparison_runs import LONG, Wanted
from jointbench.bench.comparing.comparison import DEFAULT_SEEDS
from jointbench.data.ladder import Ladder
from jointbench.data.option_words import on_command_line
from jointbench.data.spaces.joint import JOINT


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


def test_so_many_seeds_as_end_in_a_minute_are_the_default_optimizers_alone() -> None:
    def seeds(optimizers: Sequence[str], said: int | None = None, until_decided: int | None = None) -> set[int]:
        wanted = Wanted(optimizers, Path("out"), [10], said, until_decided)
        wanted, _ = wanted.on(Ladder(1, 27), JOINT, OPTIMIZERS, seeds=SEEDS)
        return set(wanted.looks()[0].values())

    assert seeds(OPTIMIZERS) == {SEEDS}
    assert seeds(OPTIMIZERS, said=4) == {4}
    # The first look at a comparison that goes on until it is decided is at few.
    assert max(seeds(OPTIMIZERS, until_decided=200)) < SEEDS
    assert seeds(["random", "tpe"]) == {DEFAULT_SEEDS}
