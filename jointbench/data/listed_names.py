"""Several names as a person gives them: a list, and no text, which Python takes for a list of letters."""

from collections.abc import Iterable
from typing import Any

from jointbench.data.errors import InputError


def listed_names(field: str, given: Any) -> tuple[Any, ...]:
    """What was given, one by one. Raises InputError for a single text, and for what is no list of any kind."""
    if isinstance(given, str):
        raise InputError(field, given, f"a list, such as [{given!r}]")
    if not isinstance(given, Iterable):
        raise InputError(field, given, "a list of names")
    return tuple(given)
