"""The spaces: their ranges, their encoding, their checks, and facts that are those of the built network."""

import errno
import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from jointbench.bench.training.networks.joint import ResidualBlock
from jointbench.bench.training.networks.registry import network
from jointbench.data.errors import ConfigurationError, InputError, UnknownNameError
from jointbench.data.spaces.joint import JOINT
from jointbench.data.spaces.registry import SPACES, find_configuration, find_space, get_space
from jointbench.data.spaces.space import Space

HYPERPARAMETERS = JOINT.hyperparameters
UNIT_POINTS = st.lists(st.floats(0, 1), min_size=17, max_size=17).map(np.array)
SHAPES = st.sampled_from([(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 7, 9)])
CLASSES = st.sampled_from([2, 10, 100])
CONFIGURATIONS = st.integers(0, 2**32).map(lambda seed: JOINT.sample(np.random.default_rng(seed))[0])


def test_has_ten_architecture_choices_and_seven_hyperparameters() -> None:
    assert len(JOINT.names) == 17
    assert len(JOINT.architecture) == 10
    expected = ["learning_rate", "batch_size", "weight_decay", "momentum", "mixup_alpha", "cutout_length", "death_rate"]
    assert [name for name in JOINT.names if name not in JOINT.architecture] == expected


def test_ranges_and_the_best_configuration_are_table_3s() -> None:
    def three(name: str, *row: Any) -> dict[str, Any]:
        return {f"{name}_{block}": (*row[:-1], row[-1][block - 1]) for block in (1, 2, 3)}

    #: Range, logarithmic, integer, the paper's best value.
    table = {
        "learning_rate": (0.001, 1.0, True, False, 0.648188),
        "batch_size": (32, 128, True, True, 89),
        "weight_decay": (1e-5, 1e-3, True, False, 0.000339),
        "momentum": (0.001, 0.99, False, False, 0.099601),
        "mixup_alpha": (0.0, 1.0, False, False, 0.492042),
        "cutout_length": (0, 20, False, True, 3),
        "death_rate": (0.0, 1.0, False, False, 0.038439),
        **three("res_blocks", 1, 16, True, True, (3, 4, 2)),
        **three("res_branches", 1, 5, False, True, (1, 1, 4)),
        "filters": (8, 32, True, True, 16),
        **three("widen_factor", 0.5, 8.0, True, False, (6.241141, 1.388867, 3.344766)),
    }
    best = JOINT.named["zela-2018"]
    assert {h.name: (h.low, h.high, h.log, h.integer, best[h.name]) for h in JOINT.hyperparameters} == table


@given(UNIT_POINTS)
def test_every_point_of_the_cube_is_a_legal_configuration(point: Any) -> None:
    configuration = JOINT.at(point)
    assert JOINT.check(configuration) == configuration
    assert [type(value) for value in configuration.values()] == [int if h.integer else float for h in HYPERPARAMETERS]


@given(UNIT_POINTS)
def test_a_point_lies_between_the_ends_in_proportion_on_the_scale_of_its_range(point: Any) -> None:
    for h, value, unit in zip(HYPERPARAMETERS, JOINT.at(point).values(), point, strict=True):
        low, high = (h.low - 0.5, h.high + 0.5) if h.integer else (h.low, h.high)
        if h.log:
            expected = math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
        else:
            expected = low + unit * (high - low)
        # An integer is the nearest, or at the very border of two bins the other.
        assert abs(value - expected) <= (0.5 if h.integer else 0) + 1e-12 * abs(expected)


@given(UNIT_POINTS)
def test_encoding_undoes_decoding(point: Any) -> None:
    row = JOINT.rows([JOINT.at(point)])
    # Integers fall to the middle of their bin, so the cycle is closed from the second turn on.
    np.testing.assert_allclose(JOINT.rows([JOINT.at(JOINT.encode(row)[0])]), row, rtol=1e-12)


def test_rows_are_encoded_as_their_values_are() -> None:
    rows = JOINT.rows(JOINT.sample(np.random.default_rng(0), 200))
    kept = rows.copy()
    each = np.stack([h.encode(rows[:, i]) for i, h in enumerate(JOINT.hyperparameters)], axis=1)
    np.testing.assert_array_equal(JOINT.encode(rows), each)
    np.testing.assert_array_equal(rows, kept)
    np.testing.assert_array_equal(JOINT.encode(rows[7:8]), each[7:8])


