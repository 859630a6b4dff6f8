"""A collection as a plan: its parts choose what they say, once, and no comparison meets their seeds."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.collecting.evidence import EvidencePlan, Part, has_ended, optimizer_of
from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images.registry import known_facts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import VALIDATION_ERROR
from jointbench.data.reference_clock import reference_clock
from jointbench.data.seeds import collection_seed, comparison_seed, training_seed
from jointbench.data.spaces.joint import JOINT_SMALL
from jointbench.optimizers.optimizer import Optimizer, Trial
from jointbench.surrogate.stored import load_benchmark, released

LADDER = Ladder(3, 81)
SHIPPED = Path(__file__).parents[3] / "evidence" / "fashion-small" / "plan.toml"


def _errors(error: float) -> dict[str, float]:
    return {"validation_error": error, "test_error": error}


def trials_of(optimizer: Optimizer) -> list[Trial]:
    return list(iter(optimizer.ask, None))


@pytest.fixture
def log(tmp_path: Path) -> EvaluationLog:
    """60 configurations at the two largest rungs, with errors in the order in which they were drawn."""
    log = EvaluationLog.open_or_create(tmp_path / "log", JOINT_SMALL, LADDER, known_facts("fashion-mnist-8"))
    configurations = JOINT_SMALL.sample(np.random.default_rng(0), 60)
    log.append(
        [
            Evaluation(JOINT_SMALL.name, configuration, budget, 100 * number + int(budget), Status.OK, _errors(error))
            for number, configuration in enumerate(configurations)
            for budget in (27.0, 81.0)
            for error in [0.1 + number / 100]
        ]
    )
    return log


@pytest.mark.parametrize("path", sorted(SHIPPED.parents[1].glob("*/plan.toml")), ids=lambda path: str(path.parent.name))
def test_every_plan_of_the_repository_names_a_clock_that_ships_and_a_log_of_its_parts(path: Path) -> None:
    plan = EvidencePlan.read(path)
    assert reference_clock(plan.clock)
    log = EvaluationLog.open(path.parent / "log")
    assert (log.space, log.ladder, log.task.images) == (plan.space, plan.ladder, known_facts(plan.images))
    begun = {path.stem for path in log.journals.glob("*.journal")}
    assert begun
    assert begun <= {part.name for part in plan.parts}


def test_the_plan_that_ships_can_be_read_and_has_every_part(log: EvaluationLog) -> None:
    plan = EvidencePlan.read(SHIPPED)
    assert [part.kind for part in plan.parts] == [
        "sobol",
        *["search"] * 6,
        "near-best",
        "replicates",
        "replicates",
        "surprises",
        "ends",
        "near-surprises",
        "replicates",
        *["search"] * 3,
    ]
    assert (plan.space, plan.ladder) == (JOINT_SMALL, LADDER)
    # Replicates at rungs that this log does not have, and what wants a teacher or a benchmark, come after.
    for part in plan.parts[:-8]:
        optimizer_of(part, log)


def test_a_sobol_part_trains_each_configuration_at_all_rungs(log: EvaluationLog) -> None:
    part = Part("sobol-1", "sobol", 1, {"configurations": 20, "repeats": [2, 2, 1, 1]})
    optimizer, full_budgets = optimizer_of(part, log)
    trials = trials_of(optimizer)
    assert Counter(t.budget for t in trials) == {3.0: 40, 9.0: 40, 27.0: 20, 81.0: 20}
    assert full_budgets == sum(t.budget for t in trials) / 81
    points = JOINT_SMALL.encode(JOINT_SMALL.rows([t.configuration for t in trials[::6]]))
    # Of the first 16 points of a Sobol sequence each half of each axis has 8; float axes keep that.
    floats = [i for i, h in enumerate(JOINT_SMALL.hyperparameters) if not h.integer]
    assert ((points[:16, floats] < 0.5).sum(axis=0) == 8).all()


def test_a_part_has_ended_when_no_trial_is_left_to_it(log: EvaluationLog) -> None:
    part = Part("sobol-1", "sobol", 1, {"configurations": 3, "repeats": [1, 1, 0, 1]})
    optimizer, full_budgets = optimizer_of(part, log)
    trials = trials_of(optimizer)
    for number, trial in enumerate(trials):
        # What others have trained is none of it.
        assert not has_ended(part, log, full_budgets)
        made = Evaluation(JOINT_SMALL.name, trial.configuration, trial.budget, number, Status.OK, _errors(0.5))
        log.append([replace(made, trial=number, provenance=replace(made.provenance, run="sobol-1"))])
    assert has_ended(part, log, full_budgets)
    assert not has_ended(part, log, full_budgets + 1)


def test_what_a_part_has_chosen_stays_chosen(log: EvaluationLog) -> None:
    part = Part("near-best-8", "near-best", 8, {"configurations": 9, "best": 0.1, "distance": [0.05, 0.2], "below": 3})
    first = trials_of(optimizer_of(part, log)[0])
    log.append([Evaluation(JOINT_SMALL.name, first[0].configuration, 81.0, 5, Status.OK, _errors(0.0))])
    again = trials_of(optimizer_of(part, log)[0])
    assert [(t.configuration, t.budget) for t in first] == [(t.configuration, t.budget) for t in again]


def test_neighbours_lie_near_one_of_the_best(log: EvaluationLog) -> None:
    part = Part("near-best-8", "near-best", 8, {"configurations": 40, "best": 0.1, "distance": [0.05, 0.2], "below": 7})
    trials = trials_of(optimizer_of(part, log)[0])
    assert Counter(t.budget for t in trials) == {27.0: 7, 81.0: 40}
    best = JOINT_SMALL.encode(JOINT_SMALL.rows(JOINT_SMALL.sample(np.random.default_rng(0), 6)))
    floats = [i for i, h in enumerate(JOINT_SMALL.hyperparameters) if not h.integer]
    points = JOINT_SMALL.encode(JOINT_SMALL.rows([t.configuration for t in trials if t.budget == 81.0]))
    away = np.linalg.norm((points[:, None] - best[None])[:, :, floats], axis=2).min(axis=1)
    # Over the axes that do not round, so no farther than the whole.
    assert away.max() <= 0.2 + 1e-9


def test_replicates_are_brought_up_to_so_many_different_seeds(log: EvaluationLog) -> None:
    options = {"configurations": 12, "seeds": 3, "rungs": [27, 81], "from_best": 0.5}
    trials = trials_of(optimizer_of(Part("replicates-9", "replicates", 9, options), log)[0])
    # One of the three is there at each rung.
    assert Counter(t.budget for t in trials) == {27.0: 24, 81.0: 24}
    ranks = {tuple(c.values()): n for n, c in enumerate(JOINT_SMALL.sample(np.random.default_rng(0), 60))}
    chosen = sorted({ranks[tuple(t.configuration.values())] for t in trials})
    assert chosen[:6] == [0, 1, 2, 3, 4, 5]
    assert chosen[-1] == 59
    with pytest.raises(LogError, match="70 configurations"):
        optimizer_of(Part("replicates-9x", "replicates", 9, {**options, "configurations": 70}), log)


def test_surprises_are_what_lost_more_than_all_others_say_at_the_largest_rung(tmp_path: Path) -> None:
    shipped = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
    best = min((e for e in shipped.evaluations() if e.budget == shipped.ladder.maximum), key=VALIDATION_ERROR.loss_of)
    log = EvaluationLog.open_or_create(tmp_path / "log", shipped.space, shipped.ladder, shipped.images)
    log.append([replace(e, metrics={**e.metrics, **_errors(0.9)}) if e == best else e for e in shipped.evaluations()])
    options = {"configurations": 1, "seeds": 2}
    trials = trials_of(optimizer_of(Part("surprises-12", "surprises", 12, options), log)[0])
    assert [(trial.configuration, trial.budget) for trial in trials] == [(best.configuration, 27.0)] * 2
    near = {"configurations": 3, "surprises": 1, "distance": [0.1, 0.2]}
    trials = trials_of(optimizer_of(Part("near-surprises-13", "near-surprises", 13, near), log)[0])
    points = log.space.encode([best.configuration, *(trial.configuration for trial in trials)])
    assert [trial.budget for trial in trials] == [27.0] * 3
    # Integers round by up to half a step of theirs.
    assert ((np.abs(points[1:] - points[0]).max(axis=1) > 0) & (np.abs(points[1:] - points[0]).max(axis=1) < 0.4)).all()


def test_a_part_of_ends_trains_what_the_benchmark_promises_most_of(log: EvaluationLog) -> None:
    options = {"benchmark": "fashion-small", "optimizers": ["random"], "runs": 2, "full_budgets": 1.0}
    trials = trials_of(optimizer_of(Part("ends-11", "ends", 11, options), log)[0])
    assert [trial.budget for trial in trials] == [81.0] * 4
    promised = load_benchmark("fashion-small").query_batch([trial.configuration for trial in trials], 81.0)
    incumbents, climbed = promised.validation_error[::2], promised.validation_error[1::2]
    assert (climbed < incumbents).all()
    assert trials[0].configuration != trials[2].configuration


def test_ends_are_those_of_a_benchmark_of_the_same_problem(log: EvaluationLog) -> None:
    options = {"benchmark": "digits-cpu", "optimizers": ["random"], "runs": 1, "full_budgets": 1.0}
    with pytest.raises(InputError, match="benchmark of ends-11"):
        optimizer_of(Part("ends-11", "ends", 11, options), log)


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**20 - 1), st.integers(0, 2**20 - 1))
def test_seeds_of_comparisons_never_meet_those_of_collections(a: int, b: int, m: int, n: int) -> None:
    assert comparison_seed(a) != collection_seed(b) < 2**32
    assert training_seed(comparison_seed(a), m) != training_seed(collection_seed(b), n) < 2**63


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_outside_the_stream_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match="seed"):
        collection_seed(seed)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('kind = "sobol"', 'kind = "halton"'), "halton"),
        (("repeats = [2, 2, 1, 1]", "repeats = 3"), "repeats"),
        (("seed = 3", "seed = -3"), "-3"),
        (("full_budgets = 80", "budgets = 80"), "budgets"),
        (("memory = 2.0", 'memory = "all"'), "memory"),
        (('optimizer = "bohb"\nseed = 3', 'optimizer = "hyperband"\nseed = 2'), "hyperband-2"),
        (("[[part]]", "[[part"), "TOML"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused_by_name(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "plan.toml"
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(InputError, match=named):
        EvidencePlan.read(path)
