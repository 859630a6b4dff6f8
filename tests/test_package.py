"""The house: who imports whom, the links, what is in the wheel."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jointbench"
SOURCES = sorted(PACKAGE.rglob("*.py"))

#: What a folder may import of ours, besides itself.
ALLOWED = {
    "data": set(),
    "optimizers": {"data"},
    "surrogate": {"data"},
    "bench": {"data", "optimizers", "surrogate"},
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_folder_imports_only_from_below(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    if len(parts) == 1:
        return
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("jointbench.") and name.count(".") > 0}
    folders = {name for name in ours if (PACKAGE / name).is_dir()}
    assert folders <= ALLOWED[parts[0]] | {parts[0]}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_torch_is_imported_where_something_is_trained_alone(path: Path) -> None:
    inside = path.relative_to(PACKAGE).as_posix()
    if inside.startswith("bench/") or inside in ("data/images.py", "cli.py"):
        return
    assert not {name.split(".")[0] for name in imports(path)} & {"torch", "torchvision"}


def test_comparing_and_querying_import_no_torch() -> None:
    code = """
import sys
sys.modules["torch"] = sys.modules["torchvision"] = None  # importing them now fails
from jointbench.cli import main
main(["query", "digits-cpu", "zela-2018", "--budget", "27"])
import jointbench.bench.comparison, jointbench.bench.report, jointbench.bench.console, jointbench.optimizers.bohb
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


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_the_owners_links_lead_to_the_package(folder: str) -> None:
    link = ROOT / folder
    assert link.is_symlink()
    assert link.readlink() == Path("jointbench") / folder
    assert link.resolve() == PACKAGE / folder


def test_the_wheel_holds_the_package_whole_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    tracked = subprocess.run(
        ["git", "ls-files", "jointbench"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert sorted(names) == sorted(tracked)
    assert wheel.stat().st_size < 10 * 2**20
