"""Comparisons of one wall-clock time: when a run ends, who is told, and with what optimizers begin."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from analytic import Analytic
from comparing import small
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.comparing.comparison import compare
from jointbench.bench.comparing.comparison_folder import Settings, run_file
from jointbench.bench.comparing.simulated_objective import (
    random_seconds,
    simulated_settings,
    timed_settings,
)
from jointbench.bench.comparing.summary import cells, rows, summary
from jointbench.bench.comparing.trajectories import read_trajectories, time_grid
from jointbench.bench.pages.report import write_report
from jointbench.bench.running.cluster import Finished, SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.cli import main
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import VALIDATION_ERROR
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.space import Space
from jointbench.optimizers import OPTIMIZERS, Optimizer, Trial, WallClock, make_optimizer
from jointbench.optimizers.contract import drive, proposals
from jointbench.optimizers.two_stage import TwoStage
from jointbench.surrogate.stored import load_benchmark

LADDER = Ladder(1.0, 27.0)
APPENDIX_B = JOINT.expert


def simulate(name: str, time: float, workers: int = 3, seed: int = 0, failing: int = 0) -> list[Finished]:
    clock = WallClock(time, workers)
    optimizer = make_optimizer(name, JOINT, LADDER, seed=seed, full_budgets=20, wall_clock=clock)
    cluster = SimulatedCluster(Analytic(LADDER, failing), workers)
    return list(run(optimizer, cluster, LADDER, time=time, seed=seed))


names = st.sampled_from(["random", "hyperband", "bohb", "two-stage", "two-stage:finalists=3", "asha"])


class TestStop:
    @settings(max_examples=10)
    @given(names, st.floats(30, 120), st.integers(1, 5), st.sampled_from([0, 3]))
    def test_a_run_of_less_time_is_the_beginning_of_one_of_more_but_for_what_is_planned(
        self, name: str, time: float, workers: int, failing: int
    ) -> None:
        ended = simulate(name, time, workers, failing=failing)
        assert all(one.end <= time for one in ended)
        if not name.startswith("two-stage"):
            longer = simulate(name, 2 * time, workers, failing=failing)
            assert [one.end for one in longer if one.end <= time] == [one.end for one in ended]

    def test_what_ends_with_the_time_counts_and_what_ends_later_is_not_heard_of(self) -> None:
        told: list[Evaluation] = []

        class Watching(Optimizer):
            name = "watching"

            def ask(self) -> Trial:
                return Trial(JOINT.named["zela-2018"], 9.0)

            def tell(self, trial: Trial, evaluation: Evaluation) -> None:
                told.append(evaluation)

        whole = list(run(Watching(JOINT, LADDER, seed=0, full_budgets=4), SimulatedCluster(Analytic(LADDER), 2), LADDER,
                         full_budgets=4, seed=0))  # fmt: skip
        told.clear()
        time = whole[5].end
        ended = list(run(Watching(JOINT, LADDER, seed=0, full_budgets=4), SimulatedCluster(Analytic(LADDER), 2), LADDER,
                         time=time, seed=0))  # fmt: skip
        assert ended[-1].end == time
        assert [one.evaluation for one in ended] == told
        assert len(ended) == sum(one.end <= time for one in whole)


class TestTold:
    def test_every_optimizer_is_told_at_construction(self) -> None:
        seen: list[tuple[WallClock | None, dict[str, float | int]]] = []

        class Mine(Optimizer):
            name = "mine"

            def __init__(self, space: Space, ladder: Ladder, *, seed: int, full_budgets: float) -> None:
                super().__init__(space, ladder, seed=seed, full_budgets=full_budgets)
                seen.append((self.wall_clock, dict(self.first)))

            def ask(self) -> None:
                return None

            def tell(self, trial: Trial, evaluation: Evaluation) -> None:
                pass

        from jointbench.optimizers import registry

        patch = pytest.MonkeyPatch()
        patch.setattr(registry, "_find", lambda name: Mine)
        try:
            clock, first = WallClock(60.0, 4), {"momentum": 0.5}
            make_optimizer("x.py:Mine", JOINT, LADDER, seed=0, full_budgets=1, wall_clock=clock, first=first)
            make_optimizer("x.py:Mine", JOINT, LADDER, seed=0, full_budgets=1)
        finally:
            patch.undo()
        assert seen == [(clock, first), (None, {})]

    @pytest.mark.parametrize(("workers", "share"), [(1, 0.5), (4, 0.25), (10, 0.5)])
    def test_two_stage_gives_its_share_of_the_time_to_the_first_stage(self, workers: int, share: float) -> None:
        time = 400.0
        ended = simulate(f"two-stage:sampler=random:share={share}", time, workers)
        last = max(one.end for one in ended if one.evaluation.budget == 1.0)
        # A training of the first stage takes 1 to 1.6 seconds, and what runs is taken to last as long as the others.
        assert last == pytest.approx(share * time, abs=3)
        assert min(one.start for one in ended if one.evaluation.budget == 27.0) >= last

    def test_asking_again_changes_nothing_while_it_waits_for_the_first_stage(self) -> None:
        def course(asks: int) -> list[tuple[float, dict[str, float | int]]]:
            optimizer = make_optimizer(
                "two-stage", JOINT, LADDER, seed=0, full_budgets=20, wall_clock=WallClock(40.0, 2)
            )
            rng, running = np.random.default_rng(1), list[Trial]()
            proposed: list[tuple[float, dict[str, float | int]]] = []
            while len(proposed) < 60:
                trial = None
                for _ in range(asks if len(running) < 2 else 0):
                    if (trial := optimizer.ask()) is not None:
                        break
                if trial is not None:
                    running.append(trial)
                    proposed.append((trial.budget, dict(trial.configuration)))
                    continue
                ended = running.pop(0)
                seconds = ended.budget * float(rng.uniform(0.5, 2))
                optimizer.tell(ended, Evaluation("joint", ended.configuration, ended.budget, 0, Status.OK, {
                    "validation_error": 0.5, "test_error": 0.5, "wall_seconds": seconds,
                }))  # fmt: skip
            return proposed

        assert course(1) == course(3)


class TestFirst:
    @pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"hpbandster-bohb", "tpe", "cma-es"}))
    def test_the_first_trial_has_an_experts_hyperparameters_and_the_next_have_not(self, name: str) -> None:
        def made(first: dict[str, float | int] | None) -> list[tuple[float, dict[str, float | int]]]:
            optimizer = make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=20, first=first)
            return proposals(drive(optimizer, 4))

        own, begun = made(None), made(dict(APPENDIX_B))
        assert APPENDIX_B.items() <= begun[0][1].items()
        if not name.startswith("two-stage"):
            assert not any(APPENDIX_B.items() <= configuration.items() for _, configuration in begun[1:])
            assert own[0][1] != begun[0][1]
        if not name.startswith("smac"):
            # The architecture is the one that it would have begun with.
            assert {n: own[0][1][n] for n in JOINT.architecture} == {n: begun[0][1][n] for n in JOINT.architecture}

    @pytest.mark.parametrize("name", ["hpbandster-bohb", "tpe", "cma-es"])
    def test_so_has_that_of_those_which_need_another_library(self, name: str) -> None:
        pytest.importorskip({"hpbandster-bohb": "hpbandster", "tpe": "optuna", "cma-es": "cmaes"}[name])
        optimizer = make_optimizer(name, JOINT, LADDER, seed=0, full_budgets=20, first=APPENDIX_B)
        found = [APPENDIX_B.items() <= configuration.items() for _, configuration in proposals(drive(optimizer, 3))]
        assert found == [True, False, False]

    def test_one_that_is_promoted_stays_what_it_was(self) -> None:
        optimizer = make_optimizer("hyperband", JOINT, LADDER, seed=0, full_budgets=20, first=APPENDIX_B)
        promoted = []
        for _ in range(40):
            trial = optimizer.ask()
            assert trial is not None
            ours = APPENDIX_B.items() <= trial.configuration.items()
            promoted += [trial.budget] if ours else []
            error = 0.1 if ours else 0.5
            told = Evaluation("joint", trial.configuration, trial.budget, 0, Status.OK, {"validation_error": error})
            optimizer.tell(trial, told)
        assert promoted == [1.0, 3.0, 9.0, 27.0]

    def test_an_optimizer_that_does_not_know_of_it_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("mine.py").write_text(
            "from jointbench import Optimizer, Trial\n"
            "class Mine(Optimizer):\n"
            "    def ask(self): return Trial(self.space.sample(self.rng)[0], 27)\n"
            "    def tell(self, trial, evaluation): pass\n",
            encoding="utf-8",
        )
        chosen = simulated_settings(
            SurrogateObjective(load_benchmark("digits-cpu")), workers=2, full_budgets=2.0, first="expert"
        )
        with pytest.raises(InputError, match="whose first trial has the values"):
            compare(chosen, ["mine.py:Mine"], seeds={"mine.py:Mine": 1}, out=tmp_path / "out", jobs=1, command="",
                    progress=lambda done, total: None)  # fmt: skip


class TestTwoStage:
    def test_the_second_stage_begins_with_the_finalists_as_they_were_picked(self) -> None:
        for finalists in (1, 3):
            optimizer = TwoStage(JOINT, LADDER, seed=0, full_budgets=16, finalists=finalists)
            told = drive(optimizer, 230)
            first = [(e.validation_error, t) for t, e in told if e is not None and t.budget == 1.0]
            best = [t.configuration for _, t in sorted(first, key=lambda pair: pair[0])[:finalists]]
            second = [t.configuration for t, e in told if e is None and t.budget == 27.0]
            assert second[:finalists] == best
            assert all(APPENDIX_B.items() <= configuration.items() for configuration in best)
            assert not any(APPENDIX_B.items() <= configuration.items() for configuration in second[finalists:])

    def test_with_uniform_hyperparameters_each_architecture_has_its_own(self) -> None:
        optimizer = make_optimizer("two-stage:first_stage=uniform", JOINT, LADDER, seed=0, full_budgets=16)
        rates = Counter(configuration["learning_rate"] for _, configuration in proposals(drive(optimizer, 100)))
        assert len(rates) == 100
        # A quarter of the logarithmic scale is below 0.0056: 25 of 100, four standard deviations of the binomial.
        assert sum(rate < 0.001 * 1000**0.25 for rate in rates) == pytest.approx(25, abs=4 * (100 * 0.25 * 0.75) ** 0.5)
        with pytest.raises(InputError, match="uniform"):
            make_optimizer("two-stage:first_stage=log", JOINT, LADDER, seed=0, full_budgets=16)


def test_one_seed_is_common_random_numbers() -> None:
    starts = {
        name: proposals(drive(make_optimizer(name, JOINT, LADDER, seed=7, full_budgets=20), 5, outstanding=5))
        for name in ("random", "hyperband", "bohb", "asha", "regularized-evolution")
    }
    assert len({str([configuration for _, configuration in told]) for told in starts.values()}) == 1


class TestComparison:
    @pytest.fixture(scope="class")
    def timed(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        out = tmp_path_factory.mktemp("timed") / "out"
        words = "compare digits-cpu --optimizers random,two-stage --seeds 2 --time 60 --workers 4 --jobs 1 --out"
        main([*words.split(), str(out)])
        return out

    def test_all_are_read_at_one_time(self, timed: Path) -> None:
        runs = read_trajectories(timed)
        ends = [run.seconds[-1] for several in runs.values() for run in several]
        assert max(ends) <= 60
        assert time_grid(runs, 60.0)[-1] == pytest.approx(60.0)
        assert {row.ends for row in summary(timed)} == {None}
        settings = Settings.read(timed)
        assert (settings.time, settings.wall_clock) == (60.0, WallClock(60.0, 4))
        page = write_report(timed).read_text(encoding="utf-8")
        assert "those after 60 seconds, the same for all" in page
        assert "search together" not in page
        assert "together 4 simulated" not in page

    def test_where_the_budgets_are_the_stop_the_time_stands_beside_the_final_error(self, tmp_path: Path) -> None:
        small(tmp_path / "out", seeds=1)
        runs = read_trajectories(tmp_path / "out")
        for row in summary(tmp_path / "out"):
            end = np.mean([run.seconds[-1] for run in runs[row.optimizer]])
            assert row.ends == pytest.approx(end)
            assert cells(row)[3].endswith(f"% at {end:,.0f} s")
        page = write_report(tmp_path / "out").read_text(encoding="utf-8")
        assert "do not end at the same time" in page
        assert [row.ends for row in rows(runs)] == [None, None]

    def test_the_default_time_is_what_random_search_takes(self) -> None:
        objective = SurrogateObjective(load_benchmark("digits-cpu"))
        settings = timed_settings(objective, workers=100, time=None)
        assert settings.time == random_seconds(objective, 100)
        assert settings.full_budgets == 256.0
        half = timed_settings(objective, workers=100, time=settings.time / 2)
        assert half.full_budgets == 128.0
        # 256 trainings of 27 seconds and some overhead on 100 workers take three rounds.
        assert 3 * 27 < settings.time < 4 * 40

    def test_two_stops_are_one_too_many(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(f"compare digits-cpu --time 60 --full-budgets 8 --out {tmp_path / 'out'}".split())
        assert ended.value.code == 2
        assert "full budgets: 8.0 given, expected one stop" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    def test_a_time_in_which_nothing_ends_is_refused(self, tmp_path: Path) -> None:
        words = "compare digits-cpu --optimizers random --seeds 1 --time 0.001 --jobs 1 --out"
        with pytest.raises(SystemExit):
            main([*words.split(), str(tmp_path / "out")])
        assert not run_file(tmp_path / "out", "random", 0).exists()

    def test_an_optimizer_without_an_incumbent_has_the_error_of_a_failure(self, tmp_path: Path) -> None:
        small(tmp_path / "out", names=("random",), seeds=1)
        table = pq.read_table(run_file(tmp_path / "out", "random", 0))
        failed = [status != "ok" for status in table["status"].to_pylist()]
        errors = table["validation_error"].to_numpy()
        assert all(errors[failed] == VALIDATION_ERROR.failure)
