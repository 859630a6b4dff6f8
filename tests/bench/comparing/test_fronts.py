"""Comparing for several objectives: what is told, kept and read of fronts."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from comparing import small
from test_run_table import finished

import jointbench
from jointbench.bench.comparing.alone import alone, nearly
from jointbench.bench.comparing.attainment import attainment
from jointbench.bench.comparing.comparison_folder import Settings, run_file, run_files
from jointbench.bench.comparing.front_box import Axis, box_of, dominated
from jointbench.bench.comparing.fronts import FrontRun, read_fronts
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.run_table import run_table
from jointbench.bench.comparing.searched_for import metrics_there, searched_for, with_exact
from jointbench.bench.comparing.trajectories import final_losses, read_trajectories
from jointbench.bench.drawing.palette import styles
from jointbench.bench.pages.fronts_section import pictures_words
from jointbench.bench.pages.report import write_report
from jointbench.bench.pages.side_by_side import side_by_side
from jointbench.bench.running.known_objective import known_objective
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Configuration, Evaluation
from jointbench.data.metrics import METRICS, TEST_ERROR, VALIDATION_ERROR
from jointbench.data.pareto import HYPERVOLUME, non_dominated
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers.registry import told_of

DIGITS = SurrogateObjective(jointbench.load_benchmark("digits-cpu"))
MEMORY = METRICS["sample_memory"]
BOTH = ["validation_error", "sample_memory"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fronts") / "both"
    jointbench.compare(
        "digits-cpu",
        ["random", "bohb"],
        objectives=BOTH,
        seeds=2,
        full_budgets=8,
        workers=4,
        jobs=1,
        out=out,
        quiet=True,
    )
    return out


def test_a_metric_that_there_is_not_is_refused_by_naming_what_there_is() -> None:
    with pytest.raises(UnknownNameError, match=r"latency.*parameters.*sample_memory.*validation_error"):
        searched_for(DIGITS, ["validation_error", "latency"])
    with pytest.raises(InputError, match="once"):
        searched_for(DIGITS, ["flops", "flops"])
    assert "sample_memory" not in metrics_there(known_objective("mfh3-good"))


class Unmodelled(SurrogateObjective):
    """As surrogates of any task are: an exact metric is the task's, and no answer has it."""

    def _evaluation(self, configuration: Configuration, budget: float, seed: int | None) -> Evaluation:
        evaluation = super()._evaluation(configuration, budget, seed)
        return replace(evaluation, metrics={k: v for k, v in evaluation.metrics.items() if k != "parameters"})


def test_an_exact_metric_that_no_answer_has_comes_from_arithmetic() -> None:
    objective = Unmodelled(DIGITS.benchmark)
    assert "parameters" in objective.task.by_name
    (parameters,) = searched_for(objective, ["parameters"])
    measuring = with_exact(objective, (VALIDATION_ERROR, parameters))
    configuration = JOINT.named["zela-2018"]
    exact = JOINT.facts(configuration, objective.images.shape, objective.images.classes).parameters
    for found in (measuring(configuration, 9.0, 3), measuring.expected(configuration, 9.0)):
        assert found.metrics["parameters"] == exact
    # What an answer has is left as it is.
    assert with_exact(DIGITS, (VALIDATION_ERROR, parameters)) is DIGITS


def test_a_metric_in_which_nothing_differs_is_no_objective() -> None:
    function = known_objective("mfh3-good")
    with pytest.raises(InputError, match=r"wall_seconds.*in which configurations differ; it is 1 for all"):
        box_of(function, searched_for(function, ["value", "wall_seconds"]))


def test_the_box_goes_to_guessing_and_to_the_dearest_of_the_space() -> None:
    (best, guessing), (least, most) = box_of(DIGITS, [VALIDATION_ERROR, MEMORY])
    assert (best, guessing) == (0.0, 0.9)
    facts = JOINT.facts(JOINT.rows(JOINT.sample(np.random.default_rng(0), 10_000)), (1, 8, 8), 10)
    assert (least, most) == (facts.memory.min(), facts.memory.max())


