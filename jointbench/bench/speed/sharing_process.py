"""Processes that train side by side, for `speed/sharing.py`."""

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any

from jointbench.bench.speed.subjects import speed_images
from jointbench.bench.speed.training_contenders import LEARNING_RATE, Ours, training_of
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.clock import StepClock
from jointbench.bench.training.device_share import DeviceShare
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.training_loop import Training
from jointbench.bench.training.warm_up import time_steps, warm_up
from jointbench.data.evaluation import Configuration

#: Images of the noise: how many there are has no effect, but each process makes its own.
PARTS = (2_000, 100, 100)


@dataclass(frozen=True)
class Job:
    """What each of `count` processes trains, for at least `seconds`; `seconds_a_step`: where it is known already."""

    configuration: Configuration
    images: str
    data: str | None
    hardware: Hardware
    count: int
    seconds: float
    seconds_a_step: float | None


@dataclass(frozen=True)
class Rate:
    """Of one process, and the length of its steps on the idle device."""

    images_a_second: float
    seconds_a_step: float


def side_by_side(job: Job) -> list[Rate] | None:
    """The rate of each of `job.count` processes that train at once; None where they do not fit into memory."""
    # Its server has imported torch, and never uses a GPU, so that processes begin at once.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["jointbench.bench.speed.sharing_process"])
    gate = context.Barrier(job.count)
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(job.count, context, initializer=_meet_at, initargs=(gate,)) as pool,
    ):
        found = list(pool.map(_train, [job] * job.count, [folder] * job.count))
    rates = [rate for rate in found if rate is not None]
    return rates if len(rates) == len(found) else None


_gate: Any = None


def _meet_at(gate: Any) -> None:
    global _gate
    _gate = gate


def _train(job: Job, folder: str) -> Rate | None:
    """In a process of its own; None where this one, or another, ran out of memory."""
    try:
        hardware = job.hardware
        hardware.prepare()
        if hardware.on.accelerator:
            hardware = replace(hardware, memory=hardware.on.total_memory // job.count)
        images = DeviceImages(speed_images(job.images, job.data, PARTS), hardware.on)
        configuration = {**job.configuration, "learning_rate": LEARNING_RATE}
        training = training_of(configuration, images, hardware, DeviceShare(images.on, Path(folder)))
        with training.share.together():
            return _rate(job, training)
    except BrokenBarrierError:
        return None
    except Exception as error:
        if not job.hardware.on.out_of_memory(error):
            raise
        return None
    finally:
        # Who did not get as far keeps nobody waiting.
        if _gate.n_waiting:
            with suppress(BrokenBarrierError):
                _gate.abort()


def _rate(job: Job, training: Training) -> Rate:
    warm_up(training.step, training.batches)
    seconds_a_step = job.seconds_a_step
    if seconds_a_step is None:
        with training.share.alone():
            seconds_a_step = time_steps(training.step, training.batches)
    training.clock = StepClock(training.images.on.clock(), seconds_a_step)
    ours, done = Ours(training), 0
    _gate.wait()
    start = time.perf_counter()
    while time.perf_counter() < start + job.seconds or done < 2:
        ours.steps(1)
        done += 1
    training.clock.finish()
    elapsed = time.perf_counter() - start
    return Rate(done * training.batches.batch_size / elapsed, seconds_a_step)
