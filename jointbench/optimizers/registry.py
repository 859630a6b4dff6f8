"""Optimizers by name: those that ship, those of installed packages, and a class in a file of one's own."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from jointbench.data.errors import InputError, JointBenchError, OptimizerError, UnknownNameError
from jointbench.data.evaluation import Configuration
from jointbench.data.images.facts import ImageFacts
from jointbench.data.incumbent import OBJECTIVE
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import Metric, checked_metrics
from jointbench.data.numbers import checked_seed
from jointbench.data.seeds import given_seed
from jointbench.data.spaces.space import Space
from jointbench.optimizers.failure import happened
from jointbench.optimizers.optimizer import TWO_PARTS, Optimizer, WallClock
from jointbench.optimizers.options import read_options, split_name
from jointbench.optimizers.own_file import module_of

#: Name to "module:class"; imported when asked for, since some bring heavy libraries.
OPTIMIZERS: Mapping[str, str] = {
    "random": "jointbench.optimizers.random_search:RandomSearch",
    "hyperband": "jointbench.optimizers.hyperband:Hyperband",
    "bohb": "jointbench.optimizers.bohb:BOHB",
    "two-stage": "jointbench.optimizers.two_stage:TwoStage",
    "two-stage-long": "jointbench.optimizers.two_stage:TwoStageLong",
    "two-stage-random": "jointbench.optimizers.two_stage:TwoStageRandom",
    "smac": "jointbench.optimizers.smac.smac:SMAC",
    "smac-default": "jointbench.optimizers.smac.smac:SMACDefault",
    "hpbandster-bohb": "jointbench.optimizers.hpbandster_bohb:HpBandSterBOHB",
    "asha": "jointbench.optimizers.asha:ASHA",
    "regularized-evolution": "jointbench.optimizers.evolution:RegularizedEvolution",
    "tpe": "jointbench.optimizers.optuna_sampler:TPE",
    "cma-es": "jointbench.optimizers.optuna_sampler:CMAES",
    "nago-mobo": "jointbench.optimizers.nago_mobo.mobo:NagoMOBO",
    "mo-bohb": "jointbench.optimizers.bohb_fronts:BOHBFronts",
}

#: Where a package names its own, as in `[project.entry-points."jointbench.optimizers"]`.
ENTRY_POINTS = "jointbench.optimizers"


_ELSE = ", optuna.SAMPLER, smac.FACADE, or FILE.py:CLASS"

#: Whose optimizers go by their own names, as in `optuna.NSGAIISampler`, and what finds them.
LIBRARIES: Mapping[str, str] = {
    "optuna": "jointbench.optimizers.optuna_sampler:sampler_of",
    "smac": "jointbench.optimizers.smac.smac:facade_of",
}


def make_optimizer(
    name: str,
    space: Space,
    ladder: Ladder,
    *,
    seed: int,
    full_budgets: float,
    wall_clock: WallClock | None = None,
    first: Configuration | None = None,
    objectives: Sequence[Metric] = OBJECTIVE,
    images: ImageFacts | None = None,
    any_ladder: bool = False,
) -> Optimizer:
    """The optimizer of this name, fresh; `Optimizer` explains the keywords. `any_ladder`: also where the ladder has
    fewer budgets than the optimizer is made for: to time its asks, to look at its draws, to compare what is left of it
    on a table of one budget.

    The name is one that ships, an entry point's, a class in a file (`mine.py:MyOptimizer`), any of Optuna's samplers
    (`optuna.NSGAIISampler`) or any of smac's facades (`smac.BlackBoxFacade`); options may follow, as in
    `two-stage:share=0.3:finalists=3`. Raises UnknownNameError, InputError when what was named is not an Optimizer,
    lacks a method, does not take the options or several objectives, or needs more budgets than the ladder has, and
    OptimizerError when it cannot be made.
    """
    base, words = split_name(name)
    kind = _find(base)
    if not any_ladder:
        _check_rungs(name, kind, ladder)
    if len(checked_metrics(objectives)) > 1 and not kind.several_objectives:
        raise InputError("optimizer", name, "one that takes several objectives, such as smac, tpe or random")
    options = read_options(name, kind)
    called = getattr(kind, "name", kind.__name__)
    try:
        # They are told at construction, also to a person's class, whose constructor does not know of them.
        made = kind.__new__(kind)
        made.wall_clock, made.objectives, made.images = wall_clock, tuple(objectives), images
        made.first = {key: space.by_name[key].check(value) for key, value in (first or {}).items()}
        made.__init__(space, ladder, seed=checked_seed("seed", seed), full_budgets=full_budgets, **options)  # type: ignore[misc]
    except JointBenchError:
        raise
    except (Exception, SystemExit) as error:
        raise OptimizerError(f"{called}, seed {given_seed(seed)}, before its first ask: {happened(error)}") from error
    called = getattr(made, "name", called)
    if not isinstance(called, str):
        raise InputError("optimizer", name, f"a class whose name is text, not {called!r}")
    made.name = ":".join([called, *words])
    return made


def own_name(name: str, optimizer: Optimizer) -> str:
    """The name that a person's own class gives itself, with the options of `name`, by which `optimizer` was made.

    Empty where it gives itself none, for what ships, and for a class that calls itself as something that ships.
    """
    _, words = split_name(name)
    nameless = ":".join([type(optimizer).__name__, *words])
    given = hasattr(type(optimizer), "name") or optimizer.name != nameless
    return optimizer.name if given and not ships(name) and not ships(optimizer.name) else ""


def check_optimizer(name: str, space: Space, ladder: Ladder, *, full_budgets: float, any_ladder: bool = False) -> None:
    """Raises what `make_optimizer` would raise about the name, without loading what ships where it need not."""
    if name in OPTIMIZERS and len(ladder.rungs) > 1 and _two_parts(space):
        return
    base, words = split_name(name)
    if words:
        make_optimizer(name, space, ladder, seed=0, full_budgets=full_budgets, any_ladder=any_ladder)
    else:
        kind = _find(base)
        if not any_ladder:
            _check_rungs(name, kind, ladder)
        if not _searches(name, space):
            raise InputError("space", space.name, TWO_PARTS)
        read_options(name, kind)


def told_of(given: str | type[Optimizer] | Optimizer, objectives: Sequence[Metric]) -> Sequence[Metric]:
    """Those of the objectives that an optimizer is told: all where it takes several, else the first. Raises as
    `make_optimizer` does for its name."""
    if len(objectives) == 1 or (_find(split_name(given)[0]) if isinstance(given, str) else given).several_objectives:
        return objectives
    return objectives[:1]


def works_on(name: str, ladder: Ladder) -> bool:
    """Whether the ladder has as many budgets as the optimizer needs. Raises as `make_optimizer` does for its name."""
    if name in OPTIMIZERS and len(ladder.rungs) > 1:
        # None that ships needs more than two, and loading them takes long.
        return True
    return len(ladder.rungs) >= _find(split_name(name)[0]).fewest_rungs


def uses_small_budgets(name: str) -> bool:
    """Whether the optimizer evaluates at small budgets by what it is: it compares several, or has a first stage. Raises
    as `make_optimizer` does for its name."""
    kind = _find(split_name(name)[0])
    return kind.fewest_rungs > 1 or kind.two_parts


def unfit(name: str, space: Space, ladder: Ladder, any_ladder: bool = False) -> str:
    """Why the optimizer is not what its name says in this space, or on this ladder unless it may be `any_ladder`, in
    words; empty where it is. Raises as `make_optimizer` does for its name."""
    if not any_ladder and not works_on(name, ladder):
        return one_budget(ladder)
    if not _searches(name, space):
        return (
            f"no hyperparameter of {space.name} is one of {'a training' if space.architecture else 'an architecture'}"
        )
    return ""


def one_budget(ladder: Ladder) -> str:
    """What is to be said of optimizers for which the ladder has too few."""
    return f"{ladder} {ladder.unit} is the only budget, and they compare several"


def _searches(name: str, space: Space) -> bool:
    """Whether the space has what the optimizer tells apart."""
    return _two_parts(space) or not _find(split_name(name)[0]).two_parts


def _two_parts(space: Space) -> bool:
    return 0 < len(space.architecture) < len(space.names)


def ships(name: str) -> bool:
    """Whether the optimizer's code is ours or a library's, and no person's own."""
    base, _ = split_name(name)
    return base in OPTIMIZERS or (base.partition(".")[0] in LIBRARIES and ":" not in base)


