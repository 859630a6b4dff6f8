"""Tables as pandas' frames, where pandas is: a published benchmark answers without it."""

from collections.abc import Container, Mapping, Sequence
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


#: Before the name of a hyperparameter that is called as another column of a frame is.
PREFIX = "hyperparameter_"

#: Columns that exhibits add to a frame of evaluations.
_ADDED = ("rung", "group", "value", "clock", "became", "run")


def tidy(table: Any) -> "DataFrame":
    """An Arrow table as a frame, its configurations with a column a hyperparameter, which come last: by its name, or
    with PREFIX before it."""
    from jointbench.data.spaces.arrow import columns_of

    others = {name: table[name].to_pandas() for name in table.column_names if name != "configuration"}
    own = columns_of(table["configuration"].combine_chunks())
    taken = {*others, *_ADDED}
    return frame({**others, **{f"{PREFIX}{name}" if name in taken else name: own[name] for name in own}})


def hyperparameter_column(name: str, columns: Container[str]) -> str:
    """What a hyperparameter's column is called in a tidy frame, of which these are the columns."""
    return f"{PREFIX}{name}" if f"{PREFIX}{name}" in columns else name


def configurations_of(tidied: "DataFrame", names: Sequence[str]) -> "DataFrame":
    """The columns of the hyperparameters, each by its own name."""
    found = tidied[[hyperparameter_column(name, tidied.columns) for name in names]]
    return found.set_axis(list(names), axis=1)
