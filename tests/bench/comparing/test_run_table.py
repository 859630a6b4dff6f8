"""A run as a table: who the incumbent is, and what it is judged by."""

from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jointbench
from jointbench.bench.comparing.run_table import read_run, run_table
from jointbench.bench.running.cluster import Finished, Started
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.incumbent import IncumbentRule, incumbents
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers.optimizer import Trial


def finished(budget: float, error: float, status: Status = Status.OK) -> Finished:
    configuration = JOINT.named["zela-2018"] | {"momentum": error}
    evaluation = Evaluation("joint", configuration, budget, 0, status, {"validation_error": error, "test_error": error})
    return Finished(Started(0, Trial(configuration, budget), 0), evaluation, 0.0, 1.0)


def standing(story: list[Finished], rule: IncumbentRule = "any-budget") -> list[Evaluation | None]:
    fronts = incumbents((one.evaluation for one in story), rule=rule)
    return [front[0] if front else None for front in fronts]


def errors(story: list[Finished], rule: IncumbentRule = "any-budget") -> list[float | None]:
    return [None if one is None else one.validation_error for one in standing(story, rule)]


STORY = [(1.0, 0.5), (1.0, 0.3), (1.0, 0.4), (3.0, 0.6), (1.0, 0.1), (3.0, 0.55)]


def test_the_incumbent_is_the_best_on_any_budget() -> None:
    assert errors([finished(*one) for one in STORY]) == [0.5, 0.3, 0.3, 0.3, 0.1, 0.1]


def test_of_two_that_are_as_good_the_one_of_the_larger_budget_is_the_incumbent() -> None:
    story = [finished(*one) for one in ((1.0, 0.3), (9.0, 0.3), (3.0, 0.3))]
    assert [one.budget for one in standing(story) if one] == [1.0, 9.0, 9.0]


def test_by_hpbandsters_rule_the_incumbent_is_the_best_at_the_largest_budget_so_far() -> None:
    assert errors([finished(*one) for one in STORY], "largest-budget") == [0.5, 0.3, 0.3, 0.6, 0.6, 0.55]


def test_the_incumbent_is_never_a_failure() -> None:
    assert errors([finished(27.0, 0.9, Status.DIVERGED), finished(1.0, 0.95)]) == [None, 0.95]


@given(st.lists(st.tuples(st.sampled_from([1.0, 3.0, 9.0]), st.floats(0, 1), st.booleans()), max_size=20))
def test_an_incumbents_error_never_rises_or_by_hpbandsters_rule_its_budget_never_falls(
    story: list[tuple[float, float, bool]],
) -> None:
    told = [finished(budget, error, Status.OK if ok else Status.CRASHED) for budget, error, ok in story]
    for before, after in pairwise([one for one in standing(told) if one is not None]):
        assert (after.validation_error, -after.budget) <= (before.validation_error, -before.budget)
    for before, after in pairwise([one for one in standing(told, "largest-budget") if one is not None]):
        assert (-after.budget, after.validation_error) <= (-before.budget, before.validation_error)


def test_each_incumbent_is_judged_by_its_truth_and_nobody_by_the_error_of_a_failure() -> None:
    story = [finished(1.0, 0.9, Status.CRASHED), finished(1.0, 0.5), finished(1.0, 0.6), finished(1.0, 0.2)]

    def truth(e: Evaluation) -> dict[str, float]:
        return {"validation_error": e.validation_error + 0.01, "test_error": e.test_error + 0.02}

    table = run_table(story, JOINT, truth)
    assert table["incumbent_validation_error"].to_pylist() == pytest.approx([1.0, 0.51, 0.51, 0.21])
    assert table["incumbent_test_error"].to_pylist() == pytest.approx([1.0, 0.52, 0.52, 0.22])
    assert table["incumbent"].to_pylist() == [False, True, False, True]


def test_a_run_is_read_with_the_columns_that_are_wanted_or_not_at_all(tmp_path: Path) -> None:
    table = run_table([finished(*one) for one in STORY], JOINT, lambda one: one.metrics)
    pq.write_table(table, tmp_path / "run.parquet")
    assert read_run(tmp_path / "run.parquet").equals(table)
    wanted = ["incumbent", "budget", "configuration"]
    assert read_run(tmp_path / "run.parquet", wanted).equals(table.select(wanted))
    with pytest.raises(LogError, match=r"run: .* expected readable Parquet"):
        read_run(tmp_path / "run.parquet", ["budget", "colour"])
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    with pytest.raises(LogError, match=r"run: .* expected readable Parquet"):
        read_run(tmp_path / "torn.parquet")


def test_no_file_is_read_by_threads_of_arrows_that_outlive_the_reading() -> None:
    """They let go of the file while the interpreter ends, which aborts the process now and then (exit code 134)."""
    package = Path(jointbench.__file__).parent
    reading = {path for path in package.rglob("*.py") if "read_table(" in path.read_text(encoding="utf-8")}
    # What is timed there is ended at once.
    assert reading <= {package / "bench" / "speed" / "log.py"}
