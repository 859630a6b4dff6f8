"""The arithmetic under the answers, their draws, and the calibration of noise and failure."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm

from jointbench.data.errors import InputError
from jointbench.data.exact import exp, log, normal_quantile, rint
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.calibration import fit_odds
from jointbench.surrogate.contract import corners_and_samples
from jointbench.surrogate.luck import Luck
from jointbench.surrogate.luck_shape import Repeated
from jointbench.surrogate.noise import POWERS, ErrorScale, Noise, raised
from jointbench.surrogate.noise_law import fit_noise
from jointbench.surrogate.repeats import Repeats
from jointbench.surrogate.stored import load_benchmark, released
from jointbench.surrogate.table import training_table


class TestArithmetic:
    @given(st.floats(-700, 700))
    def test_exp(self, x: float) -> None:
        assert exp(x) == pytest.approx(math.exp(x), rel=1e-15)
        assert exp(np.array([x]))[0] == exp(x)

    @given(st.floats(1e-300, 1e300))
    def test_log(self, x: float) -> None:
        assert log(x) == pytest.approx(math.log(x), rel=1e-15, abs=1e-15)
        assert log(np.array([x]))[0] == log(x)

    @given(st.floats(2**-54, 1 - 2**-53))
    def test_normal_quantile(self, u: float) -> None:
        # PPND7 promises seven digits.
        assert normal_quantile(u) == pytest.approx(norm.ppf(u), rel=1e-6, abs=1e-6)
        assert normal_quantile(np.array([u]))[0] == normal_quantile(u)

    @given(st.floats(-1e9, 1e9))
    def test_rint(self, x: float) -> None:
        assert rint(x) == round(x)

    def test_its_bits_are_those_of_every_other_machine(self) -> None:
        x = np.linspace(-30, 30, 1001)
        bits = np.concatenate([exp(x), log(exp(x)), normal_quantile((np.arange(1000) + 0.5) / 1000)]).tobytes()
        # Written down once: IEEE arithmetic leaves no room for another value.
        assert hashlib.sha256(bits).hexdigest().startswith("bf09afb7d8db9eb0")


class TestLuck:
    def test_one_equals_many(self) -> None:
        luck, rows = Luck(17), corners_and_samples(JOINT, 50)
        budgets, seeds = np.linspace(1, 27, 52), np.arange(52) - 20
        many = np.array(luck.many(rows, budgets, seeds, 4))
        one = [luck.one(list(row), float(b), int(s), 4) for row, b, s in zip(rows, budgets, seeds, strict=True)]
        np.testing.assert_array_equal(many.T, one)

    def test_numbers_are_uniform_and_independent(self) -> None:
        row = corners_and_samples(JOINT, 1)[2]
        draws = np.array(Luck(17).many(np.repeat([row], 4000, axis=0), np.full(4000, 27.0), np.arange(4000), 4))
        for draw in draws:
            assert kstest(draw, "uniform").pvalue > 1e-3
        # Correlations of independent numbers have a standard deviation of 1 / sqrt(4000) = 0.016.
        assert np.abs(np.corrcoef([*draws, np.roll(draws[0], 1)]) - np.eye(5)).max() < 0.07

    def test_minus_nought_is_nought(self) -> None:
        luck = Luck(2)
        assert luck.one([0.0, 1.0], 1.0, 0, 2) == luck.one([-0.0, 1.0], 1.0, 0, 2)

    @given(column=st.integers(0, 16), step=st.sampled_from([1.0, -1.0, 1e-9]))
    def test_every_number_of_a_configuration_matters(self, column: int, step: float) -> None:
        luck, row = Luck(17), [1.0] * 17
        moved = [value + step * (i == column) for i, value in enumerate(row)]
        assert luck.one(row, 27.0, 0, 1) != luck.one(moved, 27.0, 0, 1)


class TestErrors:
    @given(error=st.floats(0, 1), images=st.integers(10, 10_000))
    def test_the_scale_is_undone_by_its_inverse(self, error: float, images: int) -> None:
        scale = ErrorScale(images)
        # The logit of a fraction near 1 loses digits: images * epsilon, far below half an image.
        assert scale.from_logit(scale.to_logit(error)) == pytest.approx(error, abs=1e-9)

    @given(error=st.floats(0, 1), normal=st.floats(-8, 8), images=st.integers(10, 10_000))
    def test_a_counted_error_is_a_whole_number_of_images(self, error: float, normal: float, images: int) -> None:
        counted = Noise(0.0, 0.0, 1.0).counted(error, normal, images)
        assert 0 <= counted <= 1
        assert counted * images == pytest.approx(round(counted * images), abs=1e-6)


class TestSpread:
    @given(spread=st.floats(1e-20, 1e20), power=st.sampled_from(POWERS))
    def test_its_power_is_one_of_a_number_and_of_many(self, spread: float, power: float) -> None:
        assert raised(spread, power) == pytest.approx(spread**power, rel=1e-14)
        assert raised(np.array([spread]), power)[0] == raised(spread, power)

    def test_a_power_that_is_no_whole_number_of_quarters_is_refused(self) -> None:
        with pytest.raises(InputError, match="noise power"):
            Noise(0.0, 1.0, 0.0, power=1.1)

    @pytest.mark.parametrize(
        "noise", [Noise(0.1, 0.2, 0.3), Noise(0.1, 0.2, 0.3, ((0.4, 0.5),), 1.5), Noise(0.0, 1.0, 0.1, (), 1.25, 0.5)]
    )
    def test_a_noise_is_read_as_it_was_written(self, noise: Noise) -> None:
        written = noise.as_dict()
        others = tuple(tuple(pair) for pair in written.pop("others", ()))
        assert Noise(**written, others=others) == noise
        assert ("power" in written) == (noise.power != 1)


class TestDepth:
    DEEP = Noise(0.0, 1.0, 0.0, depth=0.4)

    @given(spread=st.floats(0.0, 10.0), normals=st.lists(st.floats(-6, 6), min_size=2, max_size=2))
    def test_luck_is_bounded_below_and_rises_with_what_is_drawn(self, spread: float, normals: list[float]) -> None:
        low, high = (self.DEEP.luck(spread, normal) for normal in sorted(normals))
        # The bound is at its lowest where luck is as wide as it can be.
        assert -0.4 * math.exp(0.5) <= low <= high
        assert self.DEEP.luck(np.array([spread]), np.array(normals[:1]))[0] == self.DEEP.luck(spread, normals[0])

    @pytest.mark.parametrize("spread", [0.0, 0.01, 0.1, 5.0])
    def test_luck_is_nought_on_average(self, spread: float) -> None:
        drawn = self.DEEP.luck(spread, norm.ppf((np.arange(100_000) + 0.5) / 100_000))
        assert drawn.mean() == pytest.approx(0.0, abs=1e-3)

    def test_narrow_luck_is_nearly_normal(self) -> None:
        normals = np.linspace(-2, 2, 9)
        np.testing.assert_allclose(self.DEEP.luck(1e-6, normals), 1e-3 * normals, atol=1e-5)

    @pytest.mark.parametrize("depth", [0.35, math.inf])
    def test_it_is_found_again(self, depth: float) -> None:
        """From 300 configurations with three seeds each, whose luck has a deviation of 0.05 to 0.3."""
        rng, rows = np.random.default_rng(1), [np.arange(3) + 3 * group for group in range(300)]
        deviation = rng.uniform(0.05, 0.3, 300)
        luck = Noise(0.0, 1.0, 0.0, depth=depth).luck(np.repeat(deviation**2, 3), rng.normal(size=900))
        logits = np.repeat(rng.normal(-1, 1, 300), 3) + luck
        width, found = Repeated(rows, np.stack([logits, logits], axis=1), deviation, np.zeros((300, 2))).shape()
        assert found == depth or 0.2 <= found <= 0.5
        assert width == pytest.approx(1.0, abs=0.1)

    def test_draws_stay_within_the_bounds_of_answers(self) -> None:
        benchmark = load_benchmark("fashion-small")
        bounds, budget = benchmark.manifest.bounds, benchmark.ladder.maximum
        assert benchmark.manifest.noise.bounded
        assert bounds is not None
        rows = benchmark.space.rows_at(np.random.default_rng(0).random((5_000, len(benchmark.space.names))))
        drawn = benchmark.query_batch(rows, np.full(5_000, budget), np.arange(5_000))
        lowest = ErrorScale(3_000).from_logit(bounds.lowest[-1][0] - bounds.below[-1][0])
        # Counting 3,000 images moves an error by 0.2 points at most: its deviation is a third of the binomial one.
        assert lowest - 0.01 < drawn.validation_error.min() < lowest + 0.01


class TestCalibration:
    @pytest.mark.parametrize(
        "true",
        [Noise(0.05, 0.0, 0.2), Noise(0.01, 1.0, 1.0), Noise(0.3, 0.5, 0.0), Noise(0.0, 1.0, 0.5, power=1.75)],
    )
    def test_noise_is_found_again(self, true: Noise) -> None:
        """From 400 configurations of three made-up trainings each, drawn with known noise."""
        real = training_table(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))
        rng, groups = np.random.default_rng(0), np.repeat(np.arange(400), 3)
        logit, spread = rng.normal(-1, 1.5, 400)[groups], rng.exponential(0.2, 400)[groups]
        moved = logit + true.luck(spread, rng.normal(size=1200))
        scales = ErrorScale(real.images.validation), ErrorScale(real.images.test)
        errors = [true.counted(s.from_logit(moved), rng.normal(size=1200), s.images) for s in scales]
        one_row = real.take(np.repeat(np.flatnonzero(real.ok)[:1], 1200))
        table = replace(one_row, errors=np.stack(errors, axis=1), group=groups, seed=np.arange(1200))
        found = fit_noise(table, spread, np.stack(errors, axis=1))
        # 800 degrees of freedom: a variance is known to within 5 %; sharing it among three terms costs more.
        usual = 0.2
        assert found.luck(usual, 1.0) ** 2 == pytest.approx(true.luck(usual, 1.0) ** 2, rel=0.25, abs=0.01)
        assert found.counting == pytest.approx(true.counting, abs=0.3)
        # Where luck hardly grows with the spread, it does not matter with which power of it.
        if true.floor == 0:
            assert found.power == pytest.approx(true.power, abs=0.25)

    def test_where_nothing_was_repeated_residuals_stand_in_for_luck(self) -> None:
        """Of 400 configurations at a rung with repeats and 400 at another without, where luck is a third as wide."""
        real = training_table(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))
        rng, group = np.random.default_rng(0), np.concatenate([np.repeat(np.arange(400), 2), np.arange(400, 800)])
        once = group >= 400
        spread = np.where(once, 0.1, 0.9)
        moved = -1 + Noise(0.0, 0.2, 0.0).luck(spread, rng.normal(size=len(group)))
        scales = ErrorScale(real.images.validation), ErrorScale(real.images.test)
        errors = np.stack([s.from_logit(moved) for s in scales], axis=1)
        one_row = real.take(np.repeat(np.flatnonzero(real.ok)[:1], len(group)))
        table = replace(
            one_row,
            errors=errors,
            group=group,
            seed=np.arange(len(group)),
            budgets=np.where(once, real.ladder.maximum, real.ladder.minimum),
        )
        said = np.stack([np.broadcast_to(s.from_logit(-1.0), len(group)) for s in scales], axis=1)
        found = fit_noise(table, spread, said)
        # 400 squares each: a variance is known to within 7 %.
        for at in (0.1, 0.9):
            assert found.luck(at, 1.0) ** 2 == pytest.approx(0.2 * at, rel=0.25)

    def test_intervals_hold_what_they_say_of_luck_with_long_tails(self) -> None:
        """Of Student's luck with three degrees of freedom, whose mean square is three times that of its middle."""
        real = training_table(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))
        rng, groups = np.random.default_rng(0), np.repeat(np.arange(1_000), 2)
        moved = rng.normal(-1, 1.0, 1_000)[groups] + 0.2 * rng.standard_t(3, 2_000)
        scales = ErrorScale(real.images.validation), ErrorScale(real.images.test)
        errors = np.stack([s.from_logit(moved) for s in scales], axis=1)
        one_row = real.take(np.repeat(np.flatnonzero(real.ok)[:1], 2_000))
        table = replace(one_row, errors=errors, group=groups, seed=np.arange(2_000))
        found = fit_noise(table, np.zeros(2_000), errors)
        apart = np.abs(moved[::2] - moved[1::2]) / np.sqrt(2) / found.luck(0.0, 1.0)
        # 1,000 pairs: a share is known to within 0.016; no normal law fits all three.
        held = [float((apart <= norm.ppf(0.5 + level / 2)).mean()) for level in (0.5, 0.8, 0.95)]
        assert held == pytest.approx([0.5, 0.8, 0.95], abs=0.06)

    def test_odds_are_found_again(self) -> None:
        rng = np.random.default_rng(0)
        logits = rng.normal(-2, 2, 20_000)
        failed = rng.random(20_000) < 1 / (1 + np.exp(-(2.0 * logits - 0.5)))
        # A standard error of about 0.03.
        assert fit_odds(logits, failed) == pytest.approx((2.0, -0.5), abs=0.12)

    def test_two_seeds_of_the_shipped_benchmark_differ_as_the_repeats_do(self) -> None:
        benchmark = load_benchmark("digits-cpu")
        table = training_table(EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet"))
        repeats = Repeats.of(table)
        first = np.array([rows[0] for rows in repeats.rows])
        draws = [benchmark.query_batch(table.rows[first], table.budgets[first], seed) for seed in range(30)]
        ok = np.array([d.ok for d in draws]).all(axis=0)
        for part, name in enumerate(("validation_error", "test_error")):
            drawn = np.array([getattr(d, name) for d in draws]).var(axis=0, ddof=1)
            # Some 60 groups of about 3 trainings: the real mean variance is known to within a factor of about 2.
            assert 0.4 < drawn[ok].mean() / repeats.variance[ok, part].mean() < 2.5
