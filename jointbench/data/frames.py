"""Tables as pandas' frames, where pandas is: a published benchmark answers without it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jointbench.data.errors import MissingExtraError

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(columns: Mapping[str, Any]) -> "DataFrame":
    """A frame of these columns, in their order. Raises MissingExtraError where pandas is not installed."""
    try:
        from pandas import DataFrame
    except ImportError:
        raise MissingExtraError("a frame needs pandas: pip install pandas") from None
    return DataFrame(dict(columns))


def tidy(table: Any) -> "DataFrame":
    """An Arrow table as a frame, its configurations with a column a hyperparameter, which come last."""
    at = table.column_names.index("configuration")
    configurations = table["configuration"].combine_chunks()
    values = {field.name: configurations.field(field.name) for field in configurations.type}
    others = table.remove_column(at)
    columns = {**{name: others[name] for name in others.column_names}, **values}
    return frame({name: column.to_pandas() for name, column in columns.items()})
