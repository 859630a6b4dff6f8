"""Options in an optimizer's name: `two-stage:share=0.3:finalists=3`, `mine.py:Mine:depth=2`, `optuna.TPESampler:…`.

Colons divide them, since commas divide the names of a list. A value is read as the type that the class gives its
keyword; what no word can say (a function, a mapping) is no option.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.optimizers.optimizer import Optimizer

#: What an optimizer is made with, whatever its name.
_ALWAYS = ("space", "ladder", "seed", "full_budgets")


def split_name(name: str) -> tuple[str, list[str]]:
    """The name without its options, and the options as they stand."""
    parts = name.split(":")
    first = len(parts)
    while first > 1 and "=" in parts[first - 1]:
        first -= 1
    return ":".join(parts[:first]), parts[first:]


def read_options(name: str, kind: type[Optimizer]) -> dict[str, Any]:
    """The options of a name as keywords of its class; hyphens may stand for underscores.

    Raises UnknownNameError for an option that the class does not have, InputError for a value that is not of its
    type, for an option that is given twice, and where one without a default is missing.
    """
    base, words = split_name(name)
    parameters = _keywords(kind.options_of())
    known = {key: parameter for key, parameter in parameters.items() if _readers(parameter)}
    found: dict[str, Any] = {}
    for word in words:
        written, _, value = word.partition("=")
        key = written.strip().replace("-", "_")
        if key not in known:
            if not known:
                raise InputError("optimizer", name, f"no options, since {base} has none")
            raise UnknownNameError.of(f"option of {base}", written, known)
        if key in found:
            raise InputError("optimizer", name, f"{key} once")
        found[key] = _read(f"{key} of {base}", value.strip(), known[key])
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and key not in found:
            raise InputError("optimizer", name, f"{base}:{key}=..., since {key} has no default")
    return found


def _keywords(call: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    """The parameters that can be given by name, but for those that every optimizer has."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(call).parameters
    return {key: one for key, one in parameters.items() if one.kind in named and key not in _ALWAYS}


def _whole(word: str) -> int:
    return int(word)


def _number(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(word)
    return value


def _truth(word: str) -> bool:
    return {"true": True, "false": False}[word.lower()]


def _none(word: str) -> None:
    return {"none": None}[word.lower()]


#: How a word is read as a type, and what it is called.
_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "bool": (_truth, "true or false"),
    "int": (_whole, "a whole number"),
    "float": (_number, "a finite number"),
    "None": (_none, "none"),
    "str": (str, "a word"),
}


def _readers(parameter: inspect.Parameter) -> list[tuple[Callable[[str], Any], str]]:
    """What a parameter's words may be; every type where it says none."""
    if parameter.annotation is inspect.Parameter.empty:
        return list(_READERS.values())
    annotation = parameter.annotation
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    types = [part.strip().removeprefix("typing.") for part in text.strip("'\"").split("|")]
    if any(one.startswith("Literal") for one in types):
        types.append("str")
    readers = [reader for one, reader in _READERS.items() if one in types]
    # A default of None alone says nothing of what else there may be.
    return [] if types and all(one == "None" or one not in _READERS for one in types) else readers


def _read(field: str, word: str, parameter: inspect.Parameter) -> Any:
    readers = _readers(parameter)
    for read, _ in readers:
        try:
            return read(word)
        except (KeyError, ValueError):
            continue
    raise InputError(field, word, " or ".join(called for _, called in readers))
