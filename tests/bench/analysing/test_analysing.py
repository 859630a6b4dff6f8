"""What an analysis says: its statistics against SciPy's, its words where something is missing, its files."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from comparing import small
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist
from scipy.stats import ecdf, linregress, mannwhitneyu, rankdata, spearmanr
from small_forests import small_forests

import jointbench
from jointbench.bench.analysing.budget_correlations import FEWEST, budget_correlations, correlations, mean_values
from jointbench.bench.analysing.budgets_over_time import seconds_by_span
from jointbench.bench.analysing.compared import Compared
from jointbench.bench.analysing.costs import on_front
from jointbench.bench.analysing.error_distribution import empirical_cdf
from jointbench.bench.analysing.every_evaluation import every_evaluation_of_runs, run_clock, with_clock
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.failures import shifts
from jointbench.bench.analysing.noise import pooled, replicates
from jointbench.bench.analysing.reference_networks import INCUMBENT, reference_networks
from jointbench.bench.analysing.resampling import bootstrap, ends, places, ranks, spearman, spearman_interval, wilson
from jointbench.bench.analysing.sampled_regions import classical_mds
from jointbench.bench.analysing.throughput import slope
from jointbench.bench.comparing.comparison_folder import RETRAININGS, Settings
from jointbench.bench.comparing.incumbents import final_incumbents
from jointbench.bench.comparing.nearest import distances
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.stored import released

NAMED = JOINT.named["zela-2018"]
LOG = released()["digits-cpu"] / "evaluations.parquet"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Of a log that ships, without a surrogate."""
    log = EvaluationLog.open(LOG)
    return Evidence("digits", log.task, log.to_pandas())


def few(evidence: Evidence, count: int) -> Evidence:
    assert evidence.frame is not None
    return replace(evidence, frame=evidence.frame.head(count).reset_index(drop=True))


class TestClock:
    @given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 5)), min_size=1, max_size=20))
    def test_it_is_the_length_of_the_union_of_all_that_was_under_way(self, spans: list[tuple[float, float]]) -> None:
        begins, lengths = np.array(spans).T
        clock, step = run_clock(begins + lengths, lengths), 0.01
        grid = np.arange(0, 106, step)
        under_way = ((grid[:, None] >= begins) & (grid[:, None] < begins + lengths)).any(axis=1)
        # The grid counts each of at most 20 spans to a step at either end.
        assert clock.max() == pytest.approx(under_way.sum() * step, abs=2 * 20 * step)

    def test_a_pause_of_a_day_is_no_time_of_the_search(self) -> None:
        assert run_clock(np.array([10.0, 86_410.0]), np.array([10.0, 10.0])) == pytest.approx([10.0, 20.0])

    def test_trainings_beside_each_other_count_once(self) -> None:
        assert run_clock(np.array([10.0, 12.0]), np.array([10.0, 12.0])) == pytest.approx([10.0, 12.0])

    def test_every_run_begins_at_nought(self, evidence: Evidence) -> None:
        frame = with_clock(evidence)
        assert len(frame) == len(evidence.all)
        for _, own in frame.groupby("run"):
            assert 0 < own["clock"].min() <= own["wall_seconds"].max()


