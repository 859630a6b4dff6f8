"""The trainer: trains one network for a budget and says everything that came of it.

Each rule in what it calls is a line of the paper's appendix B or of the authors' code; the budget counts forward,
backward and optimizer step alone. How quick it is, on what, and how often that was measured is in docs/speed.md.
"""

import gc
import math
import platform
import time
import uuid
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial

import numpy as np
import torch

import jointbench
from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.calibration import Calibrations
from jointbench.bench.training.checkpoint import Checkpoint
from jointbench.bench.training.clock import Clock, StepClock
from jointbench.bench.training.device_share import DeviceShare
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.initialising import initialise
from jointbench.bench.training.networks.registry import network
from jointbench.bench.training.progress import Progress
from jointbench.bench.training.recorded_step import step_on
from jointbench.bench.training.schedule import Constant, CosineOfSteps, CosineRestarts, Schedule
from jointbench.bench.training.step import Step
from jointbench.bench.training.timeout import GRACE, TIMEOUT_BUDGETS, TimedOutError, Timeout
from jointbench.bench.training.training_loop import DivergedError, Training
from jointbench.bench.training.warm_up import time_steps, warm_up
from jointbench.data.errors import InputError, JointBenchError
from jointbench.data.evaluation import Configuration, Evaluation, Provenance, Status, failed
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import SAMPLE_MEMORY, TEST_ERROR, VALIDATION_ERROR
from jointbench.data.reference_clock import FEWEST_STEPS, ReferenceClock, steps_within
from jointbench.data.spaces.recipe import Recipe
from jointbench.data.spaces.space import Space

#: Steps of more budgets than these leave no training; where seconds are measured, they vary too much for a closer look.
SEVERAL_BUDGETS = 3


class TooSlowError(Exception):
    """A step takes so long that there is no training in the budget."""


def train(
    space: Space,
    configuration: Configuration,
    budget: float,
    seed: int,
    *,
    ladder: Ladder,
    images: DeviceImages,
    hardware: Hardware,
    calibrations: Calibrations | None = None,
    checkpoint: Checkpoint | None = None,
    architecture_seed: int = 0,
) -> Evaluation:
    """Train `configuration` from scratch for `budget` (a rung of `ladder`) and evaluate it once at the end.

    The calibrated clock keeps what it measures in `calibrations`. With a checkpoint that a training of the same
    arguments left, go on from it. Divergence, running out of memory, steps that are too slow for the budget and any
    crash inside are outcomes with a status and a reason. Raises ConfigurationError, BudgetError or InputError before
    anything is trained.
    """
    configuration = space.check(configuration)
    rung = ladder.rung_of(budget)
    if hardware.clock == "calibrated" and calibrations is None:
        raise InputError("clock", hardware.clock, "measured, where there is no folder for calibrations")
    facts = space.facts(configuration, images.facts.shape, images.facts.classes, architecture_seed)
    recipe = space.recipe(configuration)
    began = time.perf_counter()
    device, progress = images.on, Progress()
    memory, timeout, share = (
        device.memory(hardware.memory),
        Timeout(device, budget, ladder.unit, endless=hardware.clock != "measured"),
        _share(device),
    )
    clock = device.clock()
    errors = failed()
    status, reason = Status.OK, ""
    try:
        if hardware.reference is not None:
            clock = _reference_clock(hardware.reference, space, configuration, images, ladder, architecture_seed)
        memory.reserve(facts.parameters, facts.activations * recipe.batch_size)
        torch.manual_seed(seed)
        with device.torch:
            model = network(space, configuration, images.facts.shape, images.facts.classes, architecture_seed)
        step = step_on(model, recipe, hardware, memory)
        batches = partial(_batches, images, recipe, seed)
        with share.together(), _kernels(hardware):
            several = SEVERAL_BUDGETS * budget if hardware.reference is None and ladder.unit == "seconds" else math.inf
            a_step = warm_up(step, batches())
            if a_step > several:
                # The first of all costs more than others.
                a_step = warm_up(step, batches())
            if calibrations is not None and hardware.clock == "calibrated":
                # Whoever measures first decides for all trainings of the configuration. Timing many steps of one that
                # is too slow would take longer than the training.
                known = a_step if a_step > several else None
                timed = partial(_time_alone, share, step, batches())
                seconds = calibrations.seconds_a_step(
                    *(space, configuration, images.facts, hardware, timed if known is None else lambda: known),
                    architecture_seed=architecture_seed,
                )
                clock = StepClock(device.clock(), seconds)
                a_step = clock.seconds_a_lap
            if a_step > several:
                raise TooSlowError(f"a step took {a_step:.3g} s, with a budget of {budget:g} s")
            step.forget()
            torch.manual_seed(seed)
            initialise(model)
            progress.warmup_seconds = time.perf_counter() - began
            training = Training(
                model,
                step,
                batches(),
                _schedule(clock, images, recipe, budget, rung, ladder),
                clock,
                progress,
                precision=hardware.precision,
                memory=memory,
                timeout=timeout,
                share=share,
                activations=facts.activations,
                parameters=facts.parameters,
                began=began,
            )
            if checkpoint is not None and (state := checkpoint.load()) is not None:
                training.resume(state)
            training.spend(budget, ladder.unit, checkpoint)
            errors[VALIDATION_ERROR.name] = progress.validation_error[-1]
            errors[TEST_ERROR.name] = training.test()
    except TooSlowError as error:
        status, reason = Status.TOO_SLOW, str(error)
    except DivergedError:
        status, reason = Status.DIVERGED, f"the loss is not finite after {progress.steps} steps"
    except TimedOutError:
        status, reason = Status.TIMEOUT, f"longer than {TIMEOUT_BUDGETS:g} budgets and {GRACE:g} s"
    except JointBenchError:
        raise
    except Exception as error:
        status = Status.OUT_OF_MEMORY if device.out_of_memory(error) else Status.CRASHED
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    seconds = clock.elapsed
    # A failed training's tensors hang in its traceback's cycle until collected.
    gc.collect()
    return Evaluation(
        space=space.name,
        configuration=configuration,
        budget=float(budget),
        seed=seed,
        architecture_seed=architecture_seed,
        status=status,
        metrics={
            **errors,
            "parameters": facts.parameters,
            "flops": facts.flops,
            "training_seconds": seconds,
            "wall_seconds": progress.earlier_wall_seconds + time.perf_counter() - began,
            "warmup_seconds": progress.warmup_seconds,
            "measured_seconds": clock.measured,
            "batch_seconds": progress.batch_seconds,
            "validation_seconds": progress.validation_seconds,
            "test_seconds": progress.test_seconds,
            "peak_memory": max(progress.earlier_peak_memory, memory.peak),
            "evaluation_memory": max(progress.earlier_evaluation_memory, memory.evaluation_peak),
            "images_per_second": progress.images / seconds if seconds > 0 else 0.0,
            "epochs": progress.images / len(images.training),
            "steps": progress.steps,
            **({SAMPLE_MEMORY.name: facts.memory} if SAMPLE_MEMORY in space.metrics else {}),
        },
        reason=reason,
        key=uuid.uuid4().hex,
        finished_at=time.time(),
        curve=progress.curve(),
        provenance=Provenance(
            images=images.facts.name,
            machine=f"{platform.system()} {platform.machine()}",
            device=hardware.description,
            torch_version=torch.__version__,
            code_version=jointbench.__version__,
            precision=hardware.precision,
            clock=hardware.clock,
        ),
    )


