"""What is published: the folder for a data repository, the wheel that answers on its own, and the examples."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from jointbench import doctor
from jointbench.cli import main
from jointbench.data.errors import BenchmarkError
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.checksums import CHECKSUMS
from jointbench.surrogate.contract import corners_and_samples
from jointbench.surrogate.croissant import CROISSANT
from jointbench.surrogate.golden import GOLDEN, check_golden, read_golden
from jointbench.surrogate.publish import CARD, PAGE
from jointbench.surrogate.stored import MANIFEST, MODELS, load_benchmark, released

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[2]
#: Examples that are about something else than a benchmark that is there: two have tests of their own, and one needs
#: tables that are not installed here.
OTHERS = ("whole_path", "own_training", "scan_bench")
EXAMPLES = [path for path in sorted((ROOT / "docs" / "examples").glob("*.py")) if path.stem not in OTHERS]
#: Libraries so large that their examples run with the wheel alone; what they ask is the same file of adapters.
LARGE = ("ax_bayesian", "ray_tune_asha")
#: Libraries that an adapter loads, and the example does not.
LOADED = {"ax_bayesian": ["ax"]}
PACKAGE = "jointbench_digits_cpu"
DATA = {CARD, CHECKSUMS, GOLDEN, MANIFEST, MODELS, CROISSANT, "evaluations.parquet", "space.json"}
DATA |= {PAGE} if (released()["digits-cpu"] / PAGE).exists() else set()


def publish(out: Path) -> Path:
    main(["publish", "digits-cpu", "--out", str(out), "--date", "2026-12-24"])
    return out


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("published") / "digits-cpu")


@pytest.fixture(scope="session")
def wheel(published: Path) -> Path:
    (path,) = published.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as pip would lay it out, beside the libraries of this environment."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(unpacked: Path, *words: str | Path, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    # smac's proposals depend on the order of sets of strings.
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    return subprocess.run([sys.executable, *words], env=environment, cwd=cwd, capture_output=True, text=True)


class TestFolder:
    def test_holds_data_and_a_wheel_whose_checksums_fit(self, published: Path, wheel: Path) -> None:
        assert {path.name for path in published.iterdir()} == {*DATA, wheel.name}
        lines = dict(
            line.split("  ")[::-1] for line in (published / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        )
        assert lines.keys() == {*DATA, wheel.name} - {CHECKSUMS}
        for name, checksum in lines.items():
            assert hashlib.sha256((published / name).read_bytes()).hexdigest() == checksum

    def test_is_the_same_bytes_when_published_again_where_the_locale_is_not_utf8(
        self, published: Path, tmp_path: Path
    ) -> None:
        again = tmp_path / "again"
        words = ["-m", "jointbench", "publish", "digits-cpu", "--out", str(again), "--date", "2026-12-24"]
        locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, *words], env={**os.environ, **locale}, capture_output=True, check=True)
        assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in published.iterdir())
        for path in published.iterdir():
            assert (again / path.name).read_bytes() == path.read_bytes(), path.name

    def test_loads_as_a_benchmark(self, published: Path) -> None:
        ours, theirs = load_benchmark("digits-cpu"), load_benchmark(published)
        assert (theirs.name, theirs.checksum) == (ours.name, ours.checksum)

    def test_card_says_licence_and_citation(self, published: Path) -> None:
        card = (published / CARD).read_text(encoding="utf-8")
        assert "Apache-2.0" in card
        assert "Zela, Klein, Falkner and Hutter" in card

    def test_configspace_reads_its_space(self, published: Path) -> None:
        from ConfigSpace import ConfigurationSpace

        assert ConfigurationSpace.from_json(published / "space.json") == JOINT.configspace

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_mlcroissant_validates_it_and_reads_the_evaluations(self, published: Path) -> None:
        croissant = pytest.importorskip("mlcroissant")
        dataset = croissant.Dataset(jsonld=published / "croissant.json")
        assert not dataset.metadata.ctx.issues.errors
        assert not dataset.metadata.ctx.issues.warnings
        log = EvaluationLog.open(published / "evaluations.parquet")
        for record, evaluation in zip(dataset.records("evaluations"), log.evaluations(), strict=False):
            assert record["evaluations/learning_rate"] == evaluation.configuration["learning_rate"]
            assert record["evaluations/batch_size"] == evaluation.configuration["batch_size"]
            # Until version 3 of the schema, of which this file is not, a failure had the error of guessing.
            error = evaluation.validation_error if evaluation.ok else 0.9
            assert record["evaluations/validation_error"] == error
            assert record["evaluations/status"].decode() == evaluation.status

    def test_doctor_holds_each_file_against_its_checksum(self, published: Path, wheel: Path, tmp_path: Path) -> None:
        assert any(CHECKSUMS in fact for fact in doctor(published).findings.facts)
        assert doctor(published).healthy
        folder = shutil.copytree(published, tmp_path / "copy")
        (folder / CARD).write_text("# better", encoding="utf-8")
        (folder / wheel.name).unlink()
        (folder / "notes.txt").write_text("mine", encoding="utf-8")
        (folder / ".DS_Store").write_bytes(b"macOS's")
        changed, gone, other = doctor(folder).findings.problems
        assert changed.startswith(f"{CARD} is not what was published")
        assert gone.startswith(f"{wheel.name} is missing")
        assert other.startswith("notes.txt is not listed")

    def test_doctor_knows_a_published_folder_without_its_benchmark(self, published: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(published, tmp_path / "copy")
        (folder / MANIFEST).unlink()
        assert f"{MANIFEST} is missing, which {CHECKSUMS} lists" in doctor(folder).findings.problems

    @pytest.mark.parametrize("line", ["", "no checksum", f"{'0' * 64}  ../card.md", f"{'0' * 63}  card.md"])
    def test_doctor_says_which_line_is_no_checksum(self, published: Path, tmp_path: Path, line: str) -> None:
        folder = shutil.copytree(published, tmp_path / "copy")
        (folder / CHECKSUMS).write_text(f"{line}\n", encoding="utf-8")
        [said] = doctor(folder).findings.problems
        assert re.fullmatch(rf"line 1 of .*{CHECKSUMS}: .* given, expected a SHA-256 checksum, two spaces .*", said)

    def test_is_not_written_over_another_without_force(self, published: Path) -> None:
        before = (published / CHECKSUMS).stat().st_mtime_ns
        with pytest.raises(SystemExit):
            publish(published)
        assert (published / CHECKSUMS).stat().st_mtime_ns == before

    def test_takes_the_page_along_where_there_is_one(self, tmp_path: Path) -> None:
        source = shutil.copytree(released()["digits-cpu"], tmp_path / "source")
        (source / PAGE).write_text("<p>plots</p>", encoding="utf-8")
        main(["publish", str(source), "--out", str(tmp_path / "out")])
        assert (tmp_path / "out" / PAGE).read_text(encoding="utf-8") == "<p>plots</p>"
        described = json.loads((tmp_path / "out" / CROISSANT).read_text(encoding="utf-8"))["distribution"]
        assert {"text/html"} == {file["encodingFormat"] for file in described if file["@id"] == PAGE}

    def test_says_what_to_install_where_hatchling_is_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "hatchling", None)
        with pytest.raises(SystemExit) as ended:
            publish(tmp_path / "out")
        assert ended.value.code == 2
        assert capsys.readouterr().err.endswith("needs hatchling: pip install 'jointbench[publish]'\n")
        assert not (tmp_path / "out").exists()

    def test_says_so_when_no_wheel_can_be_built(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source = shutil.copytree(released()["digits-cpu"], tmp_path / "source")
        (source / CARD).write_bytes(b"\xff\xfe")
        with pytest.raises(SystemExit):
            main(["publish", str(source), "--out", str(tmp_path / "out")])
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        assert "wheel: 'digits-cpu' given, expected files of which hatchling can build it" in said
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("lacking", [CARD, GOLDEN, "evaluations.parquet"])
    def test_is_not_made_of_a_folder_that_lacks_a_file(
        self, lacking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = shutil.copytree(released()["digits-cpu"], tmp_path / "source")
        (source / lacking).unlink()
        with pytest.raises(SystemExit):
            main(["publish", str(source), "--out", str(tmp_path / "out")])
        assert lacking in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("file", [CARD, GOLDEN, "evaluations.parquet"])
    def test_is_not_made_of_what_a_link_leads_to(
        self, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = shutil.copytree(released()["digits-cpu"], tmp_path / "source")
        (source / file).rename(tmp_path / file)
        (source / file).symlink_to(tmp_path / file)
        with pytest.raises(SystemExit):
            main(["publish", str(source), "--out", str(tmp_path / "out")])
        assert "expected a plain file" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


class TestGoldenAnswers:
    @pytest.mark.parametrize("name", sorted(released()))
    def test_a_shipped_benchmark_gives_its_own(self, name: str) -> None:
        benchmark = load_benchmark(name)
        # Those of generators, whose facts are read from graphs, are not compiled.
        for accelerated in (False, True)[: 1 if benchmark.space.draws else 2]:
            if accelerated:
                pytest.importorskip("llvmlite")
                benchmark.accelerate()
            assert check_golden(benchmark, read_golden(released()[name])) > 100

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[" * 10**5,
            "{}",
            json.dumps({"benchmark": "digits-cpu-v1", "answers": [{}]}),
            *(json.dumps({"benchmark": "digits-cpu-v2", "answers": answers}) for answers in ([], [{}], 7, {"a": 1})),
        ],
        ids=lambda content: content[:60],
    )
    def test_what_holds_none_is_refused(self, content: str) -> None:
        with pytest.raises(BenchmarkError, match="golden answers"):
            check_golden(load_benchmark("digits-cpu"), content)

    @pytest.mark.parametrize("part", ["configuration", "budget", "seed", "answer"])
    @pytest.mark.parametrize("value", [None, "3", {}, [], 1e308, 10**400])
    def test_one_that_makes_no_sense_is_refused(self, part: str, value: object) -> None:
        content = json.loads(read_golden(released()["digits-cpu"]))
        case = next(case for case in content["answers"] if case["seed"] is not None)
        with pytest.raises(BenchmarkError, match="golden answer"):
            check_golden(load_benchmark("digits-cpu"), json.dumps({**content, "answers": [{**case, part: value}]}))


class TestWheel:
    def test_is_small_pure_python_and_needs_numpy_alone(self, wheel: Path, unpacked: Path) -> None:
        assert wheel.name == f"{PACKAGE}-2-py3-none-any.whl"
        assert wheel.stat().st_size < 5e6
        (metadata,) = unpacked.glob("*.dist-info/METADATA")
        needs = re.findall(r"^Requires-Dist: (.*)$", metadata.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert [need for need in needs if "extra ==" not in need] == ["numpy>=2.0"]
        assert "Name: jointbench-digits-cpu\n" in metadata.read_text(encoding="utf-8")

    def test_holds_our_modules_as_they_are_under_its_own_name(self, unpacked: Path) -> None:
        sources = [path for path in (unpacked / PACKAGE).rglob("*.py") if path.parent.name != PACKAGE]
        assert {path.relative_to(unpacked / PACKAGE).parts[0] for path in sources} == {"data", "surrogate"}
        for path in sources:
            ours = (ROOT / "jointbench" / path.relative_to(unpacked / PACKAGE)).read_text(encoding="utf-8")
            assert path.read_text(encoding="utf-8") == re.sub(
                r"(?m)^( *)from jointbench\.", rf"\1from {PACKAGE}.", ours
            )

    def test_holds_nothing_that_is_executed_but_its_modules(self, unpacked: Path) -> None:
        assert {path.suffix for path in (unpacked / PACKAGE).rglob("*.*")} == {".py", ".json", ".ubj"}

    def test_imports_neither_ours_nor_anything_heavy(self, unpacked: Path) -> None:
        code = f"""
