"""Who imports whom: data <- optimizers, surrogate <- bench <- the top; and torch only where something is trained."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jointbench"
SOURCES = sorted(PACKAGE.rglob("*.py"))
#: The command line is part of the top and may use everything.
TOP = (PACKAGE, PACKAGE / "cli")
BELOW_THE_TOP = [path for path in SOURCES if path.parent not in TOP]

#: What a folder may import of ours, besides itself.
ALLOWED: dict[str, set[str]] = {
    "data": set(),
    "optimizers": {"data"},
    "surrogate": {"data"},
    "bench": {"data", "optimizers", "surrogate"},
}


#: The rooms of `bench`, each of which may import those before it; `speed` measures all of it.
ROOMS = ("training", "running", "collecting", "comparing", "drawing", "analysing", "pages", "calls", "speed")


def inside(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imports(path: Path) -> set[str]:
    """Dotted names, wherever in the file they are imported."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_there_are_the_four_folders_and_no_other() -> None:
    assert {inside(path).split("/")[0] for path in BELOW_THE_TOP} == set(ALLOWED)


@pytest.mark.parametrize("path", BELOW_THE_TOP, ids=inside)
def test_a_folder_imports_only_from_below(path: Path) -> None:
    own = inside(path).split("/")[0]
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("jointbench.")}
    assert ours <= ALLOWED[own] | {own}


@pytest.mark.parametrize("path", sorted((PACKAGE / "bench").glob("*/*.py")), ids=inside)
def test_a_room_of_the_harness_imports_only_those_before_it(path: Path) -> None:
    before = ROOMS[: ROOMS.index(path.parent.name) + 1]
    rooms = {name.split(".")[2] for name in imports(path) if name.startswith("jointbench.bench.")}
    assert rooms <= set(before)


@pytest.mark.parametrize("path", BELOW_THE_TOP, ids=inside)
def test_of_the_top_a_folder_knows_the_version_alone(path: Path) -> None:
    taken = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "jointbench"
    }
    assert taken <= {"__version__"}


@pytest.mark.parametrize("path", SOURCES, ids=inside)
def test_torch_is_imported_where_something_is_trained_alone(path: Path) -> None:
    # The command line asks whether torch is there, and how many GPUs.
    asking = ("cli/training_options.py", "cli/workplace_options.py")
    if inside(path).startswith("bench/") or inside(path) in ("data/images/places.py", *asking):
        return
    assert not {name.split(".")[0] for name in imports(path)} & {"torch", "torchvision"}


def test_optimizers_surrogates_and_all_that_compares_load_without_torch() -> None:
    folders = [inside(path).removesuffix(".py").replace("/", ".") for path in SOURCES]
    code = f"""
import importlib, sys

class NotInstalled:
    def find_spec(name, path=None, target=None):
        if name in ("torch", "torchvision"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotInstalled)
for name in {[name for name in folders if name.startswith(("data.", "optimizers.", "surrogate."))]}:
    importlib.import_module("jointbench." + name.removesuffix(".__init__"))
import jointbench.cli, jointbench.bench.comparing.comparison
import jointbench.bench.pages.report, jointbench.bench.pages.console
for name in {[name for name in folders if name.startswith("bench.calls.")]}:
    importlib.import_module("jointbench." + name.removesuffix(".__init__"))
jointbench.cli.main(["query", "digits-cpu", "zela-2018", "--budget", "27"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_query_imports_little() -> None:
    code = """
import sys, jointbench
jointbench.load_benchmark("digits-cpu").query(jointbench.get_space("joint").named["zela-2018"], budget=27.0, seed=3)
heavy = {"torch", "xgboost", "sklearn", "scipy", "pandas", "pyarrow", "ConfigSpace", "plotly", "distributed", "smac"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
