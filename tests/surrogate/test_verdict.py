"""The verdict on a surrogate: which numbers decide it, who refuses what is not usable, and where it is said."""

import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import small
from hypothesis import given, settings
from hypothesis import strategies as st

import jointbench
from jointbench.bench.comparing.as_trained import as_trained, made_otherwise
from jointbench.bench.comparing.comparison_folder import SETTINGS, Settings
from jointbench.bench.comparing.judged import JUDGED, judged, judged_verdict
from jointbench.bench.comparing.nearest import Nearest, nearest
from jointbench.bench.comparing.summary import summary
from jointbench.bench.pages.comparison_page import comparison_page
from jointbench.bench.pages.report import write_report
from jointbench.bench.pages.side_by_side import side_by_side
from jointbench.bench.pages.trust_words import judged_box, judged_line, trust_html, trust_words
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.cli import main
from jointbench.data.errors import BenchmarkError, LogError
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.surrogate.judging.best import among
from jointbench.surrogate.judging.verdict import CARE, NOT, USABLE, Verdict, off_among_best, shown, verdict
from jointbench.surrogate.stored import MANIFEST, load_benchmark, released

LADDER = Ladder(1.0, 27.0, 3.0, "seconds")
TOP = {"budget": 27.0, "error": "validation"}
GOOD = {**TOP, "n": 400, "configurations": 300, "r2": 0.95, "r2_low": 0.9, "r2_high": 0.97, "sparse_kendall": 0.83}
GOOD |= {"sparse_kendall_low": 0.8, "sparse_kendall_high": 0.86}
QUARTER = {**TOP, "share": 0.25, "n": 75, "real": 0.1, "bias": 0.004, "relative_bias": 0.04, "rmse": 0.02, "off": 0.012}
QUARTER |= {"spearman": 0.7, "spearman_low": 0.5, "spearman_high": 0.8}
TENTH = {**QUARTER, "share": 0.1, "n": 30, "off": 0.008}


def of(best: Any = (QUARTER, TENTH), **changed: Any) -> Verdict:
    return verdict(LADDER, [{**GOOD, **changed}], best)


def test_a_good_surrogate_is_usable() -> None:
    assert of().word == USABLE
    assert {ground.word for ground in of().grounds} == {USABLE}


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"r2": 0.79}, CARE),
        ({"r2": 0.49}, NOT),
        ({"r2": -0.51}, NOT),
        ({"r2": None}, NOT),
        ({"sparse_kendall": 0.59}, CARE),
        ({"sparse_kendall": 0.39}, NOT),
        ({"configurations": 49}, CARE),
        ({"configurations": 19}, NOT),
        # An interval that reaches down to what would be refused, or that nobody knows.
        ({"r2_low": 0.45}, CARE),
        ({"r2_low": None}, CARE),
        ({"sparse_kendall_low": 0.3}, CARE),
        # Where luck keeps a perfect predictor below what is refused, half of what that reaches, and more than chance.
        ({"r2": 0.46, "r2_low": -0.2, "ceiling_r2": 0.44}, CARE),
        ({"r2": 0.23, "ceiling_r2": 0.48}, NOT),
        ({"r2": 0.25, "ceiling_r2": 0.48}, CARE),
        ({"r2": 0.15, "ceiling_r2": 0.2}, NOT),
        ({"r2": 0.9, "ceiling_r2": 0.4}, CARE),
        ({"r2": 0.46, "ceiling_r2": 0.6}, NOT),
        ({"sparse_kendall": 0.21, "ceiling_sparse_kendall": 0.3}, CARE),
        ({"sparse_kendall": 0.19, "ceiling_sparse_kendall": 0.3}, NOT),
    ],
)
def test_each_number_decides(changed: dict[str, Any], word: str) -> None:
    found = of(**changed)
    assert found.word == word
    assert len(found.decisive) == 1


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"spearman": 0.29}, "Spearman of the best quarter"),
        ({"spearman_low": -0.01}, "Spearman of the best quarter"),
        ({"spearman": None}, "Spearman of the best quarter"),
        ({"relative_bias": 0.26}, "relative bias of the best quarter"),
        ({"relative_bias": -0.26}, "relative bias of the best quarter"),
        ({"relative_bias": 40.0}, "relative bias of the best quarter"),
        ({"rmse": 0.051}, "RMSE of the best quarter"),
    ],
)
def test_being_wrong_among_the_best_asks_for_care_and_refuses_nothing(changed: dict[str, Any], name: str) -> None:
    found = of([{**QUARTER, **changed}, TENTH])
    assert found.word == CARE
    assert [ground.name for ground in found.decisive] == [name]


