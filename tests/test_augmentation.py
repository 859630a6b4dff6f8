"""What becomes of each image of a batch: its label, its statistics, its square, its partner."""

import numpy as np
import pytest
import torch
from torch import Tensor

from jointbench.bench.augmentation import Batches, DeviceImages
from jointbench.data.images import ImageData, Part

CPU = torch.device("cpu")


def uploaded(images: np.ndarray, labels: np.ndarray) -> DeviceImages:
    part = Part(images.astype(np.uint8), labels.astype(np.int64))
    return DeviceImages(ImageData("painted", 10, part, part.take(np.arange(5)), part.take(np.arange(7))), CPU)


@pytest.fixture
def flat() -> DeviceImages:
    """Images of one grey each, 20 times their label: what was mixed can be read off the middle."""
    labels = np.arange(200) % 10
    return uploaded(np.broadcast_to(20 * labels[:, None, None, None], (200, 3, 32, 32)), labels)


def greys(images: DeviceImages, batch: Tensor) -> Tensor:
    """The middle pixels (n,), which no crop replaces by padding, before normalisation."""
    return (batch * images.std + images.mean)[:, 0, 16, 16] * 255


def test_an_image_keeps_its_label(flat: DeviceImages) -> None:
    batch = Batches(flat, 64, 0, 0.0, np.random.default_rng(0)).next()
    torch.testing.assert_close(greys(flat, batch.images), 20.0 * batch.labels)


def test_mixup_mixes_each_image_with_the_one_whose_label_it_gets(flat: DeviceImages) -> None:
    batch = Batches(flat, 64, 0, 1.0, np.random.default_rng(0)).next()
    assert 0 < batch.share < 1
    assert (batch.labels != batch.other_labels).any()
    mixed = 20.0 * (batch.share * batch.labels + (1 - batch.share) * batch.other_labels)
    # Normalised and back in float32.
    torch.testing.assert_close(greys(flat, batch.images), mixed, rtol=1e-4, atol=1e-3)


def test_statistics_are_each_channels_own_over_the_training_part_without_its_padding() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8)) // np.array([1, 2, 4])[:, None, None]
    device = uploaded(images, np.arange(50) % 10)
    pixels = images / 255
    expected = (pixels - pixels.mean(axis=(0, 2, 3), keepdims=True)) / pixels.std(axis=(0, 2, 3), keepdims=True)
    # Float32 against float64.
    np.testing.assert_allclose(device.normalise(device.test.images), expected[:7], atol=1e-5)


def test_a_constant_channel_is_normalised_to_zero() -> None:
    device = uploaded(np.full((20, 1, 8, 8), 7), np.zeros(20))
    assert device.normalise(device.validation.images).abs().max() < 1e-5


def test_images_stay_bytes_on_the_device(flat: DeviceImages) -> None:
    assert {part.images.dtype for part in (flat.training, flat.validation, flat.test)} == {torch.uint8}


def test_evaluation_parts_are_not_padded(flat: DeviceImages) -> None:
    assert flat.validation.images.shape == (5, 3, 32, 32)
    assert flat.test.images.shape == (7, 3, 32, 32)


def test_the_squares_centre_is_any_pixel_and_its_sides_are_clipped_at_the_border(flat: DeviceImages) -> None:
    holes = flat.cut_out(torch.ones(3000, 3, 32, 32), 20)[:, 0] == 0
    # A centre c on one axis leaves c - 10 up to c + 10, as far as there are pixels: 32 different spans.
    wanted = {(max(0, centre - 10), min(32, centre + 10)) for centre in range(32)}
    spans = []
    for axis in (1, 2):
        hit = holes.any(dim=axis).int()
        first, size = hit.argmax(dim=1), hit.sum(dim=1)
        spans.append([(int(a), int(a + n)) for a, n in zip(first, size, strict=True)])
        assert set(spans[-1]) == wanted
    # Rows and columns are drawn on their own: of 1,024 pairs 3,000 draws leave out about 5 %.
    assert len(set(zip(*spans, strict=True))) > 900


def test_cutout_comes_after_normalisation_so_that_its_square_is_the_mean(flat: DeviceImages) -> None:
    torch.manual_seed(0)
    plain = Batches(flat, 64, 0, 0.0, np.random.default_rng(0)).next().images
    torch.manual_seed(0)
    cut = Batches(flat, 64, 20, 0.0, np.random.default_rng(0)).next().images
    holes = (cut == 0).all(dim=1, keepdim=True)
    assert 0.1 < holes.float().mean() < 0.4
    torch.testing.assert_close(cut, plain.masked_fill(holes, 0.0))


def test_a_batch_larger_than_the_training_part_is_the_training_part(flat: DeviceImages) -> None:
    assert len(Batches(flat, 1000, 0, 0.0, np.random.default_rng(0)).next().labels) == 200
