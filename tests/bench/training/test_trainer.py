"""The trainer on the real digits: its rules, on a clock that beats evenly, and the outcomes that it tells apart."""

import itertools
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from jointbench.bench.training import progress, trainer
from jointbench.bench.training.augmentation import Batches, DeviceImages, DevicePart
from jointbench.bench.training.devices.cpu import Processor, ProcessorClock
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.initialising import initialise
from jointbench.bench.training.networks.registry import network
from jointbench.bench.training.schedule import CosineRestarts
from jointbench.bench.training.trainer import train
from jointbench.bench.training.training_loop import Training
from jointbench.data.errors import BudgetError, ConfigurationError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import VALIDATION_ERROR
from jointbench.data.spaces.joint import JOINT

CPU = torch.device("cpu")
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
SECONDS, EPOCHS = Ladder(0.2, 0.6), Ladder(0.1, 0.3, unit="epochs")


@pytest.fixture(scope="module")
def digits() -> DeviceImages:
    torch.set_num_threads(1)
    return DeviceImages(load_images("digits"), CPU)


def broken(images: DeviceImages) -> DeviceImages:
    """The same images, of which every pixel is no number once it is normalised."""
    images.mean = images.mean * float("nan")
    return images


def trained(
    images: DeviceImages,
    budget: float = 0.2,
    ladder: Ladder = SECONDS,
    *,
    seed: int = 7,
    hardware: Hardware = Hardware(),  # noqa: B008 - immutable
    **changed: Any,
) -> Evaluation:
    return train(JOINT, {**SMALL, **changed}, budget, seed, ladder=ladder, images=images, hardware=hardware)


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

    @property
    def measured(self) -> float:
        return self.elapsed


@dataclass
class Watched:
    """A training with what was seen of it: the network; before each step of the budget the learning rate, the
    parameters and their gradients; what was done while the clock ran, and while it stood."""

    evaluation: Evaluation = field(init=False)
    model: nn.Module = field(init=False)
    rates: list[float] = field(default_factory=list)
    parameters: list[list[Tensor]] = field(default_factory=list)
    gradients: list[list[Tensor]] = field(default_factory=list)
    clocked: set[str] = field(default_factory=set)
    unclocked: set[str] = field(default_factory=set)


