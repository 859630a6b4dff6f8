"""The joint space: its ranges, its encoding, its checks."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointbench.data.errors import ConfigurationError, UnknownNameError
from jointbench.data.joint import JOINT
from jointbench.data.spaces import get_space

UNIT_POINTS = st.lists(st.floats(0, 1), min_size=17, max_size=17).map(lambda u: np.array([u]))


def test_has_ten_architecture_choices_and_seven_hyperparameters() -> None:
    assert len(JOINT.names) == 17
    assert len(JOINT.architecture) == 10
    expected = ["learning_rate", "batch_size", "weight_decay", "momentum", "mixup_alpha", "cutout_length", "death_rate"]
    assert [name for name in JOINT.names if name not in JOINT.architecture] == expected


def test_table_3_lies_at_the_ends_of_the_ranges() -> None:
    ranges = {h.name: (h.low, h.high, h.log, h.integer) for h in JOINT.hyperparameters}
    assert ranges["learning_rate"] == (0.001, 1.0, True, False)
    assert ranges["batch_size"] == (32, 128, True, True)
    assert ranges["weight_decay"] == (1e-5, 1e-3, True, False)
    assert ranges["momentum"] == (0.001, 0.99, False, False)
    assert ranges["cutout_length"] == (0, 20, False, True)
    assert ranges["filters"] == (8, 32, True, True)
    for block in (1, 2, 3):
        assert ranges[f"res_blocks_{block}"] == (1, 16, True, True)
        assert ranges[f"res_branches_{block}"] == (1, 5, False, True)
        assert ranges[f"widen_factor_{block}"] == (0.5, 8.0, True, False)


@given(UNIT_POINTS)
def test_every_point_of_the_cube_is_a_legal_configuration(unit: Any) -> None:
    configuration = JOINT.configuration(JOINT.decode(unit)[0])
    assert JOINT.check(configuration) == configuration


@given(UNIT_POINTS)
def test_encoding_undoes_decoding(unit: Any) -> None:
    rows = JOINT.decode(unit)
    # Integers fall to the middle of their bin, so the cycle is closed from the second turn on.
    np.testing.assert_allclose(JOINT.decode(JOINT.encode(rows)), rows, rtol=1e-12)


def test_integers_are_encoded_at_bin_centres() -> None:
    branches = JOINT.by_name["res_branches_1"]
    np.testing.assert_allclose(branches.encode([1, 2, 3, 4, 5]), [0.1, 0.3, 0.5, 0.7, 0.9])


def test_uniform_numbers_give_every_integer_its_share() -> None:
    counts = np.bincount(JOINT.by_name["res_branches_1"].decode((np.arange(10_000) + 0.5) / 10_000).astype(int))
    assert counts.tolist() == [0, 2000, 2000, 2000, 2000, 2000]


def test_configspace_has_the_same_ranges() -> None:
    space = JOINT.configspace
    assert set(space) == set(JOINT.names)
    for h in JOINT.hyperparameters:
        assert (space[h.name].lower, space[h.name].upper, space[h.name].log) == (h.low, h.high, h.log)


@pytest.mark.parametrize("value", [0, 6, 2.5, "2", None, True, float("nan")])
def test_a_value_outside_its_range_is_named_with_its_range(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"res_branches_2: .* given, expected an integer in \[1, 5\]"):
        JOINT.check({**JOINT.named["zela-2018"], "res_branches_2": value})


def test_whole_floats_are_integers_too() -> None:
    assert JOINT.check({**JOINT.named["zela-2018"], "batch_size": 64.0})["batch_size"] == 64


def test_a_configuration_file_is_read_or_refused(tmp_path: Any) -> None:
    path = tmp_path / "configuration.json"
    path.write_text('{"learning_rate": 5}')
    with pytest.raises(ConfigurationError, match=r"learning_rate|batch_size"):
        JOINT.load(str(path))
    for content in ("[1, 2]", "not json", ""):
        path.write_text(content)
        with pytest.raises(ConfigurationError, match=r"configuration\.json"):
            JOINT.load(str(path))
    with pytest.raises(UnknownNameError, match="zela-2018"):
        JOINT.load("no-such-configuration")


def test_a_space_is_itself_in_another_process() -> None:
    assert pickle.loads(pickle.dumps(JOINT)) == JOINT
    assert get_space("joint") == JOINT
    with pytest.raises(UnknownNameError, match="joint"):
        get_space("disjoint")