import sys, {PACKAGE}
{PACKAGE}.load().query({PACKAGE}.load().space.named["zela-2018"], 27.0, 3)
print(sorted(name for name in sys.modules if "." not in name and name not in sys.stdlib_module_names))
"""
        done = run(unpacked, "-c", code, cwd=unpacked)
        modules = set(json.loads(done.stdout.replace("'", '"')))
        # Installed packages may hook into every start.
        assert {"numpy", PACKAGE} <= modules
        assert not modules & {"jointbench", "scipy", "pyarrow", "ConfigSpace", "llvmlite", "xgboost", "pandas", "torch"}

    def test_reads_tables_by_name_and_any_number_without_a_library_of_tables(
        self, unpacked: Path, tmp_path: Path
    ) -> None:
        """Frames are known by what they can do: with pandas where it is, with anybody's own class where it is not."""
        code = f"""
import sys
from fractions import Fraction
import numpy as np, {PACKAGE}

class Frame:
    def __init__(self, columns):
        self.columns, self._columns = list(columns), columns

    def __getitem__(self, name):
        return self._columns[name]

benchmark = {PACKAGE}.load()
configurations = benchmark.sample(5, 0)
expected = [benchmark.query(configuration, 27.0, 3) for configuration in configurations]
columns = {{name: [c[name] for c in configurations] for name in sorted(configurations[0])}}
for table in (Frame(columns), columns, configurations):
    assert list(benchmark.query_batch(table, np.float32(27), np.int64(3))) == expected
assert benchmark.query(configurations[0], Fraction(27), np.uint8(3)) == expected[0]
points = np.random.default_rng(0).random((5, len(columns)))
named = Frame(dict(zip(benchmark.space.names, points.T)))
function = {PACKAGE}.adapters.population_function(benchmark)
assert (function(named) == function(points)).all()
assert "pandas" not in sys.modules

import pandas
frame = pandas.DataFrame(columns)
assert list(benchmark.query_batch(frame, 27.0, 3)) == expected
assert [benchmark.query(frame.iloc[k], 27.0, 3) for k in range(5)] == expected
print("as expected")
"""
        done = run(unpacked, "-c", code, cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("as expected\n", "")

    def test_says_so_when_an_answer_has_changed(self, unpacked: Path, tmp_path: Path) -> None:
        assert "all 130 golden answers" in run(unpacked, "-m", PACKAGE, cwd=tmp_path).stdout
        copy = shutil.copytree(unpacked, tmp_path / "changed")
        golden = copy / PACKAGE / "data" / "released" / "digits-cpu" / GOLDEN
        content = json.loads(golden.read_text(encoding="utf-8"))
        content["answers"][7]["answer"]["test_error"] *= 1 + 1e-15
        golden.write_text(json.dumps(content), encoding="utf-8")
        done = run(copy, "-m", PACKAGE, cwd=tmp_path)
        assert done.returncode == 1
        assert "golden answer 7" in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_takes_no_arguments(self, unpacked: Path, tmp_path: Path) -> None:
        done = run(unpacked, "-m", PACKAGE, "query", "--budget=3", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"python -m {PACKAGE}: arguments: 'query --budget=3' given, expected none: it checks")
        asked = run(unpacked, "-m", PACKAGE, "--help", cwd=tmp_path)
        assert (asked.returncode, asked.stderr) == (0, "")
        assert "takes no arguments" in asked.stdout

    @pytest.mark.parametrize(
        ("file", "content", "sentence"),
        [
            (MODELS, b"", "content that fits its checksum"),
            (MANIFEST, b"[" * 10**5, "JSON"),
            (GOLDEN, b"{}", "golden answers"),
            (GOLDEN, None, "a file that can be read"),
            (MANIFEST, None, "the one that was published"),
        ],
    )
    def test_says_what_is_damaged_in_one_sentence(
        self, file: str, content: bytes | None, sentence: str, unpacked: Path, tmp_path: Path
    ) -> None:
        copy = shutil.copytree(unpacked, tmp_path / "damaged")
        path = copy / PACKAGE / "data" / "released" / "digits-cpu" / file
        path.unlink() if content is None else path.write_bytes(content)
        done = run(copy, "-m", PACKAGE, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
        assert sentence in done.stderr

    @pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
    def test_installed_in_an_empty_environment_it_answers_as_the_repository(
        self, version: str, wheel: Path, tmp_path: Path
    ) -> None:
        python = environment(version, tmp_path / "environment")
        install(wheel, python)
        rows = corners_and_samples(JOINT, 200)
        budgets, seeds = np.resize([1.0, 3.0, 5.0, 9.0, 27.0], len(rows)), np.arange(len(rows)) - 100
        (tmp_path / "asked.json").write_text(
            json.dumps([rows.tolist(), budgets.tolist(), seeds.tolist()]), encoding="utf-8"
        )
        code = f"""
import importlib.metadata, json, dataclasses, {PACKAGE}
assert {{d.name for d in importlib.metadata.distributions()}} == {{"numpy", "jointbench-digits-cpu"}}
benchmark = {PACKAGE}.load()
rows, budgets, seeds = json.load(open("asked.json"))
single = [benchmark.query(benchmark.space.configuration(r), b, s) for r, b, s in zip(rows, budgets, seeds)]
assert single == list(benchmark.query_batch(rows, budgets, seeds))
print(json.dumps([dataclasses.asdict(answer) for answer in single]))
"""
        answered = subprocess.check_output([str(python), "-I", "-c", code], cwd=tmp_path)
        ours = load_benchmark("digits-cpu").query_batch(rows, budgets, seeds)
        assert json.loads(answered) == [asdict(answer) for answer in ours]
        subprocess.run([str(python), "-I", "-m", PACKAGE], check=True, cwd=tmp_path, capture_output=True)


def install(wheel: Path, python: Path) -> None:
    """As a user would; what is installed is compiled when it is imported. Skips where NumPy is out of pip's reach."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install"]
    done = subprocess.run([*pip, "--quiet", "--no-compile", str(wheel)], capture_output=True, text=True)
    if "No matching distribution found for numpy" in done.stderr:
        pytest.skip("pip finds no NumPy for this Python: there is no package index")
    assert done.returncode == 0, done.stderr


def environment(version: str, folder: Path) -> Path:
    """The interpreter of a new environment without any package. Skips where there is no Python of this version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable, shutil.which(f"python{version}"), *pyenv.glob(f"{version}.*/bin/python")]
    for candidate in filter(None, candidates):
        said = subprocess.run([candidate, "--version"], capture_output=True, text=True).stdout
        if said.startswith(f"Python {version}."):
            subprocess.run([candidate, "-m", "venv", "--without-pip", str(folder)], check=True)
            return folder / "bin" / "python"
    pytest.skip(f"there is no Python {version} on this machine")


@pytest.mark.parametrize(
    ("example", "where"),
    [(path, where) for path in EXAMPLES for where in ("wheel", "here") if where == "wheel" or path.stem not in LARGE],
    ids=lambda of: of.stem if isinstance(of, Path) else of,
)
def test_an_example_runs_with_the_published_wheel_and_without(
    example: Path, where: str, unpacked: Path, tmp_path: Path
) -> None:
    imported = re.findall(r"^(?:from|import) (\w+)", example.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for library in [*imported, *LOADED.get(example.stem, [])]:
        pytest.importorskip(library)
    done = run(unpacked if where == "wheel" else ROOT, example, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = [float(number) for number in re.findall(r"([\d.]+)%", done.stdout)]
    # Guessing is wrong in 90 of 100 cases, and a few random configurations are below 30.
    assert 0 < min(found) < 30


def test_the_folder_for_optunahub_leans_on_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    """Its example runs as in the registry, but for the place that the folder is loaded from."""
    pytest.importorskip("optunahub")
    registry = ROOT / "docs" / "examples" / "optunahub"
    folder = registry / "benchmarks" / "jointbench"
    code = f"""
import sys, optunahub
sys.modules["jointbench"] = None
optunahub.load_module = lambda package: optunahub.load_local_module(package, registry_root={str(registry)!r})
exec(open({str(folder / "example.py")!r}, encoding="utf-8").read())
assert problem.metric_names == ["validation_error"]
assert study.best_value == problem.evaluate(study.best_params)
assert problem.evaluate_constraints(study.best_params)["parameters"] <= 0
problem.reseed(None)
assert problem.evaluate(study.best_params) == problem.evaluate(study.best_params) != study.best_value
"""
    done = run(unpacked, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"best: [\d.]+% with", done.stdout)
    # The page of a package shows the example of its folder.
    example = (folder / "example.py").read_text(encoding="utf-8")
    assert example in (folder / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in folder.iterdir()} >= {"LICENSE", "README.md", "requirements.txt", "__init__.py"}
