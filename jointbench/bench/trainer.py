"""The trainer: trains one network for a budget and says everything that came of it.

Reached with it so far: see the card of the released log `digits-cpu`. Each rule below is a line of the paper's
appendix B or of the authors' code; the budget counts forward, backward and optimizer step alone.
"""

import gc
import math
import platform
import time
import uuid
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

import jointbench
from jointbench.bench.augmentation import Batch, Batches, DeviceImages, DevicePart
from jointbench.bench.clock import Clock, device_clock
from jointbench.bench.memory import DeviceMemory, ran_out_of_memory
from jointbench.bench.network import network
from jointbench.bench.schedule import CosineRestarts
from jointbench.data.errors import JointBenchError
from jointbench.data.evaluation import Configuration, Curve, Evaluation, Provenance, Status
from jointbench.data.ladder import Ladder, Unit
from jointbench.data.space import Space

#: Validation passes that a learning curve has at most, evenly spaced over the budget.
CURVE_POINTS = 16
#: Passes before the last may cost this share of the training, counting a forward pass as a third of a step.
CURVE_SHARE = 0.05
#: Numbers in the widest layers of an evaluation batch; 64 Mi of them are 256 MiB in fp32.
EVALUATION_NUMBERS = 2**26

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Hardware:
    """What a training runs on. `memory` in bytes (None: all there is); a CPU training uses one thread."""

    device: str = "cpu"
    precision: Precision = "fp32"
    memory: int | None = None

    @property
    def description(self) -> str:
        limit = "" if self.memory is None else f", {self.memory / 2**30:g} GiB"
        if torch.device(self.device).type == "cuda":
            return torch.cuda.get_device_name(self.device) + limit
        return f"{_processor()}, 1 thread{limit}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


#: A training and its evaluation are given up after this many budgets and a minute more, in seconds: on a processor
#: the validation of a large network can take hours, however short its training.
PATIENCE, GRACE = 10.0, 60.0


class _DivergedError(Exception):
    """The loss is not finite."""


class _TimeoutError(Exception):
    """The training, with all that is not budgeted, takes too long."""


class _Patience:
    """Ends after PATIENCE budgets and GRACE seconds, counted as the budget is: CPU time of this thread on a CPU.

    A ladder in epochs says nothing of seconds, so there it never ends.
    """

    def __init__(self, device: torch.device, budget: float, unit: Unit) -> None:
        self._now = time.thread_time if device.type == "cpu" else time.perf_counter
        self._end = self._now() + PATIENCE * budget + GRACE if unit == "seconds" else math.inf

    def check(self) -> None:
        """Raises _TimeoutError."""
        if self._now() > self._end:
            raise _TimeoutError


@dataclass
class _Progress:
    """How far a training has come; read by the evaluation whether or not it got to the end."""

    images: int = 0
    steps: int = 0
    evaluated_images: int = 0

    def __post_init__(self) -> None:
        self.seconds: list[float] = []
        self.epochs: list[float] = []
        self.training_loss: list[float] = []
        self.validation_error: list[float] = []

    def curve_point_due(self, share: float, validation_images: int) -> bool:
        """Counted in images, not seconds, so that the same training has the same curve on any machine."""
        if share * CURVE_POINTS < len(self.seconds) + 1:
            return False
        return (self.evaluated_images + validation_images) / 3 <= CURVE_SHARE * self.images

    def curve(self) -> Curve:
        return Curve(tuple(self.seconds), tuple(self.epochs), tuple(self.training_loss), tuple(self.validation_error))


def _autocast(device: torch.device, precision: Precision) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def warm_up(space: Space, images: DeviceImages, hardware: Hardware) -> None:
    """Take one step of a small network, so that what a process pays once falls into nobody's budget."""
    configuration = space.configuration([h.low for h in space.hyperparameters])
    with images.device:
        model = network(space, configuration, images.facts.shape, images.facts.classes)
    batch = Batches(images, 32, 0, 0.0, np.random.default_rng(0)).next()
    memory = DeviceMemory(images.device, None)
    _step(model, torch.optim.SGD(model.parameters(), fused=True), batch, hardware.precision, memory)


