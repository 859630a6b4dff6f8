"""The clock of a GPU on events that a test lets pass, and what the budget's clock never sees."""

import time
from collections.abc import Iterator

import pytest
import torch
from test_trainer import trained

from jointbench.bench.training import trainer, warm_up
from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.clock import StepClock
from jointbench.bench.training.devices.accelerator import EventClock
from jointbench.bench.training.devices.cuda import Cuda
from jointbench.bench.training.step import Step
from jointbench.data.evaluation import Status
from jointbench.data.images.registry import load_images


class Device:
    """A GPU's queue: events are recorded at once and pass when the device gets there, by `times`."""

    def __init__(self) -> None:
        self.recorded = self.passed = 0
        # Seconds at which the n-th event passes.
        self.times: list[float] = []

    def event(self, on: torch.device, enable_timing: bool) -> "Event":
        assert enable_timing
        assert on.type == "cuda"
        return Event(self)

    def synchronize(self) -> None:
        self.passed = self.recorded


class Event:
    def __init__(self, device: Device) -> None:
        self.device, self.number = device, -1

    def record(self) -> None:
        self.number = self.device.recorded
        self.device.recorded += 1

    def query(self) -> bool:
        return self.number < self.device.passed

    def synchronize(self) -> None:
        self.device.passed = max(self.device.passed, self.number + 1)

    def elapsed_time(self, end: "Event") -> float:
        assert self.query()
        assert end.query()
        return 1000 * (self.device.times[end.number] - self.device.times[self.number])


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    device = Device()
    monkeypatch.setattr(torch, "Event", device.event)
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda index: device.synchronize())
    monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 0)
    return device


def lap(clock: EventClock | StepClock, loss: float) -> None:
    with clock.lap():
        clock.keep(torch.tensor(loss))


class TestEventClock:
    def test_what_is_between_the_laps_on_the_device_is_not_counted(self, device: Device) -> None:
        # Two laps of 1 and 3 s, 5 s apart.
        device.times = [0.0, 1.0, 6.0, 9.0]
        clock = EventClock(Cuda("cuda"))
        lap(clock, 0.5)
        lap(clock, 0.25)
        clock.finish()
        assert clock.elapsed == 4.0
        assert clock.losses() == [0.5, 0.25]
        assert clock.losses() == []

    def test_queued_laps_count_as_the_last_that_ended_and_then_as_they_were(self, device: Device) -> None:
        device.times = [0.0, 1.0, 1.0, 4.0, 4.0, 9.0]
        clock = EventClock(Cuda("cuda"))
        for loss in (1.0, 2.0, 3.0):
            lap(clock, loss)
        # The first is waited for: without any nothing is known.
        assert clock.elapsed == 1.0 + 2 * 1.0
        assert clock.losses() == [1.0]
        device.passed = 4
        assert clock.elapsed == 4.0 + 3.0
        device.passed = 6
        assert clock.elapsed == 9.0
        assert clock.losses() == [2.0, 3.0]

    def test_it_goes_on_where_another_process_stood(self, device: Device) -> None:
        device.times = [0.0, 1.0]
        clock = EventClock(Cuda("cuda"))
        clock.resume(10.0, 10.0)
        lap(clock, 1.0)
        clock.finish()
        assert clock.elapsed == 11.0

    def test_counted_laps_do_not_look_at_the_device(self, device: Device) -> None:
        device.times = [0.0, 1.0, 6.0, 9.0]
        clock = StepClock(EventClock(Cuda("cuda")), 0.25)
        lap(clock, 1.0)
        lap(clock, 2.0)
        assert clock.elapsed == 0.5
        assert clock.losses() == []
        clock.finish()
        assert clock.losses() == [1.0, 2.0]


def test_the_first_steps_are_outside_the_budget_and_logged_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first step that takes half a second more, as a search for kernels does, is not in a budget of 0.2 s."""
    images = DeviceImages(load_images("digits"), torch.device("cpu"))

    def slow(step: Step, batches: Batches) -> float:
        first = warm_up.warm_up(step, batches)
        busy = torch.randn(400, 400)
        start = time.thread_time()
        while time.thread_time() < start + 0.5:
            busy @ busy
        return first

    monkeypatch.setattr(trainer, "warm_up", slow)
    evaluation = trained(images)
    assert evaluation.status is Status.OK, evaluation.reason
    assert evaluation.warmup_seconds > 0.5
    assert evaluation.wall_seconds > evaluation.warmup_seconds + 0.2
    # Had it been, the first step would have been the last.
    assert evaluation.steps > 1
