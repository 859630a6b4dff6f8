"""What `jointbench doctor` says of a benchmark, healthy or not."""

import json
import shutil
from pathlib import Path

import pytest

import jointbench
from jointbench.cli import main
from jointbench.data.errors import BenchmarkError, UnknownNameError
from jointbench.surrogate.stored import load_benchmark, released

#: The smallest that ships, whatever its version.
NAME = load_benchmark("rnag-digits").name


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(released()["rnag-digits"], tmp_path / "copied"))


@pytest.mark.parametrize("name", released())
def test_one_that_ships_is_told_by_its_name_and_is_healthy(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = load_benchmark(name)
    main(["doctor", name])
    said = capsys.readouterr().out
    assert f"the benchmark {benchmark.name}, {benchmark.verdict.word}: space {benchmark.space.name} on" in said
    assert "golden answers to the last bit" in said
    assert said.strip().endswith("healthy")
    assert jointbench.doctor(benchmark.name).findings == jointbench.doctor(benchmark.source).findings


def test_its_evaluations_are_examined_as_a_log(copied: Path) -> None:
    found = jointbench.doctor(copied)
    assert found.findings.evaluations == jointbench.doctor(copied / "evaluations.parquet").findings.evaluations
    (copied / "evaluations.parquet").write_bytes(b"PAR1")
    (problem,) = jointbench.doctor(copied).findings.problems
    assert problem == "evaluations.parquet cannot be read"


def test_another_file_than_was_written_is_a_problem(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (copied / "models.ubj").open("ab") as file:
        file.write(b"x")
    with pytest.raises(SystemExit) as ended:
        main(["doctor", str(copied)])
    assert ended.value.code == 1
    assert f"PROBLEM: benchmark file: '{copied}/models.ubj' given" in capsys.readouterr().out


def test_an_answer_that_has_changed_is_a_problem(copied: Path) -> None:
    golden = json.loads((copied / "golden.json").read_text(encoding="utf-8"))
    golden["answers"][3]["answer"]["metrics"]["validation_error"] += 1e-9
    (copied / "golden.json").write_text(json.dumps(golden), encoding="utf-8")
    (problem,) = jointbench.doctor(copied).findings.problems
    assert f"golden answer 3 of {NAME}" in problem


def test_what_publishing_takes_and_answering_does_not_is_a_note(copied: Path) -> None:
    for name in ("card.md", "evaluations.parquet"):
        (copied / name).unlink()
    found = jointbench.doctor(copied)
    assert found.healthy
    assert found.findings.notes == ["without its card.md and evaluations.parquet, which `jointbench publish` takes"]


def test_names_that_do_not_ship_are_refused() -> None:
    with pytest.raises(
        UnknownNameError, match="folder: 'nonsense' given, expected one of digits-cpu, fashion-joint, fashion-small"
    ):
        jointbench.doctor("nonsense")
    with pytest.raises(BenchmarkError, match=f"{NAME}, the version that ships"):
        jointbench.doctor("rnag-digits-v99")


def test_a_folder_comes_before_a_benchmark_of_its_name(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied.rename(tmp_path / "fashion-small")
    monkeypatch.chdir(tmp_path)
    assert NAME in jointbench.doctor("fashion-small").findings.facts[0]
