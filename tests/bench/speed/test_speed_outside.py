"""What the speed program says of the seconds beside an evaluation's budget."""

import pytest
import torch
from test_trainer import SMALL, watch

from jointbench.bench.speed.outside import BUDGET, beside_the_budget, curve_points
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.hardware import Hardware
from jointbench.data.images.registry import load_images


@pytest.fixture(scope="module")
def digits() -> DeviceImages:
    torch.set_num_threads(1)
    return DeviceImages(load_images("digits"), torch.device("cpu"))


@pytest.mark.parametrize("beat", [0.005, 0.1, 2.0])
def test_it_counts_the_validation_passes_that_the_trainer_makes(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch, beat: float
) -> None:
    evaluation = watch(monkeypatch, digits, 1.5, beat=beat).evaluation
    assert curve_points(1.5, beat, 64, digits) == len(evaluation.curve.seconds)


def test_all_that_is_beside_the_budget_is_counted(digits: DeviceImages) -> None:
    figures, (words, evaluated) = beside_the_budget(SMALL, 16, digits, Hardware(), 0.2)
    parts = ("set_up", "warm_up", "batches", "validation", "test", "checkpoints")
    seconds = [figures[f"outside_{part}_seconds"] for part in parts]
    assert all(second > 0 for second in seconds)
    assert figures["outside_share"] == pytest.approx(sum(seconds) / BUDGET)
    assert f"{figures['outside_share']:.1%}" in words
    # The step that reaches the budget is the last.
    assert 0.2 <= figures["evaluation_training_seconds"] < figures["evaluation_wall_seconds"]
    assert f"{figures['evaluation_wall_seconds']:.1f} s" in evaluated
