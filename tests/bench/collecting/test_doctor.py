"""What `jointbench doctor` says of a log, healthy or not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from test_log import IMAGES, LADDER, evaluation

from jointbench.cli import main
from jointbench.data.evaluation import Status
from jointbench.data.log import EvaluationLog
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.stored import released


@pytest.fixture
def log(tmp_path: Path) -> EvaluationLog:
    made = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, IMAGES)
    made.append([evaluation("r-0/0"), evaluation("r-0/1", budget=27.0, status=Status.DIVERGED)])
    made.journals.mkdir()
    lines = [{"kind": "ask", "number": 0}, {"kind": "ask", "number": 1}, {"kind": "tell", "number": 0}]
    (made.journals / "r-0.journal").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return made


def findings(log: EvaluationLog, capsys: pytest.CaptureFixture[str], code: int) -> dict[str, Any]:
    if code:
        with pytest.raises(SystemExit) as ended:
            main(["doctor", str(log.path), "--json"])
        assert ended.value.code == code
    else:
        main(["doctor", str(log.path), "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_healthy_log_is_counted_by_rung_and_status(log: EvaluationLog, capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(log, capsys, 0)
    assert found["problems"] == []
    assert found["evaluations"]["1"]["ok"] == found["evaluations"]["27"]["diverged"] == 1
    assert "run r-0: 2 trials begun, 1 ended" in found["facts"]


def test_seconds_of_different_devices_are_not_taken_for_the_same(
    log: EvaluationLog, capsys: pytest.CaptureFixture[str]
) -> None:
    other = evaluation("r-0/7")
    log.append([replace(other, provenance=replace(other.provenance, device="quick"))])
    (note,) = (note for note in findings(log, capsys, 0)["notes"] if "devices" in note)
    assert "trainings of 2 devices" in note
    assert "quick (1)" in note


def test_a_reference_clocks_seconds_are_the_same_on_every_device(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, IMAGES)
    one = evaluation("r-0/0")
    by = replace(one.provenance, clock="reference:epyc-thread-v1")
    made.append([replace(one, key=f"r-0/{n}", provenance=replace(by, device=d)) for n, d in enumerate(("old", "new"))])
    assert not [note for note in findings(made, capsys, 0)["notes"] if "devices" in note]


def test_seconds_of_two_clocks_do_not_go_together(log: EvaluationLog, capsys: pytest.CaptureFixture[str]) -> None:
    one = evaluation("r-0/7")
    log.append([replace(one, provenance=replace(one.provenance, clock="reference:epyc-thread-v1"))])
    assert any("seconds of 2 clocks" in problem for problem in findings(log, capsys, 1)["problems"])


def test_people_read_it_too(log: EvaluationLog, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", str(log.path)])
    out = capsys.readouterr().out
    assert "budgets of 1, 3, 9, 27 seconds" in out
    assert "budget 27: 1 diverged" in out
    assert out.strip().endswith("healthy")


def test_every_released_log_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in released().values():
        main(["doctor", str(folder / "evaluations.parquet")])
        assert "healthy" in capsys.readouterr().out


def test_a_damaged_part_is_a_problem(log: EvaluationLog, capsys: pytest.CaptureFixture[str]) -> None:
    (log.path / "0-torn.parquet").write_bytes(b"PAR1")
    (problem,) = findings(log, capsys, 1)["problems"]
    assert "0-torn.parquet" in problem
    # It changed nothing, and what it advises helps.
    EvaluationLog.open_or_create(log.path, JOINT, LADDER, IMAGES)
    assert findings(log, capsys, 0)["problems"] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"validation_error": 1.5}, "validation_error 1.5"),
        ({"test_error": float("nan")}, "test_error nan"),
        ({"wall_seconds": -1.0}, "wall_seconds -1"),
        ({"budget": 2.0}, "budget 2"),
        ({"configuration": {**JOINT.named["zela-2018"], "momentum": 7.0}}, "outside the space 'joint'"),
    ],
)
def test_impossible_values_are_problems(
    log: EvaluationLog, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], said: str
) -> None:
    log.append([evaluation("r-0/9", **changed)])
    (problem,) = findings(log, capsys, 1)["problems"]
    assert said in problem


def test_an_ended_trial_without_an_evaluation_is_a_problem_unless_the_journal_has_it(
    log: EvaluationLog, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = log.journals / "r-0.journal"
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"kind": "tell", "number": 5, "evaluation": {}}) + "\n")
    assert "restores" in " ".join(findings(log, capsys, 0)["notes"])
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"kind": "tell", "number": 6}) + "\n")
    (problem,) = findings(log, capsys, 1)["problems"]
    assert "trial 6" in problem


def test_what_a_death_leaves_is_no_problem(log: EvaluationLog, capsys: pytest.CaptureFixture[str]) -> None:
    (log.path / ".0-x.parquet.1.writing").write_bytes(b"PAR1")
    (log.path / "0-old.parquet.damaged").write_bytes(b"")
    (log.path / "checkpoints").mkdir()
    (log.path / "checkpoints" / "x.checkpoint").write_bytes(b"")
    (log.path / "checkpoints" / ".x.writing").write_bytes(b"")
    with (log.journals / "r-0.journal").open("a", encoding="utf-8") as file:
        file.write('{"kind": "te')
    log.append([evaluation("r-0/0")])
    notes = findings(log, capsys, 0)["notes"]
    assert len(notes) == 5
    assert any("2 files that a writer is writing or died with" in note for note in notes)


def test_a_damaged_journal_or_calibration_is_a_problem(log: EvaluationLog, capsys: pytest.CaptureFixture[str]) -> None:
    (log.path / "calibrations").mkdir()
    (log.path / "calibrations" / "x.json").write_text("{}", encoding="utf-8")
    (log.journals / "r-0.journal").write_text("nonsense\n", encoding="utf-8")
    assert len(findings(log, capsys, 1)["problems"]) == 2


def test_a_newer_schema_version_is_named_of_a_file_as_of_a_part(
    log: EvaluationLog, capsys: pytest.CaptureFixture[str]
) -> None:
    part = max(log.path.glob("*.parquet"), key=lambda path: path.stat().st_size)
    table = pq.read_table(part)
    facts = {**json.loads(table.schema.metadata[b"jointbench"]), "schema_version": 99}
    newer = log.path / "9-newer.parquet"
    pq.write_table(table.replace_schema_metadata({b"jointbench": json.dumps(facts).encode()}), newer)
    (problem,) = findings(log, capsys, 1)["problems"]
    assert "log schema version: 99 given" in problem
    with pytest.raises(SystemExit) as ended:
        main(["doctor", str(newer)])
    assert ended.value.code == 1
    assert "9-newer.parquet: log schema version: 99 given, expected at most" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PAR1", b"nonsense"])
def test_a_file_that_is_no_parquet_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    for place in (tmp_path, tmp_path / "a.parquet"):
        with pytest.raises(SystemExit) as ended:
            main(["doctor", str(place)])
        assert ended.value.code == 1
        assert "a.parquet cannot be read" in capsys.readouterr().out


def test_no_log_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", str(tmp_path / "nowhere")])
    assert ended.value.code == 2
    assert "nowhere" in capsys.readouterr().err
