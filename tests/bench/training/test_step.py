"""What a step runs through: formats, precision, the optimizer, torch.compile."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from test_trainer import EPOCHS, SMALL, bits, trained
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from jointbench.bench.speed.training_contenders import training_of
from jointbench.bench.training import trainer
from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.devices.cpu import Processor
from jointbench.bench.training.devices.cuda import Cuda
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.step import Step
from jointbench.bench.training.training_loop import Training
from jointbench.bench.training.warm_up import warm_up
from jointbench.data.images.registry import load_images


@pytest.fixture(scope="module")
def digits() -> DeviceImages:
    torch.set_num_threads(1)
    return DeviceImages(load_images("digits"), torch.device("cpu"))


def outputs(training: Training) -> Iterator[tuple[nn.Module, Tensor]]:
    """What each module puts out in one step."""
    seen: list[tuple[nn.Module, Tensor]] = []
    for module in training.model.modules():
        module.register_forward_hook(lambda module, inputs, output: seen.append((module, output)))
    training.advance(0.0, "seconds")
    yield from seen


class TestAStep:
    @pytest.mark.parametrize(("precision", "kind"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
    def test_convolutions_are_in_the_precision_that_was_set_and_weights_in_fp32(
        self, digits: DeviceImages, precision: Any, kind: torch.dtype
    ) -> None:
        training = training_of(SMALL, digits, Hardware(precision=precision))
        kinds = {output.dtype for module, output in outputs(training) if isinstance(module, nn.Conv2d)}
        assert kinds == {kind}
        assert {p.dtype for p in training.model.parameters()} == {torch.float32}

    def test_channels_are_last_all_the_way(self, digits: DeviceImages) -> None:
        training = training_of(SMALL, digits, Hardware())
        maps = [output for _, output in outputs(training) if output.dim() == 4]
        weights = [p for p in training.model.parameters() if p.dim() == 4]
        assert maps
        assert all(t.is_contiguous(memory_format=torch.channels_last) for t in [*maps, *weights])

    def test_the_optimizer_is_one_fused_operation(self, digits: DeviceImages) -> None:
        training = training_of(SMALL, digits, Hardware())
        training.advance(0.0, "seconds")
        with Counted() as counted:
            training.step.optimizer.step()
        assert [name for name in counted.names if name.startswith("aten")] == ["aten._fused_sgd_.default"]


class Counted(TorchDispatchMode):
    """Operations that torch is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        self.names.append(str(function))
        return function(*arguments, **(options or {}))


def test_a_batch_takes_as_many_operations_however_many_images_are_in_it(digits: DeviceImages) -> None:
    """No image is handled on its own."""
    asked = []
    for size in (32, 256):
        batches = training_of({**SMALL, "batch_size": size, "mixup_alpha": 0.5}, digits, Hardware()).batches
        batches.next()
        with Counted() as counted:
            assert len(batches.next().labels) == size
        asked.append(counted.names)
    assert asked[0] == asked[1]


def test_a_gpu_is_asked_for_many_batches_by_the_operations_of_one(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = training_of({**SMALL, "batch_size": 64, "mixup_alpha": 0.5}, digits, Hardware()).batches
    asked = []
    for images in (1, Cuda.images_ahead):
        monkeypatch.setattr(Processor, "images_ahead", images)
        with Counted() as counted:
            batches.next()
        asked.append(len(counted.names))
    # Sixteen of them, which are taken from it one after the other; a new epoch is two operations more.
    assert len(batches._ready) == 15
    assert asked[1] <= asked[0] + 2
    with Counted() as counted:
        batches.next()
    assert counted.names == []


def test_a_compiled_network_trains_as_the_other_does_and_compiles_outside_the_budget(
    digits: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the compiler's front end alone: what it makes of the network is run as it is, to the same bits."""
    graphs: list[Any] = []
    warmed_up: list[int] = []

    def backend(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    def watched(step: Step, batches: Batches) -> None:
        warm_up(step, batches)
        warmed_up.append(len(graphs))

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    monkeypatch.setattr(trainer, "warm_up", watched)
    compiled = trained(digits, 0.3, EPOCHS, hardware=Hardware(compile=True))
    # Whatever was compiled was compiled before the clock began.
    assert warmed_up == [len(graphs)] != [0]
    assert bits(compiled) == bits(trained(digits, 0.3, EPOCHS))
    assert compiled.provenance.device.endswith("compiled")
