"""How a surrogate is judged: against what it has not seen, and against noise whose size is known."""

import re
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import BROWSER, Browser
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from jointbench.bench.comparing.left_out_runs import Search, left_out_runs
from jointbench.bench.pages.fit_page import fit_page
from jointbench.bench.pages.page import write_page
from jointbench.data.errors import InputError
from jointbench.data.log import EvaluationLog
from jointbench.surrogate.card import card
from jointbench.surrogate.judging.failure_check import area_under_roc
from jointbench.surrogate.judging.held_out import HeldOut, Said
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.learning_curve import learning_curve
from jointbench.surrogate.judging.leave_out import leave_one_out, without
from jointbench.surrogate.judging.luck_check import crps, luck_check
from jointbench.surrogate.judging.noise_floor import noise_floor
from jointbench.surrogate.judging.promises import CLIMBS, climb, promises
from jointbench.surrogate.judging.rung_correlations import rung_correlations
from jointbench.surrogate.judging.scores import scores, side_by_side
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.models import DEFAULT, Models
from jointbench.surrogate.networks import Networks
from jointbench.surrogate.noise import ErrorScale, Noise
from jointbench.surrogate.repeats import Repeats
from jointbench.surrogate.stored import released
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import TrainingTable, training_table


@pytest.fixture(scope="module")
def log() -> EvaluationLog:
    return EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")


@pytest.fixture(scope="module")
def table(log: EvaluationLog) -> TrainingTable:
    return training_table(log)


@pytest.fixture(scope="module")
def surrogate(log: EvaluationLog) -> Surrogate:
    return Surrogate.fit(log, "judged", settings=DEFAULT, partitions=2)


@pytest.fixture(scope="module")
def held_out(surrogate: Surrogate) -> HeldOut:
    return surrogate.held_out


@pytest.fixture(scope="module")
def judgement(held_out: HeldOut) -> Judgement:
    return Judgement.of(held_out, 0)


GROUPS, SEEDS = 300, 3


def known_luck(table: TrainingTable, true: Noise, said: Noise) -> HeldOut:
    """Made-up trainings whose mean is predicted exactly and whose luck is `true`, said to be `said`."""
    rng, groups = np.random.default_rng(0), np.repeat(np.arange(GROUPS), SEEDS)
    logit, spread = rng.normal(-1, 1, GROUPS)[groups], rng.exponential(0.2, GROUPS)[groups]
    moved = logit + true.luck(spread, rng.normal(size=len(groups)))
    scales = ErrorScale(table.images.validation), ErrorScale(table.images.test)
    errors = [true.counted(s.from_logit(moved), rng.normal(size=len(groups)), s.images) for s in scales]
    one = table.take(np.repeat(np.flatnonzero(table.ok & (table.budgets == 27))[:1], len(groups)))
    made = replace(one, errors=np.stack(errors, axis=1), group=groups, seed=np.arange(len(groups)))
    mean = np.stack([s.from_logit(logit) for s in scales], axis=1)
    return HeldOut(made, groups * 0, mean, spread, made.costs, {}, said, {})


