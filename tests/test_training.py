"""Schedule, augmentation and trainer, on the real digits with budgets of tenths of seconds."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from jointbench.bench.augmentation import Batches, DeviceImages, cutout_side, padding
from jointbench.bench.schedule import CosineRestarts
from jointbench.bench.trainer import Hardware, train
from jointbench.data.errors import BudgetError, ConfigurationError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images import ImageData, Part, load_images
from jointbench.data.joint import JOINT
from jointbench.data.ladder import Ladder

TINY = {
    **JOINT.named["zela-2018"],
    "learning_rate": 0.1,
    "batch_size": 64,
    "filters": 8,
    **{f"res_blocks_{i}": 1 for i in (1, 2, 3)},
    **{f"res_branches_{i}": 2 for i in (1, 2, 3)},
    **{f"widen_factor_{i}": 1.0 for i in (1, 2, 3)},
}
SECONDS, EPOCHS = Ladder(0.2, 0.6), Ladder(0.5, 1.5, unit="epochs")


@pytest.fixture(scope="session")
def digits() -> DeviceImages:
    torch.set_num_threads(1)
    return DeviceImages(load_images("digits"), torch.device("cpu"))


def painted(side: int = 32, count: int = 300) -> DeviceImages:
    """Every pixel its own number, in three channels, so that crops and flips can be read off."""
    pixels = np.arange(side * side).reshape(1, 1, side, side) // 4 + 1
    images = np.broadcast_to(pixels, (count, 3, side, side)).astype(np.uint8)
    part = Part(images, np.arange(count) % 10)
    return DeviceImages(
        ImageData("painted", 10, part, part.take(np.arange(5)), part.take(np.arange(7))), torch.device("cpu")
    )


def trained(
    digits: DeviceImages, budget: float = 0.2, ladder: Ladder = SECONDS, seed: int = 0, **changed: Any
) -> Evaluation:
    memory = changed.pop("memory", None)
    configuration = {**TINY, **changed}
    return train(JOINT, configuration, budget, seed, ladder=ladder, images=digits, hardware=Hardware(memory=memory))


class TestSchedule:
    @pytest.mark.parametrize(
        ("rung", "budget", "first"), [(0, 400, 400), (1, 1200, 400), (2, 3600, 514.2857), (3, 10800, 720)]
    )
    def test_the_budget_ends_at_the_end_of_a_cycle(self, rung: int, budget: float, first: float) -> None:
        schedule = CosineRestarts(budget, rung)
        assert schedule.length == pytest.approx(first, abs=1e-4)
        assert schedule.length * sum(2**k for k in range(rung + 1)) == pytest.approx(budget)

    def test_falls_from_one_to_zero_along_a_cosine_and_restarts_twice_as_long(self) -> None:
        schedule = CosineRestarts(300.0, 1)
        factors = []
        for _ in range(300):
            factors.append(schedule.factor)
            schedule.advance(1.0)
        expected = [0.5 * (1 + math.cos(math.pi * t / 100)) for t in range(100)]
        expected += [0.5 * (1 + math.cos(math.pi * t / 200)) for t in range(200)]
        np.testing.assert_allclose(factors, expected, atol=1e-12)

    def test_what_runs_over_a_restart_is_discarded(self) -> None:
        schedule = CosineRestarts(300.0, 1)
        schedule.advance(130.0)
        assert schedule.factor == 1.0
        assert schedule.length == 200.0


class TestAugmentation:
    def test_padding_and_cutout_keep_the_papers_proportion(self) -> None:
        assert [padding(side) for side in (32, 28, 8)] == [4, 4, 1]
        assert [cutout_side(20, side) for side in (32, 8)] == [20, 5]
        assert cutout_side(0, 32) == 0

    def test_crops_reach_every_offset_and_half_are_flipped(self) -> None:
        images = painted()
        padded = images.training.images[0]
        crops = images.crop_and_flip(torch.zeros(2000, dtype=torch.int64))
        wanted = {
            (top, left, flip): (
                padded[:, top : top + 32, left : left + 32].flip(2)
                if flip
                else padded[:, top : top + 32, left : left + 32]
            )
            for top in range(9)
            for left in range(9)
            for flip in (False, True)
        }
        keys = {tensor.numpy().tobytes(): key for key, tensor in ((k, t.contiguous()) for k, t in wanted.items())}
        seen = [keys[crop.contiguous().numpy().tobytes()] for crop in crops]
        assert {key[:2] for key in seen} == {(t, left) for t in range(9) for left in range(9)}
        # 2,000 flips: a standard error of 0.011.
        assert np.mean([key[2] for key in seen]) == pytest.approx(0.5, abs=0.05)

    def test_images_are_normalised_by_the_training_part(self, digits: DeviceImages) -> None:
        pad = digits.pad
        inner = digits.normalise(digits.training.images[:, :, pad:-pad, pad:-pad])
        assert inner.mean().item() == pytest.approx(0, abs=1e-5)
        assert inner.std().item() == pytest.approx(1, abs=1e-4)

    def test_cutout_fills_one_clipped_square_with_the_mean(self) -> None:
        images = painted()
        cut = images.cut_out(torch.ones(500, 3, 32, 32), 20)
        holes = (cut == 0).all(dim=1)
        assert ((cut == 0).any(dim=1) == holes).all()
        heights = holes.any(dim=2).sum(dim=1)
        widths = holes.any(dim=1).sum(dim=1)
        assert (holes.sum(dim=(1, 2)) == heights * widths).all()
        assert heights.max() == widths.max() == 20
        # Centres lie anywhere, so a square at the border is cut down to as little as half.
        assert heights.min() == widths.min() == 10

    def test_cutout_of_length_0_is_off(self) -> None:
        ones = torch.ones(4, 3, 32, 32)
        assert painted().cut_out(ones, 0) is ones

    def test_every_image_comes_once_an_epoch(self) -> None:
        images = painted(count=100)
        images.training.labels[:] = torch.arange(100)
        batches = Batches(images, 32, 0, 0.0, np.random.default_rng(0))
        labels = torch.cat([batches.next().labels for _ in range(25)])
        for epoch in labels.reshape(8, 100):
            assert sorted(epoch.tolist()) == list(range(100))

    def test_mixup_mixes_images_and_losses_alike(self) -> None:
        images = painted(count=64)
        batch = Batches(images, 32, 0, 1.0, np.random.default_rng(0)).next()
        assert 0 < batch.share < 1
        logits = torch.randn(32, 10)
        losses = [torch.nn.functional.cross_entropy(logits, labels) for labels in (batch.labels, batch.other_labels)]
        torch.testing.assert_close(batch.loss(logits), batch.share * losses[0] + (1 - batch.share) * losses[1])

    def test_mixup_alpha_0_is_off(self) -> None:
        assert Batches(painted(), 32, 0, 0.0, np.random.default_rng(0)).next().share == 1.0

    def test_shares_follow_the_beta_distribution(self) -> None:
        batches = Batches(painted(count=40), 32, 0, 0.5, np.random.default_rng(0))
        shares = np.array([batches.next().share for _ in range(400)])
        # Beta(1/2, 1/2): mean 1/2, variance 1/8; standard errors of 400 draws are 0.018 and 0.004.
        assert shares.mean() == pytest.approx(0.5, abs=0.08)
        assert shares.var() == pytest.approx(0.125, abs=0.02)


class TestTrainer:
    def test_an_outcome_says_everything(self, digits: DeviceImages) -> None:
        evaluation = trained(digits)
        assert evaluation.status is Status.OK, evaluation.reason
        assert 0.2 <= evaluation.training_seconds <= evaluation.wall_seconds
        assert evaluation.epochs == pytest.approx(evaluation.steps * 64 / 1348)
        assert evaluation.images_per_second == pytest.approx(evaluation.steps * 64 / evaluation.training_seconds)
        assert evaluation.parameters == JOINT.facts(TINY, (1, 8, 8), 10).parameters
        assert 0 <= evaluation.validation_error < 1
        # Errors are counted on 150 and 299 images.
        assert evaluation.validation_error * 150 == pytest.approx(round(evaluation.validation_error * 150))
        assert evaluation.test_error * 299 == pytest.approx(round(evaluation.test_error * 299))
        assert evaluation.provenance.images == "digits"
        assert evaluation.provenance.clock == "measured"

    def test_the_curve_ends_with_the_reported_error_and_its_seconds_rise(self, digits: DeviceImages) -> None:
        evaluation = trained(digits, 0.6)
        curve = evaluation.curve
        assert curve.validation_error[-1] == evaluation.validation_error
        assert curve.seconds[-1] == evaluation.training_seconds
        assert list(curve.seconds) == sorted(curve.seconds)
        assert (
            len({len(part) for part in (curve.seconds, curve.epochs, curve.training_loss, curve.validation_error)}) == 1
        )

    def test_it_learns(self, digits: DeviceImages) -> None:
        # Guessing is 0.9; six epochs of the small network reach 0.2 to 0.5 (five seeds).
        learned = trained(digits, 6.0, Ladder(2, 6, unit="epochs"), cutout_length=0, mixup_alpha=0.0, momentum=0.9)
        assert learned.validation_error < 0.7

    def test_a_budget_in_epochs_is_kept_to_a_batch(self, digits: DeviceImages) -> None:
        evaluation = trained(digits, 1.5, EPOCHS)
        assert 1.5 <= evaluation.epochs < 1.5 + 64 / 1348

    def test_the_same_seed_gives_the_same_bits_and_another_seed_others(self, digits: DeviceImages) -> None:
        first, again, other = (trained(digits, 0.5, EPOCHS, seed=seed) for seed in (3, 3, 4))
        assert first.curve.training_loss == again.curve.training_loss
        assert (first.validation_error, first.test_error) == (again.validation_error, again.test_error)
        assert first.curve.training_loss != other.curve.training_loss

    def test_divergence_is_an_outcome(self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = DeviceImages(load_images("digits"), torch.device("cpu"))
        broken.mean = broken.mean * float("nan")
        evaluation = trained(broken)
        assert evaluation.status is Status.DIVERGED
        assert evaluation.validation_error == evaluation.test_error == pytest.approx(0.9)
        assert "not finite" in evaluation.reason

    def test_running_out_of_memory_is_an_outcome(self, digits: DeviceImages) -> None:
        beforehand = trained(digits, memory=10_000)
        assert beforehand.status is Status.OUT_OF_MEMORY
        assert beforehand.steps == 0
        # Room for the weights, but not for what the first steps of a wide network need.
        large = {f"widen_factor_{i}": 6.0 for i in (1, 2)} | {"res_branches_1": 5, "batch_size": 128}
        later = trained(digits, memory=60 * 2**20, **large)
        assert later.status is Status.OUT_OF_MEMORY, later.reason
        assert later.validation_error == pytest.approx(0.9)
        assert later.peak_memory > 60 * 2**20

    def test_what_the_machine_cannot_hold_is_an_outcome(self, digits: DeviceImages) -> None:
        # Some 7 billion parameters: refused by arithmetic, before anything is allocated.
        huge = {f"widen_factor_{i}": 8.0 for i in (1, 2, 3)} | {f"res_blocks_{i}": 16 for i in (1, 2, 3)}
        evaluation = trained(digits, filters=32, **huge)
        assert evaluation.status is Status.OUT_OF_MEMORY
        assert "available" in evaluation.reason

    def test_taking_far_too_long_is_an_outcome(self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("jointbench.bench.trainer.PATIENCE", 0.0)
        monkeypatch.setattr("jointbench.bench.trainer.GRACE", 0.05)
        evaluation = trained(digits)
        assert evaluation.status is Status.TIMEOUT
        assert evaluation.validation_error == pytest.approx(0.9)
        assert 0 < evaluation.training_seconds < 0.2

    def test_a_crash_is_an_outcome_with_its_reason(self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(self: Any, indices: Any) -> Any:
            raise ValueError("the disk is on fire")

        monkeypatch.setattr(DeviceImages, "crop_and_flip", broken)
        evaluation = trained(digits)
        assert evaluation.status is Status.CRASHED
        assert evaluation.reason == "ValueError: the disk is on fire"

    def test_bad_input_is_refused_before_anything_is_trained(self, digits: DeviceImages) -> None:
        with pytest.raises(BudgetError, match="budget"):
            trained(digits, 0.3)
        with pytest.raises(ConfigurationError, match="momentum"):
            trained(digits, momentum=1.5)

    def test_weight_decay_and_momentum_reach_every_parameter(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[torch.optim.SGD] = []

        class Spied(torch.optim.SGD):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                made.append(self)

        monkeypatch.setattr(torch.optim, "SGD", Spied)
        evaluation = trained(digits, weight_decay=5e-4, momentum=0.7)
        (group,) = made[0].param_groups
        assert sum(p.numel() for p in group["params"]) == evaluation.parameters
        assert (group["weight_decay"], group["momentum"], group["nesterov"]) == (5e-4, 0.7, True)
        # At the end of the last cycle the rate has come down to nearly nothing.
        assert group["lr"] < 0.05
