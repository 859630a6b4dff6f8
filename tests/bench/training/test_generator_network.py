"""The networks of generators: counted, computed by hand, and trained reproducibly."""

import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.running.cluster import SimulatedCluster
from jointbench.bench.running.run import run
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.generator import GeneratedNetwork
from jointbench.bench.training.networks.initialising import initialise
from jointbench.bench.training.networks.registry import network
from jointbench.data.evaluation import Configuration
from jointbench.data.ladder import Ladder
from jointbench.data.seeds import architecture_seed
from jointbench.data.spaces.facts import ImageShape
from jointbench.data.spaces.registry import get_space
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Trial

TRIANGLES = dict(zip(get_space("hnag").names, (3, 2, 0.5, 1, 0.5, 3, 2, 0.5), strict=True))


def built(name: str, at: Configuration, shape: ImageShape, seed: int = 1) -> GeneratedNetwork:
    model = network(get_space(name), at, shape, 10, seed)
    assert isinstance(model, GeneratedNetwork)
    return model


def measured(model: nn.Module, shape: ImageShape) -> Counter[str]:
    """Parameters, FLOPs and numbers that convolutions put out, as torch has them."""
    found: Counter[str] = Counter(parameters=sum(p.numel() for p in model.parameters()))

    def hear(module: nn.Module, inputs: object, output: Tensor) -> None:
        weight = module.weight
        assert isinstance(weight, Tensor)
        if isinstance(module, nn.Conv2d):
            found["activations"] += output.numel()
            found["flops"] += 2 * output[0].numel() * weight[0].numel()
        else:
            found["flops"] += 2 * weight.numel()

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(hear)
    model.eval()
    assert model(torch.zeros(1, *shape)).shape == (1, 10)
    return found


@pytest.mark.parametrize(
    ("name", "shape", "many"),
    [
        ("hnag-small", (1, 8, 8), 6),
        ("rnag-small", (1, 8, 8), 3),
        ("hnag", (3, 32, 32), 2),
        ("hnag-aug1", (1, 14, 14), 2),
        ("hnag-aug2", (3, 28, 28), 2),
        ("rnag", (3, 64, 64), 1),
        ("hnag", (3, 50, 41), 1),
    ],
)
def test_facts_are_what_torch_counts(name: str, shape: ImageShape, many: int) -> None:
    space = get_space(name)
    for seed, at in enumerate(space.sample(np.random.default_rng(len(name)), many)):
        facts = space.facts(at, shape, 10, seed)
        counted = measured(built(name, at, shape, seed), shape)
        assert counted == Counter(parameters=facts.parameters, flops=facts.flops, activations=facts.activations)


def test_memory_is_what_relu_convolution_and_norm_put_out() -> None:
    """Without a head it is the outputs of these modules, but for ReLU, which is a function: an input a convolution."""
    model, numbers = built("hnag-small", TRIANGLES, (1, 8, 8)), 0

    def hear(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal numbers
        numbers += output.numel() + (inputs[0].numel() if module in operations else 0)

    operations = {m for name, m in model.named_modules() if name.endswith(".convolution")}
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.ReLU)):
            module.register_forward_hook(hear)
    model.head.register_forward_pre_hook(lambda module, inputs: hear(module, inputs, inputs[0]))
    model.eval()(torch.zeros(1, 1, 8, 8))
    assert 4 * numbers == get_space("hnag-small").facts(TRIANGLES, (1, 8, 8), 10).memory


def test_a_network_of_triangles_computes_what_the_paper_draws() -> None:
    """Cells 1 and 2 read the one or two before, pooled; the third sums its second input times a sigmoid and its first
    through a convolution."""
    torch.manual_seed(0)
    model = built("hnag-small", TRIANGLES, (1, 8, 8)).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    x = torch.randn(2, 1, 8, 8, dtype=torch.float64)

    def operation(module: nn.Module, of: Tensor) -> Tensor:
        return module.norm(F.conv2d(F.relu(of), module.convolution.weight, padding=1))  # type: ignore

    def triangle(cell: nn.Module, of: Tensor) -> Tensor:
        first, second, third = cell.graph.nodes[0].graph.nodes  # type: ignore
        a = operation(first, of)
        b = operation(second, a)
        shares = third.join.scalars.weight.sigmoid()
        return operation(third, shares[0] * a + shares[1] * b)

    stem = model.stem(x)
    one = triangle(model.cells[0], stem)
    two = triangle(model.cells[1], F.avg_pool2d(one, 2))
    join = model.cells[2].join
    entering = join.scalars.weight.sigmoid()[0] * F.avg_pool2d(two, 2) + F.conv2d(  # type: ignore
        F.avg_pool2d(one, 4),
        join.matching["0"].weight,  # type: ignore
    )
    three = triangle(model.cells[2], entering)
    expected = model.head.classifier(F.relu(three).mean(dim=(2, 3)))
    assert torch.allclose(model(x), expected, rtol=1e-12, atol=1e-12)
    # The second cell reads one tensor, so it has no scalar.
    assert model.cells[1].join.scalars is None  # type: ignore


