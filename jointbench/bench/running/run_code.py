"""What a run's outcome follows from beside its settings: the code that makes it, so that none is mixed with another."""

import hashlib
from collections.abc import Iterable
from importlib import metadata, resources
from importlib.metadata import entry_points
from pathlib import Path

from jointbench.optimizers.options import split_name
from jointbench.optimizers.registry import ENTRY_POINTS, ships

#: Beside the folders data, optimizers and surrogate, the modules that a simulated run goes through.
HARNESS = (
    "comparing/comparison_folder",
    "comparing/comparison_run",
    "comparing/run_table",
    "comparing/simulated_objective",
    "running/cluster",
    "running/dying_workers",
    "running/journal",
    "running/objective",
    "running/proposals",
    "running/replay",
    "running/run",
    "running/run_code",
    "running/surrogate_objective",
    "running/thinking",
)

#: Libraries whose versions decide what a comparison finds; the later ones are extras.
LIBRARIES = ("numpy", "scipy", "scikit-learn", "ConfigSpace", "smac", "optuna", "cmaes", "hpbandster")


def simulation_code() -> str:
    """Changes whenever the code of a simulated run does: that of all optimizers that ship, surrogate and cluster."""
    package = Path(str(resources.files("jointbench")))
    files = [path for folder in ("data", "optimizers", "surrogate") for path in (package / folder).rglob("*.py")]
    return _digest([*sorted(files), *(package / "bench" / f"{name}.py" for name in HARNESS)])


def optimizer_code(name: str) -> str:
    """Changes whenever a person's own optimizer does: its file, or its package's version; empty for all others."""
    if ships(name):
        return ""
    name, _ = split_name(name)
    file = Path(name.rpartition(":")[0])
    if file.suffix == ".py":
        return _digest([file])
    packages = [entry.dist for entry in entry_points(group=ENTRY_POINTS, name=name)]
    return ", ".join(f"{package.name} {package.version}" for package in packages if package)


def library_versions() -> dict[str, str]:
    """Of those that are installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
