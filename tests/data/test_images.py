"""Image data sets, on real digits and on files written here in the formats of the others."""

import gzip
import hashlib
import pickle
import struct
import sys
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jointbench.data.errors import InputError, MissingDataError, MissingExtraError, UnknownNameError
from jointbench.data.images.facts import Augmentation, ImageFacts
from jointbench.data.images.image_data import ImageData
from jointbench.data.images.places import DATA_FOLDER_VARIABLE
from jointbench.data.images.registry import known_facts, load_images


def write_idx(path: Path, values: np.ndarray) -> None:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    content = header + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_fashion(folder: Path, suffix: str, count: int = 40) -> np.ndarray:
    folder.mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28))
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte{suffix}", np.arange(count) % 10)
    return images


class TestDigits:
    def test_is_split_once_and_for_all(self) -> None:
        digits = load_images("digits")
        assert digits.facts == known_facts("digits")
        assert digits.facts == ImageFacts(
            "digits", (1, 8, 8), 10, 1348, 150, 299, augmentation=Augmentation(flip=False, padding=0, cutout="area")
        )
        content = b"".join(part.images.tobytes() for part in (digits.training, digits.validation, digits.test))
        assert digits.facts.as_dict()["split_seed"] == 2018
        # The released log stands on this very split.
        assert hashlib.sha256(content).hexdigest()[:16] == "6c0c84b48b5b4c5a"

    def test_no_image_is_in_two_parts(self) -> None:
        from sklearn.datasets import load_digits

        digits = load_images("digits")
        parts = [p.images.reshape(len(p), -1) for p in (digits.training, digits.validation, digits.test)]
        ours = np.concatenate(parts)
        theirs = np.rint(load_digits().images * (255 / 16)).astype(np.uint8).reshape(-1, 64)
        order = np.lexsort(ours.T), np.lexsort(theirs.T)
        np.testing.assert_array_equal(ours[order[0]], theirs[order[1]])

    def test_halves_are_the_same_digits_split_otherwise(self) -> None:
        halves, digits = load_images("digits-halves"), load_images("digits")
        assert halves.facts == known_facts("digits-halves")
        sizes = [len(part) for part in (halves.training, halves.validation, halves.test)]
        assert sizes == [719, 719, 359]

        def every(data: ImageData) -> list[bytes]:
            return sorted(one.tobytes() for p in (data.training, data.validation, data.test) for one in p.images)

        assert every(halves) == every(digits)


