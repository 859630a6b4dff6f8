"""What there is by name: benchmarks, optimizers, spaces, images and known tasks, each with a line of words."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import overload

from jointbench.bench.running.hartmann import FUNCTIONS
from jointbench.bench.running.public_tables import TABLES
from jointbench.data.errors import UnknownNameError
from jointbench.data.images.registry import IMAGES, known_facts
from jointbench.data.quantities import counted
from jointbench.data.spaces.registry import SPACES
from jointbench.optimizers.registry import ENTRY_POINTS, OPTIMIZERS
from jointbench.surrogate.stored import load_benchmark, released


@overload
def names_of(kind: str) -> dict[str, str]: ...


@overload
def names_of(kind: None = None) -> dict[str, dict[str, str]]: ...


def names_of(kind: str | None = None) -> dict[str, str] | dict[str, dict[str, str]]:
    """The names of a kind (benchmarks, optimizers, spaces, images or tasks), each with what it is; without a kind
    those of all kinds, by kind.

    Optimizers go by other names too: `optuna.SAMPLER`, `smac.FACADE` and `FILE.py:CLASS`. Raises UnknownNameError.
    """
    if kind is None:
        return {each: names() for each, names in KINDS.items()}
    if kind not in KINDS:
        raise UnknownNameError.of("kind", kind, KINDS)
    return KINDS[kind]()


def _benchmarks() -> dict[str, str]:
    found = {}
    for name in released():
        benchmark = load_benchmark(name)
        found[name] = (
            f"version {benchmark.manifest.version}: space {benchmark.space.name} on {benchmark.images.name}, budgets "
            f"{benchmark.ladder} {benchmark.ladder.unit}, {counted(benchmark.provenance['evaluations'], 'training')}"
        )
    return found


#: Of the optimizers that ship; libraries that they need are not loaded to say so.
_OPTIMIZERS: Mapping[str, str] = {
    "random": "random search at the largest budget",
    "hyperband": "Hyperband, as HpBandSter has it",
    "bohb": "BOHB, as HpBandSter has it: Hyperband with kernel densities",
    "two-stage": "architecture first, hyperparameters after",
    "two-stage-long": "as two-stage; architectures are judged at the largest budget",
    "two-stage-random": "as two-stage; random search in both stages",
    "smac": "SMAC's Hyperband with a forest; the same algorithm in a fraction of the time",
    "smac-default": "SMAC's Hyperband with a forest, smac's own proposals",
    "hpbandster-bohb": "HpBandSter's own BOHB (pip install 'jointbench[reference]')",
    "asha": "asynchronous successive halving",
    "regularized-evolution": "ageing evolution at the largest budget",
    "tpe": "Optuna's TPE at the largest budget (pip install 'jointbench[optuna]')",
    "cma-es": "Optuna's CMA-ES at the largest budget (pip install 'jointbench[optuna]')",
    "nago-mobo": "Bayesian networks for several objectives, of neural architecture generators (NAGO)",
    "mo-bohb": "BOHB for several objectives, which promotes what nothing dominates",
}


def _optimizers() -> dict[str, str]:
    found = {name: _OPTIMIZERS[name] for name in OPTIMIZERS}
    return found | {entry.name: f"of an installed package: {entry.value}" for entry in entry_points(group=ENTRY_POINTS)}


def _tasks() -> dict[str, str]:
    tables = {
        name: f"a public table: every configuration of {name.partition('-')[0]}, {of.epochs:g} epochs each "
        "(pip install 'jointbench[tables]')"
        for name, (of, _) in TABLES.items()
    }
    functions = {
        name: f"Hartmann's function of {size} numbers, with approximations of {grade} correlation"
        for name, (size, grade) in FUNCTIONS.items()
    }
    return tables | functions


def _spaces() -> dict[str, str]:
    found = {}
    for name, space in SPACES.items():
        named = f"; named configurations: {', '.join(space.named)}" if space.named else ""
        found[name] = f"{counted(len(space.names), 'hyperparameter')}{named}"
    return found


def _images() -> dict[str, str]:
    found = {}
    for name in IMAGES:
        facts = known_facts(name)
        channels, height, width = facts.shape
        found[name] = (
            f"{facts.classes} classes, {height}x{width} with {counted(channels, 'channel')}, {facts.training:,} for "
            f"training, {facts.validation:,} for validation, {facts.test:,} for test"
        )
    return found


KINDS: Mapping[str, Callable[[], dict[str, str]]] = {
    "benchmarks": _benchmarks,
    "optimizers": _optimizers,
    "spaces": _spaces,
    "images": _images,
    "tasks": _tasks,
}
