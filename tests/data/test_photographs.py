"""Data sets of photographs: files in the formats of their sources, their splits, the file that keeps them."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.errors import MissingDataError
from jointbench.data.images.facts import LARGE_PHOTOGRAPHS, PHOTOGRAPHS, ImageFacts
from jointbench.data.images.joined import joined
from jointbench.data.images.kept_photographs import KEPT_SIDE, kept, middle_square
from jointbench.data.images.photographs import FLOWERS102, IMAGENET, MIT67, SPORT8, split_anew, stratified
from jointbench.data.images.places import DATA_FOLDER_VARIABLE
from jointbench.data.images.registry import known_facts, load_images
from jointbench.data.images.splitting import permutation

Image = pytest.importorskip("PIL.Image")
torchvision = pytest.importorskip("torchvision")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What keeps photographs lies here."""
    monkeypatch.setenv(DATA_FOLDER_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def photograph(file: Path, label: int, size: tuple[int, int] = (300, 260)) -> None:
    """One of a brightness that tells its class, by its ending as a JPEG or a PNG."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (2 * label, 255 - 2 * label, 99)).save(file)


def labels_of(images: np.ndarray) -> list[int]:
    """By the green of the middle, which JPEG keeps to a few units of colour: classes here are 10 apart."""
    return np.rint((255 - images[:, 1, 128, 128].astype(int)) / 20).astype(int).tolist()


@pytest.mark.parametrize("size", [(256, 256), (500, 300), (301, 517), (40, 31), (257, 400)])
def test_the_middle_is_what_torchvision_evaluates(tmp_path: Path, size: tuple[int, int]) -> None:
    from torchvision import transforms

    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "one.png")
    mine = middle_square(tmp_path / "one.png")
    assert mine.shape == (3, KEPT_SIDE, KEPT_SIDE)
    theirs = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])(Image.fromarray(noise))
    np.testing.assert_array_equal(mine[:, 16:240, 16:240], np.asarray(theirs).transpose(2, 0, 1))


def folders(place: Path, classes: int, each: int) -> None:
    for label in range(classes):
        for number in range(each):
            # Sport8 has its images in a folder of the class, some of theirs one deeper, of both endings.
            inside = place / f"class {label:02d}" / ("deeper" if number % 2 else ".")
            photograph(inside / f"{number}.{('jpg', 'PNG')[number % 2]}", 10 * label, (300 + label, 260))


@pytest.mark.parametrize("inside", ["sport8", "."])
def test_sport8_is_a_folder_of_images_a_class(tmp_path: Path, cache: Path, inside: str) -> None:
    folders(tmp_path / "there" / inside, 8, 10)
    data = load_images("sport8", tmp_path / "there")
    assert data.facts == ImageFacts("sport8", (3, 224, 224), 8, 32, 32, 16, augmentation=LARGE_PHOTOGRAPHS)
    for part, each in ((data.training, 4), (data.validation, 4), (data.test, 2)):
        assert part.images.shape[1:] == (3, 256, 256)
        assert labels_of(part.images) == part.labels.tolist()
        assert np.bincount(part.labels).tolist() == [each] * 8
    # The folder that was named is as it was, and the file that keeps them serves the next time.
    (file,) = (cache / "kept").iterdir()
    written = file.stat().st_mtime_ns
    again = load_images("sport8", tmp_path / "there")
    assert file.stat().st_mtime_ns == written
    np.testing.assert_array_equal(again.training.images, data.training.images)


def test_photographs_that_are_joined_stay_in_their_file(tmp_path: Path, cache: Path) -> None:
    folders(tmp_path / "sport8", 8, 10)
    apart = load_images("sport8", tmp_path)
    data = joined(apart)
    assert data.facts.training == 64
    np.testing.assert_array_equal(
        data.training.images, np.concatenate([apart.training.images, apart.validation.images])
    )
    assert labels_of(data.training.images) == data.training.labels.tolist()
    assert np.shares_memory(data.training.images, apart.training.images)


def test_folders_of_other_classes_are_refused(tmp_path: Path) -> None:
    folders(tmp_path / "mit67", 8, 1)
    with pytest.raises(MissingDataError, match="67 folders of images, one a class"):
        load_images("mit67", tmp_path)


def test_flowers_are_joined_and_split_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In torchvision's files: MATLAB's lists of labels and of its own parts."""
    from scipy.io import savemat
    from torchvision.datasets import Flowers102

    base = tmp_path / "flowers-102"
    # Ten classes of six, in a mixed order, numbered from 1 as there.
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 6))
    for number, label in enumerate(labels.tolist(), 1):
        photograph(base / "jpg" / f"image_{number:05d}.jpg", 10 * label, (320, 280))
    savemat(base / "imagelabels.mat", {"labels": labels[None] + 1})
    own = np.random.default_rng(1).permutation(60) + 1
    savemat(base / "setid.mat", {"trnid": own[None, :10], "valid": own[None, 10:20], "tstid": own[None, 20:]})
    monkeypatch.setattr(Flowers102, "_check_integrity", lambda self: (self._base_folder / "setid.mat").is_file())
    data = load_images("flowers102", tmp_path)
    # 3,254, 3,253 and 1,682 of 8,189 are so many of 60.
    assert (len(data.training), len(data.validation), len(data.test)) == (24, 24, 12)
    for part in (data.training, data.validation, data.test):
        assert labels_of(part.images) == part.labels.tolist()
    assert np.bincount(data.training.labels).tolist() != [0] * 10


