"""How large an evaluation batch is, and what a GPU that is short of memory does to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from test_trainer import SMALL

from jointbench.bench.speed.training_contenders import training_of
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.devices.accelerator import AcceleratorMemory
from jointbench.bench.training.devices.cuda import Cuda
from jointbench.bench.training.devices.registry import device_of
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.training_loop import Training
from jointbench.data.images.registry import load_images

CPU = torch.device("cpu")
MIB = 2**20


@pytest.fixture(scope="module")
def training() -> Training:
    torch.set_num_threads(1)
    return training_of(SMALL, DeviceImages(load_images("digits"), CPU), Hardware())


@pytest.fixture
def batches(training: Training) -> Iterator[list[int]]:
    """Sizes of the batches that the network sees."""
    seen: list[int] = []
    hook = training.model.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    yield seen
    hook.remove()


class TestOnTheProcessor:
    @pytest.mark.parametrize(
        ("limit", "images"),
        [
            # Half of the limit, in numbers of four bytes.
            (8 * MIB, 100),
            (80 * MIB, 1000),
            # More than 256 MiB are of no use.
            (8192 * MIB, 6400),
            # One image must be looked at, whatever it takes.
            (1000, 1),
        ],
    )
    def test_a_batch_takes_half_of_the_limit_and_no_more_than_is_of_use(self, limit: int, images: int) -> None:
        assert device_of(CPU).memory(limit).images_at_once(10486, 0) == pytest.approx(images, rel=0.01)

    def test_without_a_limit_it_is_what_the_machine_has_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        memory = device_of(CPU).memory(None)
        assert memory.images_at_once(1000, 0) == 2**28 // 4000
        monkeypatch.setattr("jointbench.bench.training.process_memory.available", lambda: 8 * MIB)
        assert memory.images_at_once(1000, 0) == 4 * MIB // 4000

    def test_a_part_is_evaluated_in_such_batches(
        self, training: Training, batches: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        room = 2 * 4 * 64 * training.activations
        # Less than any process takes: it is the size of the batches that is looked at.
        monkeypatch.setattr(training.memory, "check", lambda: None)
        monkeypatch.setattr(training.memory, "limit", room + 12 * training.parameters)
        error = training.error_of(training.images.validation)
        assert batches == [64, 64, 22]
        monkeypatch.setattr(training.memory, "limit", None)
        # The same answers; the last bits of the logits may differ.
        assert training.error_of(training.images.validation) == pytest.approx(error, abs=2 / 150)
        assert batches[3:] == [150]


class TestOnAGpu:
    """Its arithmetic, on figures that a GPU could give."""

    def of_a_gpu(self, monkeypatch: pytest.MonkeyPatch, free: int, total: int) -> None:
        figures = {"memory_allocated": 300 * MIB, "memory_reserved": 400 * MIB, "get_memory_info": (free, total)}
        for name, figure in {**figures, "reset_peak_memory_stats": None}.items():
            monkeypatch.setattr(torch.accelerator, name, lambda index, figure=figure: figure)
        monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 0)
        monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: None)

    @pytest.mark.parametrize(
        ("limit", "free", "images"),
        [
            # Free on the device and kept by the allocator: 700 + 100.
            (None, 700 * MIB, 400 * MIB // 4000),
            # Somebody else has taken nearly all of it.
            (None, 0, 50 * MIB // 4000),
            # What the limit leaves: 500 - 300.
            (500 * MIB, 700 * MIB, 100 * MIB // 4000),
            (200 * MIB, 700 * MIB, 1),
            # More than 4 GiB are of no use.
            (None, 2**40, 2**32 // 4000),
        ],
    )
    def test_a_batch_takes_half_of_what_is_free(
        self, monkeypatch: pytest.MonkeyPatch, limit: int | None, free: int, images: int
    ) -> None:
        self.of_a_gpu(monkeypatch, free, 2**41)
        memory = AcceleratorMemory(Cuda("cuda"), limit)
        assert memory.images_at_once(1000, 0) == images

    @pytest.mark.parametrize(
        ("name", "limit", "set_to"),
        [("cuda", None, (1.0, 0)), ("cuda:1", 250 * MIB, (0.25, 1)), ("cuda", 2000 * MIB, (1.0, 0))],
    )
    def test_its_allocator_keeps_the_limit(
        self, monkeypatch: pytest.MonkeyPatch, name: str, limit: int | None, set_to: tuple[float, int]
    ) -> None:
        kept: list[tuple[float, int]] = []
        self.of_a_gpu(monkeypatch, 0, 1000 * MIB)
        monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda share, on: kept.append((share, on)))
        device_of(name).memory(limit)
        assert kept == [set_to]
        # As torch has it: a number, not a device that may have none.
        assert isinstance(kept[0][1], int)

    def test_batches_shrink_until_they_fit(self, training: Training, batches: list[int]) -> None:
        def crowded(module: Any, inputs: Any) -> None:
            if len(inputs[0]) > 40:
                raise torch.OutOfMemoryError("CUDA out of memory")

        whole = training.error_of(training.images.validation)
        batches.clear()
        hook = training.model.register_forward_pre_hook(crowded)
        try:
            assert training.error_of(training.images.validation) == pytest.approx(whole, abs=2 / 150)
        finally:
            hook.remove()
        # 150 images at once, then 75, then 38.
        assert batches == [38, 38, 38, 36]
        assert training.model.training

    def test_one_image_that_does_not_fit_is_an_outcome(self, training: Training) -> None:
        def full(module: Any, inputs: Any) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory")

        hook = training.model.register_forward_pre_hook(full)
        try:
            with pytest.raises(torch.OutOfMemoryError):
                training.error_of(training.images.validation)
        finally:
            hook.remove()
