"""A surrogate is fitted at the rungs that have enough to be judged by, and says which it has not."""

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.collecting.doctor import examine
from jointbench.cli import main
from jointbench.data.errors import BudgetError, InputError, LogError
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.optimizers import OPTIMIZERS, check_optimizer, make_optimizer, works_on
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.contract import CHECKS, Check
from jointbench.surrogate.golden import check_golden, read_golden
from jointbench.surrogate.judging.held_out import HeldOut
from jointbench.surrogate.judging.judgement import Judgement
from jointbench.surrogate.judging.tables import judged_tables
from jointbench.surrogate.rungs import FEWEST_AT_A_RUNG, Rungs, at_fitted_rungs, rungs_of
from jointbench.surrogate.stored import load_benchmark, released
from jointbench.surrogate.student import Distillation
from jointbench.surrogate.surrogate import Surrogate
from jointbench.surrogate.table import training_table

#: Students that learn enough for what is said here.
SMALL = Distillation(questions=1_000, rounds=24, max_depth=5)
LADDER = Ladder(1, 27)
ONE = Ladder(27, 27)
E, F = FEWEST_AT_A_RUNG, FEWEST_AT_A_RUNG - 1


@pytest.fixture(scope="module")
def shipped() -> EvaluationLog:
    return EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")


def at(table: pa.Table, rung: float, count: int) -> pa.Table:
    return table.filter(pc.equal(table["budget"], rung)).slice(0, count)


@pytest.fixture(scope="module")
def one_rung(shipped: EvaluationLog, tmp_path_factory: pytest.TempPathFactory) -> EvaluationLog:
    """As random search leaves it, but for a few evaluations at 9 s."""
    path = tmp_path_factory.mktemp("one-rung") / "log.parquet"
    table = shipped.table()
    index = table.schema.get_field_index("optimizer")
    table = table.set_column(index, table.schema.field(index), pa.array(["random"] * len(table)))
    pq.write_table(pa.concat_tables([at(table, 27.0, 60), at(table, 9.0, F)]), path)
    return EvaluationLog.open(path)


