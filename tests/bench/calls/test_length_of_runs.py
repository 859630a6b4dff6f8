"""What is said of a comparison whose runs will be very long, before they begin."""

from pathlib import Path

import jointbench
from jointbench.bench.calls.comparison_runs import LONG, Wanted
from jointbench.bench.comparing.simulated_objective import simulated_settings
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.option_words import on_command_line


def said(*optimizers: str, full_budgets: float, seeds: int = 3) -> str:
    objective = SurrogateObjective(jointbench.load_benchmark("digits-cpu"))
    settings = simulated_settings(objective, workers=10, full_budgets=full_budgets)
    with on_command_line():
        return Wanted(optimizers, Path("out"), [10], seeds).said_of_length(settings)


def test_very_long_runs_are_announced_with_their_number_and_what_makes_them_shorter() -> None:
    words = said("random", "hyperband", "two-stage", full_budgets=1.5 * LONG / 27)
    assert words == (
        "hyperband, two-stage: up to some 150,000 evaluations in each of 6 runs, since the smallest budget fits 27 "
        "times into the largest; --full-budgets below 5,556 makes them fewer"
    )


def test_what_is_usual_or_evaluates_at_the_largest_budget_alone_is_not() -> None:
    assert said("hyperband", full_budgets=256) == said("random", full_budgets=LONG) == ""
