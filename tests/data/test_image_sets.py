"""Data sets of one's own: a folder of images, and one that is added by the registry alone."""

from pathlib import Path

import numpy as np
import pytest

import jointbench
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.devices.registry import device_of
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.trainer import train
from jointbench.data.errors import MissingDataError, UnknownNameError
from jointbench.data.evaluation import Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.images.image_set import ImageSet
from jointbench.data.images.registry import IMAGES, known_facts, load_images
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT_SMALL

Image = pytest.importorskip("PIL.Image")


def write(folder: Path, count: int, shape: tuple[int, ...] = (8, 10, 3), *, shift: int = 0) -> None:
    """So many images of one colour in each of three classes."""
    for label, name in enumerate(("ant", "bee", "cat")):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full(shape, 80 * label + number + shift, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def test_a_folder_with_train_and_test_is_read_as_torchvision_reads_it(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    write(tmp_path / "train", 20)
    write(tmp_path / "test", 5, shift=40)
    name = f"folder:{tmp_path}"
    data = load_images(name)
    assert data.facts == known_facts(name) == ImageFacts(name, (3, 8, 10), 3, 54, 6, 15)
    theirs = ImageFolder(str(tmp_path / "test"))
    assert data.test.labels.tolist() == theirs.targets
    assert data.test.images[:, 0, 0, 0].tolist() == [np.asarray(image)[0, 0, 0] for image, _ in theirs]
    both = np.concatenate([data.training.images, data.validation.images])[:, 0, 0, 0]
    assert sorted(both) == sorted(80 * label + number for label in range(3) for number in range(20))


def test_of_a_folder_without_a_test_part_one_is_drawn(tmp_path: Path) -> None:
    write(tmp_path, 20, (6, 6))
    data = load_images(f"folder:{tmp_path}")
    assert data.facts.shape == (1, 6, 6)
    assert (len(data.training), len(data.validation), len(data.test)) == (45, 5, 10)
    assert (data.test.images[:, 0, 0, 0] // 80 == data.test.labels).all()


def test_what_is_no_folder_of_images_is_explained(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "nowhere", "an existing folder"), (tmp_path, "for each of two or more classes")):
        with pytest.raises(MissingDataError, match=said):
            load_images(f"folder:{path}")
    write(tmp_path, 2)
    Image.fromarray(np.zeros((9, 10, 3), np.uint8)).save(tmp_path / "bee" / "tall.png")
    with pytest.raises(MissingDataError, match=r"8x10 pixels .*, not 9x10"):
        load_images(f"folder:{tmp_path}")
    (tmp_path / "bee" / "tall.png").write_text("no image", encoding="utf-8")
    with pytest.raises(MissingDataError, match=r"tall.png' given, expected an image"):
        load_images(f"folder:{tmp_path}")


def test_a_folder_of_images_is_trained_on(tmp_path: Path) -> None:
    write(tmp_path, 40, (8, 8))
    images = DeviceImages(load_images(f"folder:{tmp_path}"), device_of("cpu"))
    smallest = JOINT_SMALL.active({h.name: h.value(h.low) for h in JOINT_SMALL.hyperparameters})
    at = {**smallest, "learning_rate": 0.1}
    found = train(JOINT_SMALL, at, 2.0, 0, ladder=Ladder(1, 2, 2, "epochs"), images=images, hardware=Hardware())
    assert found.status is Status.OK, found.reason
    assert found.provenance.images == f"folder:{tmp_path}"


def test_a_data_set_is_added_by_the_registry_alone() -> None:
    facts = ImageFacts("stripes", (1, 4, 4), 2, 20, 5, 5)

    def load(folder: Path | None) -> ImageData:
        def part(count: int) -> Part:
            labels = np.arange(count) % 2
            return Part(np.repeat(labels * 255, 16).astype(np.uint8).reshape(count, 1, 4, 4), labels)

        return ImageData("stripes", 2, part(20), part(5), part(5))

    IMAGES.add("stripes", ImageSet(facts, load))
    try:
        assert load_images("stripes").facts == known_facts("stripes") == facts
        assert jointbench.list("images")["stripes"].startswith("2 classes, 4x4")
        with pytest.raises(UnknownNameError, match=r"one of .*stripes, or folder:PATH"):
            load_images("no-such")
    finally:
        IMAGES.remove("stripes")