def train(
    space: Space,
    configuration: Configuration,
    budget: float,
    seed: int,
    *,
    ladder: Ladder,
    images: DeviceImages,
    hardware: Hardware,
) -> Evaluation:
    """Train `configuration` from scratch for `budget` (a rung of `ladder`) and evaluate it once at the end.

    Divergence, running out of memory and any crash inside are outcomes with a status and a reason. Raises
    ConfigurationError or BudgetError before anything is trained.
    """
    configuration = space.check(configuration)
    rung = ladder.rung_of(budget)
    facts = space.facts(configuration, images.facts.shape, images.facts.classes)
    torch.manual_seed(seed)
    began = time.perf_counter()
    progress, clock = _Progress(), device_clock(images.device)
    guessing = 1 - 1 / images.facts.classes
    validation_error = test_error = guessing
    memory = DeviceMemory(images.device, hardware.memory)
    status, reason = Status.OK, ""
    try:
        memory.reserve(facts.parameters, facts.activations * int(configuration["batch_size"]))
        with images.device:
            model = network(space, configuration, images.facts.shape, images.facts.classes)
        training = _Training(
            model,
            configuration,
            CosineRestarts(budget, rung),
            images,
            hardware.precision,
            clock,
            memory,
            _Patience(images.device, budget, ladder.unit),
            facts.activations,
        )
        training.spend(budget, ladder.unit, seed, progress)
        test_error = training.error_of(images.test)
        validation_error = progress.validation_error[-1]
    except _DivergedError:
        status, reason = Status.DIVERGED, f"the loss is not finite after {progress.steps} steps"
    except _TimeoutError:
        status, reason = Status.TIMEOUT, f"longer than {PATIENCE:g} budgets and {GRACE:g} s"
    except JointBenchError:
        raise
    except Exception as error:
        status = Status.OUT_OF_MEMORY if ran_out_of_memory(error) else Status.CRASHED
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    seconds = clock.elapsed
    # A failed training's tensors hang in its traceback's cycle until collected.
    gc.collect()
    return Evaluation(
        space=space.name,
        configuration=configuration,
        budget=float(budget),
        seed=seed,
        status=status,
        validation_error=validation_error,
        test_error=test_error,
        parameters=facts.parameters,
        flops=facts.flops,
        training_seconds=seconds,
        wall_seconds=time.perf_counter() - began,
        peak_memory=memory.peak,
        images_per_second=progress.images / seconds if seconds > 0 else 0.0,
        epochs=progress.images / len(images.training),
        steps=progress.steps,
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
            clock="measured",
        ),
    )


@dataclass(frozen=True)
class _Training:
    """One network being trained: what a step and an evaluation need."""

    model: nn.Module
    configuration: Configuration
    schedule: CosineRestarts
    images: DeviceImages
    precision: Precision
    clock: Clock
    memory: DeviceMemory
    patience: _Patience
    activations: int

    def spend(self, budget: float, unit: Unit, seed: int, progress: _Progress) -> None:
        """Train until the budget is spent; the first step that reaches it is the last."""
        at, images, clock = self.configuration, self.images, self.clock
        optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=at["learning_rate"],
            momentum=at["momentum"],
            nesterov=True,
            weight_decay=at["weight_decay"],
            fused=True,
        )
        rng = np.random.default_rng(seed)
        batches = Batches(images, int(at["batch_size"]), int(at["cutout_length"]), at["mixup_alpha"], rng)
        spent, losses = 0.0, []
        while spent < budget:
            batch = batches.next()
            optimizer.param_groups[0]["lr"] = at["learning_rate"] * self.schedule.factor
            with clock.lap():
                clock.keep(_step(self.model, optimizer, batch, self.precision, self.memory))
            self.memory.check()
            self.patience.check()
            progress.steps += 1
            progress.images += len(batch.labels)
            before = spent
            spent = clock.elapsed if unit == "seconds" else progress.images / len(images.training)
            self.schedule.advance(spent - before)
            over = spent >= budget
            if over:
                clock.finish()
            losses += _finite(clock.losses())
            if over or progress.curve_point_due(spent / budget, len(images.validation)):
                progress.seconds.append(clock.elapsed)
                progress.epochs.append(progress.images / len(images.training))
                progress.training_loss.append(float(np.mean(losses)))
                progress.validation_error.append(self.error_of(images.validation))
                progress.evaluated_images += len(images.validation)
                losses = []

    def error_of(self, part: DevicePart) -> float:
        """Fraction of clean images of `part` that the network in evaluation mode gets wrong."""
        size = max(1, min(len(part), EVALUATION_NUMBERS // self.activations))
        self.model.eval()
        wrong = torch.zeros((), device=self.images.device)
        with torch.inference_mode(), _autocast(self.images.device, self.precision):
            for chunk, labels in zip(part.images.split(size), part.labels.split(size), strict=True):
                wrong += (self.model(self.images.normalise(chunk)).argmax(dim=1) != labels).sum()
                self.patience.check()
        self.model.train()
        return wrong.item() / len(part)


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch, precision: Precision, memory: DeviceMemory
) -> Tensor:
    optimizer.zero_grad(set_to_none=True)
    with _autocast(batch.images.device, precision):
        loss = batch.loss(model(batch.images))
    memory.check()
    loss.backward()
    optimizer.step()
    return loss


def _finite(losses: list[float]) -> list[float]:
    if not all(math.isfinite(loss) for loss in losses):
        raise _DivergedError
    return losses