class TestCorrelations:
    def test_they_are_scipys(self, evidence: Evidence) -> None:
        means = mean_values(evidence)
        for one in correlations(means):
            low, high = means[one.low], means[one.high]
            expected = spearmanr(low, high, nan_policy="omit").statistic
            assert one.n == (np.isfinite(low) & np.isfinite(high)).sum()
            if one.n >= FEWEST:
                assert one.rho == pytest.approx(expected, abs=1e-12)
                assert one.interval[0] < one.rho < one.interval[1]
            else:
                assert not one.known

    def test_means_are_those_of_each_configuration(self, evidence: Evidence) -> None:
        means, ok = mean_values(evidence), evidence.ok
        for (rung, group), own in list(ok.groupby(["rung", "group"]))[::50]:
            assert means[rung, group] == pytest.approx(own["validation_error"].mean())

    def test_the_interval_covers_what_it_says(self) -> None:
        rng, inside = np.random.default_rng(0), 0
        for seed in range(40):
            first, noise = rng.normal(size=(2, 60))
            low, high = bootstrap(spearman, first, first + noise, resamples=100, seed=seed)
            # Spearman's of two normals whose Pearson correlation is 1 / sqrt(2) (Pearson 1907).
            inside += low <= 6 / np.pi * np.arcsin(0.5**0.5 / 2) <= high
        # A binomial count of 40 with chance 0.95 is below 33 once in 1,000; percentile intervals are a bit short.
        assert inside >= 32

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30))
    def test_counted_ranks_give_the_interval_of_sorted_ones(self, pairs: list[tuple[int, int]]) -> None:
        first, second = np.array(pairs, dtype=float).T
        assert ranks(places(first)) == pytest.approx(rankdata(first), abs=0)
        expected = bootstrap(spearman, first, second, resamples=20)
        assert spearman_interval(first, second, resamples=20) == pytest.approx(expected, abs=0, nan_ok=True)

    def test_what_is_missing_is_said_with_the_numbers(self, evidence: Evidence) -> None:
        said = budget_correlations(evidence).missing
        assert "6 configurations were trained at both 1 second and 27 seconds; a correlation needs 20." in said
        assert any("`jointbench fit`" in sentence for sentence in said)

    def test_nothing_at_all_is_no_error(self, evidence: Evidence) -> None:
        exhibit = budget_correlations(few(evidence, 3))
        assert exhibit.missing
        assert not exhibit.finding


def test_intervals_of_shares_are_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263.
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_ends_need_half_of_the_resamples() -> None:
    assert np.isnan(ends([1.0, np.nan, np.nan])).all()
    assert ends([0.0, 1.0]) == pytest.approx((0.025, 0.975))


class TestStatistics:
    def test_the_front_is_what_nothing_beats(self, evidence: Evidence) -> None:
        cost, loss = evidence.ok["flops"].to_numpy(float), evidence.ok["value"].to_numpy(float)
        front = on_front(cost, loss)
        beaten = [
            ((cost <= c) & (loss <= v) & ((cost < c) | (loss < v))).any() for c, v in zip(cost, loss, strict=True)
        ]
        assert not np.array(beaten)[front].any()
        # Equal ones stand for each other.
        assert {(c, v) for c, v, b in zip(cost, loss, beaten, strict=True) if not b} == set(
            zip(cost[front], loss[front], strict=True)
        )

    def test_the_distribution_is_scipys(self, evidence: Evidence) -> None:
        values = evidence.ok["value"].to_numpy(float)
        ordered, shares, half = empirical_cdf(values)
        assert shares == pytest.approx(ecdf(values).cdf.evaluate(ordered))
        # Massart's bound: 2 exp(-2 n e^2) = 0.05.
        assert 2 * np.exp(-2 * len(values) * half**2) == pytest.approx(0.05)

    def test_where_failures_are_is_scipys(self) -> None:
        failed, ok = np.random.default_rng(0).normal(size=(30, 2)), np.random.default_rng(1).normal(size=(50, 2))
        failed[:, 0] += 2
        first, second = shifts(("a", "b"), failed, ok)
        assert (first.name, first.significant, second.significant) == ("a", True, False)
        assert first.above == pytest.approx((failed[:, :1] > ok[:, 0]).mean())
        assert first.p == pytest.approx(2 * mannwhitneyu(failed[:, 0], ok[:, 0]).pvalue)

    def test_noise_is_pooled_as_in_an_analysis_of_variance(self, evidence: Evidence) -> None:
        found = replicates(evidence)
        own = evidence.ok.merge(found[["rung", "group", "mean"]], on=["rung", "group"])
        within = ((own["value"] - own["mean"]) ** 2).sum() / (found["n"] - 1).sum()
        one = pooled(found["deviation"].to_numpy(float), found["n"].to_numpy(float) - 1)
        assert one == pytest.approx(within**0.5)

    def test_the_slope_is_that_of_a_regression(self, evidence: Evidence) -> None:
        flops, speed = (evidence.ok[name].to_numpy(float) for name in ("flops", "images_per_second"))
        assert slope(flops, speed) == pytest.approx(linregress(np.log(flops), np.log(speed)).slope)

    def test_a_map_keeps_distances_where_two_dimensions_are_enough(self) -> None:
        flat = np.random.default_rng(0).normal(size=(30, 2)) @ np.random.default_rng(1).normal(size=(2, 6))
        placed, kept = classical_mds(flat)
        assert pdist(placed) == pytest.approx(pdist(flat))
        assert kept == pytest.approx(1)

    @given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=12))
    def test_no_second_is_lost_between_spans(self, spans: list[tuple[float, float]]) -> None:
        starts, ends_ = np.sort(np.array(spans), axis=1).T
        assert seconds_by_span(starts, ends_, np.linspace(0, 10, 8)).sum() == pytest.approx((ends_ - starts).sum())

    def test_distances_are_to_the_nearest(self) -> None:
        points, trained = np.random.default_rng(0).random((5, 4)), np.random.default_rng(1).random((9, 4))
        assert distances(points, trained) == pytest.approx(cdist(points, trained).min(axis=1))


