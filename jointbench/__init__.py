"""JointBench: when architecture and hyperparameters are searched together, which optimizer wins?

>>> import jointbench
>>> benchmark = jointbench.load_benchmark("digits-cpu")
>>> benchmark.ladder.rungs
(1.0, 3.0, 9.0, 27.0)

What commands do, calls of the same names do: `plan`, `collect`, `train`, `doctor`, `merge`, `fit`, `compare`,
`leaderboard.add` and `leaderboard.build`, `retrain`, `report`, `analyse`, `publish`, `describe`, `check`, `export`,
`list`, and `import_table` what `import` does; and `run`, which makes one run.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.3.0"

if TYPE_CHECKING:
    from jointbench.bench.calls import leaderboard
    from jointbench.bench.calls.analysing import Analysis, analyse
    from jointbench.bench.calls.checking import check
    from jointbench.bench.calls.collecting import Collection, collect
    from jointbench.bench.calls.comparing import Comparison, compare
    from jointbench.bench.calls.comparing_tasks import TasksComparison, compare_tasks
    from jointbench.bench.calls.describing import describe
    from jointbench.bench.calls.examining import doctor
    from jointbench.bench.calls.exporting import export
    from jointbench.bench.calls.fitting import Fitted, fit
    from jointbench.bench.calls.importing import Imported, import_table
    from jointbench.bench.calls.leaderboard import Leaderboard
    from jointbench.bench.calls.merging import merge
    from jointbench.bench.calls.planning import plan
    from jointbench.bench.calls.publishing import publish
    from jointbench.bench.calls.reporting import report
    from jointbench.bench.calls.retraining import retrain
    from jointbench.bench.calls.running import run
    from jointbench.bench.calls.training import train
    from jointbench.data.errors import JointBenchError
    from jointbench.data.evaluation import Evaluation, Status
    from jointbench.data.ladder import Ladder
    from jointbench.data.log import EvaluationLog
    from jointbench.data.metrics import Metric
    from jointbench.data.spaces.registry import get_space
    from jointbench.data.spaces.space import Space
    from jointbench.optimizers import Optimizer, Trial, make_optimizer
    from jointbench.surrogate import adapters
    from jointbench.surrogate.answer import Answer
    from jointbench.surrogate.benchmark import Benchmark
    from jointbench.surrogate.stored import load_benchmark

#: Public name to the module that holds it; imported on first use, since nobody needs all.
_HOMES = {
    "Analysis": "bench.calls.analysing",
    "Answer": "surrogate.answer",
    "Benchmark": "surrogate.benchmark",
    "Collection": "bench.calls.collecting",
    "Comparison": "bench.calls.comparing",
    "Evaluation": "data.evaluation",
    "EvaluationLog": "data.log",
    "Fitted": "bench.calls.fitting",
    "Imported": "bench.calls.importing",
    "JointBenchError": "data.errors",
    "Ladder": "data.ladder",
    "Leaderboard": "bench.calls.leaderboard",
    "Metric": "data.metrics",
    "Optimizer": "optimizers",
    "Space": "data.spaces.space",
    "Status": "data.evaluation",
    "TasksComparison": "bench.calls.comparing_tasks",
    "Trial": "optimizers",
    "adapters": "surrogate.adapters",
    "analyse": "bench.calls.analysing",
    "check": "bench.calls.checking",
    "collect": "bench.calls.collecting",
    "compare": "bench.calls.comparing",
    "compare_tasks": "bench.calls.comparing_tasks",
    "describe": "bench.calls.describing",
    "doctor": "bench.calls.examining",
    "export": "bench.calls.exporting",
    "fit": "bench.calls.fitting",
    "get_space": "data.spaces.registry",
    "import_table": "bench.calls.importing",
    "leaderboard": "bench.calls.leaderboard",
    "list": "bench.calls.listing",
    "load_benchmark": "surrogate.stored",
    "make_optimizer": "optimizers",
    "merge": "bench.calls.merging",
    "plan": "bench.calls.planning",
    "publish": "bench.calls.publishing",
    "report": "bench.calls.reporting",
    "retrain": "bench.calls.retraining",
    "run": "bench.calls.running",
    "train": "bench.calls.training",
}

#: Public names that are called otherwise in their modules, where they would hide Python's own.
_THERE = {"list": "names_of"}

#: `list` is not among them: a star would hide Python's own.
__all__ = [
    "Analysis",
    "Answer",
    "Benchmark",
    "Collection",
    "Comparison",
    "Evaluation",
    "EvaluationLog",
    "Fitted",
    "Imported",
    "JointBenchError",
    "Ladder",
    "Leaderboard",
    "Metric",
    "Optimizer",
    "Space",
    "Status",
    "TasksComparison",
    "Trial",
    "adapters",
    "analyse",
    "check",
    "collect",
    "compare",
    "compare_tasks",
    "describe",
    "doctor",
    "export",
    "fit",
    "get_space",
    "import_table",
    "leaderboard",
    "load_benchmark",
    "make_optimizer",
    "merge",
    "plan",
    "publish",
    "report",
    "retrain",
    "run",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jointbench' has no attribute {name!r}")
    from importlib import import_module

    home = import_module(f"jointbench.{_HOMES[name]}")
    # The adapters are a module, as in a published wheel; a leaderboard has two calls.
    return home if name in ("adapters", "leaderboard") else getattr(home, _THERE.get(name, name))


def __dir__() -> list[str]:
    return [*__all__, "__version__", "list"]