@pytest.mark.parametrize("name", ["hnag-small", "rnag-small", "hnag-aug1"])
def test_everything_is_learned_in_any_network(name: str) -> None:
    space = get_space(name)
    for seed, at in enumerate(space.sample(np.random.default_rng(1), 4)):
        if name == "hnag-aug1":
            at = {**at, "top_nodes": 4, "mid_nodes": 2, "bottom_nodes": 4}
        model = built(name, at, (1, 8, 8), seed)
        model(torch.randn(4, 1, 8, 8)).logsumexp(dim=1).sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        assert sum(bool((p.grad != 0).any()) for p in model.parameters()) > 0.9 * len(list(model.parameters()))


def test_outputs_of_several_stages_meet_at_the_fewest_pixels() -> None:
    space = get_space("hnag")
    at = {**TRIANGLES, "top_nodes": 10, "top_rewiring": 0.9}
    found = 0
    for seed in range(60):
        architecture = space.drawn(at, seed)  # type: ignore[attr-defined]
        stages = {architecture.cells[cell].stage for cell in architecture.wiring.outputs}
        if len(stages) > 1:
            found += 1
            assert architecture.output.matched
            model = built("hnag", at, (1, 16, 16), seed)
            assert measured(model, (1, 16, 16))["flops"] == space.facts(at, (1, 16, 16), 10, seed).flops
        if found == 2:
            return
    raise AssertionError("no such network among 60")


def test_scalars_begin_as_one_and_are_drawn_anew() -> None:
    model = built("hnag-small", TRIANGLES, (1, 8, 8))
    scalars = [p for name, p in model.named_parameters() if "scalars" in name]
    assert sum(p.numel() for p in scalars) == 3 * 2 + 1
    for p in scalars:
        assert p.tolist() == [1.0] * len(p)
        nn.init.zeros_(p)
    initialise(model)
    assert all(p.tolist() == [1.0] * len(p) for p in scalars)


def test_convolutions_are_drawn_by_their_outputs() -> None:
    model = built("hnag", {**TRIANGLES, "bottom_nodes": 5, "bottom_neighbours": 4}, (3, 32, 32))
    wide = model.head.wide
    assert wide is not None
    weight = wide[0].weight
    assert isinstance(weight, Tensor)
    # Of 300,000 numbers the standard deviation is known to a per cent.
    assert float(weight.detach().std()) == pytest.approx((2 / 1280) ** 0.5, rel=0.01)


PROGRAM = """
import json, sys
import torch
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.devices.registry import device_of
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.trainer import train
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.spaces.registry import get_space
hardware = Hardware()
hardware.prepare()
images = DeviceImages(load_images("digits"), device_of("cpu"))
space = get_space("hnag-small")
at = space.active(space.usual)
found = []
for seed, drawn in json.loads(sys.argv[1]):
    one = train(space, at, 1.0, seed, ladder=Ladder(1, 1, 2, "epochs"), images=images, hardware=hardware,
                architecture_seed=drawn)
    assert one.ok, one.reason
    found.append([one.validation_error, one.curve.training_loss[-1], one.parameters, one.metrics["sample_memory"]])
print(json.dumps(found))
"""


def test_an_evaluation_is_reproducible_from_both_seeds_in_any_process() -> None:
    def told(pairs: list[tuple[int, int]], hash_seed: str) -> list[list[float]]:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", PROGRAM, json.dumps(pairs)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return json.loads(ran.stdout)  # type: ignore[no-any-return]

    first = told([(1, 5), (1, 6), (2, 5)], "1")
    # In another order, after other networks.
    second = told([(2, 5), (1, 5)], "2")
    assert first[0] == second[1]
    assert first[2] == second[0]
    assert first[0][1] != first[1][1] != first[2][1] != first[0][1]
    assert first[0][2:] == first[2][2:]


def test_each_evaluation_of_a_run_draws_a_network_of_its_own() -> None:
    space, ladder = get_space("hnag-small"), Ladder(1, 1, 2, "epochs")
    objective = TrainingObjective(space, ladder, "digits", Hardware())
    at = space.active({**space.usual, **TRIANGLES, "top_nodes": 6})
    trials = [Trial(at, 1.0), Trial(at, 1.0, architecture_seed=9), Trial(at, 1.0, seed=3)]
    optimizer = FixedList(space, ladder, seed=0, full_budgets=3, name="given", trials=trials)
    finished = [one.evaluation for one in run(optimizer, SimulatedCluster(objective, 1), ladder, seed=4)]
    assert [one.architecture_seed for one in finished] == [
        architecture_seed(finished[0].seed),
        9,
        architecture_seed(3),
    ]
    facts = [space.facts(at, (1, 8, 8), 10, one.architecture_seed) for one in finished]
    assert [one.metrics["sample_memory"] for one in finished] == [one.memory for one in facts]