def test_integers_are_encoded_at_bin_centres() -> None:
    branches = JOINT.by_name["res_branches_1"]
    np.testing.assert_allclose(branches.encode([1, 2, 3, 4, 5]), [0.1, 0.3, 0.5, 0.7, 0.9])


def test_uniform_numbers_give_every_integer_its_share() -> None:
    counts = np.bincount([int(JOINT.by_name["res_branches_1"].decode((i + 0.5) / 10_000)) for i in range(10_000)])
    assert counts.tolist() == [0, 2000, 2000, 2000, 2000, 2000]


def test_configspace_has_the_same_ranges_and_no_conditions() -> None:
    """Flat, as in the paper: the death rate is there whatever the number of branches."""
    space = JOINT.configspace
    assert set(space) == set(JOINT.names)
    assert list(space.conditions) == []
    for h in JOINT.hyperparameters:
        assert (space[h.name].lower, space[h.name].upper, space[h.name].log) == (h.low, h.high, h.log)


def test_a_batch_of_points_gives_the_same_bits_as_each_alone() -> None:
    points = np.concatenate([np.random.default_rng(0).random((500, len(JOINT.names))), np.eye(len(JOINT.names))])
    np.testing.assert_array_equal(JOINT.rows_at(points), JOINT.rows([JOINT.at(point) for point in points]))


@pytest.mark.parametrize("value", [0, 6, 2.5, "2", None, True, float("nan")])
def test_a_value_outside_its_range_is_named_with_its_range(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"res_branches_2: .* given, expected an integer in \[1, 5\]"):
        JOINT.check({**JOINT.named["zela-2018"], "res_branches_2": value})


def test_whole_floats_are_integers_too() -> None:
    assert JOINT.check({**JOINT.named["zela-2018"], "batch_size": 64.0})["batch_size"] == 64


def test_a_configuration_file_is_read_or_refused(tmp_path: Any) -> None:
    path = tmp_path / "configuration.json"
    path.write_text('{"learning_rate": 5}', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"learning_rate|batch_size"):
        JOINT.load(str(path))
    for content in ("[1, 2]", "not json", ""):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"configuration\.json"):
            JOINT.load(str(path))
    with pytest.raises(UnknownNameError, match="zela-2018"):
        JOINT.load("no-such-configuration")


def test_a_configuration_file_that_the_system_keeps_is_refused_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept.json").touch()

    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # Whoever is root may read anything.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigurationError, match=r"kept.json' given, expected .* \(Permission denied\)"):
        JOINT.load(str(tmp_path / "kept.json"))


def test_a_named_configuration_is_found_with_its_space(tmp_path: Any) -> None:
    assert find_configuration("zela-2018") == (JOINT, JOINT.named["zela-2018"])
    assert find_configuration("preact-resnet-18")[0].name == "preact-resnet-18"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(dict(JOINT.named["zela-2018"])), encoding="utf-8")
    assert find_configuration(str(path)) == (JOINT, JOINT.named["zela-2018"])
    with pytest.raises(UnknownNameError, match=r"preact-resnet-18.*zela-2018, or a JSON file"):
        find_configuration("no-such")


@pytest.mark.parametrize("space", SPACES.values(), ids=lambda space: space.name)
def test_a_space_is_itself_in_another_process(space: Space) -> None:
    assert pickle.loads(pickle.dumps(space)) == space
    assert [other for other in SPACES.values() if other == space] == [get_space(space.name)]
    with pytest.raises(UnknownNameError, match="joint"):
        get_space("disjoint")


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


def counted(space: Space, configuration: Any, shape: Any, classes: int) -> tuple[int, int, int, nn.Module]:
    """Parameters, FLOPs and activations of the network that is built, without memory or arithmetic (on torch's meta
    device), so for any configuration."""
    with torch.device("meta"):
        model = network(space, configuration, shape, classes).eval()
        images = torch.zeros(1, *shape)
    activations = 0

    def count(module: nn.Module, inputs: Any, output: Tensor) -> None:
        nonlocal activations
        activations += output[0].numel()

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        assert model(images).shape == (1, classes)
    return sum(p.numel() for p in model.parameters()), counter.get_total_flops(), activations, model


