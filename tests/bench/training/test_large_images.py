"""Photographs of 224 pixels: crops of random size, colours, and images that stay with the host."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from jointbench.bench.training import colour_jitter, resized_crops
from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.devices.cpu import Processor
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.image_parts import StreamedPart
from jointbench.bench.training.trainer import train
from jointbench.data.evaluation import Status
from jointbench.data.images.facts import LARGE_PHOTOGRAPHS, PHOTOGRAPHS, Augmentation
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.registry import get_space

transforms = pytest.importorskip("torchvision.transforms.functional")
CPU = torch.device("cpu")


def photographs(count: int = 12, side: int = 48, seen: int | None = 42) -> ImageData:
    """Noise, so that every crop of every image is another, as a data set of photographs that are kept larger."""
    rng = np.random.default_rng(0)
    part = Part(rng.integers(0, 256, (count, 3, side, side), dtype=np.uint8), np.arange(count) % 3)
    few, some = (part.take(np.arange(size) % count) for size in (5, 7))
    augmentation = PHOTOGRAPHS if seen is None else LARGE_PHOTOGRAPHS
    return ImageData("noise", 3, part, few, some, augmentation, seen)


@pytest.mark.parametrize("flipped", [False, True])
def test_a_crop_is_scaled_as_torchvision_scales_it(flipped: bool) -> None:
    images = torch.from_numpy(photographs(3).training.images)
    at = torch.tensor([[0.0, 0, 48, 48], [5, 9, 20, 33], [11, 3, 37, 41]])
    found = resized_crops.cropped(images, at, torch.full((3,), flipped), (42, 42))
    for image, box, mine in zip(images, at.int().tolist(), found, strict=True):
        theirs = transforms.resized_crop(image.float() / 255, *box, [42, 42], antialias=False)
        theirs = transforms.hflip(theirs) if flipped else theirs
        # Beyond its edges torchvision's repeats the crop's last pixels, where ours sees the image's.
        torch.testing.assert_close(mine[:, 2:-2, 2:-2], theirs[:, 2:-2, 2:-2], atol=1e-4, rtol=0)


def test_crops_have_the_law_of_torchvisions() -> None:
    from torchvision.transforms import RandomResizedCrop

    torch.manual_seed(0)
    mine = resized_crops.boxes(1000, 256, CPU).numpy()
    image = torch.empty(3, 256, 256)
    law = list(resized_crops.AREAS), list(resized_crops.RATIOS)
    theirs = np.array([RandomResizedCrop.get_params(image, *law) for _ in range(1000)])
    assert ((mine[:, :2] >= 0) & (mine[:, :2] + mine[:, 2:] <= 256)).all()
    from scipy.stats import ks_2samp

    for number in (lambda box: box[:, 2] * box[:, 3], lambda box: box[:, 2] / box[:, 3], lambda box: box[:, 0]):
        # A fixed seed; of equal laws one in a thousand pairs of samples differs more.
        assert ks_2samp(number(mine), number(theirs)).pvalue > 0.001


def test_where_nothing_fits_the_whole_square_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resized_crops, "AREAS", (1.0, 1.0))
    monkeypatch.setattr(resized_crops, "RATIOS", (1.3, 1.33))
    assert resized_crops.boxes(5, 48, CPU).tolist() == [[0.0, 0.0, 48.0, 48.0]] * 5


@pytest.mark.parametrize(
    ("mine", "theirs", "factors"),
    [
        (colour_jitter.brightness, "adjust_brightness", (0.6, 1.0, 1.4)),
        (colour_jitter.contrast, "adjust_contrast", (0.6, 1.0, 1.4)),
        (colour_jitter.saturation, "adjust_saturation", (0.6, 1.0, 1.4)),
        (colour_jitter.hue, "adjust_hue", (-0.2, 0.0, 0.13)),
    ],
)
def test_colours_change_as_torchvision_changes_them(
    mine: Callable[[Tensor, Tensor], Tensor], theirs: str, factors: tuple[float, ...]
) -> None:
    images = torch.from_numpy(photographs(3).training.images).float() / 255
    # Grey, black, white and pure colours too.
    for place, colour in enumerate(((0.5, 0.5, 0.5), (0, 0, 0), (1, 1, 1), (1, 0, 0), (0, 1, 1))):
        images[:, :, place, 0] = torch.tensor(colour, dtype=torch.float32)
    found = mine(images, torch.tensor(factors)[:, None, None, None])
    for image, factor, changed in zip(images, factors, found, strict=True):
        torch.testing.assert_close(changed, getattr(transforms, theirs)(image, factor), atol=1e-5, rtol=0)


def test_all_four_are_applied_in_any_order() -> None:
    torch.manual_seed(0)
    images = torch.rand(2, 3, 8, 8)
    found = {colour_jitter.jittered(images).sum().item() for _ in range(20)}
    assert len(found) == 20
    assert all(torch.isfinite(torch.tensor(total)) for total in found)


def test_what_is_evaluated_is_the_middle_by_imagenets_statistics() -> None:
    data = photographs()
    images = DeviceImages(data, CPU)
    (chunk, labels), *_ = images.validation.chunks(4)
    assert labels.tolist() == [0, 1, 2, 0]
    plain = transforms.normalize(
        torch.from_numpy(data.validation.images[:4, :, 3:45, 3:45]).float() / 255,
        [0.485, 0.456, 0.406],
        [0.229, 0.224, 0.225],
    )
    torch.testing.assert_close(images.clean(chunk), plain)


@pytest.fixture(params=["padded", "plain", "resized"])
def data(request: pytest.FixtureRequest) -> ImageData:
    if request.param == "resized":
        return photographs()
    plain = photographs(seen=None)
    return plain if request.param == "padded" else replace(plain, augmentation=Augmentation(False, 0))


def made(data: ImageData, *, streamed: bool, batches: int = 7) -> list[Tensor]:
    """Batches of 5 of 12: epochs end inside of them."""
    torch.manual_seed(3)
    source = Batches(DeviceImages(data, CPU, streamed=streamed), 5, 16, 0.2, np.random.default_rng(0))
    found = []
    for number in range(batches):
        if number == 4:
            # Another process goes on, which expects nothing yet.
            state = source.state()
            source = Batches(DeviceImages(data, CPU, streamed=streamed), 5, 16, 0.2, np.random.default_rng(1))
            source.resume(state)
        batch = source.next()
        found += [batch.images, batch.labels]
    return found


@pytest.mark.parametrize("ahead", [1, 10 * 42**2 // 32**2 + 1])
def test_images_that_are_streamed_make_the_same_batches(
    data: ImageData, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Processor, "images_ahead", ahead)
    for mine, theirs in zip(made(data, streamed=True), made(data, streamed=False), strict=True):
        assert torch.equal(mine, theirs)


def test_what_is_streamed_is_fetched_before_it_is_asked_for() -> None:
    images = DeviceImages(photographs(), CPU, streamed=True)
    source = Batches(images, 5, 0, 0.0, np.random.default_rng(0))
    source.next()
    part = images.training
    assert isinstance(part, StreamedPart)
    assert part._expected is not None
    places, gathered = part._expected
    np.testing.assert_array_equal(gathered.result().numpy(), photographs().training.images[places])
    np.testing.assert_array_equal(places, source._order[:5].numpy())
    source.next()
    # Of the third batch what is left of the epoch.
    assert part._expected is not None
    assert len(part._expected[0]) == 2


def test_chunks_of_a_streamed_part_are_those_on_the_device(data: ImageData) -> None:
    on_device, streamed = (DeviceImages(data, CPU, streamed=kind).test for kind in (False, True))
    for size in (1, 3, 7, 20):
        for mine, theirs in zip(streamed.chunks(size), on_device.chunks(size), strict=True):
            assert torch.equal(mine[0], theirs[0])
            assert torch.equal(mine[1], theirs[1])


def test_what_does_not_fit_on_the_device_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = photographs()
    size = sum(part.images.nbytes for part in (data.training, data.validation, data.test))
    for most, kind in ((size, "DevicePart"), (size - 1, "StreamedPart")):
        monkeypatch.setattr(Processor, "holds", lambda self, asked, most=most: asked <= most)
        assert type(DeviceImages(data, CPU).validation).__name__ == kind


def test_a_training_on_streamed_photographs_is_the_one_on_photographs_in_memory() -> None:
    space, data = get_space("hnag-small"), photographs(20)
    mine, theirs = (
        train(
            space,
            # The fewest operations that there are.
            space.active({h.name: h.value(h.low) for h in space.hyperparameters}),
            2.0,
            0,
            ladder=Ladder(2.0, 2.0, unit="epochs"),
            images=DeviceImages(data, CPU, streamed=streamed),
            hardware=Hardware("cpu"),
        )
        for streamed in (False, True)
    )
    assert mine.status == theirs.status == Status.OK, mine.reason
    assert mine.metrics["steps"] == 2
    for error in ("validation_error", "test_error"):
        assert mine.metrics[error] == theirs.metrics[error]
    assert mine.curve.training_loss == theirs.curve.training_loss
