"""Device types: one is added by the registry alone, and trains; nobody else asks what type one is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from test_trainer import SMALL
from toy_device import A_LAP, FakeAccelerator

import jointbench
from jointbench.bench.calls.workers import Workers
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.bench.training.devices.registry import DEVICES, device_of, kinds_here
from jointbench.bench.training.hardware import Hardware
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Status
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.joint import JOINT

PACKAGE = Path(jointbench.__file__).parent


@pytest.fixture
def fake() -> Iterator[FakeAccelerator]:
    DEVICES.add("fake", FakeAccelerator)
    device = device_of("fake:1")
    assert isinstance(device, FakeAccelerator)
    device.asked.clear()
    yield device
    DEVICES.remove("fake")


def test_a_new_type_trains_by_its_own_clock(fake: FakeAccelerator, tmp_path: Path) -> None:
    hardware = Hardware("fake:1")
    objective = TrainingObjective(JOINT, Ladder(2, 4, 2), "digits", hardware, None, tmp_path)
    evaluation = objective(SMALL, 4.0, 0)
    assert evaluation.status is Status.OK, evaluation.reason
    assert evaluation.steps == 4.0 / A_LAP
    assert evaluation.metrics["training_seconds"] == 4.0
    assert evaluation.metrics["peak_memory"] == 2**20
    assert evaluation.provenance.device == "a fake accelerator"
    # Its warm-up of two steps, and one before any training.
    assert fake.asked["lap"] == evaluation.steps + fake.warm_up_steps
    assert fake.asked["prepare"] == 1
    # The device is its own when it leaves the room.
    assert fake.asked["synchronize"] > 0


def test_a_new_type_is_what_workers_train_on_where_it_is_here(fake: FakeAccelerator) -> None:
    assert kinds_here()[0] == "fake" or torch.cuda.is_available()
    assert Workers(device="fake:1").hardware().on is fake
    with pytest.raises(InputError, match=r"device: 'mps' given, expected .*fake"):
        Workers(device="mps").hardware()


@pytest.mark.parametrize("label", ["tpu", "", "fake", ":0"])
def test_an_unknown_type_is_named(label: str) -> None:
    with pytest.raises(UnknownNameError, match="one of cpu, cuda"):
        device_of(label)


def test_nobody_but_a_device_asks_for_its_type() -> None:
    asking = re.compile(r"device\)?(\(.*\))?\.type\b|torch\.cuda\.")
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if asking.search(path.read_text(encoding="utf-8")) and path.parent.name != "devices"
    }
    assert found == set()