def _find(name: str) -> type[Optimizer]:
    if name in OPTIMIZERS:
        return _checked(name, _load(OPTIMIZERS[name]))
    library, _, theirs = name.partition(".")
    if library in LIBRARIES and ":" not in name and theirs:
        return _checked(name, _load(LIBRARIES[library])(theirs))
    file, _, kind = name.rpartition(":")
    if file.endswith(".py"):
        module_of_file = _load_file(name, Path(file))
        if not hasattr(module_of_file, kind):
            raise InputError("optimizer", name, f"a class that {file} defines")
        return _checked(name, getattr(module_of_file, kind))
    installed: dict[str, EntryPoint] = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in installed:
        raise UnknownNameError.of("optimizer", name, [*OPTIMIZERS, *installed], hint=_ELSE)
    try:
        loaded = installed[name].load()
    except (Exception, SystemExit) as error:
        raise InputError("optimizer", name, f"an entry point that can be loaded ({happened(error)})") from error
    return _checked(name, loaded)


def _load(place: str) -> Any:
    module, _, what = place.partition(":")
    return getattr(import_module(module), what)


def _load_file(name: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError("optimizer", name, "a file that exists")
    return module_of(path, "optimizer", name)


def _check_rungs(name: str, kind: type[Optimizer], ladder: Ladder) -> None:
    if len(ladder.rungs) < kind.fewest_rungs:
        expected = f"one that works with a single budget, as {ladder} {ladder.unit} is all that there is"
        raise InputError("optimizer", name, expected)


def _checked(name: str, kind: object) -> type[Optimizer]:
    if not isinstance(kind, type) or not issubclass(kind, Optimizer):
        raise InputError("optimizer", name, "a subclass of jointbench.optimizers.Optimizer")
    lacking = sorted(kind.__abstractmethods__)
    if lacking:
        raise InputError("optimizer", name, f"a class with the methods ask and tell; it lacks {' and '.join(lacking)}")
    return kind