def test_imagenet_is_read_from_torchvisions_folders(tmp_path: Path) -> None:
    import torch

    ids = [f"n{number:08d}" for number in range(5)]
    torch.save(({one: (f"name of {one}",) for one in ids}, ["n0"]), tmp_path / "meta.bin")
    for label, one in enumerate(ids):
        for number in range(20):
            photograph(tmp_path / "train" / one / f"{one}_{number}.JPEG", 10 * label)
        photograph(tmp_path / "val" / one / f"ILSVRC2012_val_0000000{label}.JPEG", 10 * label)
    data = load_images("imagenet", tmp_path)
    assert (len(data.training), len(data.validation), len(data.test)) == (90, 10, 5)
    assert data.test.labels.tolist() == [0, 1, 2, 3, 4]
    for part in (data.training, data.validation, data.test):
        assert labels_of(part.images) == part.labels.tolist()


@pytest.mark.parametrize("name", ["imagenet", "flowers102", "sport8", "mit67"])
def test_what_is_not_there_is_explained(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*arguments: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.Flowers102.download", no_network)
    with pytest.raises(MissingDataError, match=r"by hand|folders of images"):
        load_images(name, tmp_path)


def test_a_file_that_is_no_image_is_named_and_nothing_is_kept(tmp_path: Path, cache: Path) -> None:
    photograph(tmp_path / "one.png", 0)
    (tmp_path / "two.png").write_bytes(b"no image")
    with pytest.raises(MissingDataError, match=r"two\.png"):
        kept("some", [tmp_path / "one.png", tmp_path / "two.png"])
    assert list((cache / "kept").iterdir()) == []


def test_other_files_are_kept_in_another_file(tmp_path: Path, cache: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for number, file in enumerate(files):
        photograph(file, 20 * number)
    first, second = kept("some", files), kept("some", files[::-1])
    np.testing.assert_array_equal(first, second[::-1])
    assert len(list((cache / "kept").iterdir())) == 2


@pytest.mark.parametrize(("facts", "total"), [(FLOWERS102.facts, 8_189), (SPORT8.facts, 1_579), (MIT67.facts, 15_619)])
def test_the_counts_are_the_notes(facts: ImageFacts, total: int) -> None:
    assert facts.training + facts.validation + facts.test == total
    labels = np.random.default_rng(0).integers(0, facts.classes, total)
    parts = split_anew(facts, labels)
    assert [len(part) for part in parts] == [facts.training, facts.validation, facts.test]
    assert sorted(np.concatenate(parts).tolist()) == list(range(total))


def test_imagenets_counts_are_a_tenth_of_its_training_images_and_its_official_validation_images() -> None:
    facts = IMAGENET.facts
    assert (facts.training + facts.validation, facts.validation, facts.test) == (1_281_167, 128_117, 50_000)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80), st.data())
def test_each_class_has_its_share(drawn: list[int], data: st.DataObject) -> None:
    labels = np.array(drawn)
    count = data.draw(st.integers(0, len(labels)))
    chosen = stratified(labels, count, permutation(len(labels)))
    assert chosen.sum() == count
    shares = np.bincount(labels) * count / len(labels)
    assert (np.abs(np.bincount(labels[chosen], minlength=len(shares)) - shares) < 1).all()


def test_a_split_is_the_same_for_all() -> None:
    labels = np.arange(100) % 7
    _, validation, test = split_anew(SPORT8.facts, labels)
    assert test.tolist()[:6] == [59, 7, 91, 41, 96, 33]
    assert validation.tolist()[:6] == [73, 97, 66, 23, 65, 18]


def test_what_logs_keep_of_older_data_sets_is_what_they_kept() -> None:
    assert set(PHOTOGRAPHS.as_dict()) == {"flip", "padding", "cutout"}
    facts = known_facts("mit67")
    kept_facts = json.loads(json.dumps(facts.as_dict()))
    assert kept_facts["augmentation"] == {
        "flip": True,
        "padding": None,
        "cutout": "pixels",
        "crop": "resized",
        "jitter": True,
        "normalisation": "imagenet",
    }
    assert ImageFacts.from_dict(kept_facts) == facts
