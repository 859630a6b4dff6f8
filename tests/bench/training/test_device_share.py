"""Trainings share a device, and one that times its steps is alone on it."""

import multiprocessing
import os
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from jointbench.bench.training.device_share import DeviceShare
from jointbench.bench.training.devices.registry import device_of

CPU = device_of("cpu")
SPAWN = multiprocessing.get_context("spawn")


def _train(folder: Path, stop: Event, beats: Any) -> None:
    """Steps until it is told to stop, and says how often it has stepped."""
    share = DeviceShare(CPU, folder)
    with share.together():
        while not stop.is_set():
            beats.value += 1
            share.give_way()
            time.sleep(0.001)


def _until(condition: Any) -> None:
    # Processes take long to start where many tests do.
    for _ in range(120_000):
        if condition():
            return
        time.sleep(0.001)
    pytest.fail("nothing happened for two minutes")


@pytest.fixture
def trainings(tmp_path: Path) -> Any:
    stop = SPAWN.Event()
    beats = [SPAWN.Value("q", 0) for _ in range(2)]
    processes = [SPAWN.Process(target=_train, args=(tmp_path, stop, beat)) for beat in beats]
    for process in processes:
        process.start()
    _until(lambda: all(beat.value for beat in beats))
    yield processes, beats
    stop.set()
    for process in processes:
        process.join()


def test_trainings_run_side_by_side(trainings: Any) -> None:
    _, beats = trainings
    before = [beat.value for beat in beats]
    _until(lambda: all(beat.value > at + 5 for beat, at in zip(beats, before, strict=True)))


def test_who_is_alone_sees_nobody_move(trainings: Any, tmp_path: Path) -> None:
    _, beats = trainings
    share = DeviceShare(CPU, tmp_path)
    with share.together():
        for _ in range(3):
            with share.alone():
                before = [beat.value for beat in beats]
                time.sleep(0.05)
                assert [beat.value for beat in beats] == before
            _until(lambda before=before: all(b.value > at for b, at in zip(beats, before, strict=True)))


def test_several_may_want_to_be_alone(trainings: Any, tmp_path: Path) -> None:
    shares = [DeviceShare(CPU, tmp_path) for _ in range(3)]
    for share in shares:
        with share.together(), share.alone():
            pass


def test_a_killed_process_holds_nothing(trainings: Any, tmp_path: Path) -> None:
    processes, _ = trainings
    os.kill(processes[0].pid, signal.SIGKILL)
    share = DeviceShare(CPU, tmp_path)
    with share.together(), share.alone():
        pass