@pytest.mark.parametrize("low", [-0.45, 0.0, None])
def test_an_order_of_the_best_tenth_that_may_be_chance_asks_for_care_and_is_said(low: float | None) -> None:
    found = of([QUARTER, {**TENTH, "spearman": 0.4, "spearman_low": low}])
    assert found.word == CARE
    assert found.sentence.endswith(
        ": Spearman of the best tenth 0.40. It is not known to order the best tenth of the configurations."
    )


@pytest.mark.parametrize(("rmse", "word"), [(0.049, USABLE), (0.051, CARE)])
@pytest.mark.parametrize(
    ("metric", "against", "said"),
    [
        (Metric("accuracy", "fraction", maximize=True, bounds=(0, 1)), 0.1, "what is missing to 100%, 5.00%"),
        (Metric("score", maximize=True, bounds=(0, 20)), 0.1, "what is missing to 20, 0.05"),
        (Metric("reward", maximize=True), 0.1, "the spread between configurations, 0.05"),
    ],
)
def test_what_is_maximised_is_held_against_what_it_lacks(
    metric: Metric, against: float, said: str, rmse: float, word: str
) -> None:
    rows = [{**row, "error": metric.name, "real": -0.9, "against": against, "rmse": 0.04} for row in (QUARTER, TENTH)]
    rows[0] |= {"rmse": rmse}
    found = verdict(LADDER, [{**GOOD, "error": metric.name}], rows, [metric])
    assert found.word == word
    usable = {ground.name: ground.usable for ground in found.grounds}
    assert usable["RMSE of the best quarter"] == f"up to 50% of {said}"
    assert usable["relative bias of the best quarter"] == f"within 25% of {said.partition(',')[0]}"
    assert f"worse than the real one, as a share of {said.partition(',')[0]}" in found.words


def test_of_the_best_tenth_no_more_is_asked_than_an_order_that_is_not_chance() -> None:
    assert of([QUARTER, {**TENTH, "spearman": 0.2, "spearman_low": 0.01}]).word == USABLE


def test_the_best_of_which_no_order_is_known_are_said_at_once() -> None:
    chance = {"spearman": 0.1, "spearman_low": -0.3}
    said = of([{**QUARTER, **chance}, {**TENTH, **chance}]).sentence
    assert said.endswith(". It is not known to order the best quarter or the best tenth of the configurations.")
    assert "known to order" not in of([{**QUARTER, "spearman": 0.2, "spearman_low": 0.1}, TENTH]).sentence


def test_where_nothing_is_known_of_the_best_care_is_needed() -> None:
    assert of([]).word == CARE
    assert "Spearman of the best quarter not judged" in of([]).sentence


def test_a_score_that_is_undefined_says_why() -> None:
    alike = "not judged, since the real values or the predicted ones are all the same"
    found = of([{**QUARTER, "spearman": None, "n": 30}, TENTH], r2=None, n=120)
    assert {ground.name: ground.reached for ground in found.grounds}["Spearman of the best quarter"] == alike
    assert f"R2 is {alike} (usable" in found.sentence
    assert "R2 is not judged, since it takes two evaluations (usable" in of(r2=None, n=1).sentence


def test_only_validation_errors_at_the_largest_budget_decide() -> None:
    others = [
        {**GOOD, "budget": budget, "error": error, "r2": -1.0}
        for budget, error in ((9.0, "validation"), (27.0, "test"))
    ]
    assert verdict(LADDER, [*others, GOOD], [QUARTER, TENTH]).word == USABLE
    assert verdict(LADDER, others, []).word == NOT
    assert verdict(LADDER, [], []).word == NOT


def test_the_sentence_has_the_numbers_their_intervals_and_their_bounds() -> None:
    said = of(r2=-0.51, r2_low=-0.9, r2_high=0.1, ceiling_r2=0.97).sentence
    assert said == (
        "not usable. On configurations that it had not seen, at 27 seconds: R2 is -0.51 (95 % interval -0.90 to 0.10, "
        "a perfect predictor's is 0.97, usable from 0.8, interval above 0.5, refused below 0.5)."
    )


