"""What the incumbents of real searches are worth, beside what a surrogate says of them."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from comparing import called_real, small

import jointbench
from jointbench.bench.comparing.comparison_folder import RETRAININGS
from jointbench.bench.comparing.held_to_retrainings import held_to_retrainings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.retraining_results import read_retrained
from jointbench.bench.pages.report import write_report
from jointbench.bench.pages.side_by_side import side_by_side
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.stored import load_benchmark, released

ROOT = Path(__file__).parents[3]

#: Of the two trainings of a run's incumbent, by the run's seed.
ERRORS = {0: (0.10, 0.12), 1: (0.20, 0.26)}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A comparison on digits-cpu, and one that says it was by trainings, whose incumbents were trained twice again."""
    folder = tmp_path_factory.mktemp("both")
    first, second = folder / "surrogate", folder / "real"
    # They never end with the same configuration.
    small(first, ("random", "two-stage"))
    called_real(first, second)
    shipped = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
    one = next(e for e in shipped.evaluations() if e.ok and e.budget == shipped.ladder.maximum)
    log = EvaluationLog.open_or_create(second / RETRAININGS / "joint", shipped.space, shipped.ladder, shipped.images)
    for incumbent in final_incumbents(second):
        for seed, error in enumerate(ERRORS[incumbent.run_seed]):
            metrics, key = (
                {**one.metrics, "validation_error": error},
                f"{incumbent.optimizer} {incumbent.run_seed} {seed}",
            )
            made = replace(one, configuration=incumbent.configuration, seed=2**53 + seed, metrics=metrics, key=key)
            log.append([made])
    return first, second


def test_an_optimizers_incumbents_have_the_mean_over_runs_of_their_trainings(both: tuple[Path, Path]) -> None:
    found = held_to_retrainings(*both)
    assert found is not None
    benchmark = load_benchmark("digits-cpu")
    ended = final_incumbents(both[1])
    assert {one.optimizer for one in found.optimizers} == {one.optimizer for one in ended}
    for one in found.optimizers:
        own = [each for each in ended if each.optimizer == one.optimizer]
        of_each = [np.mean(ERRORS[each.run_seed]) for each in own]
        assert (one.runs, one.trainings) == (len(own), 2 * len(own))
        assert one.again.value == pytest.approx(np.mean(of_each))
        said = [benchmark.query(each.configuration, benchmark.ladder.maximum).validation_error for each in own]
        assert one.said.value == pytest.approx(np.mean(said))
        assert one.searched.value == one.simulated.value


def test_pairs_are_of_runs_with_the_same_seed(both: tuple[Path, Path]) -> None:
    found = held_to_retrainings(*both)
    assert found is not None
    assert len(found.pairs) == len(found.optimizers) * (len(found.optimizers) - 1) // 2
    for _, _, _, again, _ in found.pairs:
        # All optimizers have the same errors in runs of one seed.
        assert (again.value, again.half) == pytest.approx((0.0, 0.0)) or np.isnan(again.half)


def test_the_page_of_both_says_it_whichever_comes_first(both: tuple[Path, Path]) -> None:
    first, second = both
    for page in ("".join(side_by_side(first, second)), "".join(side_by_side(second, first))):
        assert "What the real incumbents are worth" in page


def test_each_of_two_ways_to_reproduce_is_headed_by_its_comparison(both: tuple[Path, Path]) -> None:
    page = "".join(side_by_side(*both))
    for folder in both:
        assert f"<h2>How to reproduce digits-cpu-v2 ({folder})</h2>" in page


def test_the_page_of_the_real_one_speaks_of_published_networks_only_where_it_has_some(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    page = write_report(Path(copytree(both[1], tmp_path / "real"))).read_text(encoding="utf-8")
    assert "The final incumbents of 4 runs, trained anew" in page
    assert "published networks" not in page


def test_doctor_names_the_logs_that_it_can_examine(both: tuple[Path, Path]) -> None:
    found = jointbench.doctor(both[1])
    (said,) = (fact for fact in found.findings.facts if "examines as a log" in fact)
    assert jointbench.doctor(said.removeprefix("trainings are in ").partition(",")[0]).healthy


@pytest.mark.parametrize("folder", sorted(ROOT.glob("evidence/*/reality")), ids=lambda path: path.parent.name)
def test_evidence_of_a_real_comparison_is_kept_with_its_runs_and_what_was_trained_again(folder: Path) -> None:
    ended = final_incumbents(folder)
    trained = [one for one in read_retrained(folder) if one.incumbent is not None]
    assert len(ended) == len(trained) == 15


def test_without_trainings_of_incumbents_there_is_nothing_to_say(both: tuple[Path, Path]) -> None:
    first, second = both
    assert (
        held_to_retrainings(first, first)
        is held_to_retrainings(second, second)
        is held_to_retrainings(second, first)
        is None
    )
    assert "What the real incumbents are worth" not in "".join(side_by_side(first, first))
