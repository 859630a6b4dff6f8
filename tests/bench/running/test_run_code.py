"""What decides a simulated run: all code that it goes through, wherever that lies, and of it only what it does."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from jointbench.bench.running.run_code import simulation_code, simulation_sources
from jointbench.data.source_code import closure_of_imports, digest
from jointbench.optimizers.registry import OPTIMIZERS

PACKAGE = Path(__file__).parents[3] / "jointbench"

#: A run in this process, and what ours it has loaded; then what all optimizers load.
RUN = """
import sys
from pathlib import Path
from jointbench.bench.comparing.comparison_run import Job, run_job
from jointbench.bench.comparing.simulated_objective import simulated_settings
from jointbench.bench.running.surrogate_objective import SurrogateObjective
from jointbench.optimizers import registry
from jointbench.surrogate.stored import load_benchmark

objective = SurrogateObjective(load_benchmark("digits-cpu"))
settings = simulated_settings(objective, workers=2, full_budgets=2.0, death_rate=20.0)
run_job(Job("random", 0, settings, Path(sys.argv[1]), ""), lambda *words: None)
for name in registry.OPTIMIZERS.values():
    registry._load(name)
print(*(module for module in sys.modules if module.startswith("jointbench.")))
"""


def written(folder: Path, modules: Mapping[str, str]) -> Path:
    """A package called jointbench."""
    for path, text in modules.items():
        file = folder / "jointbench" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / "jointbench"


def test_all_modules_that_a_run_loads_are_in_the_closure(tmp_path: Path) -> None:
    words = [sys.executable, "-c", RUN, str(tmp_path / "run.parquet")]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    paths = {name.removeprefix("jointbench.").replace(".", "/") for name in loaded}
    known = {path.removesuffix(".py").removesuffix("/__init__") for path in simulation_sources()}
    assert {"bench/running/run", "surrogate/trees", "optimizers/kde"} < paths
    assert paths <= known


def test_what_a_run_does_not_go_through_is_not_in_the_closure() -> None:
    known = set(simulation_sources())
    assert not {path for path in known if path.startswith(("cli/", "bench/pages/", "bench/training/"))}
    assert not known & {"__init__.py", "surrogate/card.py", "data/images/registry.py"}
    for place in OPTIMIZERS.values():
        assert place.partition(":")[0].removeprefix("jointbench.").replace(".", "/") + ".py" in known


def test_an_edit_in_any_module_of_the_closure_changes_the_code_and_a_comment_in_none(tmp_path: Path) -> None:
    package = Path(shutil.copytree(PACKAGE, tmp_path / "jointbench", ignore=shutil.ignore_patterns("released")))
    sources = simulation_sources(package)
    code = digest(sources)
    assert code == simulation_code()
    for path in sources:
        (package / path).write_text(sources[path] + "\n# A comment.\n", encoding="utf-8")
    commented = simulation_sources(package)
    assert all(commented[path] != text for path, text in sources.items())
    assert digest(commented) == code
    for path, text in sources.items():
        assert digest({path: text + "\nEDITED = 1\n"}) != digest({path: text})
    last = max(sources)
    assert digest({**sources, last: sources[last] + "\nEDITED = 1\n"}) != code


def test_sub_folders_registries_and_late_imports_are_followed(tmp_path: Path) -> None:
    modules = {
        "__init__.py": "from jointbench.unmentioned import all_of_it\n",
        "start.py": "def late():\n    from jointbench.deep.down import inner\n",
        "deep/__init__.py": "",
        "deep/down/__init__.py": "from jointbench.other import thing\n",
        "deep/down/inner.py": "import jointbench.plain\n",
        "other.py": "KINDS = {'a': 'jointbench.named:Kind', 'b': 'jointbench.named.nothing.such'}\n",
        "named.py": "from jointbench import __version__\nimport os.path\nfrom elsewhere.start import x\n",
        "plain.py": '"""jointbench.unmentioned is only spoken of."""\n',
        "unmentioned.py": "",
    }
    package = written(tmp_path, modules)
    found = closure_of_imports(package, ["start.py"])
    assert found == {path: modules[path] for path in sorted({*modules} - {"__init__.py", "unmentioned.py"})}


@pytest.mark.parametrize(
    "same",
    [
        "def f(x):\n    return x + 1  # more\n",
        '"""A module."""\n\n\ndef f(x):\n    """One more."""\n    return (\n        x\n        + 1\n    )\n',
    ],
)
def test_comments_docstrings_and_line_breaks_are_no_code(same: str) -> None:
    assert digest({"a.py": same}) == digest({"a.py": "def f(x):\n    return x + 1\n"})


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return x + 1.0\n",
        "def f(x):\n    return x + True\n",
        "def f(x, y=None):\n    return x + 1\n",
        "def g(x):\n    return x + 1\n",
        "def f(x):\n    return x - 1\n",
        "def f(x):\n    return x + 1\n\n\n'text'\n",
        "def f(x):\n",
    ],
)
def test_all_else_is_code(other: str) -> None:
    assert digest({"a.py": other}) != digest({"a.py": "def f(x):\n    return x + 1\n"})


def test_a_class_whose_body_is_words_alone_has_a_meaning() -> None:
    assert digest({"a.py": "class A:\n    'words'\n"}) == digest({"a.py": "class A:\n    'other words'\n"})
    assert digest({"a.py": "class A:\n    'words'\n"}) != digest({"a.py": "class A:\n    1\n"})
