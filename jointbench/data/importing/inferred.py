"""A space that is read off the columns of a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from jointbench.data.errors import InputError
from jointbench.data.importing.cells import is_nothing, number, truth
from jointbench.data.spaces.conditions import Condition, one_of
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Choice, Hyperparameter, Number

#: A logarithmic scale is taken where the largest value is so many times the smallest: a sample of three decades rarely
#: reaches both ends.
LOG_FROM = 500.0
#: Texts with more values name something rather than being chosen from.
_MOST_CHOICES = 64
_LONGEST = 100
#: Whole numbers beyond which floats skip some.
_MOST_WHOLE = 2**53


def inferred_space(name: str, columns: Mapping[str, Sequence[Any]]) -> tuple[PlainSpace, list[str]]:
    """The space whose ranges are those of the columns' cells, and the columns that never differ, which are none of it.

    A column is of numbers where most of its cells are, whole ones where all of those are; of truth values; else of
    texts to choose from. One with empty cells is active where another, of choices, has those values with which it is
    never empty; there must be such a one. Raises InputError that names the column.
    """
    found: dict[str, Hyperparameter] = {}
    constant: list[str] = []
    for column, cells in columns.items():
        one = _hyperparameter(column, cells)
        if one is None:
            constant.append(column)
        else:
            found[column] = one
    if not found:
        raise InputError("hyperparameters", list(columns), "a column whose values differ")
    conditions = {
        column: _condition(column, columns, found) for column in found if any(map(is_nothing, columns[column]))
    }
    return PlainSpace(name, tuple(found.values()), conditions), constant


def _hyperparameter(name: str, cells: Sequence[Any]) -> Hyperparameter | None:
    """None where all cells that are there are the same."""
    there = [cell for cell in cells if not is_nothing(cell)]
    truths = [value for value in map(truth, there) if value is not None]
    if there and len(truths) == len(there):
        return Choice(name, (False, True)) if len(set(truths)) > 1 else None
    numbers = [value for value in map(number, there) if value is not None]
    if 2 * len(numbers) > len(there):
        return _of_numbers(name, numbers)
    texts = sorted({cell.strip() for cell in there if isinstance(cell, str)})
    if any(not isinstance(cell, str) for cell in there):
        wrong = next(cell for cell in there if not isinstance(cell, str))
        raise InputError(f"column {name}", wrong, "numbers, texts or truth values, to infer a range from")
    if texts and len(max(texts, key=len)) > _LONGEST:
        raise InputError(
            f"column {name}", max(texts, key=len), f"texts of at most {_LONGEST} characters to choose from"
        )
    if len(texts) > _MOST_CHOICES:
        expected = f"at most {_MOST_CHOICES} texts to choose from; name the columns that are hyperparameters"
        raise InputError(f"column {name}", f"{len(texts)} different texts", expected)
    return Choice(name, tuple(texts)) if len(texts) > 1 else None


def _of_numbers(name: str, numbers: Sequence[int | float]) -> Hyperparameter | None:
    low, high = min(numbers), max(numbers)
    if low == high:
        return None
    whole = all(value == int(value) for value in numbers) and max(-low, high) <= _MOST_WHOLE
    logarithmic = low > 0 and high >= LOG_FROM * low
    if whole:
        return Number(name, int(low), int(high), logarithmic, integer=True)
    return Number(name, float(low), float(high), logarithmic)


def _condition(name: str, columns: Mapping[str, Sequence[Any]], found: Mapping[str, Hyperparameter]) -> Condition:
    there = [not is_nothing(cell) for cell in columns[name]]
    for parent, h in found.items():
        if parent == name or not isinstance(h, Choice) or any(map(is_nothing, columns[parent])):
            continue
        values = [truth(cell) if isinstance(h.choices[0], bool) else cell.strip() for cell in columns[parent]]
        active = {value for value, is_there in zip(values, there, strict=True) if is_there}
        inactive = {value for value, is_there in zip(values, there, strict=True) if not is_there}
        if not active & inactive:
            return one_of(h, *(choice for choice in h.choices if choice in active))
    row = there.index(False) + 1
    expected = "a value in each row, or a column of choices that says where it has one; else give a space"
    raise InputError(f"column {name}, row {row}", "an empty cell", expected)
