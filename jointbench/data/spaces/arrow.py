"""Configurations as Arrow has them: a struct with a field for each hyperparameter, null where one is inactive."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter
from jointbench.data.spaces.space import Space

#: Of choices that all are of one type; others are written as JSON, which their field's metadata says.
_TYPES: Mapping[type[Any], pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
}
_JSON = {b"jointbench": b"json"}


def configuration_type(space: Space) -> pa.StructType:
    return pa.struct([_field(h) for h in space.hyperparameters])


def _field(h: Hyperparameter) -> pa.Field:
    if not isinstance(h, Choice):
        return pa.field(h.name, pa.int64() if h.integer else pa.float64())
    kinds = {type(choice) for choice in h.choices}
    if len(kinds) == 1:
        return pa.field(h.name, _TYPES[kinds.pop()])
    return pa.field(h.name, pa.string(), metadata=_JSON)


def to_struct(configuration: Configuration, kind: pa.StructType) -> Mapping[str, Any]:
    """What `pa.array` takes for it."""
    mixed = _mixed(kind)
    return {**configuration, **{k: json.dumps(configuration[k]) for k in mixed & configuration.keys()}}


def from_struct(row: Mapping[str, Any], kind: pa.StructType) -> Configuration:
    """What a configuration was before `to_struct`."""
    mixed = _mixed(kind)
    return {k: json.loads(value) if k in mixed else value for k, value in row.items() if value is not None}


def columns_of(configurations: pa.StructArray) -> dict[str, Any]:
    """A column of configurations as what pandas takes for a column a hyperparameter, with the values that it had before
    `to_struct`."""
    mixed = _mixed(configurations.type)
    columns = {field.name: configurations.field(field.name) for field in configurations.type}
    return {k: _values(column) if k in mixed else column.to_pandas() for k, column in columns.items()}


def _values(texts: pa.StringArray) -> list[Any]:
    return [None if text is None else json.loads(text) for text in texts.to_pylist()]


def numbers_of(configurations: pa.StructArray, space: Space) -> FloatArray:
    """The numbers (n, hyperparameters) of a column of configurations, NaN where one is inactive."""
    return space.rows([from_struct(row, configurations.type) for row in configurations.to_pylist()])


def _mixed(kind: pa.StructType) -> set[str]:
    return {field.name for field in kind if field.metadata == _JSON}