@pytest.fixture(scope="module")
def folder(one_rung: EvaluationLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmark of that log, by the command, with smaller students and one partition to be judged on."""
    made = tmp_path_factory.mktemp("fitted") / "one-rung"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("jointbench.surrogate.surrogate.distillation", lambda table: SMALL)
        main(["fit", str(one_rung.path), "--out", str(made), "--partitions", "1"])
    return made


@pytest.fixture(scope="module")
def benchmark(folder: Path) -> Benchmark:
    return load_benchmark(folder)


class TestWhichRungs:
    @pytest.mark.parametrize(
        ("configurations", "kept"),
        [
            ((E, E, E, E), (1, 3, 9, 27)),
            ((0, 0, 0, E), (27,)),
            ((0, F, E, E), (9, 27)),
            # A ladder has no gaps, and its top is what is compared at.
            ((E, F, E, E), (9, 27)),
            ((E, E, E, F), (1, 3, 9)),
            ((F, F, F, F), ()),
        ],
    )
    def test_are_the_largest_with_enough_and_those_below_it(
        self, configurations: tuple[int, ...], kept: tuple[float, ...]
    ) -> None:
        rungs = Rungs(LADDER, configurations)
        assert rungs.kept == kept
        assert bool(rungs.words(["random"])) == (len(kept) < 4)
        if kept:
            assert rungs.fitted_ladder.rungs == kept
            assert rungs.fitted_ladder.eta == LADDER.eta

    @given(
        st.sampled_from([(0.1, 3.0, 6), (400.0, 2.5, 5), (1.0, 1.7, 8)]),
        st.lists(st.integers(0, 2 * E), min_size=9, max_size=9),
    )
    def test_have_enough_each_and_are_those_of_a_ladder(
        self, bounds: tuple[float, float, int], numbers: list[int]
    ) -> None:
        minimum, eta, top = bounds
        ladder = Ladder(minimum, minimum * eta**top, eta)
        rungs = Rungs(ladder, tuple(numbers[: top + 1]))
        there = dict(zip(ladder.rungs, rungs.configurations, strict=True))
        assert all(there[rung] >= E for rung in rungs.kept)
        assert sorted([*rungs.kept, *rungs.left_out]) == list(ladder.rungs)
        if rungs.kept:
            assert rungs.fitted_ladder.rungs == pytest.approx(rungs.kept, rel=1e-9)
        else:
            with pytest.raises(LogError, match=f"at least {E}"):
                _ = rungs.fitted_ladder

    def test_of_the_shipped_log_are_all(self, shipped: EvaluationLog) -> None:
        log, rungs = at_fitted_rungs(shipped)
        assert log is shipped
        assert rungs.words([]) == []

    def test_repeats_of_one_configuration_and_failures_count_for_nothing(self, shipped: EvaluationLog) -> None:
        table = training_table(shipped)
        ok = [table.ok & (table.budgets == rung) for rung in LADDER.rungs]
        counted = rungs_of(shipped).configurations
        assert list(counted) == [len(np.unique(table.rows[chosen], axis=0)) for chosen in ok]
        assert counted[-1] < ok[-1].sum() < (table.budgets == 27).sum()


class TestItIsSaidBeforehand:
    def test_by_doctor(self, one_rung: EvaluationLog, capsys: pytest.CaptureFixture[str]) -> None:
        main(["doctor", str(one_rung.path)])
        out = capsys.readouterr().out
        assert "there is enough at 27 s only: Hyperband cannot be compared on this" in out
        assert f"not for 1, 3 and 9 s with 0, 0 and {F} configurations that ended ok" in out
        assert "jointbench collect" in out
        assert out.strip().endswith("healthy")

    def test_by_doctor_of_what_random_search_leaves(self, one_rung: EvaluationLog, tmp_path: Path) -> None:
        pq.write_table(at(one_rung.table(), 27.0, 60), tmp_path / "a.parquet")
        _, sentence = examine(tmp_path).fit
        assert sentence == "random trains at 27 s only: Hyperband cannot be compared on this"

    @pytest.mark.parametrize("counts", [(5, 0), (15, 9)])
    def test_by_doctor_of_what_is_no_log_for_any_surrogate(
        self, shipped: EvaluationLog, tmp_path: Path, counts: tuple[int, int]
    ) -> None:
        table = shipped.table()
        few = pa.concat_tables([at(table, rung, count) for rung, count in zip((27.0, 3.0), counts, strict=True)])
        pq.write_table(few, tmp_path / "few.parquet")
        (sentence,) = examine(tmp_path).fit
        assert "at least 20 configurations that ended ok, not" in sentence
        with pytest.raises(LogError, match="at least 20 configurations that ended ok, not"):
            Surrogate.fit(EvaluationLog.open(tmp_path), "few")

    def test_by_plan(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = "plan --images digits --ladder 1,3,9,27 --full-budgets 30 --optimizer "
        main([*words.split(), "random"])
        assert "random trains at 27 s only: Hyperband cannot be compared on this" in capsys.readouterr().out
        main([*words.replace("30", "90").split(), "hyperband"])
        assert "to fit" not in capsys.readouterr().out

    def test_by_doctor_of_all_that_cannot_be_fitted_to(self, one_rung: EvaluationLog, tmp_path: Path) -> None:
        table = one_rung.table()
        index = table.schema.get_field_index("peak_memory")
        nothing = pa.array([0] * len(table))
        pq.write_table(table.set_column(index, table.schema.field(index), nothing), tmp_path / "a.parquet")
        (sentence,) = examine(tmp_path).fit
        assert "peak_memory of a training" in sentence
        with pytest.raises(LogError, match="peak_memory of a training"):
            Surrogate.fit(EvaluationLog.open(tmp_path), "nothing")


class TestABenchmarkOfOneRung:
    def test_has_no_others(self, benchmark: Benchmark) -> None:
        assert benchmark.ladder.rungs == (27.0,)
        assert {row["budget"] for row in benchmark.quality} == {27.0, None}
        with pytest.raises(BudgetError, match="budget: 1 given, expected 27 seconds"):
            benchmark.query(JOINT.named["zela-2018"], 1)

    def test_says_so_on_its_card_and_page(self, folder: Path, benchmark: Benchmark) -> None:
        left_out, only = benchmark.provenance["left_out"]
        assert "1, 3 and 9 s" in left_out
        assert "Hyperband cannot be compared" in only
        for file in ("card.md", "report.html"):
            text = (folder / file).read_text(encoding="utf-8")
            assert only in text
            assert "every budget" not in text

    def test_knows_the_evaluations_that_it_was_fitted_to(self, folder: Path, benchmark: Benchmark) -> None:
        kept = EvaluationLog.open(folder / "evaluations.parquet")
        assert kept.ladder == benchmark.ladder
        assert set(kept.table(["budget"])["budget"].to_pylist()) == {27.0}
        assert kept.table().num_rows == benchmark.provenance["evaluations"] == 60

    @pytest.mark.parametrize("check", CHECKS)
    def test_does_what_every_benchmark_does(self, check: Check, benchmark: Benchmark) -> None:
        check(benchmark)

    def test_gives_its_golden_answers(self, folder: Path, benchmark: Benchmark) -> None:
        assert check_golden(benchmark, read_golden(folder)) > 0

    def test_is_compared_on_by_what_works_with_one(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "compared"
        main(f"compare {folder} --seeds 1 --full-budgets 3 --jobs 1 --out {out}".split())
        said = capsys.readouterr()
        assert "without hyperband, bohb, smac: 27 seconds is the only budget" in said.err
        assert "two-stage" in said.out
        assert {path.stem for path in (out / "runs").glob("*.parquet")} == {"random-0", "two-stage-0"}

    def test_is_refused_to_an_optimizer_that_was_named_and_needs_more(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            main(f"compare {folder} --optimizers random,hyperband --out {tmp_path}/out".split())
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert "optimizer: 'hyperband' given, expected one that works with a single budget" in line
        assert not (tmp_path / "out").exists()

    def test_is_published(self, folder: Path, tmp_path: Path) -> None:
        main(["publish", str(folder), "--out", str(tmp_path / "published")])
        assert list((tmp_path / "published").glob("*.whl"))


class TestOptimizersOnOneRung:
    @pytest.mark.parametrize("name", ["hyperband", "bohb", "asha", "smac", "smac.HyperbandFacade"])
    def test_what_compares_budgets_is_refused_and_not_called_so(self, name: str) -> None:
        assert not works_on(name, ONE)
        with pytest.raises(InputError, match="works with a single budget, as 27 seconds"):
            make_optimizer(name, JOINT, ONE, seed=0, full_budgets=1.0)
        with pytest.raises(InputError, match="works with a single budget, as 27 seconds"):
            check_optimizer(name, JOINT, ONE, full_budgets=1.0)

    @pytest.mark.parametrize("name", ["random", "two-stage", "two-stage-long", "regularized-evolution"])
    def test_the_others_propose_at_it(self, name: str) -> None:
        assert works_on(name, ONE)
        check_optimizer(name, JOINT, ONE, full_budgets=4.0)
        trial = make_optimizer(name, JOINT, ONE, seed=0, full_budgets=4.0).ask()
        assert trial is not None
        assert trial.budget == 27.0

    def test_two_are_enough_for_all_that_ship(self) -> None:
        assert all(works_on(name, Ladder(9, 27)) for name in OPTIMIZERS)


class TestTheVerdict:
    def said(self, budgets: list[float | None], ladder: Ladder, ratio: float = 0.9) -> str:
        known = {"error": "test", "n": 9, "floor": 0.01, "table": 0.02, "held_out": 0.1}
        rows = [{**known, "budget": budget, "given_one": ratio * 0.02} for budget in budgets]
        judgement = Judgement([], rows, [], [], [], [], [], [])
        return judged_tables(judgement, ladder)["noise_floor"].words

    def test_is_of_all_budgets_where_all_were_judged(self) -> None:
        assert self.said([1.0, 3.0, 9.0, 27.0, None], LADDER).endswith("beats the table at every budget.")

    @pytest.mark.parametrize("ratio", [0.9, 1.1])
    def test_says_of_which_budgets_nothing_is_known(self, ratio: float) -> None:
        said = self.said([9.0, 27.0, None], LADDER, ratio)
        assert "every budget." not in said
        assert said.endswith("nothing is said of the budgets 1, 3.")

    def test_of_no_budget_alone_is_none(self) -> None:
        assert "beats" not in self.said([None], LADDER)

    def test_of_one_budget_names_it(self) -> None:
        assert self.said([27.0, None], ONE).endswith("beats the table at the only budget, 27.")


def test_where_all_is_equal_no_correlation_is_said_and_nothing_is_warned_of(
    shipped: EvaluationLog, tmp_path: Path
) -> None:
    table = shipped.table()
    table = pa.concat_tables([at(table, rung, 30) for rung in (9.0, 27.0)])
    for name, value in (("validation_error", 0.5), ("test_error", 0.5), ("images_per_second", 100.0)):
        index = table.schema.get_field_index(name)
        table = table.set_column(index, table.schema.field(index), pa.array([value] * len(table)))
    pq.write_table(table, tmp_path / "constant.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log, _ = at_fitted_rungs(EvaluationLog.open(tmp_path))
        judgement = Judgement.of(HeldOut.of(training_table(log), 0), 0)
        main(["report", str(tmp_path / "constant.parquet")])
    assert {row["spearman"] for row in judgement.scores} == {None}
    speeds = next(row for row in judgement.costs if row["cost"] == "images_per_second")
    assert speeds["spearman"] is None
    assert judged_tables(judgement, log.ladder)
