"""What people give to a call, in any of the forms in which they have it."""

import inspect
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.images.facts import ImageFacts
from jointbench.data.incumbent import OBJECTIVE
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import Metric
from jointbench.data.numbers import checked_seed, plain_number
from jointbench.data.spaces.registry import SPACES, find_configuration, find_space
from jointbench.data.spaces.space import Space
from jointbench.optimizers import make_optimizer
from jointbench.optimizers.optimizer import Optimizer
from jointbench.surrogate.benchmark import Benchmark
from jointbench.surrogate.stored import load_benchmark, released, ships


def the_benchmark(given: str | Path | Benchmark) -> Benchmark:
    """A benchmark, its name or its folder. Raises as `load_benchmark` does."""
    return given if isinstance(given, Benchmark) else load_benchmark(given)


def the_log(given: str | Path | EvaluationLog) -> EvaluationLog:
    """A log, its folder or its file. Raises as `EvaluationLog.open` does."""
    return given if isinstance(given, EvaluationLog) else EvaluationLog.open(given)


def the_path(field: str, given: Any) -> Path:
    """A path, whatever it is that says it. Raises InputError for what says none, and for one that there cannot be."""
    try:
        path = Path(given)
    except TypeError:
        path = None
    if path is None or "\0" in str(path):
        raise InputError(field, given, "the name of a file or a folder")
    return path


def the_evidence(field: str, given: str | Path) -> Path:
    """The folder or file of a comparison, a log or a benchmark: a path, or the name of a benchmark that ships.

    Raises UnknownNameError where it is neither, BenchmarkError for a version that does not ship.
    """
    path = the_path(field, given)
    if os.path.lexists(path):
        return path
    if not ships(str(given)):
        hint = ", or a folder of a comparison, log or benchmark"
        raise UnknownNameError.of(field, str(given), released(), hint)
    return Path(load_benchmark(given).source)


def the_space(given: Any) -> Space:
    """A space, its name, or a file of ConfigSpace's JSON; or a ConfigSpace object. Raises as `find_space` does."""
    if isinstance(given, Space):
        return given
    return find_space(given) if isinstance(given, (str, Path)) else Space.from_configspace(given)


def check_trained_here(space: str, command: str = "collect") -> None:
    """Raises InputError for a space whose networks are not ours to train, with the `command` that does train there."""
    if space not in SPACES:
        expected = f"one whose networks are trained here ({', '.join(sorted(SPACES))})"
        own = f"a function of your own is called by `jointbench {command} --objective FILE.py:FUNCTION`"
        raise InputError("space", space, f"{expected}; {own}")


def the_ladder(given: str | Ladder) -> Ladder:
    """A ladder, or words such as "1,3,9,27" (seconds) or "3,9,27epochs". Raises InputError."""
    return Ladder.parse(given) if isinstance(given, str) else given


def the_configuration(given: Any, space: str | Space | None) -> tuple[Space, Configuration]:
    """A configuration (a mapping, a row of a table), a named one or a JSON file, and its space: named ones bring their
    own, others are of the one that is given, else of joint.

    Raises UnknownNameError for a name that is none, and no file; ConfigurationError for what is not in the space.
    """
    if not isinstance(given, (str, Path)):
        at = the_space("joint" if space is None else space)
        return at, at.check(given)
    if space is None:
        return find_configuration(str(given))
    at = the_space(space)
    return at, at.load(str(given))


def whole(field: str, value: Any, least: int) -> int:
    """Raises InputError for what is no whole number of at least `least`."""
    number = checked_seed(field, value)
    if number < least:
        raise InputError(field, value, f"a whole number of at least {least}")
    return number


def seed_of_a_draw(field: str, value: Any, space: Space) -> int:
    """With which a network of the space is drawn. Raises InputError for what is no whole number of at least 0, and for
    another than 0 of a space that draws none."""
    drawn = whole(field, value, 0)
    if drawn and not space.draws:
        raise InputError(field, value, f"0, since '{space.name}' draws no networks")
    return drawn


def above_zero(field: str, value: Any) -> float:
    """Raises InputError for what is no finite number above 0."""
    try:
        number = float(plain_number(value))
    except (TypeError, OverflowError):
        number = 0.0
    if not 0 < number < math.inf:
        raise InputError(field, value, "a finite number above 0")
    return number


def the_optimizer(
    given: str | type[Optimizer] | Optimizer,
    space: Space,
    ladder: Ladder,
    *,
    seed: int,
    full_budgets: float,
    objectives: Sequence[Metric] = OBJECTIVE,
    images: ImageFacts | None = None,
) -> Optimizer:
    """A fresh one of a name or of a class; one that is made already as it is. Raises as `make_optimizer` does."""
    if isinstance(given, Optimizer):
        return given
    if isinstance(given, type) and issubclass(given, Optimizer):
        # As `make_optimizer` does.
        made = given.__new__(given)
        made.objectives, made.images = tuple(objectives), images
        made.__init__(space, ladder, seed=seed, full_budgets=full_budgets)  # type: ignore[misc]
        made.name = getattr(made, "name", given.__name__)
        return made
    if not isinstance(given, str):
        raise InputError("optimizer", given, "a name, a subclass of jointbench.Optimizer, or one of its objects")
    return make_optimizer(
        given, space, ladder, seed=seed, full_budgets=full_budgets, objectives=objectives, images=images
    )


def optimizer_name(given: str | type[Optimizer]) -> str:
    """The name by which other processes can make the optimizer: a class goes by its file.

    Raises InputError for a class that is in no file, or inside another.
    """
    if isinstance(given, str):
        return given
    if not isinstance(given, type) or not issubclass(given, Optimizer):
        raise InputError("optimizer", given, "a name, or a subclass of jointbench.Optimizer")
    try:
        file = Path(inspect.getfile(given))
    except (OSError, TypeError):
        file = Path()
    if file.suffix != ".py" or given.__qualname__ != given.__name__:
        expected = "a class at the top of a file, which other processes can read: FILE.py:CLASS"
        raise InputError("optimizer", given.__name__, expected)
    return f"{file}:{given.__name__}"
