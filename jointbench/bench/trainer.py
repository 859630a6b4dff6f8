"""The trainer: trains one network for a budget and says everything that came of it.

Reached with it so far: see the card of the released log `digits-cpu`. Each rule below is a line of the paper's
appendix B or of the authors' code; the budget counts forward, backward and optimizer step alone.
"""

import gc
import math
import platform
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

import jointbench
from jointbench.bench.augmentation import Batches, DeviceImages, DevicePart
from jointbench.bench.clock import Clock, device_clock
from jointbench.bench.memory import PeakMemory, memory_limit, ran_out_of_memory
from jointbench.bench.network import network
from jointbench.bench.schedule import CosineRestarts
from jointbench.data.evaluation import Configuration, Curve, Evaluation, Provenance, Status
from jointbench.data.ladder import Ladder
from jointbench.data.space import Space

#: Validation passes that a learning curve has at most, evenly spaced over the budget.
CURVE_POINTS = 16
#: Passes before the last may cost this share of the training, counting a forward pass as a third of a step.
CURVE_SHARE = 0.05
#: Numbers in the widest layers of an evaluation batch; 64 Mi of them are 256 MiB in fp32.
EVALUATION_NUMBERS = 2**26

Precision = Literal["fp32", "bf16"]
Loss = Callable[[Tensor], Tensor]


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


class _Diverged(Exception):
    """The loss is not finite."""


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

    def curve(self) -> Curve:
        return Curve(
            tuple(self.seconds), tuple(self.epochs), tuple(self.training_loss), tuple(self.validation_error)
        )


def error_of(model: nn.Module, images: DeviceImages, part: DevicePart, activations: int, precision: Precision) -> float:
    """Fraction of clean images of `part` that the network in evaluation mode gets wrong."""
    size = max(1, min(len(part), EVALUATION_NUMBERS // activations))
    model.eval()
    wrong = torch.zeros((), device=images.device)
    with torch.inference_mode(), _autocast(images.device, precision):
        for chunk, labels in zip(part.images.split(size), part.labels.split(size), strict=True):
            wrong += (model(images.normalise(chunk)).argmax(dim=1) != labels).sum()
    model.train()
    return wrong.item() / len(part)


def _autocast(device: torch.device, precision: Precision) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def warm_up(space: Space, images: DeviceImages, hardware: Hardware) -> None:
    """Take one step of a small network, so that what a process pays once falls into nobody's budget."""
    configuration = space.configuration([h.low for h in space.hyperparameters])
    with images.device:
        model = network(space, configuration, images.facts.shape, images.facts.classes)
    batch = Batches(images, 32, 0, 0.0, np.random.default_rng(0)).next()
    _step(model, torch.optim.SGD(model.parameters(), fused=True), batch.images, batch.loss, hardware.precision)


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
    peak = PeakMemory(images.device)
    status, reason = Status.OK, ""
    try:
        with memory_limit(images.device, hardware.memory):
            with images.device:
                model = network(space, configuration, images.facts.shape, images.facts.classes)
            _spend(model, configuration, budget, rung, seed, ladder, images, hardware, clock, progress, facts.activations)
            test_error = error_of(model, images, images.test, facts.activations, hardware.precision)
            validation_error = progress.validation_error[-1]
    except _Diverged:
        status, reason = Status.DIVERGED, f"the loss is not finite after {progress.steps} steps"
    except Exception as error:
        status = Status.OUT_OF_MEMORY if ran_out_of_memory(error) else Status.CRASHED
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    peak_memory = peak.bytes
    model = None
    # The failed training's tensors hang in the traceback's cycle until collected.
    gc.collect()
    seconds = clock.elapsed
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
        peak_memory=peak_memory,
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


def _spend(
    model: nn.Module,
    configuration: Configuration,
    budget: float,
    rung: int,
    seed: int,
    ladder: Ladder,
    images: DeviceImages,
    hardware: Hardware,
    clock: Clock,
    progress: _Progress,
    activations: int,
) -> None:
    """Train until the budget is spent; the first step that reaches it is the last."""
    rate = configuration["learning_rate"]
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=rate,
        momentum=configuration["momentum"],
        nesterov=True,
        weight_decay=configuration["weight_decay"],
        fused=True,
    )
    batches = Batches(
        images,
        int(configuration["batch_size"]),
        int(configuration["cutout_length"]),
        configuration["mixup_alpha"],
        np.random.default_rng(seed),
    )
    schedule = CosineRestarts(budget, rung)
    spent, losses = 0.0, []
    while spent < budget:
        batch = batches.next()
        optimizer.param_groups[0]["lr"] = rate * schedule.factor
        with clock.lap():
            loss = _step(model, optimizer, batch.images, batch.loss, hardware.precision)
            clock.keep(loss)
        progress.steps += 1
        progress.images += len(batch.labels)
        before = spent
        spent = clock.elapsed if ladder.unit == "seconds" else progress.images / len(images.training)
        schedule.advance(spent - before)
        losses += _finite(clock.losses())
        over = spent >= budget
        if over:
            clock.finish()
            losses += _finite(clock.losses())
        if over or _curve_point_due(progress, spent / budget, len(images.validation)):
            progress.seconds.append(clock.elapsed)
            progress.epochs.append(progress.images / len(images.training))
            progress.training_loss.append(float(np.mean(losses)))
            progress.validation_error.append(
                error_of(model, images, images.validation, activations, hardware.precision)
            )
            progress.evaluated_images += len(images.validation)
            losses = []


def _step(
    model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, loss_of: Loss, precision: Precision
) -> Tensor:
    optimizer.zero_grad(set_to_none=True)
    with _autocast(inputs.device, precision):
        loss = loss_of(model(inputs))
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss


def _finite(losses: list[float]) -> list[float]:
    if not all(math.isfinite(loss) for loss in losses):
        raise _Diverged
    return losses


def _curve_point_due(progress: _Progress, share: float, validation_images: int) -> bool:
    """Counted in images, not seconds, so that the same training has the same curve on any machine."""
    if share * CURVE_POINTS < len(progress.seconds) + 1:
        return False
    return (progress.evaluated_images + validation_images) / 3 <= CURVE_SHARE * progress.images