class TestCall:
    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        out = tmp_path_factory.mktemp("analysis")
        with small_forests():
            jointbench.analyse("digits-cpu", out=out, formats=["csv", "latex"])
        return out

    def test_tables_and_page_are_in_the_folder(self, folder: Path) -> None:
        assert (folder / "analysis.html").stat().st_size > 100_000
        frame = pd.read_csv(folder / "table_1.csv")
        assert list(frame["high"]) == [3, 9, 27, 9, 27, 27]
        assert r"\toprule" in (folder / "table_1.tex").read_text(encoding="utf-8")
        with open(folder / "evaluations.csv", encoding="utf-8") as file:
            assert sum(1 for _ in csv.reader(file)) == 1_007

    def test_it_gives_frames_and_figures(self) -> None:
        with small_forests():
            made = jointbench.analyse(EvaluationLog.open(LOG))
        assert made.table1["trained_at_both"].round(2).dropna().tolist() == [0.62, 0.8, 0.97]
        assert made.figure("figure_1").data
        assert made.to_pandas().shape[0] == 1_006
        with pytest.raises(jointbench.JointBenchError, match="figure_1"):
            made.figure("figure_9")


class TestOfAComparison:
    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        out = tmp_path_factory.mktemp("compared") / "comparison"
        small(out, names=("random",), seeds=2)
        return out

    def test_winners_that_were_retrained_stand_in_table_2(self, folder: Path) -> None:
        untrained = jointbench.analyse(folder)
        assert untrained.table2.set_index("network").loc["random", "n"] == 0
        said = "Late proposals (the last quarter of a run) of random lie closest together, on average"
        assert any(sentence.startswith(said) for sentence in untrained.findings)
        settings = Settings.read(folder)
        log = EvaluationLog.open_or_create(folder / RETRAININGS / "joint", JOINT, settings.ladder, settings.images)
        [first, *_] = final_incumbents(folder)
        broken = Evaluation("joint", first.configuration, 27.0, 9, Status.CRASHED, {"validation_error": 1.0}, key="no")
        log.append([broken])
        failed = jointbench.analyse(folder).table("table_2")
        assert next(row for row in failed.rows if row[0] == "random")[2] == "1 training, which failed"
        log.append(
            [
                Evaluation(
                    "joint", first.configuration, 27.0, seed, Status.OK, {"validation_error": 0.1, "test_error": error}
                )
                for seed, error in ((0, 0.1), (1, 0.2))
            ]
        )
        made = jointbench.analyse(folder)
        row = made.table2.set_index("network").loc["random"]
        assert row["n"] == 2
        assert (row["test_error"], row["test_error_deviation"]) == pytest.approx((0.15, 0.1 / 2**0.5))
        assert "(n = 2, 1 failed)" in next(row for row in made.table("table_2").rows if row[0] == "random")[2]
        assert any("jointbench retrain" in sentence for sentence in made.missing)

    def test_of_a_single_late_proposal_no_distance_to_its_own_mean_is_told(self, tmp_path: Path) -> None:
        small(tmp_path / "short", names=("random",), seeds=2, full_budgets=4)
        assert not [sentence for sentence in jointbench.analyse(tmp_path / "short").findings if "Late" in sentence]

    def test_a_configuration_goes_with_a_benchmark_alone(self, folder: Path) -> None:
        with pytest.raises(jointbench.JointBenchError, match="a log or a benchmark"):
            jointbench.analyse(folder, configuration="zela-2018")


