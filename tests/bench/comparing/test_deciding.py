"""Who beats whom, how many seeds would tell, and adding seeds until the best are told apart."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from jointbench.bench.comparing.comparison_folder import looks
from jointbench.bench.comparing.deciding import planned_looks, undecided
from jointbench.bench.comparing.speedup import Speedup
from jointbench.bench.comparing.statistics import (
    LEVEL,
    Pair,
    above,
    friedman,
    omnibus,
    pairs,
    seeds_needed,
    seeds_to_decide,
    wilcoxon,
)
from jointbench.bench.comparing.summary import Row
from jointbench.bench.pages.verdict import sooner, verdict
from jointbench.cli import main
from jointbench.data.pareto import HYPERVOLUME


def by_enumeration(differences: list[float]) -> float:
    """Of all signs of the ranks, the share that is as extreme."""
    rounded = [one for one in np.round(differences, 12) if one]
    if not rounded:
        return 1.0
    ranks = stats.rankdata(np.abs(rounded))
    seen = abs(sum(rank * np.sign(one) for rank, one in zip(ranks, rounded, strict=True)))
    signs = np.array(list(itertools.product((-1, 1), repeat=len(ranks))))
    return float(np.mean(np.abs(signs @ ranks) >= seen - 1e-9))


class TestWilcoxon:
    def test_differences_of_counts_are_ties_as_the_counts_are(self) -> None:
        a, b = np.array([18, 9, 10, 4, 18, 15, 15]), np.array([15, 5, 9, 6, 14, 13, 11])
        assert wilcoxon(a / 150 - b / 150) == wilcoxon((a - b).astype(float)) == 0.0625

    @settings(max_examples=60)
    @given(st.lists(st.integers(-4, 4), max_size=9), st.sampled_from([1.0, 150.0, 10000.0]))
    def test_is_that_of_all_signs_with_ties_and_zeros(self, counts: list[int], images: float) -> None:
        differences = [count / images for count in counts]
        assert wilcoxon(np.array(differences)) == pytest.approx(by_enumeration(differences), abs=1e-12)

    @pytest.mark.parametrize("n", [20, 50, 100])
    def test_without_ties_is_scipys_exact_one(self, n: int) -> None:
        differences = np.random.default_rng(n).normal(0.2, 1, n)
        theirs = stats.wilcoxon(differences, method="exact").pvalue
        assert wilcoxon(differences) == pytest.approx(float(theirs), rel=1e-9)

    def test_of_many_is_the_normal_one(self) -> None:
        differences = np.random.default_rng(0).normal(0.1, 1, 200)
        assert wilcoxon(differences) == pytest.approx(float(stats.wilcoxon(differences).pvalue))


class TestFriedman:
    def test_of_equals_is_1_and_of_one_order_nearly_0(self) -> None:
        assert friedman(np.ones((3, 6))) == 1.0
        assert friedman(np.arange(3)[:, None] + np.zeros((3, 6))) == pytest.approx(1 / math.factorial(3) ** 5)

    def test_is_the_f_statistic_of_friedmans_chi_square(self) -> None:
        errors = np.random.default_rng(0).normal(size=(5, 10)) - np.array([0.6, 0, 0, 0, 0])[:, None]
        chi = float(stats.friedmanchisquare(*errors).statistic)
        f = 9 * chi / (10 * 4 - chi)
        assert friedman(errors) == pytest.approx(float(stats.f.sf(f, 4, 36)))

    def test_errs_as_seldom_as_it_says(self) -> None:
        rng = np.random.default_rng(1)
        share = np.mean([friedman(rng.normal(size=(4, 12))) < LEVEL for _ in range(400)])
        # Four standard deviations of a share of 400; the F distribution is itself close, not exact.
        assert share == pytest.approx(LEVEL, abs=4 * math.sqrt(0.05 * 0.95 / 400))

    def test_closes_the_pairs_where_it_finds_nothing(self) -> None:
        rng = np.random.default_rng(3)
        errors = {name: dict(enumerate(rng.random(12))) for name in "abc"}
        asked = omnibus(errors)
        assert asked is not None
        assert not asked.significant
        assert not any(pair.significant or pair.asked for pair in pairs(errors))

    def test_is_about_those_that_have_the_most_seeds(self) -> None:
        errors = {name: {seed: place + seed / 100 for seed in range(10)} for place, name in enumerate("abc")}
        few = {"d": {0: 9.0, 1: 9.0}}
        asked = omnibus({**errors, **few})
        assert asked is not None
        assert (asked.optimizers, asked.seeds) == (("a", "b", "c"), 10)
        assert omnibus({"a": errors["a"], "b": errors["b"]}) is None


def pair(first: str, second: str, corrected: float, over: float = 0.2, seeds: int = 10, **more: float) -> Pair:
    return Pair(first, second, seeds, -0.01, corrected / 3, corrected, over, **more)  # type: ignore[arg-type]


def row(name: str, rank: float, speedup: Speedup | None = None) -> Row:
    return Row(name, 10, 100, 0.03, (0.02, 0.04), 0.03, 0.01, rank, speedup)


ROWS = [row("a", 1.2), row("b", 2.0), row("c", 2.8)]


class TestVerdict:
    def test_who_beats_all(self) -> None:
        said = verdict(ROWS, [pair("a", "b", 0.01), pair("a", "c", 0.01), pair("b", "c", 0.5)], None)
        assert said == "a beats all others with 10 seeds."

    def test_who_beats_whom_and_what_the_others_would_take(self) -> None:
        tested = [pair("b", "a", 0.3, 0.7), pair("a", "c", 0.01), pair("c", "b", 0.02, 0.9)]
        said = verdict(ROWS, tested, None)
        assert said.startswith(
            "a beats c; b beats c. No winner between a and b with 10 seeds: p after Holm is 0.300; about"
        )
        needed = seeds_to_decide(tested[0], 3)
        assert f"about {needed} seeds would decide (from the paired differences seen, power 80%)" in said

    def test_of_optimizers_with_different_numbers_of_seeds_each_sentence_has_its_pairs(self) -> None:
        few = [pair("a", "b", 0.3, seeds=10), pair("a", "c", 0.2, seeds=10), pair("b", "c", 0.01, seeds=30)]
        assert " No winner between a and b with 10 seeds: p " in verdict(ROWS, few, None)
        best = [pair("a", "b", 0.01, seeds=10), pair("a", "c", 0.01, seeds=10), pair("b", "c", 0.5, seeds=30)]
        assert verdict(ROWS, best, None) == "a beats all others with 10 seeds."
        none = [*few[:2], pair("b", "c", 0.5, seeds=30)]
        assert verdict(ROWS, none, None).startswith("No winner with 10 to 30 seeds; the smallest p")

    def test_no_winner_says_how_near_it_was_and_how_many_seeds_would_tell(self) -> None:
        tested = [pair("a", "b", 0.4, 0.35), pair("a", "c", 0.098, 0.2), pair("b", "c", 0.6, 0.5)]
        said = verdict(ROWS, tested, None)
        assert said.startswith("No winner with 10 seeds; the smallest p after Holm is 0.098 (a and c); about ")
        assert f"about {seeds_to_decide(tested[1], 3)} seeds would decide, and between a and b about" in said

    def test_what_two_pairs_would_take_alike_is_said_once(self) -> None:
        tested = [pair("a", "b", 0.4, 0.2), pair("a", "c", 0.098, 0.2), pair("b", "c", 0.6, 0.5)]
        said = verdict(ROWS, tested, None)
        assert f"about {seeds_to_decide(tested[1], 3)} seeds would decide, as between a and b (from" in said

    def test_one_run_of_each_says_nothing_of_how_many_seeds_would_tell(self) -> None:
        said = verdict(ROWS, [pair("a", "b", 1.0, seeds=1), pair("a", "c", 1.0, seeds=1)], None)
        assert (
            said == "No winner with 1 seed: one run of each does not tell a difference from luck; it takes at least 7."
        )

    def test_equals_are_never_told_apart(self) -> None:
        assert seeds_to_decide(pair("a", "b", 1.0, 0.5), 1) is None
        said = verdict(ROWS[:2], [pair("a", "b", 1.0, 0.5)], None)
        assert "1,000 seeds would not decide" in said

    def test_nothing_is_said_of_one_or_of_none_that_share_a_seed(self) -> None:
        assert verdict(ROWS[:1], [], None) == ""
        assert verdict([row("a", 1.0), row("b", 2.0)], [], None) == ""

    @pytest.mark.parametrize(
        ("interval", "says"), [((0.2, 9.0), False), ((1.0, 1.0), False), ((1.2, 9.0), True), (None, False)]
    )
    def test_an_optimizer_is_sooner_where_the_interval_excludes_1(
        self, interval: tuple[float, float] | None, says: bool
    ) -> None:
        assert bool(sooner(row("a", 1.0, Speedup(4.5, interval)))) == says
        assert sooner(row("random", 1.0, Speedup(4.5, (2.0, 5.0)))) == ""

    def test_what_is_reached_sooner_is_what_is_compared(self) -> None:
        faster = row("a", 1.0, Speedup(4.5, (2.0, 5.0)))
        assert "random search's final validation error 4.5 times sooner" in sooner(faster)
        assert "random search's final hypervolume 4.5 times sooner" in sooner(replace(faster, objective=HYPERVOLUME))


class TestSeedsToDecide:
    @pytest.mark.parametrize("shift", [0.3, 0.5])
    def test_so_many_find_the_difference_four_times_in_five(self, shift: float) -> None:
        rng = np.random.default_rng(0)
        # The chance that the mean of two normal differences of this mean is above 0.
        one = Pair("a", "b", 10, shift, 0.5, 0.5, float(stats.norm.cdf(shift * math.sqrt(2))))
        needed = seeds_to_decide(one, 1)
        assert needed is not None
        found = np.mean([wilcoxon(rng.normal(shift, 1, needed)) < LEVEL for _ in range(200)])
        # Noether's formula is an approximation (of larger differences it asks too many), 200 samples scatter by 0.03.
        assert found == pytest.approx(0.8, abs=0.12)

    def test_never_fewer_than_can_show_anything(self) -> None:
        clear = Pair("a", "b", 3, 1.0, 0.25, 0.25, 1.0)
        needed = seeds_to_decide(clear, 10)
        assert needed is not None
        assert needed >= seeds_needed(10)

    @given(st.lists(st.integers(-5, 5), min_size=2, max_size=12))
    def test_above_turns_round_with_the_signs(self, counts: list[int]) -> None:
        differences = np.array(counts) / 150
        assert above(differences) + above(-differences) == pytest.approx(1.0)
        assert 0 <= above(differences) <= 1


class TestLooks:
    @given(st.integers(1, 60), st.integers(2, 200), st.integers(2, 8))
    def test_each_look_is_twice_the_last_and_can_show_something(self, first: int, most: int, optimizers: int) -> None:
        planned = planned_looks(first, most, optimizers)
        assert planned[-1] == most
        assert all(later == min(2 * earlier, most) for earlier, later in itertools.pairwise(planned))
        level = LEVEL / len(planned)
        assert len(planned) == 1 or planned[0] >= seeds_needed(math.comb(optimizers, 2), level)

    def test_looking_repeatedly_errs_no_more_often_than_the_level(self) -> None:
        rng = np.random.default_rng(5)
        planned = planned_looks(10, 40, 2)
        assert len(planned) > 1
        wrong = 0
        for _ in range(300):
            differences = rng.normal(size=40)
            wrong += any(wilcoxon(differences[:n]) < LEVEL / len(planned) for n in planned)
        # Four standard deviations of a share of 300 above the level.
        assert wrong / 300 <= LEVEL + 4 * math.sqrt(LEVEL * (1 - LEVEL) / 300)

    def test_seeds_are_added_until_the_best_are_decided(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        (tmp_path / "worse.py").write_text(
            "from jointbench import Optimizer, Trial\n"
            "class Worse(Optimizer):\n"
            "    'The same bad configuration again and again.'\n"
            "    def ask(self):\n"
            "        return Trial({**self.space.sample(self.rng)[0], 'learning_rate': 0.001, 'momentum': 0.001}, 1)\n"
            "    def tell(self, trial, evaluation): pass\n",
            encoding="utf-8",
        )
        words = (
            f"compare digits-cpu --optimizers random,{tmp_path}/worse.py:Worse --full-budgets 6 --workers 4 --jobs 1"
        )
        main([*words.split(), "--until-decided", "20", "--seeds", "3", "--out", str(out)])
        planned = planned_looks(3, 20, 2)
        content = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
        assert content["looks"] == planned
        assert looks(out) == len(planned)
        made = {int(path.stem.rpartition("-")[2]) for path in (out / "runs").glob("random-*.parquet")}
        assert made == set(range(planned[0]))
        assert undecided(out) == []
        page = (out / "report.html").read_text(encoding="utf-8")
        assert "Bonferroni's correction (Dunn 1961" in page
        assert "beats" in page

    def test_where_it_is_never_decided_it_ends_with_the_most(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        words = "compare digits-cpu --optimizers random,two-stage-random --full-budgets 2 --workers 4 --jobs 1"
        main([*words.split(), "--until-decided", "8", "--out", str(out)])
        found = len(list((out / "runs").glob("random-*.parquet")))
        assert found == 8 or not undecided(out)
