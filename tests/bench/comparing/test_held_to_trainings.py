"""A surrogate is held against the real trainings of another comparison, and against nothing else."""

from pathlib import Path

import numpy as np
import pytest
from comparing import called_real, small

from jointbench.bench.comparing.comparison_folder import TRAININGS
from jointbench.bench.comparing.held_to_trainings import held_to_trainings
from jointbench.bench.pages.side_by_side import side_by_side
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.stored import load_benchmark, released


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A comparison on digits-cpu, and one that says it was made by the trainings that digits-cpu was fitted to."""
    folder = tmp_path_factory.mktemp("both")
    first, second = folder / "surrogate", folder / "real"
    small(first)
    called_real(first, second)
    shipped = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
    log = EvaluationLog.open_or_create(second / TRAININGS, shipped.space, shipped.ladder, shipped.images)
    log.append(list(shipped.evaluations()))
    return first, second


def test_each_budget_is_scored_on_all_its_trainings_that_ended_ok(both: tuple[Path, Path]) -> None:
    found = held_to_trainings(*both)
    assert found is not None
    benchmark, log = load_benchmark("digits-cpu"), EvaluationLog.open(both[1] / TRAININGS)
    assert [row["budget"] for row in found.rows] == list(benchmark.ladder.rungs)
    for row in found.rows:
        at = [one for one in log.evaluations() if one.ok and one.budget == row["budget"]]
        said = np.array([benchmark.query(one.configuration, one.budget).validation_error for one in at])
        came = np.array([one.validation_error for one in at])
        assert row["n"] == len(at)
        assert row["rmse"] == pytest.approx(np.sqrt(np.mean((said - came) ** 2)))
        promised = said <= np.quantile(said, 0.1)
        assert (row["promised"], row["came"]) == pytest.approx((said[promised].mean(), came[promised].mean()))


def test_the_page_of_both_says_it_whichever_comes_first(both: tuple[Path, Path]) -> None:
    first, second = both
    for page in ("".join(side_by_side(first, second)), "".join(side_by_side(second, first))):
        assert "What the surrogate says of the real trainings" in page
        assert "digits-cpu-v2 has never seen" in page


def test_two_of_a_kind_are_no_such_pair(both: tuple[Path, Path]) -> None:
    first, second = both
    assert (
        held_to_trainings(first, first) is held_to_trainings(second, second) is held_to_trainings(second, first) is None
    )
