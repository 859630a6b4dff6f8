"""What a paper claims of generators, held against evidence whose answer is known."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jointbench
from jointbench.bench.analysing import noise_models as noise_models_module
from jointbench.bench.analysing.budget_correlations import ranks_of_generators
from jointbench.bench.analysing.evidence import Evidence
from jointbench.bench.analysing.fronts_at_equal_budgets import fronts_at_equal_budgets, seen_share
from jointbench.bench.analysing.luck_of_generators import drawn_generators, known_of, luck_of_generators, shares, spread
from jointbench.bench.analysing.noise_models import HeldOut, difference, held_out, noise_models, partitions
from jointbench.bench.analysing.spaces_beside import equally_long, spaces_beside
from jointbench.bench.comparing.comparison_folder import run_file
from jointbench.bench.comparing.front_box import dominated
from jointbench.bench.comparing.fronts import read_fronts
from jointbench.bench.comparing.trajectories import read_trajectories
from jointbench.cli import main
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration, Evaluation, Provenance, Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.pareto import non_dominated
from jointbench.data.spaces.registry import get_space
from jointbench.data.task import Task
from jointbench.surrogate.stored import released

LADDER = Ladder(12.0, 48.0, 2.0, "epochs")
IMAGES = ImageFacts("digits-halves", (1, 8, 8), 10, 719, 719, 359)


def task(space: str = "hnag-small") -> Task:
    of = get_space(space)
    return Task(of, LADDER, IMAGES, of.metrics)


def evaluated(
    at: Configuration,
    error: float,
    *,
    network: int = 1,
    seed: int = 0,
    budget: float = 24.0,
    optimizer: str = "draws",
    trial: int = 0,
    space: str = "hnag-small",
) -> Evaluation:
    metrics = {"validation_error": error, "test_error": error, "sample_memory": 90_000.0 + network % 2}
    made = Provenance(optimizer=optimizer, run=f"{optimizer}-1")
    return Evaluation(
        space, at, budget, seed, Status.OK, metrics, architecture_seed=network, provenance=made, trial=trial
    )


def log_of(folder: Path, made: Sequence[Evaluation], space: str = "hnag-small") -> EvaluationLog:
    about = task(space)
    log = EvaluationLog.open_or_create(folder, about.space, about.ladder, about.images, about.metrics)
    log.append(made)
    return log


def evidence_of(folder: Path, made: Sequence[Evaluation], space: str = "hnag-small") -> Evidence:
    log = log_of(folder, made, space)
    return Evidence(space, log.task, log.to_pandas())


def generators(count: int, deviation: Callable[[float], float], networks: int = 6) -> list[Evaluation]:
    """Of mean errors from 5 to 50 %, every third with 4 trainings of its first network, which differ by 0.5 points."""
    rng, made = np.random.default_rng(0), list[Evaluation]()
    for number, at in enumerate(get_space("hnag-small").sample(rng, count)):
        mean = 0.05 + 0.45 * number / count
        for network in range(1, networks + 1):
            drawn = mean + deviation(mean) * rng.normal()
            for seed in range(4 if network == 1 and number % 3 == 0 else 1):
                error = float(np.clip(drawn + 0.005 * rng.normal(), 0.001, 0.999))
                made.append(evaluated(at, error, network=network, seed=seed))
    return made


class TestLuck:
    def test_variances_of_nested_draws_are_found_again(self) -> None:
        rng = np.random.default_rng(0)
        made = [
            [
                [mean + drawn + 0.02 * rng.normal() for _ in range(6 if first else 1)]
                for first, drawn in zip([True, *[False] * 5], 0.03 * rng.normal(size=6), strict=True)
            ]
            for mean in 0.3 + 0.06 * rng.normal(size=400)
        ]
        parts = np.array([0.06, 0.03, 0.02]) ** 2
        # 400 generators: their variance is known to 7 %, the others to less.
        assert shares(known_of(made)) == pytest.approx(parts / parts.sum(), abs=0.05)
        assert spread(known_of(made)) == pytest.approx([(0.03**2 + 0.02**2) ** 0.5, 0.02, 0.03], rel=0.08)

    @pytest.mark.parametrize(
        ("deviation", "verdict"),
        [
            (lambda mean: 0.2 * mean, "little: holds. After 24 epochs, networks of the best 10 of 40 generators"),
            (lambda mean: 0.005 / mean, "little: does not hold"),
            (lambda mean: 0.03, "little: cannot be told"),
        ],
    )
    def test_the_claim_is_judged_by_the_interval(
        self, deviation: Callable[[float], float], verdict: str, tmp_path: Path
    ) -> None:
        evidence = evidence_of(tmp_path / "log", generators(40, deviation))
        (drawn,) = drawn_generators(evidence)
        assert [len(one) for one in drawn.generators] == [6] * 40
        assert sorted(len(losses) for one in drawn.generators for losses in one) == [1] * 226 + [4] * 14
        exhibit = luck_of_generators(evidence)
        assert verdict in exhibit.finding
        assert "Without the luck of training, networks of the best quarter differ by" in exhibit.finding
        table, split = exhibit.tables
        assert table.numbers["with_several_trainings"][-1] == 14
        assert table.numbers["trainings"][-1] == pytest.approx(0.005, rel=0.3)
        assert sum(split.numbers["share"]) == pytest.approx(1)
        assert any(words.startswith("Memory hardly hangs on the draw") for words in exhibit.words)

    def test_without_repeats_of_training_their_luck_cannot_be_told(self, tmp_path: Path) -> None:
        made = [one for one in generators(12, lambda mean: 0.2 * mean) if one.seed == 0]
        exhibit = luck_of_generators(evidence_of(tmp_path / "log", made))
        assert "is the luck of training cannot be told" in exhibit.finding
        assert exhibit.missing == [
            "No network was trained several times at this budget: luck of training cannot be taken off."
        ]
        few = evidence_of(tmp_path / "few", made[:12])
        assert "how much good generators vary cannot be told" in luck_of_generators(few).missing[0]


class TestNoise:
    @given(st.lists(st.integers(0, 30), min_size=3, max_size=80))
    def test_what_one_configuration_has_is_held_out_together(self, groups: list[int]) -> None:
        of = np.array(groups)
        for part in partitions(of):
            assert all(len(set(part[of == group])) == 1 for group in set(groups))
            assert set(part) == set(range(min(3, len(set(groups)))))

    def test_each_evaluation_is_told_by_networks_that_have_not_seen_it(self) -> None:
        rng = np.random.default_rng(0)
        points = rng.random((90, 2))
        losses = points[:, 1] + 0.01 * 40 ** points[:, 0] * rng.normal(size=90)
        part = partitions(np.arange(90))
        found = held_out(points, losses, part, "repaired", burn_in=200, samples=12)
        assert np.isfinite(found.likelihoods).all()
        assert found.by_split.shape == (2, 12)
        mean, low, high = difference(found, np.arange(90))
        # Noise that grows 40-fold.
        assert low < mean < high < 0
        assert mean == pytest.approx(float(found.likelihoods[1].mean() - found.likelihoods[0].mean()))

    def test_a_difference_is_that_of_configurations_and_not_of_evaluations(self) -> None:
        likelihoods = np.zeros((2, 1, 4))
        likelihoods[1, 0] = [1.0, 1.0, 1.0, -1.0]
        found = HeldOut(likelihoods, likelihoods, np.zeros((1, 4), dtype=np.intp))
        assert difference(found, np.array([0, 0, 0, 1]))[0] == 0

    def test_both_priors_are_told(self, tmp_path: Path) -> None:
        evidence = evidence_of(tmp_path / "log", generators(30, lambda mean: 0.2 * mean, networks=2))
        exhibit = noise_models(evidence, burn_in=20, samples=8)
        assert exhibit.tables[0].numbers["priors"] == ["repaired", "published"]
        assert "with repaired priors this" in exhibit.finding
        assert "60 evaluations of 30 configurations after 24 epochs" in exhibit.words[0]
        few = evidence_of(tmp_path / "few", generators(5, lambda mean: 0.1))
        assert "cannot be told" in noise_models(few).missing[0]


def search(space: str, mean: float, count: int = 60) -> list[Evaluation]:
    """Of BOHB, a third at each budget."""
    rng = np.random.default_rng(0)
    made = []
    for number, at in enumerate(get_space(space).sample(rng, count)):
        budget = LADDER.rungs[number % 3]
        error = mean + 0.02 * abs(rng.normal())
        how: dict[str, Any] = {"budget": budget, "optimizer": "bohb", "trial": number, "space": space}
        made.append(evaluated(at, error, network=number + 1, **how))
    return made


class TestBeside:
    @pytest.mark.parametrize(
        ("theirs", "verdict"), [(0.1, "holds"), (0.02, "does not hold"), (0.05, "cannot be told with this evidence")]
    )
    def test_the_best_of_both_are_held_against_each_other(self, theirs: float, verdict: str, tmp_path: Path) -> None:
        mine = evidence_of(tmp_path / "hnag", search("hnag-small", 0.05))
        other = evidence_of(tmp_path / "rnag", search("rnag-small", theirs, 45), "rnag-small")
        exhibit = spaces_beside(mine, other)
        assert f"hnag-small is better than rnag-small: in error this {verdict} (" in exhibit.finding
        (table,) = exhibit.tables
        assert table.numbers["n_beside"] == [15, 15, 15]
        assert table.numbers["n"] == [15, 15, 15]
        assert table.numbers["memory_ratio"] == pytest.approx([1, 1, 1], abs=1e-4)
        assert table.numbers["best_difference"][-1] == pytest.approx(0.05 - theirs, abs=0.01)

    def test_what_cannot_be_held_against_each_other_is_said(self, tmp_path: Path) -> None:
        mine = evidence_of(tmp_path / "hnag", search("hnag-small", 0.05))
        assert "`--beside LOG`" in spaces_beside(mine, None).missing[0]
        random = [replace(one, provenance=Provenance(optimizer="random")) for one in search("rnag-small", 0.1)]
        other = evidence_of(tmp_path / "rnag", random, "rnag-small")
        assert "bohb has not searched rnag-small" in spaces_beside(mine, other).missing[0]
        elsewhere = replace(other, task=replace(other.task, images=replace(IMAGES, name="digits")))
        assert "other images, budgets or metrics" in spaces_beside(mine, elsewhere).missing[0]

    @given(st.lists(st.sampled_from(LADDER.rungs), min_size=1), st.lists(st.sampled_from(LADDER.rungs), min_size=1))
    def test_both_have_spent_no_more_than_the_shorter(self, first: list[float], second: list[float]) -> None:
        ours, theirs, spent = equally_long(pd.DataFrame({"budget": first}), pd.DataFrame({"budget": second}))
        assert max(ours["budget"].sum(), theirs["budget"].sum()) <= spent
        assert len(ours) == len(first) or len(theirs) == len(second)


def test_ranks_are_held_against_those_of_the_paper(tmp_path: Path) -> None:
    rng, made = np.random.default_rng(0), list[Evaluation]()
    for number, at in enumerate(get_space("hnag-small").sample(rng, 60)):
        for budget, noise in ((12.0, 0.3), (24.0, 0.005), (48.0, 0.005)):
            error = 0.3 + 0.3 * number / 60 + noise * float(rng.uniform())
            made.append(evaluated(at, error, budget=budget, optimizer="sobol"))
    exhibit = ranks_of_generators(evidence_of(tmp_path / "log", made))
    assert exhibit.finding.startswith(
        "Ranks after 24 and 48 epochs correlate to at least 0.8 (Spearman): of unselected "
    )
    assert "of unselected configurations this holds (" in exhibit.finding
    assert "of promoted configurations this cannot be told (0 were trained at both, 20 are needed)" in exhibit.finding


class TestFronts:
    QUICK = "nago-mobo:first=8:burn_in=40:again=10:samples=20:candidates=60"

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        out = tmp_path_factory.mktemp("fronts") / "both"
        jointbench.compare(
            "digits-cpu",
            [cls.QUICK, "random", "bohb"],
            objectives=["validation_error", "sample_memory"],
            seeds=2,
            full_budgets=8,
            workers=4,
            jobs=1,
            out=out,
            quiet=True,
        )
        return out

    @pytest.fixture(scope="class")
    @classmethod
    def digits(cls) -> Evidence:
        log = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
        return Evidence("digits-cpu", log.task, log.to_pandas())

    def test_hypervolumes_are_those_after_as_many_budgets(self, folder: Path, digits: Evidence) -> None:
        exhibit = fronts_at_equal_budgets(digits, folder)
        (table,) = exhibit.tables
        runs = read_trajectories(folder)
        total = min(float(run.budgets.sum()) for several in runs.values() for run in several if run.budgets is not None)
        found = dict(zip(table.numbers["optimizer"], table.numbers["at_0.5"], strict=True))
        for name, several in read_fronts(folder).items():
            at = []
            for run in several:
                assert run.budgets is not None
                rows = int((np.cumsum(run.budgets) <= 0.5 * total + 1e-6).sum())
                at.append(run.hypervolumes[rows - 1])
            assert found[name] == pytest.approx(np.mean(at))
        ours = table.numbers["optimizer"].index(self.QUICK)
        assert np.isnan(table.numbers["ours_less_it"][ours])
        assert "front is larger than that of bohb's points: on the surrogate, after" in exhibit.finding

    def test_what_was_seen_is_the_front_of_all_that_was(self, folder: Path) -> None:
        for run in read_fronts(folder)["random"]:
            table = pq.read_table(run_file(folder, "random", run.seed)).to_pandas()
            there = table[table["budget"].cumsum() <= 60]
            points = there[there["status"] == "ok"][["validation_error", "sample_memory"]].to_numpy(float)
            assert seen_share(run, 60.0) == pytest.approx(dominated(points[non_dominated(points)], run.sides))

    def test_what_is_missing_is_said(self, folder: Path, digits: Evidence, tmp_path: Path) -> None:
        assert "`--fronts COMPARISON`" in fronts_at_equal_budgets(digits, None).missing[0]
        other = evidence_of(tmp_path / "log", search("hnag-small", 0.05))
        assert "is not one of hnag-small" in fronts_at_equal_budgets(other, folder).missing[0]


class TestCall:
    def test_five_claims_become_a_page_and_tables(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # Its networks are fitted elsewhere.
        monkeypatch.setattr(noise_models_module, "FEWEST", 100)
        made = [*generators(20, lambda mean: 0.2 * mean), *search("hnag-small", 0.05)]
        log = log_of(tmp_path / "hnag", made)
        other = log_of(tmp_path / "rnag", search("rnag-small", 0.1), "rnag-small")
        out = tmp_path / "out"
        words = ["analyse", str(log.path), "--claims", "nago", "--beside", str(other.path), "--out", str(out)]
        main([*words, "--format", "csv,latex"])
        said = capsys.readouterr().out
        assert "Good generators vary little: holds." in said
        assert "hnag-small is better than rnag-small: in error this holds" in said
        assert "cannot be told" in said
        frame = pd.read_csv(out / "luck_of_generators.csv")
        assert list(frame["generators"]) == ["the best quarter", "the others", "the better half", "all"]
        page = (out / "analysis.html").read_text(encoding="utf-8")
        assert page.count('class="lead"') == 3

    def test_claims_are_of_generators(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="evidence of generators"):
            jointbench.analyse("digits-cpu", claims="nago")
        with pytest.raises(InputError, match="expected claims beside it"):
            jointbench.analyse("digits-cpu", fronts=tmp_path)
