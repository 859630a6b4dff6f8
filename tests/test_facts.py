"""Facts by arithmetic are the facts of the network that is built."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from jointbench.bench.network import ResidualBlock, network
from jointbench.data.joint import JOINT

SHAPES = st.sampled_from([(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 7, 9)])
CONFIGURATIONS = st.integers(0, 2**32).map(lambda seed: JOINT.sample(np.random.default_rng(seed))[0])


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("shake-shake-26-2x32d", 2.92),
        ("shake-shake-26-2x64d", 11.65),
        ("shake-shake-26-2x96d", 26.19),
        ("zela-2018", 27.59),
    ],
)
def test_table_2_parameters(name: str, millions: float) -> None:
    with torch.device("meta"):
        model = network(JOINT, JOINT.named[name], (3, 32, 32), 10)
    counted = sum(p.numel() for p in model.parameters())
    assert counted == JOINT.facts(JOINT.named[name]).parameters
    assert round(counted / 1e6, 2) == millions


@given(configuration=CONFIGURATIONS, shape=SHAPES, classes=st.sampled_from([10, 100]))
@settings(max_examples=15)
def test_facts_are_what_the_built_network_has(configuration: Any, shape: Any, classes: int) -> None:
    """Without memory or arithmetic (on the meta device), so for any configuration of the space."""
    facts = JOINT.facts(configuration, shape, classes)
    with torch.device("meta"):
        model = network(JOINT, configuration, shape, classes).eval()
        images = torch.zeros(1, *shape)
    assert sum(p.numel() for p in model.parameters()) == facts.parameters
    activations = 0

    def count(module: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal activations
        activations += output[0].numel()

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert model(images).shape == (1, classes)
    assert counter.get_total_flops() == facts.flops
    assert activations == facts.activations
    blocks = [m for m in model.modules() if isinstance(m, ResidualBlock)]
    last = np.cumsum([configuration[f"res_blocks_{i}"] for i in (1, 2, 3)]) - 1
    assert tuple(blocks[i].norm2.num_features // blocks[i].branches for i in last) == facts.widths


@given(st.lists(CONFIGURATIONS, min_size=1, max_size=20), SHAPES, st.sampled_from([2, 10, 100]))
@settings(max_examples=20)
def test_facts_of_a_batch_are_those_of_each(configurations: list[Any], shape: Any, classes: int) -> None:
    batch = JOINT.facts(JOINT.rows(configurations), shape, classes)
    for i, configuration in enumerate(configurations):
        one = JOINT.facts(configuration, shape, classes)
        assert (one.parameters, one.flops, one.activations) == (
            batch.parameters[i],
            batch.flops[i],
            batch.activations[i],
        )
        assert one.widths == tuple(width[i] for width in batch.widths)


@given(CONFIGURATIONS)
def test_a_width_is_the_rounded_multiple_of_the_width_before_and_at_least_1(configuration: Any) -> None:
    before = configuration["filters"]
    for block, width in zip((1, 2, 3), JOINT.facts(configuration).widths, strict=True):
        assert width == max(1, round(configuration[f"widen_factor_{block}"] * before))
        before = width


def test_sizes_of_sampled_networks_are_those_of_the_notes() -> None:
    rows = JOINT.rows(JOINT.sample(np.random.default_rng(0), 20_000))
    parameters = JOINT.facts(rows).parameters
    # Median 4.1M, 6.2 % above 300M, 2.5 % above 900M; standard errors of 20,000 samples are about 0.1M and 0.2 %.
    assert np.median(parameters) == pytest.approx(4.1e6, abs=0.4e6)
    assert np.mean(parameters > 300e6) == pytest.approx(0.062, abs=0.006)
    assert np.mean(parameters > 900e6) == pytest.approx(0.025, abs=0.004)


def test_the_training_hyperparameters_change_no_fact() -> None:
    one, other = JOINT.sample(np.random.default_rng(0), 2)
    mixed = {**other, **{name: one[name] for name in JOINT.architecture}}
    assert JOINT.facts(mixed) == JOINT.facts(one)
