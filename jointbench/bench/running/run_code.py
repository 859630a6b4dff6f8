"""What a run's outcome follows from beside its settings: the code that makes it, so that none is mixed with another."""

from functools import cache
from importlib import metadata, resources
from importlib.metadata import entry_points
from pathlib import Path

from jointbench.data.source_code import closure_of_imports, digest
from jointbench.optimizers.options import split_name
from jointbench.optimizers.registry import ENTRY_POINTS, ships

#: What makes a simulated run; all else that it goes through follows from the imports.
START = "bench/comparing/comparison_run.py"

#: Libraries whose versions decide what a comparison finds; the later ones are extras.
LIBRARIES = ("numpy", "scipy", "scikit-learn", "ConfigSpace", "smac", "optuna", "cmaes", "hpbandster")


# Once a process: what it has loaded does not change.
@cache
def simulation_code() -> str:
    """Changes whenever the code of a simulated run does: that of all optimizers that ship, surrogate and cluster.

    Comments and docstrings are no code.
    """
    return digest(simulation_sources())


def simulation_sources(package: Path | None = None) -> dict[str, str]:
    """The modules of a simulated run by path, in `package`, a folder called jointbench: this one unless given."""
    return closure_of_imports(package or Path(str(resources.files("jointbench"))), [START])


def optimizer_code(name: str) -> str:
    """Changes whenever a person's own optimizer does: its file, or its package's version; empty for all others."""
    if ships(name):
        return ""
    if (file := optimizer_file(name)) is not None:
        return digest({file.name: file.read_text(encoding="utf-8", errors="surrogateescape")})
    name, _ = split_name(name)
    packages = [entry.dist for entry in entry_points(group=ENTRY_POINTS, name=name)]
    return ", ".join(f"{package.name} {package.version}" for package in packages if package)


def optimizer_file(name: str) -> Path | None:
    """The file of a person's own optimizer; None for all others."""
    file = Path(split_name(name)[0].rpartition(":")[0])
    return file if file.suffix == ".py" else None


def library_versions() -> dict[str, str]:
    """Of those that are installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