def test_shares_of_the_box_are_by_logarithms_where_there_is_no_highest() -> None:
    memory, error = Axis(MEMORY, 1e3, 1e7), Axis(VALIDATION_ERROR, 0.0, 0.9)
    assert memory.shares(np.array([1e3, 1e5, 1e7])) == pytest.approx([0, 0.5, 1])
    assert error.shares(np.array([0, 0.45, 0.9])) == pytest.approx([0, 0.5, 1])
    quick = Axis(METRICS["images_per_second"], 1e4, 1e2)
    assert quick.shares(np.array([1e4, 1e3, 1e2])) == pytest.approx([0, 0.5, 1])
    assert dominated(np.array([[0.45, 1e5]]), (error, memory)) == pytest.approx(0.25)
    # The diverged, and those beyond the reference, dominate nothing.
    assert dominated(np.array([[1.0, 1e3], [np.nan, 1e3]]), (error, memory)) == 0


def test_a_run_says_who_was_on_the_front_and_when() -> None:
    story = [finished(1.0, error) for error in (0.5, 0.4, 0.6, 0.3)]
    sizes = (10, 20, 5, 20)
    told = [
        type(one)(one.started, one.evaluation.measuring(sample_memory=size), 0.0, 1.0)
        for one, size in zip(story, sizes, strict=True)
    ]
    table = run_table(told, JOINT, lambda e: e.metrics, metrics=(VALIDATION_ERROR, MEMORY), objectives=2)
    assert table["incumbent"].to_pylist() == [True] * 4
    assert table["front_until"].to_pylist() == [None, 3, None, None]
    assert table["incumbent_sample_memory"].to_pylist() == [10, 20, 5, 20]


def test_fronts_are_read_as_they_were_heard(folder: Path) -> None:
    settings = Settings.read(folder)
    assert [metric.name for metric in settings.objectives] == BOTH
    fronts = read_fronts(folder)
    kept = {name: jointbench.run(name, "digits-cpu", full_budgets=8, workers=4, objectives=BOTH) for name in fronts}
    for name, several in fronts.items():
        run = several[0]
        frame = kept[name]
        assert len(run.seconds) == len(frame)
        assert frame["front_until"].isna().sum() >= len(run.final)
        # What an optimizer sees of its front is a front, whatever is true of it.
        seen = frame[frame["incumbent"] & frame["front_until"].isna()][BOTH].to_numpy(float)
        assert non_dominated(seen).all()
        assert len(seen) == len(run.final)
        assert run.hypervolumes[-1] == dominated(run.final, run.sides)
        assert 0 < run.hypervolumes[-1] < 1
    found = final_incumbents(folder)
    assert len(found) == sum(len(run.final) for several in fronts.values() for run in several)
    assert all(one.metrics["sample_memory"] == JOINT.facts(one.configuration, (1, 8, 8)).memory for one in found)


def test_what_is_compared_is_the_hypervolume(folder: Path) -> None:
    made = jointbench.bench.calls.comparing.Comparison(folder)
    assert {row.objective for row in made.summary} == {HYPERVOLUME}
    values = [row.value for row in made.summary]
    assert values == sorted(values, reverse=True)


def test_an_optimizer_of_one_objective_searches_as_it_does_alone(folder: Path, tmp_path: Path) -> None:
    jointbench.compare("digits-cpu", ["bohb"], seeds=1, full_budgets=8, workers=4, jobs=1, out=tmp_path, quiet=True)
    both, alone = (pq.read_table(run_file(out, "bohb", 0)) for out in (folder, tmp_path))
    same = ["budget", "seed", "end", "validation_error", "configuration"]
    assert both.select(same) == alone.select(same)
    assert "front_until" not in alone.column_names
    told = told_of("bohb", (VALIDATION_ERROR, TEST_ERROR)), told_of("random", (VALIDATION_ERROR, TEST_ERROR))
    assert [len(one) for one in told] == [1, 2]


