"""How much of a generator's error is luck: what is collected to say so."""

from collections import Counter
from pathlib import Path

import pytest

from jointbench.bench.collecting.evidence import EvidencePlan, Part, optimizer_of
from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration, Evaluation, Status
from jointbench.data.images.registry import known_facts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.registry import get_space
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Optimizer
from jointbench.optimizers.several_draws import SeveralDraws

SPACE, LADDER = get_space("hnag-small"), Ladder.parse("12,24,48epochs")
OPTIONS = {"configurations": 3, "architectures": 4, "trained": 2, "trainings": 3, "rung": 24.0}


class ByDraw:
    """An error that says with which network and seed it was."""

    space, ladder = SPACE, LADDER

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, architecture_seed: int = 0
    ) -> Evaluation:
        error = (architecture_seed % 1000) / 1000
        metrics = {"validation_error": error, "wall_seconds": 1.0}
        return Evaluation(
            SPACE.name, configuration, budget, seed, Status.OK, metrics, architecture_seed=architecture_seed
        )


def evaluations(optimizer: Optimizer, full_budgets: float) -> list[Evaluation]:
    ended = run(optimizer, SimulatedCluster(ByDraw(), 2), LADDER, seed=5, full_budgets=full_budgets)
    return [finished.evaluation for finished in ended]


@pytest.fixture
def log(tmp_path: Path) -> EvaluationLog:
    return EvaluationLog.open_or_create(tmp_path / "log", SPACE, LADDER, known_facts("digits-halves"), SPACE.metrics)


def test_networks_differ_within_a_configuration_and_trainings_within_a_network(log: EvaluationLog) -> None:
    part = Part("draws-2", "draws", 2, OPTIONS)
    found = evaluations(*optimizer_of(part, log))
    assert len(found) == 3 * 4 + 2 * 2
    assert {one.budget for one in found} == {24.0}
    networks = Counter(one.architecture_seed for one in found)
    assert sorted(networks.values()) == [1] * 10 + [3] * 2
    assert len({one.seed for one in found}) == len(found)
    assert len({tuple(one.configuration.values()) for one in found}) == 3
    # The choice is kept with its seeds.
    again = evaluations(*optimizer_of(part, log))
    assert [one.architecture_seed for one in again] == [one.architecture_seed for one in found]


def test_a_part_whose_numbers_grew_goes_on_with_what_they_add(log: EvaluationLog) -> None:
    """So that a run that has made its first trials can go on."""
    part = Part("draws-2", "draws", 2, OPTIONS)
    made = [(one.configuration, one.architecture_seed) for one in evaluations(*optimizer_of(part, log))]
    grown = Part("draws-2", "draws", 2, {**OPTIONS, "configurations": 4, "trainings": 5})
    more = [(one.configuration, one.architecture_seed) for one in evaluations(*optimizer_of(grown, log))]
    assert more[: len(made)] == made
    assert len(more) == 4 * 4 + 2 * 4
    # Fewer than are kept take nothing away.
    assert len(evaluations(*optimizer_of(part, log))) == len(more)


def test_a_space_that_draws_nothing_has_no_draws(tmp_path: Path) -> None:
    joint = get_space("joint-small")
    log = EvaluationLog.open_or_create(tmp_path / "log", joint, LADDER, known_facts("digits"))
    with pytest.raises(InputError, match="a space whose networks are drawn"):
        optimizer_of(Part("draws-2", "draws", 2, OPTIONS), log)


@pytest.mark.parametrize(
    ("name", "evaluated"), [("hnag-digits", 260 + 40 * 8 + 10 * 7 + 3 * 80), ("rnag-digits", 260 + 20 * 4 + 10 * 3)]
)
def test_the_plans_are_those_of_the_notes(name: str, evaluated: int, tmp_path: Path) -> None:
    plan = EvidencePlan.read(Path(__file__).parents[3] / "evidence" / name / "plan.toml")
    log = EvaluationLog.open_or_create(
        tmp_path / "log", plan.space, plan.ladder, known_facts(plan.images), plan.space.metrics
    )
    counted = 0
    for part in plan.parts:
        optimizer, full_budgets = optimizer_of(part, log)
        found = evaluations(optimizer, full_budgets) if plan.space == SPACE or part.kind == "draws" else []
        if part.kind == "search" and part.options["optimizer"] == "bohb":
            assert full_budgets == 160
            counted += 260
            assert not found or len(found) == 260
        else:
            counted += len(found)
    assert counted == evaluated


def test_an_optimizer_hears_of_the_mean_of_several_draws() -> None:
    inner = make_optimizer("random", SPACE, LADDER, seed=0, full_budgets=6)
    heard: list[Evaluation] = []
    tell = inner.tell
    inner.tell = lambda trial, evaluation: (heard.append(evaluation), tell(trial, evaluation))[1]  # type: ignore
    found = evaluations(SeveralDraws(inner, 3), 6)
    assert len(found) == 6
    assert len({tuple(one.configuration.values()) for one in found}) == 2
    assert len({one.architecture_seed for one in found}) == 6
    for one, several in zip(heard, (found[:3], found[3:]), strict=True):
        assert one.validation_error == pytest.approx(sum(e.validation_error for e in several) / 3)


def test_a_mean_with_a_failure_is_a_failure() -> None:
    inner = make_optimizer("random", SPACE, LADDER, seed=0, full_budgets=6)
    several = SeveralDraws(inner, 2)
    first, second = several.ask(), several.ask()
    assert first is not None
    assert second is not None
    assert first is not second
    heard: list[Evaluation] = []
    inner.tell = lambda trial, evaluation: heard.append(evaluation)  # type: ignore[method-assign]
    ended = ByDraw()(first.configuration, first.budget, 1, 5)
    several.tell(second, ended.failing(Status.DIVERGED, "no"))
    assert not heard
    several.tell(first, ended)
    assert [one.status for one in heard] == [Status.DIVERGED]