@pytest.mark.parametrize("name", released())
def test_table_2_has_what_any_benchmark_that_ships_expects_of_the_best_that_was_trained(name: str) -> None:
    benchmark = jointbench.load_benchmark(name)
    log = EvaluationLog.open(released()[name])
    evidence = Evidence(benchmark.name, log.task, log.to_pandas(), benchmark)
    best = evidence.incumbent
    assert best is not None
    answer = benchmark.query(evidence.configuration(best), benchmark.ladder.maximum)
    (table,) = reference_networks(evidence).tables
    assert f"{answer.metrics['test_error']:.2%}" in next(row for row in table.rows if row[0] == INCUMBENT)


def test_a_reference_network_is_to_be_trained_as_the_evidence_was() -> None:
    for name, options in (("fashion-joint", " --clock reference:h200-v1 --precision bf16"), ("digits-cpu", "")):
        benchmark, log = jointbench.load_benchmark(name), EvaluationLog.open(released()[name])
        for frame in (log.to_pandas(), None):
            (table,) = reference_networks(Evidence(benchmark.name, log.task, frame, benchmark)).tables
            assert table.rows[0][2].endswith(f"--seed 0{options}")


def test_the_card_of_what_ships_has_the_exhibits_computed() -> None:
    benchmark, log = jointbench.load_benchmark("digits-cpu"), EvaluationLog.open(LOG)
    exhibit = budget_correlations(Evidence(benchmark.name, log.task, log.to_pandas(), benchmark))
    card = (LOG.parent / "card.md").read_text(encoding="utf-8")
    section = card.split("## What the evidence says\n")[1].split("\n## ")[0]
    for row in exhibit.tables[0].rows:
        assert f"| {' | '.join(row)} |\n" in section
    assert all(f"| {name} | " in section for name in log.space.names)


def test_where_the_log_names_no_optimizer_nothing_is_called_promoted(evidence: Evidence) -> None:
    assert evidence.frame is not None
    nameless = replace(evidence, frame=evidence.frame.assign(optimizer=""))
    exhibit = budget_correlations(nameless)
    assert list(exhibit.tables[0].headings) == ["budgets", "trained at both"]
    assert "promoted" not in " ".join((*exhibit.words, *exhibit.missing, exhibit.finding))
    assert exhibit.tables[0].rows[0][1] == budget_correlations(evidence).tables[0].rows[0][1]


def test_figure_1_of_a_comparison_has_every_run() -> None:
    frame = pd.DataFrame(
        [
            {**NAMED, "optimizer": name, "run_seed": 0, "budget": budget, "start": 0.0, "end": end, "status": status}
            | {"validation_error": error, "incumbent": became, "incumbent_validation_error": 0.5}
            for name, budget, end, status, error, became in [
                ("a", 1.0, 1.0, "ok", 0.5, True),
                ("a", 27.0, 30.0, "ok", 0.2, True),
                ("b", 1.0, 2.0, "diverged", 1.0, False),
            ]
        ]
    )
    log = EvaluationLog.open(LOG)
    exhibit = every_evaluation_of_runs(Compared("mine", log.task, frame))
    assert "3 evaluations of 2 runs" in exhibit.words[0]
    first, second = (figure.draw() for figure in exhibit.figures)
    # The incumbent is drawn until the run ends; without one there is no line.
    assert [list(trace.y) for trace in first.data if trace.mode == "lines"] == [[0.5, 0.2, 0.2]]
    assert [trace.name for trace in second.data] == ["failed"]


@pytest.mark.parametrize("which", ["none", "a failure", "failures", "one"])
def test_a_log_with_next_to_nothing_becomes_a_page_that_says_what_is_missing(which: str, tmp_path: Path) -> None:
    ships = EvaluationLog.open(LOG)
    failed = [one for one in ships.evaluations() if not one.ok]
    kept = {"none": [], "a failure": failed[:1], "failures": failed, "one": [next(ships.evaluations())]}[which]
    task = ships.task
    log = EvaluationLog.open_or_create(tmp_path / "log", task.space, task.ladder, task.images, task.metrics)
    log.append(kept)
    made = jointbench.analyse(log, out=tmp_path / "out", formats=["csv", "latex"])
    assert made.missing
    assert (tmp_path / "out" / "analysis.html").exists()
