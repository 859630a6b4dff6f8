"""What an evaluation costs beside its budget: set-up, warm-up, making batches, validation, test and checkpoints."""

import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from jointbench.bench.running.training_objective import CHECKPOINT_EVERY
from jointbench.bench.speed.subjects import SPACE
from jointbench.bench.speed.training_contenders import LEARNING_RATE, Ours, device_time, training_of
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.checkpoint import Checkpoint
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.image_parts import DevicePart, StreamedPart
from jointbench.bench.training.networks.initialising import initialise
from jointbench.bench.training.progress import Progress
from jointbench.bench.training.trainer import train
from jointbench.bench.training.training_loop import Training
from jointbench.bench.training.warm_up import warm_up
from jointbench.data.evaluation import Configuration
from jointbench.data.ladder import Ladder

#: Images that stand for a part on a processor, where each takes long.
SHOWN = 16
#: Seconds of the evaluation whose other costs are shown: the paper's smallest budget.
BUDGET = 400.0


def beside_the_budget(
    configuration: Configuration, shown_batch: int, images: DeviceImages, hardware: Hardware, evaluate: float | None
) -> tuple[dict[str, float], list[str]]:
    """What an evaluation costs beside its budget, as figures and in words.

    Steps are timed with batches of `shown_batch`; with `evaluate` a network is also trained for so many seconds.
    """
    shown: Configuration = {**configuration, "learning_rate": LEARNING_RATE, "batch_size": shown_batch}
    parts = outside(shown, int(configuration["batch_size"]), images, hardware, BUDGET, device_time(images.on))
    share = sum(parts.values()) / BUDGET
    figures = {f"outside_{name.replace('-', '_')}_seconds": seconds for name, seconds in parts.items()}
    figures["outside_share"] = share
    said = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items())
    notes = [f"beside {BUDGET:g} s of budget, Table 3's network in {hardware.precision}: {said}: {share:.1%}"]
    if evaluate is not None:
        wall, budgeted = of_an_evaluation(configuration, images, hardware, evaluate)
        figures |= {"evaluation_wall_seconds": wall, "evaluation_training_seconds": budgeted}
        notes.append(
            f"an evaluation of {budgeted:.1f} s took {wall:.1f} s: {wall / budgeted - 1:.1%} beside its budget"
        )
    return figures, notes


def outside(
    configuration: Configuration,
    batch_size: int,
    images: DeviceImages,
    hardware: Hardware,
    budget: float,
    clock: Callable[[], float],
) -> dict[str, float]:
    """Seconds of each part that come to an evaluation of `budget` seconds.

    Each is timed as the trainer does it, by `clock`; the checkpoint by the wall, since it waits for the disk. On a
    CPU validation and test are timed on SHOWN images and scaled; and where the configuration's batches are smaller
    than `batch_size`, so is the warm-up, whose every further image is taken to cost what it costs in a step.
    """
    found: dict[str, float] = {}
    start = clock()
    training = training_of(configuration, images, hardware)
    found["set-up"] = clock() - start
    start = clock()
    warm_up(training.step, training.batches)
    initialise(training.model)
    training.step.forget()
    found["warm-up"] = clock() - start
    found["batches"], seconds_a_step = _between_steps(training, clock)
    found["batches"] *= budget / seconds_a_step
    shown = training.batches.batch_size
    found["warm-up"] += (min(batch_size, len(images.training)) / shown - 1) * seconds_a_step
    passes = curve_points(budget, seconds_a_step, shown, images)
    found["validation"] = passes * _pass(training, images.validation, clock)
    found["test"] = _pass(training, images.test, clock)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        Checkpoint(Path(folder) / "checkpoint", 0.0).save(training.state())
    found["checkpoints"] = (time.perf_counter() - start) * (budget // CHECKPOINT_EVERY)
    return found


def of_an_evaluation(
    configuration: Configuration, images: DeviceImages, hardware: Hardware, budget: float
) -> tuple[float, float]:
    """Train one network for `budget` seconds; its wall and its budgeted seconds, as its evaluation says them."""
    ladder = Ladder(budget, 3 * budget)
    evaluation = train(SPACE, configuration, budget, 0, ladder=ladder, images=images, hardware=hardware)
    return evaluation.wall_seconds, evaluation.training_seconds


def curve_points(budget: float, seconds_a_step: float, batch_size: int, images: DeviceImages) -> int:
    """Validation passes of a training whose every step takes so long, the last included."""
    progress, validation = Progress(), len(images.validation)
    for step in range(1, math.ceil(budget / seconds_a_step)):
        progress.images += batch_size
        if progress.curve_point_due(step * seconds_a_step / budget, validation):
            progress.losses = [0.0]
            progress.add_point(0.0, 0.0, 0.0, validation)
    return len(progress.seconds) + 1


def _between_steps(training: Training, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds that the trainer's loop takes for a step beside its lap, and those of the lap."""
    ours = Ours(training)
    ours.steps(1)
    training.clock.finish()
    steps = max(2, math.ceil(1.0 / training.clock.elapsed))
    lapped, start = training.clock.elapsed, clock()
    ours.steps(steps)
    training.clock.finish()
    whole, laps = clock() - start, training.clock.elapsed - lapped
    return max(0.0, whole - laps) / steps, laps / steps


def _pass(training: Training, part: DevicePart | StreamedPart, clock: Callable[[], float]) -> float:
    """Seconds of an evaluation of `part`."""
    shown = len(part) if training.images.on.accelerator else min(SHOWN, len(part))
    start = clock()
    training.error_of(part.first(shown))
    return (clock() - start) * len(part) / shown