def watch(
    monkeypatch: pytest.MonkeyPatch,
    images: DeviceImages,
    budget: float,
    ladder: Ladder = Ladder(0.5, 1.5),  # noqa: B008 - immutable
    *,
    beat: float = 0.125,
    seed: int = 0,
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
        watched.model.register_forward_hook(
            lambda module, inputs, output: note("training pass" if module.training else "evaluation pass")
        )
        next(watched.model.parameters()).register_hook(lambda gradient: note("backward"))
        return watched.model

    def beginning(model: nn.Module) -> None:
        """What is done before the weights are drawn for good is not of the training."""
        initialise(model)
        watched.clocked.clear()
        watched.unclocked.clear()

    def stepping(optimizer: torch.optim.Optimizer, arguments: Any, options: Any) -> None:
        note("step")
        if clock.running:
            parameters = list(watched.model.parameters())
            watched.rates.append(optimizer.param_groups[0]["lr"])
            watched.parameters.append([p.detach().clone() for p in parameters])
            watched.gradients.append([p.grad.clone() for p in parameters])

    with monkeypatch.context() as patched:
        noting(patched, Batches, "next")
        noting(patched, CosineRestarts, "advance")
        noting(patched, torch.optim.SGD, "zero_grad")
        # The first clock is the training's; its warm-up has others.
        clocks = iter([clock])
        patched.setattr(Processor, "clock", lambda device: next(clocks, None) or ProcessorClock())
        patched.setattr(trainer, "network", building)
        patched.setattr(trainer, "initialise", beginning)
        hook = register_optimizer_step_pre_hook(stepping)
        try:
            watched.evaluation = trained(images, budget, ladder, seed=seed)
        finally:
            hook.remove()
    assert watched.evaluation.status is Status.OK, watched.evaluation.reason
    return watched


class TestRules:
    def test_the_clock_runs_for_forward_backward_and_step_alone(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched = watch(monkeypatch, digits, 0.5)
        assert watched.clocked == {"zero_grad", "training pass", "backward", "step"}
        assert watched.unclocked == {"next", "advance", "evaluation pass"}

    @pytest.mark.parametrize(
        ("beat", "budget", "steps"), [(0.125, 0.5, 4), (0.2, 0.5, 3), (3.0, 0.5, 1), (0.125, 1.5, 12)]
    )
    def test_the_first_step_that_reaches_the_budget_is_the_last(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch, beat: float, budget: float, steps: int
    ) -> None:
        """However far it is from the end of an epoch: 4 steps of 64 images are a fifth of one."""
        evaluation = watch(monkeypatch, digits, budget, beat=beat).evaluation
        assert evaluation.steps == steps
        assert evaluation.training_seconds == pytest.approx(steps * beat)
        assert evaluation.curve.seconds[-1] == evaluation.training_seconds

    def test_a_budget_in_epochs_is_kept_to_a_batch(self, digits: DeviceImages) -> None:
        # 0.3 epochs are 404.4 images.
        evaluation = trained(digits, 0.3, EPOCHS)
        assert (evaluation.steps, evaluation.epochs) == (7, 7 * 64 / 1348)
        assert evaluation.training_seconds > 0

    def test_the_learning_rate_follows_the_cosine_of_the_clock_and_restarts(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cosine(steps: int) -> list[float]:
            return [0.1 * 0.5 * (1 + math.cos(math.pi * i / steps)) for i in range(steps)]

        assert watch(monkeypatch, digits, 0.5).rates == pytest.approx(cosine(4))
        assert watch(monkeypatch, digits, 1.5).rates == pytest.approx(cosine(4) + cosine(8))

    def test_on_a_ladder_in_epochs_it_follows_the_images(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A cycle of 0.1 epochs is 2.1 steps of 64 images long, so 3 steps end it; the next is twice as long.
        step = 64 / 1348
        places = [*(i * step / 0.1 for i in range(3)), *(i * step / 0.2 for i in range(4))]
        expected = [0.1 * 0.5 * (1 + math.cos(math.pi * place)) for place in places]
        assert watch(monkeypatch, digits, 0.3, EPOCHS, beat=9.0).rates == pytest.approx(expected)

    def test_steps_are_nesterovs_with_weight_decay_on_every_parameter(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched = watch(monkeypatch, digits, 0.5)
        last = [p.detach() for p in watched.model.parameters()]
        momenta = [torch.zeros_like(p) for p in last]
        # More than one step: the biases begin at 0, where nothing can decay.
        for step, rate in enumerate(watched.rates):
            before, gradients = watched.parameters[step], watched.gradients[step]
            after = watched.parameters[step + 1] if step + 1 < len(watched.rates) else last
            for i in range(len(last)):
                decayed = gradients[i] + 1e-3 * before[i]
                momenta[i] = 0.9 * momenta[i] + decayed
                torch.testing.assert_close(after[i], before[i] - rate * (decayed + 0.9 * momenta[i]))

    def test_errors_are_those_of_the_last_network_on_clean_images(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # With seed 0 two answers to one image are as good as equal, so that the last bit decides.
        watched = watch(monkeypatch, digits, 1.5, beat=0.025, seed=1)
        data = load_images("digits")
        pixels = data.training.images / 255
        errors = []
        for part in (data.validation, data.test):
            clean = torch.from_numpy((part.images / 255 - pixels.mean()) / pixels.std()).float()
            with torch.no_grad():
                answers = watched.model.eval()(clean.contiguous(memory_format=torch.channels_last)).argmax(dim=1)
            errors.append(np.mean(answers.numpy() != part.labels))
        assert [watched.evaluation.validation_error, watched.evaluation.test_error] == pytest.approx(errors)

    def test_the_last_error_is_reported_though_the_curve_saw_better_ones(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rising = itertools.count()
        monkeypatch.setattr(Training, "error_of", lambda training, part: 0.1 + next(rising) / 100)
        evaluation = watch(monkeypatch, digits, 1.5, beat=0.025).evaluation
        errors = evaluation.curve.validation_error
        assert errors == pytest.approx([0.1 + i / 100 for i in range(len(errors))])
        assert len(errors) > 1
        assert (evaluation.validation_error, evaluation.test_error) == pytest.approx((errors[-1], errors[-1] + 0.01))

    def test_a_curve_has_few_points_that_cost_little(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        evaluation = watch(monkeypatch, digits, 1.5, beat=0.005).evaluation
        curve = evaluation.curve
        assert 5 < len(curve.seconds) <= progress.CURVE_POINTS
        # A forward pass is a third of a step.
        spent = (len(curve.seconds) - 1) * len(digits.validation) / 3
        assert spent <= progress.CURVE_SHARE * evaluation.steps * SMALL["batch_size"]
        assert all(b - a > 0 for a, b in zip(curve.seconds, curve.seconds[1:], strict=False))
        assert list(curve.epochs) == pytest.approx([s / 0.005 * 64 / len(digits.training) for s in curve.seconds])
        assert len(curve.training_loss) == len(curve.validation_error) == len(curve.seconds)

    def test_every_rung_trains_from_scratch(self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
        first, longer = (watch(monkeypatch, digits, budget, beat=0.5).parameters[0] for budget in (0.5, 1.5))
        other = watch(monkeypatch, digits, 0.5, beat=0.5, seed=1).parameters[0]
        assert all(torch.equal(a, b) for a, b in zip(first, longer, strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))

    def test_it_learns(self, digits: DeviceImages) -> None:
        # Guessing is 0.9; six epochs of the small network reach 0.2 to 0.5 (five seeds).
        learned = trained(digits, 6.0, Ladder(2, 6, unit="epochs"), cutout_length=0, mixup_alpha=0.0, res_branches_1=2)
        assert learned.validation_error < 0.7


def bits(evaluation: Evaluation) -> str:
    return repr((evaluation.curve.training_loss, evaluation.validation_error, evaluation.test_error, evaluation.steps))


class TestRepetition:
    def test_the_same_seed_gives_the_same_bits_in_another_process_too(self, digits: DeviceImages) -> None:
        code = """
import torch, test_trainer
from jointbench.data.images.registry import load_images
torch.set_num_threads(1)
images = test_trainer.DeviceImages(load_images("digits"), torch.device("cpu"))
print(test_trainer.bits(test_trainer.trained(images, 0.3, test_trainer.EPOCHS)))
"""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == bits(trained(digits, 0.3, EPOCHS))

    def test_another_seed_gives_others(self, digits: DeviceImages) -> None:
        assert bits(trained(digits, 0.3, EPOCHS)) != bits(trained(digits, 0.3, EPOCHS, seed=8))

    def test_precision_is_a_setting_and_recorded(self, digits: DeviceImages) -> None:
        plain, half = (trained(digits, 0.3, EPOCHS, hardware=Hardware(precision=p)) for p in ("fp32", "bf16"))
        assert half.status is Status.OK, half.reason
        assert (plain.provenance.precision, half.provenance.precision) == ("fp32", "bf16")
        assert bits(plain) != bits(half)


class TestOutcomes:
    def test_an_outcome_says_everything(self, digits: DeviceImages) -> None:
        evaluation = trained(digits)
        assert evaluation.status is Status.OK, evaluation.reason
        assert 0.2 <= evaluation.training_seconds <= evaluation.wall_seconds
        assert evaluation.epochs == pytest.approx(evaluation.steps * 64 / 1348)
        assert evaluation.images_per_second == pytest.approx(evaluation.steps * 64 / evaluation.training_seconds)
        assert evaluation.parameters == JOINT.facts(SMALL, (1, 8, 8), 10).parameters
        # Errors are counted on 150 and 299 images.
        assert evaluation.validation_error * 150 == pytest.approx(round(evaluation.validation_error * 150))
        assert evaluation.test_error * 299 == pytest.approx(round(evaluation.test_error * 299))
        assert evaluation.provenance.images == "digits"
        assert evaluation.provenance.clock == "measured"

    def test_divergence_is_an_outcome_and_ranks_below_guessing(self) -> None:
        evaluation = trained(broken(DeviceImages(load_images("digits"), CPU)))
        assert evaluation.status is Status.DIVERGED
        assert evaluation.validation_error == evaluation.test_error == VALIDATION_ERROR.failure == 1.0
        assert "not finite" in evaluation.reason

    def test_running_out_of_memory_is_an_outcome(self, digits: DeviceImages) -> None:
        beforehand = trained(digits, hardware=Hardware(memory=10_000))
        assert beforehand.status is Status.OUT_OF_MEMORY
        assert beforehand.steps == 0
        # Room for the weights, but not for what the first steps of a wide network need.
        large = {f"widen_factor_{i}": 6.0 for i in (1, 2)} | {"res_branches_1": 5, "batch_size": 128}
        later = trained(digits, hardware=Hardware(memory=60 * 2**20), **large)
        assert later.status is Status.OUT_OF_MEMORY, later.reason
        assert later.validation_error == 1.0
        assert later.peak_memory > 60 * 2**20

    def test_what_the_machine_cannot_hold_is_an_outcome(self, digits: DeviceImages) -> None:
        # Some 7 billion parameters: refused by arithmetic, before anything is allocated.
        huge = {f"widen_factor_{i}": 8.0 for i in (1, 2, 3)} | {f"res_blocks_{i}": 16 for i in (1, 2, 3)}
        evaluation = trained(digits, filters=32, **huge)
        assert evaluation.status is Status.OUT_OF_MEMORY
        assert "available" in evaluation.reason

    def test_taking_far_too_long_is_an_outcome(self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("jointbench.bench.training.timeout.TIMEOUT_BUDGETS", 0.0)
        monkeypatch.setattr("jointbench.bench.training.timeout.GRACE", 0.05)
        evaluation = trained(digits)
        assert evaluation.status is Status.TIMEOUT
        assert evaluation.validation_error == 1.0
        assert 0 < evaluation.training_seconds < 0.2

    def test_evaluating_is_not_training_and_never_times_out(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slowly(training: Training, part: DevicePart, size: int) -> float:
            began = time.thread_time()
            while time.thread_time() < began + 0.4:
                pass
            return 1.0

        monkeypatch.setattr("jointbench.bench.training.timeout.TIMEOUT_BUDGETS", 1.0)
        monkeypatch.setattr("jointbench.bench.training.timeout.GRACE", 0.2)
        monkeypatch.setattr(Training, "_wrong", slowly)
        evaluation = trained(digits)
        assert evaluation.status is Status.OK, evaluation.reason
        assert min(evaluation.validation_seconds, evaluation.test_seconds) >= 0.4

    def test_a_validation_error_that_was_measured_is_kept_though_the_test_fails(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(training: Training) -> float:
            raise MemoryError("no room for the test")

        monkeypatch.setattr(Training, "test", failing)
        evaluation = trained(digits)
        assert (evaluation.status, evaluation.test_error) == (Status.OUT_OF_MEMORY, 1.0)
        assert evaluation.validation_error == evaluation.curve.validation_error[-1] < 1.0

    def test_memory_of_evaluating_stands_apart_and_is_limited_too(
        self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        much = 160 * 2**20
        # A process that has trained nothing before grows by the libraries' own pages.
        trained(digits)

        def greedily(training: Training, part: DevicePart, size: int) -> float:
            taken = np.ones(much // 8)
            training.memory.check()
            return float(taken[0])

        monkeypatch.setattr(Training, "_wrong", greedily)
        evaluation = trained(digits)
        assert evaluation.status is Status.OK, evaluation.reason
        assert evaluation.evaluation_memory > much > evaluation.peak_memory
        limited = trained(digits, hardware=Hardware(memory=much))
        assert limited.status is Status.OUT_OF_MEMORY

    def test_steps_of_several_budgets_are_too_slow_and_nothing_is_evaluated(self, digits: DeviceImages) -> None:
        evaluation = trained(digits, 1e-5, Ladder(1e-5, 3e-5))
        assert evaluation.status is Status.TOO_SLOW
        assert (evaluation.steps, evaluation.validation_seconds, evaluation.test_seconds) == (0, 0.0, 0.0)
        assert evaluation.reason.startswith("a step took")

    def test_a_crash_is_an_outcome_with_its_reason(self, digits: DeviceImages, monkeypatch: pytest.MonkeyPatch) -> None:
        def burn(self: Any, indices: Any) -> Any:
            raise ValueError("the disk is on fire")

        monkeypatch.setattr(DeviceImages, "crop_and_flip", burn)
        evaluation = trained(digits)
        assert evaluation.status is Status.CRASHED
        assert evaluation.reason == "ValueError: the disk is on fire"

    def test_bad_input_is_refused_before_anything_is_trained(self, digits: DeviceImages) -> None:
        with pytest.raises(BudgetError, match="budget"):
            trained(digits, 0.3)
        with pytest.raises(ConfigurationError, match="momentum"):
            trained(digits, momentum=1.5)
