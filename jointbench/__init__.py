"""JointBench: when architecture and hyperparameters are searched together, which optimizer wins?

>>> import jointbench
>>> benchmark = jointbench.load_benchmark("digits-cpu")
>>> benchmark.ladder.rungs
(1.0, 3.0, 9.0, 27.0)
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.3.0"

if TYPE_CHECKING:
    from jointbench.data.errors import JointBenchError
    from jointbench.data.evaluation import Evaluation, Status
    from jointbench.data.ladder import Ladder
    from jointbench.data.log import EvaluationLog
    from jointbench.data.space import Space
    from jointbench.data.spaces import get_space
    from jointbench.optimizers import Optimizer, Trial, make_optimizer
    from jointbench.surrogate import adapters
    from jointbench.surrogate.answer import Answer
    from jointbench.surrogate.benchmark import Benchmark
    from jointbench.surrogate.stored import load_benchmark

#: Public name to the module that holds it; imported on first use, since nobody needs all.
_HOMES = {
    "Answer": "surrogate.answer",
    "Benchmark": "surrogate.benchmark",
    "Evaluation": "data.evaluation",
    "EvaluationLog": "data.log",
    "JointBenchError": "data.errors",
    "Ladder": "data.ladder",
    "Optimizer": "optimizers",
    "Space": "data.space",
    "Status": "data.evaluation",
    "Trial": "optimizers",
    "adapters": "surrogate.adapters",
    "get_space": "data.spaces",
    "load_benchmark": "surrogate.stored",
    "make_optimizer": "optimizers",
}

__all__ = [
    "Answer",
    "Benchmark",
    "Evaluation",
    "EvaluationLog",
    "JointBenchError",
    "Ladder",
    "Optimizer",
    "Space",
    "Status",
    "Trial",
    "adapters",
    "get_space",
    "load_benchmark",
    "make_optimizer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jointbench' has no attribute {name!r}")
    from importlib import import_module

    home = import_module(f"jointbench.{_HOMES[name]}")
    # The adapters are a module, as in a published wheel.
    return home if name == "adapters" else getattr(home, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
