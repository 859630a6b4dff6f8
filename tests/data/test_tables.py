"""Configurations in whatever people hold them: what has names is read by name, arrays by position."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.data.errors import ConfigurationError, InputError
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate import adapters
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.stored import load_benchmark

BENCHMARK = load_benchmark("digits-cpu")
CONFIGURATIONS = JOINT.sample(np.random.default_rng(0), 4)
ROWS = JOINT.rows(CONFIGURATIONS)
#: As no space orders them.
ANOTHER_ORDER = sorted(JOINT.names, reverse=True)
FRAME = pd.DataFrame([dict(c) for c in CONFIGURATIONS])[ANOTHER_ORDER]
RECORDS = FRAME.to_records(index=False)
EXPECTED = BENCHMARK.query_batch(ROWS, 27.0, 3)

TABLES: dict[str, Callable[[], Any]] = {
    "frame": lambda: FRAME,
    "frame of objects": lambda: FRAME.astype(object),
    "frame of nullable numbers": lambda: FRAME.convert_dtypes(),
    "frame with another index": lambda: FRAME.set_axis([7, 5, 3, 1]),
    "Arrow table": lambda: pa.Table.from_pandas(FRAME),
    "records": lambda: RECORDS,
    "structured array": lambda: np.asarray(RECORDS),
    "columns": lambda: {name: list(FRAME[name]) for name in ANOTHER_ORDER},
    "mappings": lambda: FRAME.to_dict("records"),
    "array of mappings": lambda: np.array(FRAME.to_dict("records"), dtype=object),
    "generator": lambda: (row for row in FRAME.to_dict("records")),
    "series": lambda: [row for _, row in FRAME.iterrows()],
    "named tuples": lambda: list(FRAME.itertuples(index=False)),
    "records one by one": lambda: list(RECORDS),
    "array": lambda: ROWS,
    "nested lists": lambda: ROWS.tolist(),
    "list of arrays": lambda: list(ROWS),
}

SINGLE: dict[str, Callable[[], Any]] = {
    "series": lambda: FRAME.iloc[0],
    "series of objects": lambda: FRAME.astype(object).iloc[0],
    "record": lambda: RECORDS[0],
    "structured array without dimensions": lambda: np.asarray(RECORDS)[0:1].reshape(()),
    "named tuple": lambda: next(FRAME.itertuples(index=False)),
    "mapping": lambda: FRAME.to_dict("records")[0],
    "array": lambda: ROWS[0],
    "list": lambda: ROWS[0].tolist(),
}


@pytest.fixture(scope="module")
def accelerated() -> Benchmark:
    pytest.importorskip("llvmlite")
    benchmark = load_benchmark("digits-cpu")
    benchmark.accelerate()
    return benchmark


@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
def test_a_batch_is_read_by_its_names_or_by_position(made: Callable[[], Any]) -> None:
    assert list(BENCHMARK.query_batch(made(), 27.0, 3)) == list(EXPECTED)
    np.testing.assert_array_equal(JOINT.rows(made()), ROWS)
    np.testing.assert_array_equal(JOINT.encode(made()), JOINT.encode(ROWS))


@pytest.mark.parametrize("made", SINGLE.values(), ids=SINGLE)
def test_one_configuration_is_read_by_its_names_or_by_position(made: Callable[[], Any]) -> None:
    assert BENCHMARK.query(made(), 27.0, 3) == EXPECTED[0]
    assert adapters.plain_function(BENCHMARK)(made(), seed=3) == EXPECTED[0].validation_error
    assert SurrogateObjective(BENCHMARK)(made(), 27.0, 3).validation_error == EXPECTED[0].validation_error
    checked = JOINT.check(made())
    assert checked == CONFIGURATIONS[0]
    assert [(name, type(value)) for name, value in checked.items()] == [
        (h.name, int if h.integer else float) for h in JOINT.hyperparameters
    ]
    assert JOINT.configuration(made()) == CONFIGURATIONS[0]


@pytest.mark.parametrize("made", SINGLE.values(), ids=SINGLE)
def test_machine_code_reads_one_configuration_as_numpy_does(made: Callable[[], Any], accelerated: Benchmark) -> None:
    assert accelerated.query(made(), 27.0, 3) == EXPECTED[0]


@given(order=st.permutations(JOINT.names))
@settings(max_examples=20)
def test_the_order_of_columns_changes_nothing(order: list[str]) -> None:
    assert list(BENCHMARK.query_batch(FRAME[order], 27.0, 3)) == list(EXPECTED)


def test_two_columns_that_change_places_are_still_themselves() -> None:
    order = list(JOINT.names)
    first, second = order.index("momentum"), order.index("mixup_alpha")
    order[first], order[second] = order[second], order[first]
    assert list(BENCHMARK.query_batch(FRAME[order], 27.0, 3)) == list(EXPECTED)
    # The same values without their names are other configurations.
    assert list(BENCHMARK.query_batch(FRAME[order].to_numpy(), 27.0, 3)) != list(EXPECTED)


def test_a_frame_of_configspaces_samples_is_read_in_their_order() -> None:
    samples = JOINT.configspace.sample_configuration(5)
    frame = pd.DataFrame([dict(sample) for sample in samples])
    assert list(frame.columns) != list(JOINT.names)
    expected = [BENCHMARK.query(dict(sample), 27.0) for sample in samples]
    assert list(BENCHMARK.query_batch(frame, 27.0)) == expected
    assert list(BENCHMARK.query_batch(samples, 27.0)) == expected
    assert [BENCHMARK.query(frame.iloc[k], 27.0) for k in range(5)] == expected


def test_points_of_the_cube_are_read_by_name_too() -> None:
    points = np.random.default_rng(1).random((5, len(JOINT.names)))
    frame = pd.DataFrame(points, columns=list(JOINT.names))[ANOTHER_ORDER]
    np.testing.assert_array_equal(JOINT.rows_at(frame), JOINT.rows_at(points))
    assert JOINT.at(frame.iloc[0]) == JOINT.at(points[0]) == JOINT.at(points[0].tolist())
    function = adapters.population_function(BENCHMARK)
    np.testing.assert_array_equal(function(frame, 9.0, 3), function(points, 9.0, 3))


def test_a_frame_without_rows_has_no_answers() -> None:
    for nothing in (FRAME[:0], [], np.empty((0, len(JOINT.names)))):
        assert len(BENCHMARK.query_batch(nothing, 27.0, 3)) == 0


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (FRAME.drop(columns="filters"), "filters: None given, expected a value"),
        (FRAME.assign(budget=27.0), "budget: .* given, expected only hyperparameters of 'joint'"),
        (FRAME.assign(momentum="much"), "momentum: .* given, expected an array of numbers"),
        (FRAME.assign(momentum=True), "momentum: .* given, expected an array of numbers"),
        (FRAME.assign(momentum=2.0), r"momentum: .*2\.0.* given, expected a number in \[0.001, 0.99\]"),
        (FRAME.assign(momentum=np.nan), "momentum: .*nan.* given"),
        (pd.concat([FRAME, FRAME[["filters"]]], axis=1), "filters: 'two columns' given, expected each name once"),
        # Without names of its own a frame has numbers for names.
        (pd.DataFrame(ROWS), "0: .* given, expected only hyperparameters"),
        (FRAME.reset_index(), "index: .* given, expected only hyperparameters"),
        (FRAME.iloc[0], r"rows: \(17,\) given, expected an array \(n, 17\)"),
        (CONFIGURATIONS[0], "rows: .* given, expected columns of one length"),
        ({**dict(FRAME), "filters": [8.0]}, "rows: .* given, expected columns of one length"),
        ([*CONFIGURATIONS, {"filters": 8}], "learning_rate: None given, expected a value"),
        ([{**CONFIGURATIONS[0], "layers": 3}], "layers: 3 given, expected only hyperparameters of 'joint'"),
        ([{**CONFIGURATIONS[0], "filters": "8"}], "filters: '8' given, expected a number"),
        ([{**CONFIGURATIONS[0], "filters": True}], "filters: True given, expected a number"),
        ([CONFIGURATIONS[0], "zela-2018"], "configuration: 'zela-2018' given, expected hyperparameters by name"),
        (ROWS.astype(str), "rows: .* given, expected an array of numbers"),
        (ROWS > 1, "rows: .* given, expected an array of numbers"),
        ([[*ROWS[0, 1:], True]], "rows: .* given, expected an array of numbers"),
        ([[1.0, 2.0], [3.0]], "rows: .* given, expected an array of numbers"),
        (ROWS[:, :3], r"rows: \(4, 3\) given, expected an array \(n, 17\)"),
        (None, "rows: None given, expected an array of numbers"),
        (np.array(None), "rows: .* given, expected an array of numbers"),
    ],
)
def test_what_is_no_table_of_the_space_is_refused_by_one_sentence(table: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=f"^{sentence}") as refused:
        BENCHMARK.query_batch(table, 27.0)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("configuration", "sentence"),
    [
        (FRAME.iloc[0].drop("filters"), "filters: None given"),
        (FRAME.assign(budget=27.0).iloc[0], "budget: 27.0 given, expected only hyperparameters of 'joint'"),
        (FRAME.iloc[:, 0], "[0-3]: .* given, expected only hyperparameters of 'joint'"),
        (FRAME[:1], "learning_rate: .* given, expected a number"),
        (ROWS, "configuration: .* given, expected hyperparameters by name, or 17 values in their order"),
        (ROWS[0, 1:], "configuration: .* given, expected hyperparameters by name, or 17 values in their order"),
        ("zela-2018", "configuration: 'zela-2018' given, expected hyperparameters by name"),
        (None, "configuration: None given, expected hyperparameters by name"),
    ],
)
def test_what_is_no_configuration_is_refused_by_one_sentence(
    configuration: Any, sentence: str, accelerated: Benchmark
) -> None:
    for benchmark in (BENCHMARK, accelerated):
        with pytest.raises(ConfigurationError, match=f"^{sentence}") as refused:
            benchmark.query(configuration, 27.0)
        assert len(str(refused.value).splitlines()) == 1
