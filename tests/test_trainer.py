"""The trainer rule by rule, on a clock that beats evenly, so that each step can be foretold."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from jointbench.bench import trainer
from jointbench.bench.augmentation import Batches, DeviceImages
from jointbench.bench.network import network
from jointbench.bench.schedule import CosineRestarts
from jointbench.bench.trainer import Hardware, train
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images import load_images
from jointbench.data.joint import JOINT
from jointbench.data.ladder import Ladder

SMALL = {
    **JOINT.named["zela-2018"],
    "learning_rate": 0.1,
    "batch_size": 64,
    "momentum": 0.9,
    "weight_decay": 1e-3,
    "cutout_length": 20,
    "filters": 8,
    **{f"res_blocks_{i}": 1 for i in (1, 2, 3)},
    "res_branches_1": 1,
    "res_branches_2": 2,
    "res_branches_3": 2,
    **{f"widen_factor_{i}": 1.0 for i in (1, 2, 3)},
}
LADDER, EPOCHS = Ladder(0.5, 1.5), Ladder(0.1, 0.3, unit="epochs")


@pytest.fixture(scope="module")
def digits() -> DeviceImages:
    torch.set_num_threads(1)
    return DeviceImages(load_images("digits"), torch.device("cpu"))


class Metronome:
    """A clock on which each lap takes the same seconds; it knows whether one is running."""

    def __init__(self, beat: float) -> None:
        self.beat, self.elapsed, self.running = beat, 0.0, False
        self._losses: list[float] = []

    @contextmanager
    def lap(self) -> Iterator[None]:
        self.running = True
        yield
        self.running = False
        self.elapsed += self.beat

    def keep(self, loss: Tensor) -> None:
        self._losses.append(loss.item())

    def losses(self) -> list[float]:
        kept, self._losses = self._losses, []
        return kept

    def finish(self) -> None:
        pass


@dataclass
class Watched:
    """A training with what was seen of it: the network, before and after; each step's learning rate; what was
    done while the clock ran, and while it stood."""

    evaluation: Evaluation = field(init=False)
    model: nn.Module = field(init=False)
    initial: list[Tensor] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    clocked: set[str] = field(default_factory=set)
    unclocked: set[str] = field(default_factory=set)


def watch(
    monkeypatch: pytest.MonkeyPatch, images: DeviceImages, budget: float, *, beat: float = 0.125, seed: int = 0
) -> Watched:
    watched, clock = Watched(), Metronome(beat)

    def note(what: str) -> None:
        (watched.clocked if clock.running else watched.unclocked).add(what)

    def noting(patched: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def noted(*arguments: Any, **options: Any) -> Any:
            note(name)
            return original(*arguments, **options)

        patched.setattr(owner, name, noted)

    def building(*arguments: Any) -> nn.Module:
        watched.model = network(*arguments)
        watched.initial = [p.detach().clone() for p in watched.model.parameters()]
        watched.model.register_forward_hook(
            lambda module, inputs, output: note("training pass" if module.training else "evaluation pass")
        )
        next(watched.model.parameters()).register_hook(lambda gradient: note("backward"))
        return watched.model

    def stepping(optimizer: torch.optim.Optimizer, arguments: Any, options: Any) -> None:
        note("step")
        watched.rates.append(optimizer.param_groups[0]["lr"])

    with monkeypatch.context() as patched:
        noting(patched, Batches, "next")
        noting(patched, CosineRestarts, "advance")
        noting(patched, torch.optim.SGD, "zero_grad")
        patched.setattr(trainer, "device_clock", lambda device: clock)
        patched.setattr(trainer, "network", building)
        hook = register_optimizer_step_pre_hook(stepping)
        try:
            watched.evaluation = train(JOINT, SMALL, budget, seed, ladder=LADDER, images=images, hardware=Hardware())
        finally:
            hook.remove()
    assert watched.evaluation.status is Status.OK, watched.evaluation.reason
    return watched


def test_the_clock_runs_for_forward_backward_and_step_alone(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(monkeypatch, digits, 0.5)
    assert watched.clocked == {"zero_grad", "training pass", "backward", "step"}
    assert watched.unclocked == {"next", "advance", "evaluation pass"}


@pytest.mark.parametrize(("beat", "budget", "steps"), [(0.125, 0.5, 4), (0.2, 0.5, 3), (3.0, 0.5, 1), (0.125, 1.5, 12)])
def test_the_first_step_that_reaches_the_budget_is_the_last(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch, beat: float, budget: float, steps: int
) -> None:
    evaluation = watch(monkeypatch, digits, budget, beat=beat).evaluation
    assert evaluation.steps == steps
    assert evaluation.training_seconds == pytest.approx(steps * beat)
    assert evaluation.curve.seconds[-1] == evaluation.training_seconds


def test_the_learning_rate_follows_the_cosine_of_the_clock_and_restarts(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cosine(steps: int) -> list[float]:
        return [0.1 * 0.5 * (1 + math.cos(math.pi * i / steps)) for i in range(steps)]

    assert watch(monkeypatch, digits, 0.5).rates == pytest.approx(cosine(4))
    assert watch(monkeypatch, digits, 1.5).rates == pytest.approx(cosine(4) + cosine(8))


def test_a_step_is_nesterovs_with_weight_decay_on_every_parameter(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(monkeypatch, digits, 0.5, beat=1.0)
    for before, after in zip(watched.initial, watched.model.parameters(), strict=True):
        assert after.grad is not None
        decayed = after.grad + 1e-3 * before
        # The first momentum is the gradient itself.
        torch.testing.assert_close(after.detach(), before - 0.1 * (decayed + 0.9 * decayed))


def test_errors_are_those_of_the_last_network_on_clean_images(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(monkeypatch, digits, 1.5, beat=0.025)
    data = load_images("digits")
    pixels = data.training.images / 255
    errors = []
    for part in (data.validation, data.test):
        clean = torch.from_numpy((part.images / 255 - pixels.mean()) / pixels.std()).float()
        with torch.no_grad():
            answers = watched.model.eval()(clean.contiguous(memory_format=torch.channels_last)).argmax(dim=1)
        errors.append(np.mean(answers.numpy() != part.labels))
    assert [watched.evaluation.validation_error, watched.evaluation.test_error] == pytest.approx(errors)


def test_a_curve_has_few_points_that_cost_little(digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = watch(monkeypatch, digits, 1.5, beat=0.005).evaluation
    curve = evaluation.curve
    assert 5 < len(curve.seconds) <= trainer.CURVE_POINTS
    # A forward pass is a third of a step.
    spent = (len(curve.seconds) - 1) * len(digits.validation) / 3
    assert spent <= trainer.CURVE_SHARE * evaluation.steps * SMALL["batch_size"]
    assert all(b - a > 0 for a, b in zip(curve.seconds, curve.seconds[1:], strict=False))
    assert list(curve.epochs) == pytest.approx([s / 0.005 * 64 / len(digits.training) for s in curve.seconds])


def test_every_rung_trains_from_scratch(digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
    first, longer = (watch(monkeypatch, digits, budget, beat=0.5).initial for budget in (0.5, 1.5))
    other = watch(monkeypatch, digits, 0.5, beat=0.5, seed=1).initial
    assert all(torch.equal(a, b) for a, b in zip(first, longer, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def small_training(images: DeviceImages, hardware: Hardware = Hardware()) -> Evaluation:  # noqa: B008 - immutable
    return train(JOINT, SMALL, 0.3, 7, ladder=EPOCHS, images=images, hardware=hardware)


def bits(evaluation: Evaluation) -> str:
    return repr((evaluation.curve.training_loss, evaluation.validation_error, evaluation.test_error, evaluation.steps))


def test_another_process_finds_the_same_bits(digits: DeviceImages) -> None:
    code = """
import torch, test_trainer
from jointbench.data.images import load_images
torch.set_num_threads(1)
images = test_trainer.DeviceImages(load_images("digits"), torch.device("cpu"))
print(test_trainer.bits(test_trainer.small_training(images)))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == bits(small_training(digits))


def test_precision_is_a_setting_and_recorded(digits: DeviceImages) -> None:
    plain, half = small_training(digits), small_training(digits, Hardware(precision="bf16"))
    assert half.status is Status.OK, half.reason
    assert (plain.provenance.precision, half.provenance.precision) == ("fp32", "bf16")
    assert bits(plain) != bits(half)


def test_a_failure_counts_as_guessing_among_the_classes() -> None:
    data = replace(load_images("digits"), classes=100)
    broken = DeviceImages(data, torch.device("cpu"))
    broken.mean = broken.mean * float("nan")
    evaluation = small_training(broken)
    assert evaluation.status is Status.DIVERGED
    assert evaluation.validation_error == evaluation.test_error == pytest.approx(0.99)