class TestScores:
    @given(st.lists(st.integers(0, 1000).map(lambda wrong: wrong / 1000), min_size=3, max_size=30, unique=True))
    def test_a_perfect_prediction_is_perfect(self, errors: list[float]) -> None:
        real = np.array(errors)
        said = scores(real, real)
        assert said["rmse"] == said["regret"] == 0
        assert said["r2"] == 1
        assert said["kendall"] == pytest.approx(1)

    def test_the_mean_explains_nothing_and_orders_nothing(self) -> None:
        said = scores(np.array([0.1, 0.2, 0.6]), np.full(3, 0.3))
        assert said["r2"] is said["kendall"] is None
        assert said["rmse"] == pytest.approx(np.std([0.1, 0.2, 0.6]))

    def test_the_regret_is_that_of_the_one_predicted_best(self) -> None:
        assert scores(np.array([0.1, 0.2, 0.6]), np.array([0.3, 0.2, 0.4]))["regret"] == pytest.approx(0.1)

    def test_predictions_closer_than_a_tenth_of_a_percent_are_equal_in_the_sparse_tau(self) -> None:
        real, predicted = np.array([0.1, 0.2, 0.6]), np.array([0.3002, 0.3001, 0.4])
        assert scores(real, predicted)["kendall"] < 0.5 < scores(real, predicted)["sparse_kendall"]

    def test_work_side_by_side_keeps_its_order(self) -> None:
        assert side_by_side(lambda x: x * x, range(50)) == [x * x for x in range(50)]

    def test_what_ends_work_side_by_side_ends_it_before_what_has_not_begun(self) -> None:
        begun: list[int] = []

        def work(number: int) -> None:
            begun.append(number)
            time.sleep(0.01)

        def ended() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            side_by_side(work, range(1_000), ended)
        # Some may have begun meanwhile, but not ten seconds of them.
        assert len(begun) < 500

    def test_networks_side_by_side_do_not_warn_that_they_made_all_passes(self) -> None:
        rng = np.random.default_rng(0)
        x, y = rng.random((1_000, 2)), rng.normal(size=(1_000, 1))
        before = list(warnings.filters)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # The first ends while the second still learns.
            fitted = side_by_side(lambda rows: Networks.fit(x[:rows], y[:rows], 0, 1), (100, 1_000))
        assert len(fitted) == 2
        assert warnings.filters == before


class TestHeldOut:
    def test_every_configuration_is_predicted_by_models_that_have_not_seen_it(self, held_out: HeldOut) -> None:
        table, chosen = held_out.table, held_out.fold == 2
        assert not set(table.group[chosen]) & set(table.group[~chosen])
        again = Said.by(Models.fit(table.take(~chosen), 0), table.take(chosen))
        np.testing.assert_array_equal(again.errors, held_out.errors[chosen])
        np.testing.assert_array_equal(again.costs, held_out.costs[chosen])

    def test_it_is_worse_than_on_what_was_seen(self, held_out: HeldOut) -> None:
        table = held_out.table
        seen = Said.by(Models.fit(table, 0), table)
        real = table.errors[table.ok, 1]
        unseen = scores(real, held_out.errors[table.ok, 1])["rmse"]
        assert scores(real, seen.errors[table.ok, 1])["rmse"] < 0.8 * unseen