def _kernels(hardware: Hardware) -> AbstractContextManager[None]:
    """Under a reference clock it does not count how quick they are, and a search for others takes longer than a small
    training, and finds others each time."""
    return nullcontext() if hardware.reference is None else hardware.on.first_kernels()


def _reference_clock(
    reference: ReferenceClock,
    space: Space,
    configuration: Configuration,
    images: DeviceImages,
    ladder: Ladder,
    architecture_seed: int,
) -> StepClock:
    """Raises TooSlowError, by arithmetic alone."""
    shape, classes = images.facts.shape, images.facts.classes
    seconds = reference.seconds_a_step(space, configuration, shape, classes, architecture_seed)
    if ladder.unit == "seconds" and FEWEST_STEPS * seconds > ladder.minimum:
        raise TooSlowError(
            f"a step takes {seconds:.3g} s of {reference.name}: fewer than {FEWEST_STEPS} fit into {ladder.minimum:g} s"
        )
    return StepClock(images.on.clock(), seconds)


def _schedule(clock: Clock, images: DeviceImages, recipe: Recipe, budget: float, rung: int, ladder: Ladder) -> Schedule:
    """By steps where their number is known beforehand, else by what is measured (the authors' rule)."""
    if recipe.schedule == "constant":
        return Constant()
    # Without restarts there is one cycle, as on the lowest rung.
    rung = rung if recipe.schedule == "restarts" else 0
    if not isinstance(clock, StepClock):
        return CosineRestarts(budget, rung)
    a_step = clock.seconds_a_lap if ladder.unit == "seconds" else recipe.batch_size / len(images.training)
    return CosineOfSteps(steps_within(budget, a_step), rung)


@cache
def _share(device: Device) -> DeviceShare:
    return DeviceShare(device)


def _batches(images: DeviceImages, recipe: Recipe, seed: int) -> Batches:
    rng = np.random.default_rng(seed)
    return Batches(images, recipe.batch_size, recipe.cutout_length, recipe.mixup_alpha, rng)


def _time_alone(share: DeviceShare, step: Step, batches: Batches) -> float:
    with share.alone():
        return time_steps(step, batches)