ANYTHING = (
    st.none() | st.booleans() | st.text(max_size=3) | st.floats() | st.integers(-(10**6), 10**6) | st.just(10**400)
)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("validation", "1.25%"),
        ("validation_error", "1.25%"),
        ("test_error", "1.25%"),
        ("validation_loss", "0.0125"),
        (None, "0.0125"),
    ],
)
def test_a_share_of_wrong_answers_is_in_per_cent_whatever_task_it_is_of(error: object, said: str) -> None:
    assert shown(0.0125, error) == said


@settings(max_examples=30)
@given(
    st.dictionaries(st.sampled_from([*GOOD, *QUARTER]), ANYTHING),
    st.dictionaries(st.sampled_from([*QUARTER]), ANYTHING),
)
def test_whatever_a_manifest_holds_there_is_a_verdict(score: dict[str, Any], best: dict[str, Any]) -> None:
    found = verdict(LADDER, [{**TOP, **score}], [{**TOP, **best}])
    assert found.word in (USABLE, CARE, NOT)
    assert found.sentence.startswith(found.word)
    off_among_best(LADDER, [{**TOP, **best}])


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1), st.floats(0, 1))
def test_better_numbers_are_never_judged_worse(r2: float, more: float, tau: float, gain: float) -> None:
    order = [NOT, CARE, USABLE]
    lower = of(r2=r2, r2_low=r2 - 0.1, sparse_kendall=tau, sparse_kendall_low=tau - 0.1)
    better = of(r2=r2 + more, r2_low=r2 + more - 0.1, sparse_kendall=tau + gain, sparse_kendall_low=tau + gain - 0.1)
    assert order.index(better.word) >= order.index(lower.word)