class TestNoiseFloor:
    def test_a_perfect_model_reaches_the_floor_and_a_table_is_sqrt_2_above(
        self, table: TrainingTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        true = Noise(0.05, 0.5, 0.5)
        made = known_luck(table, true, true)
        monkeypatch.setattr("jointbench.surrogate.judging.noise_floor._given_one", lambda *asked: made)
        for row in noise_floor(made, 0):
            # 300 configurations of three trainings: an RMSE is known to within some 3 %.
            assert row["held_out"] == pytest.approx(row["floor"], rel=0.1)
            assert row["table"] == pytest.approx(np.sqrt(2) * row["floor"])
        assert {row["budget"] for row in noise_floor(made, 0)} == {27.0, None}

    def test_the_surrogate_given_one_run_has_seen_no_other(
        self, held_out: HeldOut, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table, fitted = held_out.table, []
        real = Models.fit
        monkeypatch.setattr(Models, "fit", lambda table, *more: fitted.append(table) or real(table, *more))
        noise_floor(held_out, 0)
        (seen,) = fitted
        assert len(Repeats.of(seen)) == 0
        assert set(seen.group) == set(table.group)

    def test_nothing_is_said_where_nothing_was_repeated(self, held_out: HeldOut) -> None:
        _, first = np.unique(np.stack([held_out.table.group, held_out.table.budgets]), axis=1, return_index=True)
        once = replace(held_out, table=held_out.table.take(first))
        assert noise_floor(once, 0) == luck_check(once, 0) == []


class TestLeaveOneOut:
    def test_no_configuration_that_it_tried_is_left(self, table: TrainingTable) -> None:
        left = without(table, "hyperband")
        assert "hyperband" not in left.optimizer
        # Repeats of its configurations would give them away.
        assert not set(left.group) & set(table.group[table.optimizer == "hyperband"])

    def test_too_little_left_is_refused(self, table: TrainingTable) -> None:
        with pytest.raises(InputError, match="optimizer to leave out: 'hyperband'"):
            without(table.take(table.optimizer == "hyperband"), "hyperband")

    def test_a_log_of_one_optimizer_has_nobody_to_leave_out(self, table: TrainingTable) -> None:
        assert leave_one_out(table.take(table.optimizer == "hyperband"), 0) == []

    def test_each_optimizer_is_judged_on_its_own_evaluations(self, judgement: Judgement, table: TrainingTable) -> None:
        rows = [row for row in judgement.leave_one_out if row["budget"] is None and row["error"] == "test"]
        for row in rows:
            assert row["n"] == ((table.optimizer == row["left_out"]) & table.ok).sum()
        assert {row["left_out"] for row in rows} == set(table.optimizer)

    def test_it_runs_on_a_surrogate_without_its_data_for_as_long_as_in_the_log(
        self, surrogate: Surrogate, log: EvaluationLog
    ) -> None:
        found = {one.optimizer: one for one in left_out_runs(surrogate, log)}
        assert set(found) == {"bohb", "hyperband", "two-stage"}
        for one in found.values():
            longest = max(search.spent[-1] for search in one.logged)
            for search in one.simulated:
                assert longest - 2 < search.spent[-1] <= longest + 1
        assert surrogate.without("bohb").benchmark.checksum != surrogate.benchmark.checksum

    def test_a_search_is_its_lowest_error_at_the_largest_budget(self, log: EvaluationLog) -> None:
        template = next(e for e in log.evaluations() if e.ok and e.budget == 27)
        errors = [(1.0, 0.1), (27.0, 0.5), (27.0, 0.6), (27.0, 0.2)]
        search = Search.of((replace(template.measuring(validation_error=e), budget=b) for b, e in errors), log.ladder)
        assert search.spent.tolist() == pytest.approx([1 / 27, 28 / 27, 55 / 27, 82 / 27])
        assert np.isnan(search.lowest[0])
        assert search.lowest[1:].tolist() == [0.5, 0.5, 0.2]
        at = search.at(np.array([0.0, 1.0, 1.1, 9.0]))
        assert np.isnan(at[:2]).all()
        assert at[2:].tolist() == [0.5, 0.2]


class TestLuck:
    def test_luck_of_the_right_size_is_covered_as_it_says(self, table: TrainingTable) -> None:
        true = Noise(0.05, 0.5, 0.5)
        for row in luck_check(known_luck(table, true, true), 0):
            for level in (50, 80, 95):
                # 900 pairs of 300 configurations: a standard error of about 0.03 at 50 %.
                assert row[f"coverage_{level}"] == pytest.approx(level / 100, abs=0.08)
            assert row["drawn"] == pytest.approx(row["real"], rel=0.15)

    @pytest.mark.parametrize(("said", "above"), [(Noise(0.5, 0.5, 2.0), True), (Noise(0.005, 0.0, 0.0), False)])
    def test_luck_of_the_wrong_size_is_seen(self, table: TrainingTable, said: Noise, above: bool) -> None:
        for row in luck_check(known_luck(table, Noise(0.05, 0.1, 0.1), said), 0):
            assert (row["coverage_80"] > 0.9) if above else (row["coverage_80"] < 0.65)
            assert (row["drawn"] > row["real"]) == above

    def test_noise_that_differs_between_configurations_beats_one_that_does_not(self, table: TrainingTable) -> None:
        true = Noise(0.0, 2.0, 0.2)
        for row in luck_check(known_luck(table, true, true), 0):
            assert row["crps"] < row["crps_constant"]

    def test_crps_of_a_normal_is_gneitings(self) -> None:
        drawn = np.random.default_rng(0).standard_normal((1, 200_000))
        for real in (0.0, 1.5):
            exact = real * (2 * norm.cdf(real) - 1) + 2 * norm.pdf(real) - 1 / np.sqrt(np.pi)
            # A mean of 200,000 draws is known to within 0.003.
            assert crps(drawn, np.array([real]))[0] == pytest.approx(exact, abs=0.01)


def test_the_area_under_the_curve_counts_ties_half() -> None:
    assert area_under_roc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert area_under_roc(np.array([1.0]), np.array([0.0, 1.0, 2.0])) == 0.5
    assert area_under_roc(np.array([]), np.array([1.0])) is None


def test_running_out_of_memory_is_foretold(judgement: Judgement) -> None:
    (memory,) = (row for row in judgement.failures if row["kind"] == "out_of_memory")
    assert memory["brier"] < memory["brier_rate"] / 4
    assert memory["auc"] > 0.98
    assert sum(one["n"] for one in memory["bins"]) == 1_006


def test_correlations_between_rungs_are_those_of_the_log_where_predictions_are(held_out: HeldOut) -> None:
    perfect = replace(held_out, errors=held_out.table.errors)
    rows = rung_correlations(perfect)
    assert len(rows) == 6
    assert all(row["log"] == row["surrogate"] for row in rows)
    assert any(row["log"] is None for row in rows)
    # 44 configurations at 9 and 27 seconds: an independent count.
    (row,) = (row for row in rows if (row["low"], row["high"]) == (9.0, 27.0))
    table = held_out.table
    both = set(table.group[table.ok & (table.budgets == 9)]) & set(table.group[table.ok & (table.budgets == 27)])
    assert row["n"] == len(both)


def test_scores_of_one_partition_are_no_means(held_out: HeldOut, judgement: Judgement, log: EvaluationLog) -> None:
    said = "means over several partitions"
    assert len(held_out.partitions) == judgement.partitions == 2
    assert said in judged_tables(judgement, log.ladder)["scores"].words
    assert said not in judged_tables(replace(judgement, partitions=1), log.ladder)["scores"].words


def test_the_learning_curve_ends_with_the_scores_of_the_whole(held_out: HeldOut, judgement: Judgement) -> None:
    rows = [row for row in judgement.learning_curve if row["budget"] is None]
    assert [row["n"] for row in rows] == sorted({row["n"] for row in rows})
    ok = held_out.table.ok
    assert rows[-1]["r2"] == scores(held_out.table.errors[ok, 0], held_out.errors[ok, 0])["r2"]
    assert rows[0]["r2"] < rows[-1]["r2"]
    few = replace(
        held_out, table=held_out.table.take(slice(0, 60)), fold=held_out.fold[:60], errors=held_out.errors[:60]
    )  # type: ignore[arg-type]
    assert {row["n"] for row in learning_curve(few, 0)} <= {24, 48}


def test_every_table_is_whole_and_in_the_card(surrogate: Surrogate, judgement: Judgement, log: EvaluationLog) -> None:
    tables = judged_tables(judgement, log.ladder)
    assert list(tables) == [
        *(
            "targets",
            "scores",
            "best",
            "noise_floor",
            "luck",
            "leave_one_out",
            "rung_correlations",
            "failures",
            "costs",
            "learning_curve",
        )
    ]
    text = card(surrogate.benchmark, log, judgement)
    for table in tables.values():
        assert {len(row) for row in table.rows} == {len(table.headings)}
        assert f"### {table.title}\n" in text
        for row in table.rows:
            assert f"| {' | '.join(row)} |\n" in text


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((0.9, 0.8), "beats the table at every budget"),
        ((0.9, 1.5), "beats the table at 1 (test) and not elsewhere (at worst 1.50"),
        ((1.2, 1.1), "beats the table nowhere yet (at worst 1.20"),
    ],
)
def test_whether_it_beats_a_table_is_said_plainly(
    judgement: Judgement, log: EvaluationLog, ratios: tuple[float, float], said: str
) -> None:
    known = {"error": "test", "n": 9, "floor": 0.01, "table": 0.02, "held_out": 0.1}
    rows = [{**known, "budget": b, "given_one": 0.02 * r} for b, r in zip((1.0, 3.0), ratios, strict=True)]
    assert said in judged_tables(replace(judgement, noise_floor=rows), log.ladder)["noise_floor"].words


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_the_page_is_drawn_and_asks_no_network(
    surrogate: Surrogate, judgement: Judgement, log: EvaluationLog, tmp_path: Path
) -> None:
    left_out = list(left_out_runs(surrogate, log))
    body = fit_page(surrogate.benchmark, surrogate.held_out, judgement, left_out, "jointbench fit")
    page = write_page(tmp_path / "report.html", "judged", body)
    with Browser(page) as browser:
        plots = len(re.findall(r"<figure>", page.read_text(encoding="utf-8")))
        assert plots == 5 + len(left_out)
        drawn = "[...document.querySelectorAll('.js-plotly-plot')].filter(one => one.querySelector('.trace')).length"
        browser.until(f"{drawn} == {plots}")
        # One more than of the judgement: the verdict's.
        assert browser.evaluate("document.querySelectorAll('table').length") == 1 + len(
            judged_tables(judgement, log.ladder)
        )
        assert browser.complaints == []
        assert all(address.startswith("file:") for address in browser.requests)


