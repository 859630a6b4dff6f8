"""A step that is recorded: the arithmetic of one that is not, on tensors that stay where they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from test_trainer import SMALL
from toy_device import FakeAccelerator, FakeRecorder

from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.checkpoint import Checkpoint
from jointbench.bench.training.devices.cuda import Cuda
from jointbench.bench.training.devices.registry import DEVICES, device_of
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.trainer import train
from jointbench.bench.training.training_loop import Training
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT

LADDER = Ladder(5, 20, 4)
CLOCK = "reference:epyc-thread-v1"


@pytest.fixture
def devices() -> Iterator[tuple[FakeAccelerator, FakeRecorder]]:
    kinds = FakeAccelerator, FakeRecorder
    for kind in kinds:
        DEVICES.add(kind.kind, kind)
    made = [device_of(kind.kind + ":0") for kind in kinds]
    plain, recorder = made
    assert isinstance(plain, FakeAccelerator)
    assert isinstance(recorder, FakeRecorder)
    recorder.asked.clear()
    yield plain, recorder
    for kind in kinds:
        DEVICES.remove(kind.kind)


def trained(device: FakeAccelerator, checkpoint: Checkpoint | None = None, **changed: Any) -> Evaluation:
    images = DeviceImages(load_images("digits"), device)
    hardware = Hardware(device.label)
    return train(
        JOINT, {**SMALL, **changed}, 5.0, 3, ladder=LADDER, images=images, hardware=hardware, checkpoint=checkpoint
    )


@pytest.mark.parametrize("mixup_alpha", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("momentum", [0.001, 0.9])
def test_a_recorded_training_is_the_plain_one(
    devices: tuple[FakeAccelerator, FakeRecorder], mixup_alpha: float, momentum: float
) -> None:
    """The rate is rounded to fp32 on the device. Shares of MixUp at such an alpha are often 1 exactly."""
    plain, recorder = devices
    expected = trained(plain, mixup_alpha=mixup_alpha, momentum=momentum)
    got = trained(recorder, mixup_alpha=mixup_alpha, momentum=momentum)
    assert expected.status is got.status is Status.OK, got.reason
    assert recorder.asked["record"] == 1
    assert got.steps == expected.steps == 20
    assert got.curve.training_loss == pytest.approx(expected.curve.training_loss, rel=1e-3)
    assert got.metrics["validation_error"] == pytest.approx(expected.metrics["validation_error"], abs=0.02)


def test_one_that_was_taken_over_is_recorded_anew_and_goes_on_with_its_momentum(
    devices: tuple[FakeAccelerator, FakeRecorder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recorder = devices
    expected = trained(recorder)
    advance = Training.advance
    steps: list[int] = []

    def until_ten(training: Training, spent: float, unit: Any) -> float:
        if training.progress.steps == 10 and not steps:
            steps.append(10)
            Checkpoint(tmp_path / "it.pt", 1).save(training.state())
            raise RuntimeError("ended")
        return advance(training, spent, unit)

    monkeypatch.setattr(Training, "advance", until_ten)
    assert trained(recorder).status is Status.CRASHED
    recorder.asked.clear()
    got = trained(recorder, Checkpoint(tmp_path / "it.pt", 1e9))
    # Once to warm up, once with what it was given.
    assert recorder.asked["record"] == 2
    assert got.curve == expected.curve
    assert got.metrics["test_error"] == expected.metrics["test_error"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_records_what_it_does_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what is drawn in the network: a recording draws other numbers."""

    def with_records(records: bool) -> Evaluation:
        monkeypatch.setattr(Cuda, "records", records)
        device = device_of("cuda:0")
        device.prepare()
        images = DeviceImages(load_images("digits"), device)
        hardware = Hardware("cuda:0", clock=CLOCK)
        still = {**SMALL, "death_rate": 0.0, **{f"res_branches_{i}": 1 for i in (1, 2, 3)}}
        return train(JOINT, still, 0.5, 3, ladder=Ladder(0.5, 1.0, 2), images=images, hardware=hardware)

    plain, recorded = with_records(False), with_records(True)
    assert plain.status is recorded.status is Status.OK, recorded.reason
    assert recorded.steps == plain.steps
    assert recorded.curve.training_loss == pytest.approx(plain.curve.training_loss, rel=0.05)