@settings(max_examples=10)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_off_is_the_median_distance(pairs: list[tuple[float, float]]) -> None:
    real, predicted = np.array(pairs).T
    found = sorted(abs(a - b) for a, b in pairs)
    middle = (found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2
    assert math.isclose(among(real, predicted)["off"], middle, abs_tol=1e-15)


@pytest.mark.parametrize("name", released())
def test_a_released_benchmark_is_judged_as_its_card_says(name: str) -> None:
    found = load_benchmark(name).verdict
    card = (released()[name] / "card.md").read_text(encoding="utf-8")
    assert found.word == (USABLE if name == "fashion-small" else CARE)
    assert f"## Verdict: {found.word}\n\n{found.sentence[0].upper()}{found.sentence[1:]} " in card
    for ground in found.grounds:
        assert f"| {' | '.join(ground.cells)} |\n" in card


class TestDigits:
    def test_what_its_card_says_the_audit_found_is_in_its_log(self) -> None:
        home = released()["digits-cpu"]
        card, log = (
            (home / "card.md").read_text(encoding="utf-8"),
            list(EvaluationLog.open(home / "evaluations.parquet").evaluations()),
        )
        short = [one for one in log if one.ok and one.budget == 1]
        steps = np.median([one.epochs * 1348 / one.configuration["batch_size"] for one in short])
        assert f"made {steps:.0f} steps or fewer" in card
        guessing = [
            np.mean([one.validation_error > 0.85 for one in some])
            for some in (short, [one for one in short if one.provenance.optimizer != "two-stage"])
        ]
        assert (
            f"{100 * guessing[0]:.0f} % ended within five points of guessing (an error above 0.85; "
            f"{100 * guessing[1]:.0f} % without" in card
        )
        assert f"some took {max(one.training_seconds for one in short):.0f} seconds instead of one" in card
        seeds: dict[Any, list[int]] = {}
        for one in log:
            if one.ok:
                seeds.setdefault((tuple(one.configuration.values()), one.budget), []).append(one.seed)
        repeats = {key: own for key, own in seeds.items() if len(own) > 1}
        alike = [key for key, own in repeats.items() if len(set(own)) == 1]
        assert f"{len(alike)} of the {len(repeats)} groups of repeated trainings" in card
        assert {key for key in repeats if key[1] == 1} <= set(alike)
        assert f"At 1 second all {sum(key[1] == 1 for key in repeats)} groups are such pairs" in card
        tried = {
            name: {tuple(one.configuration.values()) for one in log if one.provenance.optimizer == name}
            for name in ("bohb", "hyperband")
        }
        assert tried["bohb"] <= tried["hyperband"]
        assert f"All {len(tried['bohb'])} configurations that BOHB tried are Hyperband's" in card
        benchmark = load_benchmark("digits-cpu")
        rows = benchmark.space.encode(benchmark.space.rows([one.configuration for one in log]))
        first = benchmark.space.encode(benchmark.space.rows(benchmark.sample(20, seed=0)))
        assert max(float(np.abs(rows - one).max(axis=1).min()) for one in first) < 1e-9
        wrong = sorted(round(150 * one.validation_error) for one in log if one.ok and one.budget == 27)
        assert f"wrong on {wrong[0]} to {wrong[9]} of 150 validation images" in card
        top = {tuple(one.configuration.values()) for one in log if one.ok and one.budget == 27}
        assert f"there are {len(top)} different configurations" in card

    def test_without_its_numbers_of_the_best_it_is_judged_by_what_it_carries(self, tmp_path: Path) -> None:
        benchmark = load_benchmark(_older(tmp_path / "older"))
        assert benchmark.verdict.word == CARE
        assert benchmark.checksum == load_benchmark("digits-cpu").checksum


def _older(folder: Path) -> Path:
    """digits-cpu as benchmarks were before there was a verdict."""
    shutil.copytree(released()["digits-cpu"], folder)
    _change(folder, lambda manifest: manifest.pop("best"))
    return folder


def _worthless(folder: Path) -> Path:
    """digits-cpu as if it had been judged to be worth nothing; it answers as it always did."""

    def spoil(manifest: dict[str, Any]) -> None:
        for row in manifest["quality"]:
            row.update(r2=-0.51, kendall=-0.06, sparse_kendall=-0.06)

    shutil.copytree(released()["digits-cpu"], folder)
    _change(folder, spoil)
    return folder


def _change(folder: Path, change: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture(scope="module")
def worthless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _worthless(tmp_path_factory.mktemp("benchmarks") / "worthless")


@pytest.fixture(scope="module")
def anyway(worthless: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison that was made on it anyway."""
    out = tmp_path_factory.mktemp("comparisons") / "anyway"
    jointbench.compare(
        worthless, ["random", "hyperband"], seeds=2, full_budgets=4, jobs=1, out=out, quiet=True, anyway=True
    )
    return out


class TestWhoRefuses:
    @pytest.mark.parametrize("command", ["compare", "publish"])
    def test_a_command_says_why_in_a_sentence_and_writes_nothing(
        self, worthless: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main([command, str(worthless), "--out", str(tmp_path / "out")])
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "'digits-cpu-v2' given, expected a usable benchmark, or --anyway" in line
        assert "R2 is -0.51" in line
        assert "sparse Kendall is -0.06" in line
        assert list(tmp_path.iterdir()) == []

    def test_a_call_refuses_too(self, worthless: Path, tmp_path: Path) -> None:
        with pytest.raises(BenchmarkError, match="anyway=True"):
            jointbench.run("random", worthless, full_budgets=1)
        assert len(jointbench.run("random", worthless, full_budgets=1, anyway=True))
        with pytest.raises(BenchmarkError, match="anyway=True"):
            jointbench.compare(worthless, ["random"], out=tmp_path / "out", quiet=True)
        assert list(tmp_path.iterdir()) == []

    def test_anyway_publishes(self, worthless: Path, tmp_path: Path) -> None:
        main(["publish", str(worthless), "--out", str(tmp_path / "out"), "--anyway", "--quiet"])
        assert load_benchmark(tmp_path / "out").verdict.word == NOT

    def test_anyway_compares_and_says_it_first(
        self, worthless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["--optimizers", "random", "--seeds", "1", "--full-budgets", "2", "--jobs", "1", "--anyway"]
        main(["compare", str(worthless), "--out", str(tmp_path / "out"), *words])
        first, *rest = capsys.readouterr().out.splitlines()
        assert first.startswith("digits-cpu-v2 is not usable. On configurations that it had not seen")
        assert any("`jointbench retrain`" in line for line in rest)

    def test_a_log_that_is_replayed_is_no_surrogate(self, tmp_path: Path) -> None:
        log = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
        made = jointbench.compare(log, ["random"], seeds=1, full_budgets=1, jobs=1, out=tmp_path / "out", quiet=True)
        assert judged(made.folder) is None
        assert judged_line(made.folder) == ""
        assert trust_words(made.folder, made.summary) == trust_html(made.folder, made.summary) == []


class TestPages:
    def test_a_page_that_was_made_anyway_says_so_before_its_lead(self, anyway: Path) -> None:
        page = write_report(anyway).read_text(encoding="utf-8")
        said, lead = page.index("<b>digits-cpu-v2 is not usable.</b>"), page.index('<p class="lead">')
        assert page.index("<h1>") < said < lead
        assert "Nothing below says which optimizer is better" in page
        assert "digits-cpu-v2 is not usable" in jointbench.Comparison(anyway)._repr_html_()

    def test_so_does_one_that_lays_it_beside_another(self, anyway: Path, tmp_path: Path) -> None:
        small(tmp_path / "usable")
        body = "".join(side_by_side(tmp_path / "usable", anyway))
        assert "digits-cpu-v2 is usable with care." in body
        assert "digits-cpu-v2 is not usable." in body

    def test_so_does_an_analysis_of_the_benchmark(self, worthless: Path, tmp_path: Path) -> None:
        alone = shutil.copytree(worthless, tmp_path / "without-evaluations")
        (alone / "evaluations.parquet").unlink()
        page = jointbench.analyse(alone).page(tmp_path / "analysis.html").read_text(encoding="utf-8")
        assert page.index("<h1>") < page.index("digits-cpu-v2 is not usable.") < page.index('<p class="lead">')

    def test_it_says_so_where_the_benchmark_is_gone(self, worthless: Path, anyway: Path, tmp_path: Path) -> None:
        moved = shutil.copytree(anyway, tmp_path / "moved")
        content = json.loads((moved / SETTINGS).read_text(encoding="utf-8"))
        content["settings"]["source"] = str(tmp_path / "gone")
        (moved / SETTINGS).write_text(json.dumps(content), encoding="utf-8")
        assert judged_verdict(moved) == judged_verdict(anyway) == load_benchmark(worthless).verdict
        assert nearest(moved) is None
        assert any("is not usable" in part for part in comparison_page(moved))

    def test_of_a_comparison_from_before_the_benchmark_is_asked(self, anyway: Path, tmp_path: Path) -> None:
        older = shutil.copytree(anyway, tmp_path / "older")
        content = json.loads((older / SETTINGS).read_text(encoding="utf-8"))
        kept = content.pop(JUDGED)
        (older / SETTINGS).write_text(json.dumps(content), encoding="utf-8")
        assert judged_verdict(older) == judged_verdict(anyway)
        (older / SETTINGS).write_text(json.dumps({**content, JUDGED: {**kept, "best": "none"}}), encoding="utf-8")
        with pytest.raises(LogError, match="judgement of the comparison's benchmark"):
            judged(older)

    def test_care_is_said_briefly_and_a_usable_one_needs_no_word(self) -> None:
        (box,) = judged_box("mine", of(r2=0.7))
        assert box == (
            '<p class="judged care"><b>mine is usable with care.</b> On configurations that it had not seen, at 27 '
            "seconds: R2 0.70.</p>"
        )
        assert judged_box("mine", of()) == judged_box("mine", None) == []


def compared_by(out: Path, *objectives: str) -> jointbench.Comparison:
    return jointbench.compare(
        "digits-cpu", ["random"], objectives=objectives, seeds=2, full_budgets=2, jobs=1, out=out, quiet=True
    )


class TestTrust:
    def test_the_error_among_the_best_stands_beside_the_difference_shown(self, anyway: Path) -> None:
        known, table = judged(anyway), summary(anyway)
        assert known is not None
        found = off_among_best(Settings.read(anyway).ladder, known.best)
        assert found is not None
        near = [table[0], replace(table[1], value=table[0].value + 0.0012)]
        said = " ".join(trust_words(anyway, near))
        assert (
            f"the best {found[0]} of the configurations that it had not seen are off by {100 * found[1]['off']:.1f}"
            in said
        )
        assert f"{table[0].optimizer} and {table[1].optimizer}, differ by 0.12, which is less" in said
        far = [table[0], replace(table[1], value=table[0].value + found[1]["off"] + 0.01)]
        assert "which is more" in " ".join(trust_words(anyway, far))
        assert said.endswith("`jointbench retrain` trains what the optimizers found for real, and decides.")

    def test_of_few_trainings_it_says_how_few_what_it_cannot_order_and_how_to_train_alike(self, tmp_path: Path) -> None:
        made = jointbench.compare(
            "fashion-joint", ["random"], seeds=1, full_budgets=2, jobs=1, out=tmp_path / "made", quiet=True
        )
        said = trust_words(made.folder, made.summary)
        assert "a surrogate's, fitted to 252 trainings." in said[0]
        assert re.search(r"whether it orders these \d+ rightly is not known \(Spearman 0\.02, 95 % interval -", said[0])
        assert said[-1].endswith(
            "with `--clock reference:h200-v1 --precision bf16`, as the surrogate's trainings were."
        )
        settings = Settings.read(made.folder)
        assert made_otherwise(settings, as_trained(["reference:h200-v1"], ["bf16"])) == ""
        assert "these are made with the usual ones" in made_otherwise(settings, as_trained(["measured"], ["fp32"]))

    def test_another_metric_than_was_judged_is_named_and_its_differences_are_held_against_no_error(
        self, tmp_path: Path
    ) -> None:
        made = compared_by(tmp_path / "test", "test_error")
        said = " ".join(trust_words(made.folder, made.summary))
        assert said.startswith(
            "The test errors are a surrogate's, fitted to 1,006 trainings. Its predictions of validation errors for "
            "the best"
        )
        assert re.search(
            r"off by \d+\.\d percentage points in the median and too (low|high) by \d+\.\d on average, and whether ",
            said,
        )
        page = write_report(made.folder).read_text(encoding="utf-8")
        assert "<h2>The incumbent's test error over time</h2>" in page
        assert "Final test errors are those after" in page or "Final test errors are medians" in page
        both = compared_by(tmp_path / "both", "peak_memory", "validation_error")
        assert trust_words(both.folder, both.summary)[0].startswith(
            "The peak memories and validation errors are a surrogate's, fitted to 1,006 trainings. Its predictions of "
            "validation errors for"
        )

    def test_what_follows_from_arithmetic_is_no_surrogates(self, tmp_path: Path) -> None:
        made = compared_by(tmp_path / "made", "parameters")
        assert trust_words(made.folder, made.summary) == [
            "Parameters follow from a configuration by arithmetic, and are no surrogate's."
        ]

    def test_the_fewest_best_that_were_judged_are_taken(self) -> None:
        assert off_among_best(LADDER, [QUARTER, TENTH]) == ("tenth", TENTH)
        assert off_among_best(LADDER, [QUARTER]) == ("quarter", QUARTER)
        assert off_among_best(LADDER, [{**QUARTER, "off": None}]) is None

    def test_where_the_best_were_not_judged_it_is_said(self, tmp_path: Path) -> None:
        small(tmp_path / "out", objective=SurrogateObjective(load_benchmark(_older(tmp_path / "older"))))
        assert "has not been judged" in trust_words(tmp_path / "out", summary(tmp_path / "out"))[0]

    @pytest.mark.parametrize(
        ("own", "random", "dimensions", "far"), [(0.86, 0.89, 17, True), (0.3, 0.89, 17, False), (0.01, 0.01, 1, False)]
    )
    def test_little_was_trained_where_nothing_is_close_and_no_nearer_than_by_chance(
        self, own: float, random: float, dimensions: int, far: bool
    ) -> None:
        assert Nearest({"bohb": [own, own]}, random, dimensions).far == far

    def test_incumbents_are_as_far_from_the_trainings_as_brute_force_finds(self, anyway: Path) -> None:
        found, log = nearest(anyway), EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
        assert found is not None
        trained = [one.configuration for one in log.evaluations() if one.ok and one.budget == 27]
        frame = jointbench.Comparison(anyway).to_pandas()
        for optimizer, distances in found.by_optimizer.items():
            runs = frame[(frame.optimizer == optimizer) & frame.incumbent]
            for distance, (_, run) in zip(distances, runs.groupby("run_seed"), strict=True):
                last = run.iloc[-1]

                def unit(configuration: Any) -> list[float]:
                    return [h.encode(configuration[h.name]) for h in log.space.hyperparameters]

                there = unit(last)
                assert distance == pytest.approx(min(math.dist(there, unit(one)) for one in trained))
        # Seed 0 of random search is in the log, as the card of digits-cpu says.
        assert found.median < found.random