class TestPromises:
    def test_on_the_page_what_to_type_is_code(self, surrogate: Surrogate, judgement: Judgement) -> None:
        judged = replace(judgement, promises=promises(surrogate.benchmark, surrogate.held_out.table, 0))
        page = "".join(fit_page(surrogate.benchmark, surrogate.held_out, judged, [], "jointbench fit"))
        assert "<code>jointbench retrain</code>" in page
        assert "`" not in re.sub("<script.*?</script>", "", page, flags=re.DOTALL)

    def test_climbs_are_promised_less_than_they_started_with_and_by_nobody_more(self, surrogate: Surrogate) -> None:
        rows = promises(surrogate.benchmark, surrogate.held_out.table, 0)
        random, climbs = rows
        table = surrogate.held_out.table
        top = table.take(table.ok & (table.budgets == 27))
        best = surrogate.benchmark.query_batch(top.rows[top.errors[:, 0].argsort(kind="stable")[:CLIMBS]], 27.0)
        assert climbs["promised"] <= best.validation_error.min()
        assert {row["real"] for row in rows} == {top.errors[:, 0].min()}
        # Of an ensemble nothing is known of what it does not know.
        assert random["uncertainty"] is climbs["uncertainty"] is None

    def test_a_table_says_them_in_per_cent(self, surrogate: Surrogate, judgement: Judgement) -> None:
        rows = [{"search": "8 climbs", "error": "validation", "promised": 0.0635, "uncertainty": 0.02, "real": 0.133}]
        table = judged_tables(replace(judgement, promises=rows), surrogate.benchmark.ladder)["promises"]
        assert table.rows == [("8 climbs", "6.35%", "2.00%", "13.30%")]

    def test_a_climb_is_the_same_for_the_same_seed(self, surrogate: Surrogate) -> None:
        start = surrogate.benchmark.space.named["zela-2018"]
        first, again = (climb(surrogate.benchmark, start, np.random.default_rng(3)) for _ in range(2))
        assert first == again
        surrogate.benchmark.space.check(first)