class TestFashionMnist:
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    @pytest.mark.parametrize("place", [".", "FashionMNIST/raw"])
    def test_is_read_from_idx_files(self, tmp_path: Path, suffix: str, place: str) -> None:
        images = write_fashion(tmp_path / place, suffix)
        data = load_images("fashion-mnist", tmp_path)
        assert data.facts == ImageFacts(
            "fashion-mnist",
            (1, 28, 28),
            10,
            training=36,
            validation=4,
            test=40,
            augmentation=Augmentation(cutout="area"),
        )
        np.testing.assert_array_equal(data.test.images[:, 0], images)

    @pytest.mark.parametrize(("side", "margin"), [(8, 2), (14, 0)])
    def test_small_ones_are_framed_and_averaged_and_drawn_once(self, tmp_path: Path, side: int, margin: int) -> None:
        write_fashion(tmp_path, "", count=10_000)
        whole = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28))
        data = load_images(f"fashion-mnist-{side}", tmp_path)
        assert data.facts == known_facts(f"fashion-mnist-{side}")
        order = np.random.RandomState(2018).permutation(10_000)
        for part, drawn in (
            (data.validation, order[:3_000]),
            (data.training, order[3_000:7_000]),
            (data.test, order[:5_000]),
        ):
            np.testing.assert_array_equal(part.labels, drawn % 10)
            block = (28 + 2 * margin) // side
            first = np.pad(whole[drawn[0]], margin).reshape(side, block, side, block).mean(axis=(1, 3))
            np.testing.assert_array_equal(part.images[0, 0], np.rint(first))

    def test_the_small_ones_of_the_real_articles_are_the_same_for_all(self) -> None:
        folder = Path("/usr/share/datasets/fashion-mnist")
        if not folder.is_dir():
            pytest.skip("needs Debian's dataset-fashion-mnist")
        parts = load_images("fashion-mnist-8", folder)
        content = b"".join(part.images.tobytes() for part in (parts.training, parts.validation, parts.test))
        assert hashlib.sha256(content).hexdigest()[:16] == "dcbb82783234b428"

    @pytest.mark.parametrize("content", [b"", b"\0\0\x08\x03short", b"not an IDX file"])
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    def test_a_damaged_file_is_named(self, tmp_path: Path, suffix: str, content: bytes) -> None:
        write_fashion(tmp_path, suffix)
        (tmp_path / f"train-images-idx3-ubyte{suffix}").write_bytes(content)
        with pytest.raises(MissingDataError, match="train-images"):
            load_images("fashion-mnist", tmp_path)

    @pytest.mark.parametrize("damage", [lambda raw: raw[:-20], lambda raw: raw[:30] + b"?" * 20 + raw[50:]])
    def test_a_damaged_archive_is_named(self, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
        write_fashion(tmp_path, ".gz")
        archive = tmp_path / "t10k-images-idx3-ubyte.gz"
        archive.write_bytes(damage(archive.read_bytes()))
        with pytest.raises(MissingDataError, match="t10k-images"):
            load_images("fashion-mnist", tmp_path)

    def test_labels_that_do_not_belong_to_the_images_are_refused(self, tmp_path: Path) -> None:
        write_fashion(tmp_path, "")
        write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(39))
        with pytest.raises(MissingDataError, match=r"train-labels.*40 labels"):
            load_images("fashion-mnist", tmp_path)
        write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros((40, 28, 28)))
        with pytest.raises(MissingDataError, match="rank 1"):
            load_images("fashion-mnist", tmp_path)

    def test_missing_files_are_explained(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from torchvision.datasets import FashionMNIST

        monkeypatch.setattr(FashionMNIST, "download", no_network)
        with pytest.raises(MissingDataError, match=r"train-images-idx3-ubyte.*put them there by hand"):
            load_images("fashion-mnist", tmp_path)

    def test_without_torchvision_the_missing_package_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "torchvision", None)
        with pytest.raises(MissingExtraError, match="torchvision"):
            load_images("fashion-mnist", tmp_path)


def test_5000_of_50000_images_are_held_out_always_the_same(tmp_path: Path) -> None:
    """As of CIFAR-10's training part; each image here is its own number, in two bytes."""
    numbers = np.arange(50_000)
    for part in ("train", "t10k"):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", np.stack([numbers // 256, numbers % 256], axis=1)[:, None])
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", numbers % 10)
    data = load_images("fashion-mnist", tmp_path)
    held_out, trained = (p.images[:, 0, 0].astype(int) @ [256, 1] for p in (data.validation, data.training))
    assert len(held_out) == 5_000
    assert sorted([*held_out, *trained]) == list(numbers)
    assert hashlib.sha256(held_out.astype("<u4").tobytes()).hexdigest()[:16] == "afea87d6846b63e5"
    for part in (data.validation, data.training):
        np.testing.assert_array_equal(part.images[:, 0, 0].astype(int) @ [256, 1] % 10, part.labels)


def no_network(*arguments: Any, **options: Any) -> None:
    raise OSError("no route to host")


