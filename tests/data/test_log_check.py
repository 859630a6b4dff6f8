"""Values that no training gives: found by one check, whoever opens the log, and named by row, column and value."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_log import EVALUATIONS, FACTS, IMAGES, LADDER, evaluation

from jointbench.bench.collecting.doctor import examine
from jointbench.bench.pages.report import write_report
from jointbench.bench.running.replay import ReplayObjective
from jointbench.cli import main
from jointbench.data.errors import LogError
from jointbench.data.evaluation import Evaluation
from jointbench.data.log import EvaluationLog
from jointbench.data.log_check import bounds, check, faults
from jointbench.data.merging import merge
from jointbench.data.schema import to_table
from jointbench.data.spaces.joint import JOINT
from jointbench.surrogate.stored import released
from jointbench.surrogate.surrogate import Surrogate

ROW = 17


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """Of the released log, some of each budget."""
    table = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet").table()
    return table.take(np.random.default_rng(0).permutation(len(table))[:80])


def changed(table: pa.Table, column: str, value: object, row: int = ROW) -> pa.Table:
    values = table[column].to_pylist()
    values[row] = value
    index = table.schema.get_field_index(column)
    return table.set_column(index, table.schema.field(column), pa.array(values, table.schema.field(column).type))


#: A column, a value that no training gives, and what is said of it.
WRONG: list[tuple[str, Any, str]] = [
    ("validation_error", math.nan, "validation_error in row 17 (from 0) of .*: nan given, expected a fraction"),
    ("validation_error", None, "validation_error in row 17 .*: None given, expected a fraction from 0 to 1"),
    ("validation_error", math.inf, "validation_error in row 17 .*: inf given, expected a fraction from 0 to 1"),
    ("test_error", 7.5, "test_error in row 17 .*: 7.5 given, expected a fraction from 0 to 1"),
    ("status", "killed", "status in row 17 .*: 'killed' given, expected one of ok, diverged"),
    ("budget", 5.0, "budget in row 17 .*: 5.0 given, expected one of 1, 3, 9, 27"),
    ("budget", math.nan, "budget in row 17 .*: nan given, expected one of 1, 3, 9, 27"),
    ("space", "disjoint", "space in row 17 .*: 'disjoint' given, expected 'joint'"),
    ("wall_seconds", -1.0, "wall_seconds in row 17 .*: -1.0 given, expected a finite number of at least 0"),
    ("peak_memory", -1, "peak_memory in row 17 .*: -1 given, expected a whole number of at least 0"),
    ("curve_seconds", None, "curve_seconds in row 17 .*: None given, expected a list"),
    ("curve_epochs", [1.0, None], "curve_epochs in row 17 .*: None given, expected a finite number"),
    ("curve_validation_error", [0.5, 1.5], "curve_validation_error in row 17 .*: 1.5 given, expected a fraction"),
    ("reason", None, "reason in row 17 .*: None given, expected a value"),
    ("configuration", None, "configuration in row 17 .*: None given, expected a value"),
]


@pytest.mark.parametrize(("column", "value", "said"), WRONG, ids=[f"{column}={value}" for column, value, _ in WRONG])
class TestWhoeverOpensALog:
    @pytest.fixture
    def file(self, rows: pa.Table, column: str, value: object, tmp_path: Path) -> Path:
        path = tmp_path / "wrong.parquet"
        pq.write_table(changed(rows, column, value), path)
        return path

    def test_is_told_row_column_value_and_what_was_expected(self, file: Path, said: str, tmp_path: Path) -> None:
        log, said = EvaluationLog.open(file), said.replace("(from 0)", r"\(from 0\)")
        uses: list[Callable[[], object]] = [
            lambda: log.table(),
            lambda: list(log.evaluations()),
            lambda: Surrogate.fit(log, "wrong"),
            lambda: ReplayObjective(log),
            lambda: merge([file], tmp_path / "merged"),
            lambda: write_report(file),
        ]
        for use in uses:
            with pytest.raises(LogError, match=said):
                use()
        assert [path.name for path in tmp_path.iterdir()] == [file.name]

    def test_doctor_says_the_same_of_a_file_and_of_a_part(self, file: Path, column: str, said: str) -> None:
        (alone,) = examine(file).problems
        assert f"with {column} " in alone
        assert "first in row 17" in alone
        assert said.rpartition("expected ")[2] in alone
        assert examine(file.parent).problems == [alone]


def test_a_collection_does_not_begin_on_such_a_log(rows: pa.Table, tmp_path: Path) -> None:
    facts = EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet").task
    pq.write_table(changed(rows, "test_error", 7.5), tmp_path / "0-a.parquet")
    with pytest.raises(LogError, match="test_error in row 17"):
        EvaluationLog.open_or_create(tmp_path, facts.space, facts.ladder, facts.images)
    # It can be read, so it is not damaged.
    assert [path.name for path in tmp_path.iterdir()] == ["0-a.parquet"]


@pytest.mark.parametrize("command", ["fit {} --out {}", "compare --objective {} --out {}", "merge {} --out {}"])
def test_a_command_ends_with_one_sentence_and_leaves_nothing(
    command: str, rows: pa.Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "wrong.parquet", tmp_path / "out"
    pq.write_table(changed(rows, "validation_error", math.nan), file)
    with pytest.raises(SystemExit) as ended:
        main(command.format(file, out).split())
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "validation_error in row 17" in line
    assert not out.exists()


def test_only_what_is_read_is_checked(rows: pa.Table, tmp_path: Path) -> None:
    pq.write_table(changed(rows, "test_error", math.nan), tmp_path / "a.parquet")
    log = EvaluationLog.open(tmp_path)
    assert log.table(["validation_error"]).num_rows == len(rows)
    with pytest.raises(LogError, match="test_error"):
        log.table(["test_error"])


def test_the_other_rows_are_counted(rows: pa.Table) -> None:
    table = changed(changed(rows, "test_error", 7.5), "test_error", math.nan, ROW + 3)
    (fault,) = faults(table, EvaluationLog.open(released()["digits-cpu"] / "evaluations.parquet").task)
    assert (fault.row, fault.value, fault.count) == (ROW, 7.5, 2)
    assert "1 more rows" in str(fault.error(Path("log")))


class TestColumns:
    def test_a_missing_one_is_named(self, rows: pa.Table, tmp_path: Path) -> None:
        file = tmp_path / "missing.parquet"
        pq.write_table(rows.drop_columns(["peak_memory"]), file)
        with pytest.raises(LogError, match=r"missing.parquet: 'no peak_memory' given"):
            EvaluationLog.open(file).table()
        (alone,) = examine(file).problems
        assert "no peak_memory" in alone
        assert "folder" not in alone
        (part,) = examine(tmp_path).problems
        assert part == f"{alone}; move it out of the folder"

    def test_one_of_another_type_is_named(self, rows: pa.Table, tmp_path: Path) -> None:
        index = rows.schema.get_field_index("steps")
        floats = rows.set_column(index, "steps", rows["steps"].cast(pa.float64()))
        pq.write_table(floats, tmp_path / "a.parquet")
        with pytest.raises(LogError, match=r"type of the column steps of .*'double' given, expected int64"):
            EvaluationLog.open(tmp_path).table()

    def test_those_that_cannot_be_missing_are_read_as_any(self, rows: pa.Table, tmp_path: Path) -> None:
        strict = pa.schema([field.with_nullable(False) for field in rows.schema], metadata=rows.schema.metadata)
        pq.write_table(rows.cast(strict), tmp_path / "a.parquet")
        assert EvaluationLog.open(tmp_path).table().num_rows == len(rows)

    def test_text_that_is_no_utf8_is_damage(self, rows: pa.Table, tmp_path: Path) -> None:
        index = rows.schema.get_field_index("reason")
        broken = pa.array([b"\xff"] * len(rows), pa.binary()).view(pa.string())
        pq.write_table(rows.set_column(index, rows.schema.field("reason"), broken), tmp_path / "a.parquet")
        with pytest.raises(LogError, match="readable Parquet"):
            list(EvaluationLog.open(tmp_path).evaluations())


@settings(max_examples=50)
@given(st.lists(EVALUATIONS, min_size=1, max_size=5))
def test_what_trainings_give_passes(evaluations: list[Evaluation]) -> None:
    check(to_table(evaluations, FACTS), FACTS, Path("log"))


NUMBERS = st.one_of(st.floats(), st.floats(-2, 2), st.integers(-3, 3).map(float))


@settings(max_examples=150)
@given(st.sampled_from(sorted({*FACTS.by_name, "trial", "finished_at"})), NUMBERS)
def test_a_number_passes_if_and_only_if_it_is_within_its_bounds(name: str, value: float) -> None:
    made = to_table([evaluation("a"), evaluation("b")], FACTS)
    whole = made.schema.field(name).type == pa.int64()
    if whole:
        value = int(value) if abs(value) < 2**62 else -(2**62)
    low, high, _ = bounds(name, FACTS) or (0, 0, "")
    found = list(faults(changed(made, name, value, row=1), FACTS))
    assert [(fault.column, fault.row) for fault in found] == ([] if low <= value <= high else [(name, 1)])


@settings(max_examples=100)
@given(st.sampled_from(JOINT.hyperparameters), st.one_of(st.none(), st.floats(), st.integers(-(2**40), 2**40)))
def test_a_configuration_passes_if_and_only_if_it_is_in_the_space(h: Any, value: float | None) -> None:
    if value is not None and h.integer:
        value = int(value) if math.isfinite(value) and abs(value) < 2**62 else -1
    table = to_table([evaluation("a")], FACTS)
    found = list(faults(changed(table, "configuration", {**JOINT.named["zela-2018"], h.name: value}, row=0), FACTS))
    inside = value is not None and h.low <= value <= h.high
    assert [fault.column for fault in found] == ([] if inside else [f"configuration.{h.name}"])


def test_files_that_other_programs_leave_are_passed_over(rows: pa.Table, tmp_path: Path) -> None:
    log = EvaluationLog.open_or_create(tmp_path / "log", JOINT, LADDER, IMAGES)
    log.append([evaluation("r-0/0")])
    log.journals.mkdir()
    (log.journals / "r-0.journal").write_text('{"kind": "ask", "number": 0}\n', encoding="utf-8")
    (log.path / "calibrations").mkdir()
    (log.path / "calibrations" / "x.json").write_text('{"seconds_a_step": 1}', encoding="utf-8")
    before = examine(log.path)
    for file in [path for path in log.path.rglob("*") if path.is_file()]:
        # What macOS puts beside a file on a disk that is not its own.
        file.with_name(f"._{file.name}").write_bytes(b"\x00\x05\x16\x07")
    (log.path / ".DS_Store").write_bytes(b"\x00")
    assert examine(log.path) == before
    assert [e.key for e in EvaluationLog.open(log.path).evaluations()] == ["r-0/0"]
    EvaluationLog.open_or_create(log.path, JOINT, LADDER, IMAGES).compact()
    merged = merge([log.path], tmp_path / "merged")
    assert merged.table().num_rows == 1
    assert not [path for path in merged.path.rglob("._*") if path.is_file()]


def test_a_log_can_be_begun_in_a_folder_that_macos_has_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").write_bytes(b"\x00")
    assert EvaluationLog.open_or_create(tmp_path, JOINT, LADDER, IMAGES).table().num_rows == 0
