"""What becomes of each image of a batch: its crop, its statistics, its square, its partner, its label."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from jointbench.bench.training.augmentation import Batches, DeviceImages, cutout_side
from jointbench.bench.training.devices.cpu import Processor
from jointbench.data.images.facts import PHOTOGRAPHS, Augmentation
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.images.registry import load_images

CPU = torch.device("cpu")

#: Images that are made at once: a batch on a processor, several on a GPU.
either_way = pytest.mark.parametrize("ahead", [1, 256], indirect=True)


@pytest.fixture
def ahead(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(Processor, "images_ahead", request.param)
    return int(request.param)


def uploaded(images: np.ndarray, labels: np.ndarray) -> DeviceImages:
    part = Part(images.astype(np.uint8), labels.astype(np.int64))
    return DeviceImages(ImageData("painted", 10, part, part.take(np.arange(5)), part.take(np.arange(7))), CPU)


def with_augmentation(augmentation: Augmentation, side: int = 32) -> DeviceImages:
    """One image, whose pixels differ, as a data set that wants this augmentation."""
    pixels = (np.arange(side * side).reshape(1, 1, side, side) % 251).astype(np.uint8)
    part = Part(pixels, np.zeros(1, dtype=np.int64))
    return DeviceImages(ImageData("one", 10, part, part, part, augmentation), CPU)


@pytest.fixture
def flat() -> DeviceImages:
    """Images of one grey each, 20 times their label: what was mixed can be read off the middle."""
    labels = np.arange(200) % 10
    return uploaded(np.broadcast_to(20 * labels[:, None, None, None], (200, 3, 32, 32)), labels)


@pytest.fixture
def painted() -> DeviceImages:
    """Pixels that differ from their neighbours, the same in all images: crops and flips can be read off."""
    pixels = np.arange(32 * 32).reshape(1, 1, 32, 32) // 4 + 1
    return uploaded(np.broadcast_to(pixels, (64, 3, 32, 32)), np.arange(64) % 10)


def batches(
    images: DeviceImages, size: int = 64, cutout_length: int = 0, mixup_alpha: float = 0.0, seed: int = 0
) -> Batches:
    return Batches(images, size, cutout_length, mixup_alpha, np.random.default_rng(seed))


def greys(images: DeviceImages, batch: Tensor) -> Tensor:
    """The middle pixels (n,), which no crop replaces by padding, before normalisation."""
    return (batch * images.std + images.mean)[:, 0, 16, 16] * 255


@pytest.mark.usefixtures("ahead")
@either_way
class TestBatches:
    def test_an_image_keeps_its_label(self, flat: DeviceImages) -> None:
        batch = batches(flat).next()
        torch.testing.assert_close(greys(flat, batch.images), 20.0 * batch.labels)

    def test_every_image_comes_once_an_epoch(self, flat: DeviceImages) -> None:
        flat.training.labels[:] = torch.arange(200)
        endless = batches(flat, size=32)
        labels = torch.cat([endless.next().labels for _ in range(25)])
        epochs = labels.reshape(4, 200)
        for epoch in epochs:
            assert sorted(epoch.tolist()) == list(range(200))
        assert not torch.equal(epochs[0], epochs[1])

    def test_a_batch_larger_than_the_training_part_is_the_training_part(self, flat: DeviceImages) -> None:
        assert len(batches(flat, size=1000).next().labels) == 200

    def test_channels_are_last(self, flat: DeviceImages) -> None:
        for alpha in (0.0, 0.5):
            images = batches(flat, cutout_length=20, mixup_alpha=alpha).next().images
            assert images.is_contiguous(memory_format=torch.channels_last)

    def test_it_goes_on_in_another_process_with_the_very_batches_that_it_would_have_made(
        self, painted: DeviceImages
    ) -> None:
        torch.manual_seed(0)
        whole = batches(painted, size=24, cutout_length=20, mixup_alpha=0.5)
        for _ in range(3):
            whole.next()
        state, random_state = whole.state(), torch.get_rng_state()
        rest = [whole.next() for _ in range(20)]
        taken_over = batches(painted, size=24, cutout_length=20, mixup_alpha=0.5, seed=9)
        taken_over.resume(state)
        torch.set_rng_state(random_state)
        for batch in rest:
            other = taken_over.next()
            assert batch.share == other.share
            assert torch.equal(batch.images, other.images)
            assert torch.equal(batch.labels, other.labels)
            assert torch.equal(batch.other_labels, other.other_labels)

    def test_images_stay_bytes_on_the_device(self, flat: DeviceImages) -> None:
        assert {part.images.dtype for part in (flat.training, flat.validation, flat.test)} == {torch.uint8}

    def test_evaluation_parts_are_not_padded(self, flat: DeviceImages) -> None:
        assert flat.validation.images.shape == (5, 3, 32, 32)
        assert flat.test.images.shape == (7, 3, 32, 32)


class TestCropAndFlip:
    def test_padding_is_4_of_32_pixels_and_keeps_the_proportion(self) -> None:
        assert [PHOTOGRAPHS.padding_of(side) for side in (32, 28, 8)] == [4, 4, 1]

    def test_a_data_set_that_is_neither_flipped_nor_padded_stays_as_it_is(self) -> None:
        digits = DeviceImages(load_images("digits"), CPU)
        chosen = torch.arange(50)
        assert torch.equal(digits.crop_and_flip(chosen), digits.training.images[chosen])

    def test_a_data_set_that_is_flipped_alone_is_not_shifted(self, painted: DeviceImages) -> None:
        data = with_augmentation(Augmentation(flip=True, padding=0))
        crops = data.crop_and_flip(torch.zeros(200, dtype=torch.int64))
        whole = data.training.images[0]
        flipped = [torch.equal(crop, whole.flip(2)) for crop in crops]
        assert all(torch.equal(crop, whole) for crop, turned in zip(crops, flipped, strict=True) if not turned)
        # 200 flips: a standard error of 0.035.
        assert np.mean(flipped) == pytest.approx(0.5, abs=0.15)

    def test_crops_of_the_black_padded_image_reach_every_offset_and_half_are_flipped(
        self, painted: DeviceImages
    ) -> None:
        padded = torch.zeros(3, 40, 40, dtype=torch.uint8)
        padded[:, 4:36, 4:36] = (torch.arange(32 * 32).reshape(32, 32) // 4 + 1).to(torch.uint8)
        wanted = {}
        for top in range(9):
            for left in range(9):
                crop = padded[:, top : top + 32, left : left + 32]
                wanted[crop.contiguous().numpy().tobytes()] = (top, left, False)
                wanted[crop.flip(2).contiguous().numpy().tobytes()] = (top, left, True)
        crops = painted.crop_and_flip(torch.zeros(2000, dtype=torch.int64))
        seen = [wanted[crop.contiguous().numpy().tobytes()] for crop in crops]
        assert {key[:2] for key in seen} == {(top, left) for top in range(9) for left in range(9)}
        # 2,000 flips: a standard error of 0.011.
        assert np.mean([key[2] for key in seen]) == pytest.approx(0.5, abs=0.05)


class TestNormalisation:
    def test_statistics_are_each_channels_own_over_the_training_part_without_its_padding(self) -> None:
        images = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8)) // np.array([1, 2, 4])[:, None, None]
        device = uploaded(images, np.arange(50) % 10)
        pixels = images / 255
        expected = (pixels - pixels.mean(axis=(0, 2, 3), keepdims=True)) / pixels.std(axis=(0, 2, 3), keepdims=True)
        # Float32 against float64.
        np.testing.assert_allclose(device.normalise(device.test.images), expected[:7], atol=1e-5)

    def test_validation_and_test_part_have_no_say_in_it(self) -> None:
        digits = load_images("digits")
        pixels = digits.training.images / 255
        device = DeviceImages(digits, CPU)
        assert (device.mean.item(), device.std.item()) == pytest.approx((pixels.mean(), pixels.std()), rel=1e-6)

    def test_a_constant_channel_is_normalised_to_zero(self) -> None:
        device = uploaded(np.full((20, 1, 8, 8), 7), np.zeros(20))
        assert device.normalise(device.validation.images).abs().max() < 1e-5


class TestCutOut:
    def test_its_length_is_in_pixels_of_32_and_keeps_the_proportion(self) -> None:
        assert [cutout_side(20, side) for side in (32, 8)] == [20, 5]
        assert [cutout_side(0, side) for side in (32, 8)] == [0, 0]

    def test_by_area_it_is_what_the_papers_square_leaves_of_an_image_that_is_averaged_down(self) -> None:
        """On 8 x 8 a pixel is 4 x 4 of the paper's 32 x 32: its share that is cut becomes the mean, 0."""
        small = with_augmentation(Augmentation(cutout="area"), side=8)
        for length in (1, 5, 20):
            torch.manual_seed(length)
            kept = small.cut_out(torch.ones(64, 1, 8, 8), length)[:, 0]
            torch.manual_seed(length)
            top, left = (torch.randint(0, 32, (64, 1)) - length // 2 for _ in range(2))
            along = torch.arange(32)
            rows, columns = ((along >= first) & (along < first + length) for first in (top, left))
            large = 1 - (rows[:, :, None] & columns[:, None, :]).float()
            torch.testing.assert_close(kept, torch.nn.functional.avg_pool2d(large, 4))

    def test_by_area_every_length_has_its_own_strength(self) -> None:
        small = with_augmentation(Augmentation(cutout="area"), side=8)
        torch.manual_seed(0)
        cut = [float(1 - small.cut_out(torch.ones(4000, 1, 8, 8), length).mean()) for length in range(21)]
        assert all(a < b for a, b in itertools.pairwise(cut))

    def test_length_0_is_off(self, flat: DeviceImages) -> None:
        ones = torch.ones(64, 3, 32, 32)
        assert flat.cut_out(ones, 0) is ones

    def test_a_squares_centre_is_any_pixel_and_its_sides_are_clipped_at_the_border(self, flat: DeviceImages) -> None:
        cut = flat.cut_out(torch.ones(3000, 3, 32, 32), 20) == 0
        holes = cut[:, 0]
        assert (cut == holes[:, None]).all()
        # A centre c on one axis leaves c - 10 up to c + 10, as far as there are pixels: 32 different spans.
        wanted = {(max(0, centre - 10), min(32, centre + 10)) for centre in range(32)}
        spans, sizes = [], []
        for axis in (1, 2):
            hit = holes.any(dim=axis).int()
            first, size = hit.argmax(dim=1), hit.sum(dim=1)
            spans.append([(int(a), int(a + n)) for a, n in zip(first, size, strict=True)])
            sizes.append(size)
            assert set(spans[-1]) == wanted
        # One square: no more is cut than its two spans enclose.
        assert (holes.sum(dim=(1, 2)) == sizes[0] * sizes[1]).all()
        # Rows and columns are drawn on their own: of 1,024 pairs 3,000 draws leave out about 5 %.
        assert len(set(zip(*spans, strict=True))) > 900

    def test_it_comes_after_normalisation_so_that_its_square_is_the_mean(self, flat: DeviceImages) -> None:
        torch.manual_seed(0)
        plain = batches(flat).next().images
        torch.manual_seed(0)
        cut = batches(flat, cutout_length=20).next().images
        holes = (cut == 0).all(dim=1, keepdim=True)
        assert 0.1 < holes.float().mean() < 0.4
        torch.testing.assert_close(cut, plain.masked_fill(holes, 0.0))


@pytest.mark.usefixtures("ahead")
@either_way
class TestMixUp:
    def test_each_image_is_mixed_with_the_one_whose_label_it_gets(self, flat: DeviceImages) -> None:
        batch = batches(flat, mixup_alpha=1.0).next()
        assert 0 < batch.share < 1
        assert (batch.labels != batch.other_labels).any()
        mixed = 20.0 * (batch.share * batch.labels + (1 - batch.share) * batch.other_labels)
        # Normalised and back in float32.
        torch.testing.assert_close(greys(flat, batch.images), mixed, rtol=1e-4, atol=1e-3)

    def test_losses_are_mixed_as_the_images_are(self, flat: DeviceImages) -> None:
        batch = batches(flat, mixup_alpha=1.0).next()
        logits = torch.randn(64, 10)
        losses = [torch.nn.functional.cross_entropy(logits, labels) for labels in (batch.labels, batch.other_labels)]
        torch.testing.assert_close(batch.loss(logits), batch.share * losses[0] + (1 - batch.share) * losses[1])

    def test_alpha_0_is_off(self, flat: DeviceImages) -> None:
        batch = batches(flat, mixup_alpha=0.0).next()
        logits = torch.randn(64, 10)
        assert batch.share == 1.0
        torch.testing.assert_close(batch.loss(logits), torch.nn.functional.cross_entropy(logits, batch.labels))

    def test_partners_are_of_the_same_batch_and_each_is_one_once(self, flat: DeviceImages) -> None:
        flat.training.labels[:] = torch.arange(200)
        endless = batches(flat, size=40, mixup_alpha=1.0)
        orders = []
        for _ in range(12):
            batch = endless.next()
            assert sorted(batch.labels.tolist()) == sorted(batch.other_labels.tolist())
            orders.append([batch.labels.tolist().index(other) for other in batch.other_labels.tolist()])
        assert len(set(map(tuple, orders))) == 12

    def test_shares_follow_the_beta_distribution_one_a_batch(self, flat: DeviceImages) -> None:
        endless = batches(flat, size=4, mixup_alpha=0.5)
        shares = np.array([endless.next().share for _ in range(400)])
        # Beta(1/2, 1/2): mean 1/2, variance 1/8; standard errors of 400 draws are 0.018 and 0.004.
        assert shares.mean() == pytest.approx(0.5, abs=0.08)
        assert shares.var() == pytest.approx(0.125, abs=0.02)
