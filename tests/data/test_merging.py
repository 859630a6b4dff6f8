"""Several logs become one: every evaluation once, and the runs can go on."""

from dataclasses import replace
from pathlib import Path

import pytest
from test_log import IMAGES, LADDER, evaluation

from jointbench.cli import main
from jointbench.data.errors import LogError
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.merging import merge
from jointbench.data.spaces.joint import JOINT


def piece(folder: Path, *keys: str, ladder: Ladder = LADDER, journal: bytes = b"") -> Path:
    log = EvaluationLog.open_or_create(folder, JOINT, ladder, IMAGES)
    log.append([evaluation(key, finished_at=float(i)) for i, key in enumerate(keys)])
    if journal:
        log.journals.mkdir(exist_ok=True)
        (log.journals / "run-0.journal").write_bytes(journal)
    return folder


def test_every_key_counts_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = piece(tmp_path / "1", "a", "b"), piece(tmp_path / "2", "b", "c")
    main(["merge", str(first), str(second), "--out", str(tmp_path / "out")])
    assert "3 evaluations" in capsys.readouterr().out
    merged = EvaluationLog.open(tmp_path / "out")
    assert {e.key for e in merged.evaluations()} == {"a", "b", "c"}
    assert len(list(merged.path.glob("*.parquet"))) == 1


def test_merging_again_changes_nothing(tmp_path: Path) -> None:
    pieces = [piece(tmp_path / "1", "a"), piece(tmp_path / "2", "b")]
    once = list(merge(pieces, tmp_path / "out").evaluations())
    assert list(merge(pieces, tmp_path / "out").evaluations()) == once


def test_the_longer_journal_of_a_run_comes_along(tmp_path: Path) -> None:
    pieces = [piece(tmp_path / "1", "a", journal=b"1\n"), piece(tmp_path / "2", "a", "b", journal=b"1\n2\n")]
    for order in (pieces, pieces[::-1]):
        merged = merge(order, tmp_path / f"out-{order[0].name}")
        assert (merged.journals / "run-0.journal").read_bytes() == b"1\n2\n"


def test_the_first_calibration_stays(tmp_path: Path) -> None:
    pieces = [piece(tmp_path / "1", "a"), piece(tmp_path / "2", "b")]
    for at, folder in enumerate(pieces):
        (folder / "calibrations").mkdir()
        (folder / "calibrations" / "x.json").write_text(str(at), encoding="utf-8")
    assert (merge(pieces, tmp_path / "out").path / "calibrations" / "x.json").read_text(encoding="utf-8") == "0"


def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path: Path) -> None:
    first = piece(tmp_path / "1", "a", journal=b"1\n2\n")
    for name, other in {
        "ladder": piece(tmp_path / "2", "b", ladder=Ladder(1, 9)),
        "run run-0": piece(tmp_path / "3", "b", journal=b"1\n3\n"),
    }.items():
        with pytest.raises(LogError, match=name):
            merge([first, other], tmp_path / "out")
    with pytest.raises(LogError, match="existing"):
        merge([first, tmp_path / "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    there = piece(tmp_path / "there", "x")
    other_images = EvaluationLog.open_or_create(tmp_path / "4", JOINT, LADDER, replace(IMAGES, classes=7))
    with pytest.raises(LogError, match="images"):
        merge([other_images.path], there)
    assert [e.key for e in EvaluationLog.open(there).evaluations()] == ["x"]


def test_the_trials_that_a_run_has_chosen_come_along_and_those_that_are_there_stay(tmp_path: Path) -> None:
    """They follow from what the log held then, so another choice would be another run."""
    first, second = piece(tmp_path / "1", "a"), piece(tmp_path / "2", "b")
    for folder, name, text in (
        (first, "repeats-0", "[1]"),
        (second, "repeats-0", "[2]"),
        (second, "near-best-8", "[3]"),
    ):
        (folder / "runs").mkdir(exist_ok=True)
        (folder / "runs" / f"{name}.trials.json").write_text(text, encoding="utf-8")
    merged = merge([first, second], tmp_path / "out")
    kept = {path.name: path.read_text(encoding="utf-8") for path in merged.journals.glob("*.trials.json")}
    assert kept == {"repeats-0.trials.json": "[1]", "near-best-8.trials.json": "[3]"}