@given(CONFIGURATIONS, SHAPES, CLASSES)
@settings(max_examples=15)
def test_facts_are_what_the_built_network_has(configuration: Any, shape: Any, classes: int) -> None:
    facts = JOINT.facts(configuration, shape, classes)
    *numbers, model = counted(JOINT, configuration, shape, classes)
    assert numbers == [facts.parameters, facts.flops, facts.activations]
    blocks = [m for m in model.modules() if isinstance(m, ResidualBlock)]
    last = np.cumsum([configuration[f"res_blocks_{i}"] for i in (1, 2, 3)]) - 1
    assert tuple(blocks[i].norm2.num_features // blocks[i].branches for i in last) == facts.widths


def test_the_memory_of_a_sample_is_about_what_training_keeps_of_it() -> None:
    """From 0.7 to 1 of it: what convolutions, norms and ReLUs put out is counted, and torch keeps what goes into the
    first two and what comes out of the last, not the second norm of a branch, which nothing reads."""
    small = [at for at in JOINT.sample(np.random.default_rng(0), 60) if JOINT.facts(at).parameters < 200_000]
    assert len(small) > 2
    for configuration in small:
        kept: dict[int, int] = {}
        alive = []

        def keep(tensor: Tensor, kept: dict[int, int] = kept, alive: list[Tensor] = alive) -> Tensor:
            # A weight has four dimensions too, and is a parameter.
            if tensor.dim() == 4 and not isinstance(tensor, nn.Parameter):
                kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
                alive.append(tensor)
            return tensor

        model = network(JOINT, configuration, (1, 8, 8), 10).train()
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            model(torch.zeros(4, 1, 8, 8))
        assert 0.7 < sum(kept.values()) / 4 / JOINT.facts(configuration, (1, 8, 8), 10).memory < 1


@pytest.mark.parametrize("name", ["preact-resnet-18", "wideresnet-28-10"])
@pytest.mark.parametrize(("shape", "classes"), [((3, 32, 32), 10), ((1, 7, 9), 100)])
def test_facts_of_a_reference_network_are_what_is_built(name: str, shape: Any, classes: int) -> None:
    space, configuration = find_configuration(name)
    facts = space.facts(configuration, shape, classes)
    *numbers, model = counted(space, configuration, shape, classes)
    assert numbers == [facts.parameters, facts.flops, facts.activations]
    assert model.classifier.in_features == facts.widths[-1]


@pytest.mark.parametrize("space", SPACES.values(), ids=lambda space: space.name)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 20), shape=SHAPES, classes=CLASSES)
@settings(max_examples=20)
def test_facts_of_a_batch_are_those_of_each(space: Space, seed: int, count: int, shape: Any, classes: int) -> None:
    configurations = space.sample(np.random.default_rng(seed), count)
    batch = space.facts(space.rows(configurations), shape, classes)
    for i, configuration in enumerate(configurations):
        one = space.facts(configuration, shape, classes)
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
        assert width == round(configuration[f"widen_factor_{block}"] * before) >= 1
        before = width


def test_the_narrowest_network_has_a_last_width_of_1() -> None:
    narrow = {name: JOINT.by_name[name].low for name in JOINT.architecture}
    assert JOINT.facts({**JOINT.named["zela-2018"], **narrow}).widths == (4, 2, 1)


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


def test_a_space_is_found_by_name_or_in_a_file(tmp_path: Path) -> None:
    assert find_space("joint") == JOINT
    content = {**JOINT.as_dict(), "name": None}
    (tmp_path / "mine.json").write_text(json.dumps(content), encoding="utf-8")
    found = find_space(tmp_path / "mine.json")
    assert (found.name, found.names) == ("mine", JOINT.names)
    with pytest.raises(UnknownNameError, match="or a file of ConfigSpace's JSON"):
        find_space("mine.json")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.json"):
        find_space(str(tmp_path / "broken.json"))
