"""What `jointbench plan` foretells."""

import pytest

from jointbench.bench.collecting.plan import memory_needed, plan, shares_that_do_not_fit
from jointbench.cli import main
from jointbench.data.evaluation import Status
from jointbench.data.images.registry import known_facts, load_images
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.registry import get_space
from jointbench.surrogate.stored import released

PAPER = "plan --images cifar10 --ladder 400,1200,3600,10800 --optimizer bohb --full-budgets 256 --workers 10"


def test_the_papers_search_is_256_budgets_in_1132_evaluations(capsys: pytest.CaptureFixture[str]) -> None:
    main(PAPER.split())
    out = capsys.readouterr().out
    assert "1,132 evaluations" in out
    for number, rung in ((486, 400), (306, 1200), (204, 3600), (136, 10800)):
        assert f"{number} at {rung} seconds" in out
    # 256 x 10,800 s are 32 days; ten workers cannot do it in less than a tenth.
    assert "32 GPU-days" in out


def test_a_budget_of_one_second_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "--images", "digits", "--ladder", "1,3", "--full-budgets", "2"])
    out = capsys.readouterr().out
    assert " at 1 second\n" in out
    assert " at 3 seconds\n" in out


def test_ten_workers_take_a_little_more_than_a_tenth() -> None:
    made = plan(
        JOINT,
        Ladder(400, 10800),
        known_facts("cifar10"),
        optimizer="hyperband",
        full_budgets=256,
        workers=10,
        precision="fp32",
    )
    assert made.total == 256 * 10800
    assert made.total / 10 <= made.makespan <= 1.1 * made.total / 10


def test_in_epochs_it_counts_images(capsys: pytest.CaptureFixture[str]) -> None:
    main(
        [
            "plan",
            "--images",
            "digits",
            "--ladder",
            "1,3epochs",
            "--full-budgets",
            "10",
            "--optimizer",
            "random",
            "--memory",
            "8",
        ]
    )
    out = capsys.readouterr().out
    assert "10 at 3 epochs" in out
    assert f"{30 * 1348:,} images" in out
    assert "into 8 GiB" in out
    assert "GPU-days" not in out


def test_the_more_memory_the_more_fits() -> None:
    needed, parameters = memory_needed(JOINT, known_facts("cifar10"), "fp32")
    shares = shares_that_do_not_fit(needed, [2**30 * size for size in (1, 4, 16, 64)])
    assert shares == sorted(shares, reverse=True)
    assert 0 < shares[-1] < shares[0] < 1
    assert (needed >= 12 * parameters).all()
    half, _ = memory_needed(JOINT, known_facts("cifar10"), "bf16")
    assert (half < needed).all()


def test_memory_is_known_of_a_space_whose_recipe_has_the_batch() -> None:
    space = get_space("hnag-small")
    needed, parameters = memory_needed(space, known_facts("digits"), "fp32")
    assert "batch_size" not in space.names
    assert (needed > 12 * parameters).all()


def test_the_estimate_tells_what_ran_out_of_memory_in_the_released_log() -> None:
    log = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet")
    evaluations = list(log.evaluations())
    rows = JOINT.rows(e.configuration for e in evaluations)
    facts = JOINT.facts(rows, log.images.shape, log.images.classes)
    needed = 12 * facts.parameters + 8 * facts.activations * rows[:, JOINT.names.index("batch_size")]
    ran_out = [e.status is Status.OUT_OF_MEMORY for e in evaluations]
    wrong = sum((need > 2**30) != out for need, out in zip(needed, ran_out, strict=True))
    # 1 in 100: those within a third of the limit may go either way.
    assert wrong <= len(evaluations) / 100


@pytest.mark.parametrize("name", ["digits"])
def test_the_known_facts_are_those_of_the_data(name: str) -> None:
    assert known_facts(name) == load_images(name).facts


@pytest.mark.parametrize(("words", "said"), [("--images mnist", "mnist"), ("--optimizer magic", "magic")])
def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str], words: str, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*PAPER.split(), *words.split()])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