def write_cifar(kind: type, folder: Path, labels: str, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Ten images in each file of `kind` in CIFAR's pickled format; torchvision is told their checksums."""
    base = folder / kind.base_folder
    base.mkdir(parents=True)

    def write(name: str, content: Any) -> str:
        raw = pickle.dumps(content)
        (base / name).write_bytes(raw)
        return hashlib.md5(raw).hexdigest()

    files = [name for name, _ in kind.train_list + kind.test_list]
    pixels = np.random.default_rng(0).integers(0, 256, (10 * len(files), 3072), dtype=np.uint8)
    listed = [
        (name, write(name, {"data": part, labels: list(range(10))}))
        for name, part in zip(files, np.split(pixels, len(files)), strict=True)
    ]
    sum_of_meta = write(kind.meta["filename"], {kind.meta["key"]: list("abcdefghij")})
    monkeypatch.setattr(kind, "train_list", listed[:-1])
    monkeypatch.setattr(kind, "test_list", listed[-1:])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": sum_of_meta})
    return pixels


class TestCifar:
    def test_cifar10_is_read_through_torchvision(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from torchvision.datasets import CIFAR10

        pixels = write_cifar(CIFAR10, tmp_path, "labels", monkeypatch)
        data = load_images("cifar10", tmp_path)
        assert data.facts == ImageFacts("cifar10", (3, 32, 32), 10, training=45, validation=5, test=10)
        np.testing.assert_array_equal(data.test.images, pixels[50:].reshape(10, 3, 32, 32))
        np.testing.assert_array_equal(data.test.labels, np.arange(10))

    def test_cifar100_is_read_with_its_fine_labels_from_the_folder_of_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from torchvision.datasets import CIFAR100

        pixels = write_cifar(CIFAR100, tmp_path, "fine_labels", monkeypatch)
        monkeypatch.setenv(DATA_FOLDER_VARIABLE, str(tmp_path))
        data = load_images("cifar100")
        assert data.facts == ImageFacts("cifar100", (3, 32, 32), 100, training=9, validation=1, test=10)
        np.testing.assert_array_equal(data.test.images, pixels[10:].reshape(10, 3, 32, 32))

    def test_missing_and_damaged_files_are_explained(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from torchvision.datasets import CIFAR10

        monkeypatch.setattr(CIFAR10, "download", no_network)
        with pytest.raises(MissingDataError, match="put them there by hand"):
            load_images("cifar10", tmp_path)
        write_cifar(CIFAR10, tmp_path, "labels", monkeypatch)
        (tmp_path / CIFAR10.base_folder / "data_batch_3").write_bytes(b"half")
        with pytest.raises(MissingDataError, match="CIFAR10's Python files"):
            load_images("cifar10", tmp_path)


class TestJoined:
    def test_trains_on_both_parts_and_errs_on_the_test_part_alone(self) -> None:
        apart, data = load_images("digits-halves"), load_images("joined:digits-halves")
        assert data.facts == known_facts("joined:digits-halves")
        assert (len(data.training), len(data.validation), len(data.test)) == (1438, 359, 359)
        for of in (attrgetter("images"), attrgetter("labels")):
            both = np.concatenate([of(apart.training), of(apart.validation)])
            np.testing.assert_array_equal(of(data.training), both)
            np.testing.assert_array_equal(of(data.validation), of(apart.test))
            np.testing.assert_array_equal(of(data.test), of(apart.test))

    def test_is_augmented_as_what_is_joined(self) -> None:
        assert load_images("joined:digits").augmentation == load_images("digits").augmentation

    def test_joining_twice_would_train_on_test_images_and_is_refused(self) -> None:
        for call in (load_images, known_facts):
            with pytest.raises(InputError, match="'joined:joined:digits' given, expected joined: once"):
                call("joined:joined:digits")

    def test_joining_nothing_is_refused(self) -> None:
        with pytest.raises(InputError, match="'joined:' given, expected a data set's name behind joined:"):
            known_facts("joined:")

    def test_an_unknown_name_inside_is_named(self) -> None:
        with pytest.raises(UnknownNameError, match="'image-net'"):
            load_images("joined:image-net")


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UnknownNameError, match="cifar10, cifar100, digits, digits-halves, fashion-mnist"):
        load_images("image-net")


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="data folder"):
        load_images("fashion-mnist", tmp_path / "nowhere")