def test_another_single_objective_comes_first(tmp_path: Path) -> None:
    made = jointbench.compare(
        "digits-cpu", ["random"], objectives=["flops"], seeds=1, full_budgets=4, jobs=1, out=tmp_path, quiet=True
    )
    assert made.settings.box == ()
    assert made.summary[0].objective.name == "flops"
    (_, _, path), *_ = run_files(tmp_path)
    table = pq.read_table(path)
    assert table["incumbent_flops"].to_pylist()[-1] == min(table["flops"].to_pylist())


def test_attainment_surfaces_are_what_the_best_half_and_all_runs_attain() -> None:
    fronts = [np.array(front) for front in ([[3.0, 1.0], [1.0, 3.0]], [[2.0, 2.0]], [[4.0, 1.0], [np.nan, 0.0]])]
    found = attainment(fronts, np.array([0.5, 1.0, 2.0, 3.0]))
    assert found.best.tolist() == [np.inf, 3, 2, 1]
    assert found.median.tolist() == [np.inf, 4, 3, 2]
    assert found.worst.tolist() == [np.inf, np.inf, 4, 4]


def test_one_objective_alone_finds_an_end_of_the_front_and_nearly_it_what_lies_between() -> None:
    sides = (Axis(VALIDATION_ERROR, 0.0, 1.0), Axis(MEMORY, 1e2, 1e6))
    points = np.array([[0.100, 1e5], [0.105, 1e4], [0.5, 1e2]])
    whole, none = np.array([3, 3, 3]), np.empty(0, dtype=np.int64)
    run = FrontRun("random", 0, np.arange(3.0), np.arange(3), whole, points, points, sides)
    nothing = FrontRun("random", 1, np.arange(3.0), none, none, np.empty((0, 2)), np.empty((0, 2)), sides)
    assert alone([run], 0).values == (0.1, 1e5)
    assert alone([run], 1).values == (0.5, 1e2)
    assert nearly([run], 1).values == (0.105, 1e4)
    assert alone([run], 0).share == pytest.approx(0.9 * 0.25)
    assert alone([nothing], 0).share == 0


def test_the_page_shows_the_fronts_and_says_the_reference_and_who_searched_for_what(folder: Path) -> None:
    page = write_report(folder).read_text(encoding="utf-8")
    for words in (
        "front's hypervolume over time",
        "from 0.00% to 90.00%, which is guessing",
        "sample memory on a logarithmic scale",
        "bohb can search for one objective, and searches for validation error alone; what it evaluates is judged",
        "What one objective alone would have found",
        "sample memory, validation error nearly",
    ):
        assert words in page
    assert "random can search" not in page


def test_of_three_objectives_the_page_says_that_a_picture_shows_two(folder: Path) -> None:
    two = Settings.read(folder)
    assert pictures_words(two) == ""
    three = replace(two, box=(*two.box, two.box[-1]))
    assert len(three.objectives) == 3
    assert "validation error and one other objective" in pictures_words(three)


def test_those_whose_fronts_are_compared_differ_in_colour() -> None:
    names = ("nago-mobo", "mo-bohb", "bohb", "random", "optuna.NSGAIISampler", "smac.ParEGO")
    assert len({style.colour for style in styles(names).values()}) == len(names)


def test_two_comparisons_for_fronts_stand_beside_each_other_by_their_hypervolumes(folder: Path) -> None:
    page = "".join(side_by_side(folder, folder))
    assert "<h2>The front's hypervolume over time</h2>" in page
    assert "By final hypervolume 1 of 1 pair of them stands in the same order" in page
    losses = final_losses(read_trajectories(folder))
    best = min(losses, key=lambda name: float(np.median(list(losses[name].values()))))
    # Its name, both hypervolumes, both ranks.
    row = page[page.index(">final hypervolume, first<") :].partition(f">{best}<")[2]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", row)[2:4] == ["1", "1"]


def test_errors_and_hypervolumes_are_not_laid_beside_each_other(folder: Path, tmp_path: Path) -> None:
    small(tmp_path / "errors", ("random", "bohb"))
    with pytest.raises(InputError, match=r"second comparison: .* expected one by validation error and .*, as"):
        side_by_side(folder, tmp_path / "errors")
    with pytest.raises(InputError, match=r"expected one by validation error, as"):
        jointbench.report(tmp_path / "errors", folder)
