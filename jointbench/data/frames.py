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
    from jointbench.data.spaces.arrow import columns_of

    others = {name: table[name].to_pandas() for name in table.column_names if name != "configuration"}
    return frame({**others, **columns_of(table["configuration"].combine_chunks())})
