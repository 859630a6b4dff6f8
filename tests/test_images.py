"""Image data sets, on real digits and on files written here in the formats of the others."""

import gzip
import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jointbench.data.errors import MissingDataError, UnknownNameError
from jointbench.data.images import ImageFacts, load_images


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
        assert digits.facts == ImageFacts("digits", (1, 8, 8), 10, training=1348, validation=150, test=299)
        content = b"".join(part.images.tobytes() for part in (digits.training, digits.validation, digits.test))
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


class TestFashionMnist:
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    @pytest.mark.parametrize("place", [".", "FashionMNIST/raw"])
    def test_is_read_from_idx_files(self, tmp_path: Path, suffix: str, place: str) -> None:
        images = write_fashion(tmp_path / place, suffix)
        data = load_images("fashion-mnist", tmp_path)
        assert data.facts == ImageFacts("fashion-mnist", (1, 28, 28), 10, training=36, validation=4, test=40)
        np.testing.assert_array_equal(data.test.images[:, 0], images)

    def test_a_damaged_file_is_named(self, tmp_path: Path) -> None:
        write_fashion(tmp_path, "")
        (tmp_path / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03short")
        with pytest.raises(MissingDataError, match="train-images"):
            load_images("fashion-mnist", tmp_path)


def write_cifar10(folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Five batches and a test batch in CIFAR-10's pickled format; torchvision is told their checksums."""
    from torchvision.datasets import CIFAR10

    base = folder / CIFAR10.base_folder
    base.mkdir(parents=True)
    rng = np.random.default_rng(0)
    sums: dict[str, str] = {}

    def write(name: str, content: Any) -> None:
        raw = pickle.dumps(content)
        (base / name).write_bytes(raw)
        sums[name] = hashlib.md5(raw).hexdigest()

    pixels = rng.integers(0, 256, (60, 3072), dtype=np.uint8)
    for i, (name, _) in enumerate(CIFAR10.train_list + CIFAR10.test_list):
        write(name, {"data": pixels[10 * i : 10 * i + 10], "labels": list(range(10))})
    write("batches.meta", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(CIFAR10, "train_list", [(name, sums[name]) for name, _ in CIFAR10.train_list])
    monkeypatch.setattr(CIFAR10, "test_list", [(name, sums[name]) for name, _ in CIFAR10.test_list])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    return pixels


class TestCifar:
    def test_cifar10_is_read_through_torchvision(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pixels = write_cifar10(tmp_path, monkeypatch)
        data = load_images("cifar10", tmp_path)
        assert data.facts == ImageFacts("cifar10", (3, 32, 32), 10, training=45, validation=5, test=10)
        np.testing.assert_array_equal(data.test.images, pixels[50:].reshape(10, 3, 32, 32))

    def test_missing_files_are_explained(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from torchvision.datasets import CIFAR10

        def no_network(self: Any) -> None:
            raise OSError("no route to host")

        monkeypatch.setattr(CIFAR10, "download", no_network)
        with pytest.raises(MissingDataError, match="put them there by hand"):
            load_images("cifar10", tmp_path)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UnknownNameError, match="cifar10, cifar100, digits, fashion-mnist"):
        load_images("imagenet")


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="data folder"):
        load_images("fashion-mnist", tmp_path / "nowhere")
