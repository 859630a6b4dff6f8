"""The log: nothing lost, nothing twice, nothing half-written."""

import io
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointbench.data.errors import InputError, LogError
from jointbench.data.evaluation import Curve, Evaluation, Provenance, Status
from jointbench.data.images.facts import ImageFacts
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.data.metrics import TRAINED
from jointbench.data.schema import SCHEMA_VERSION, as_record, from_record, from_table, to_table
from jointbench.data.spaces.joint import JOINT, JointSpace
from jointbench.data.task import Task
from jointbench.surrogate.stored import released

LADDER = Ladder(1, 27)
IMAGES = ImageFacts("digits", (1, 8, 8), 10, 1348, 150, 299)
FACTS = Task(JOINT, LADDER, IMAGES)

FRACTIONS = st.floats(0, 1)
# Curves are kept as float32.
CURVES = st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 4), max_size=4).map(
    lambda points: Curve(*(tuple(p[i] for p in points) for i in range(4)))
)
EVALUATIONS = st.builds(
    Evaluation,
    space=st.just("joint"),
    configuration=st.integers(0, 50).map(lambda s: JOINT.sample(np.random.default_rng(s))[0]),
    budget=st.sampled_from(LADDER.rungs),
    seed=st.integers(0, 2**62),
    status=st.sampled_from(list(Status)),
    metrics=st.fixed_dictionaries(
        {metric.name: FRACTIONS for metric in TRAINED[:2]}
        | {metric.name: st.integers(0, 2**50) if metric.whole else st.floats(0, 1e6) for metric in TRAINED[2:]}
    ),
    architecture_seed=st.integers(0, 2**62),
    extras=st.dictionaries(st.text("abc_", min_size=1), st.floats(allow_nan=False), max_size=2),
    reason=st.text(max_size=20),
    trial=st.integers(-1, 10**6),
    key=st.text("abc/0123", min_size=1),
    finished_at=st.floats(0, 2e9),
    curve=CURVES,
    provenance=st.builds(Provenance, images=st.just("digits"), machine=st.sampled_from(["", "a", "b"])),
)


def evaluation(key: str, **changed: Any) -> Evaluation:
    # With all the metrics that a log of trainings has.
    metrics = {metric.name: 0.5 if metric.default is None else metric.default for metric in TRAINED}
    metrics |= {name: changed.pop(name) for name in metrics if name in changed}
    made = Evaluation("joint", JOINT.named["zela-2018"], 1.0, 0, Status.OK, metrics, key=key, finished_at=1.0)
    return replace(made, **changed)


def new_log(folder: Path) -> EvaluationLog:
    return EvaluationLog.open_or_create(folder / "log", JOINT, LADDER, IMAGES)


@given(st.lists(EVALUATIONS, max_size=5))
def test_parquet_gives_back_the_evaluations(evaluations: list[Evaluation]) -> None:
    file = io.BytesIO()
    pq.write_table(to_table(evaluations, FACTS), file)
    assert list(from_table(pq.read_table(file))) == evaluations


def test_a_log_gives_back_what_was_appended(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    written = [evaluation(f"run/{i}", finished_at=float(i), trial=i) for i in range(5)]
    log.append(written[:2])
    log.append(written[2:])
    assert list(EvaluationLog.open(log.path).evaluations()) == written


def test_a_trial_that_is_finished_twice_counts_once_and_first(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("run/0", validation_error=0.1, finished_at=1.0)])
    log.append([evaluation("run/0", validation_error=0.2, finished_at=2.0)])
    assert [e.validation_error for e in log.evaluations()] == [0.1]


def test_evaluations_without_a_key_are_all_kept(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([evaluation(""), evaluation("")])
    log.append([evaluation("")])
    assert log.table().num_rows == 3


def test_space_ladder_and_images_travel_in_every_file(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    opened = EvaluationLog.open(log.path)
    assert (opened.space, opened.ladder, opened.images) == (JOINT, LADDER, IMAGES)
    for part in log.path.glob("*.parquet"):
        metadata = json.loads(pq.read_schema(part).metadata[b"jointbench"])
        assert metadata["schema_version"] == SCHEMA_VERSION
        names = {h["name"] for h in metadata["configspace"]["hyperparameters"]}
        assert names == set(JOINT.names)


def test_what_a_killed_writer_left_is_ignored(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    part = next(log.path.glob("*.parquet"))
    (log.path / ".half.parquet.123.writing").write_bytes(part.read_bytes()[:100])
    assert log.table().num_rows == 1


def test_a_log_whose_first_writer_was_killed_in_beginning_it_can_be_begun(tmp_path: Path) -> None:
    (tmp_path / ".half.parquet.123.writing").write_bytes(b"PAR1")
    log = EvaluationLog.open_or_create(tmp_path, JOINT, LADDER, IMAGES)
    log.append([evaluation("a")])
    assert [e.key for e in EvaluationLog.open(tmp_path).evaluations()] == ["a"]


def test_a_log_that_is_compacted_while_it_is_opened_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    read = pq.read_schema

    def late(part: Path) -> pa.Schema:
        # Between the listing of the parts and the reading of the first.
        monkeypatch.undo()
        log.compact()
        return read(part)

    monkeypatch.setattr(pq, "read_schema", late)
    assert [e.key for e in EvaluationLog.open(log.path).evaluations()] == ["a"]


def test_files_of_the_first_version_are_read_and_merged_with_new_ones(tmp_path: Path) -> None:
    shipped = released()["digits-cpu"] / "evaluations.parquet"
    old = pq.read_table(shipped)
    if (version := json.loads(old.schema.metadata[b"jointbench"])["schema_version"]) > 1:
        # A release of today, as the first version would have written it.
        old = old.drop_columns(["warmup_seconds"])
        old = old.replace_schema_metadata(_changed(old.schema.metadata, schema_version=1))
    assert version in (1, 2)
    path = tmp_path / "log"
    path.mkdir()
    pq.write_table(old, path / "first.parquet")
    log = EvaluationLog.open(path)
    log.append([evaluation("new", warmup_seconds=2.5)])
    log.compact()
    (part,) = path.glob("*.parquet")
    assert json.loads(pq.read_schema(part).metadata[b"jointbench"])["schema_version"] == SCHEMA_VERSION
    seconds = {e.key: e.warmup_seconds for e in log.evaluations()}
    assert seconds.pop("new") == 2.5
    assert set(seconds.values()) == {0.0}
    assert len(seconds) == len(old)
    # They had the error of guessing, 0.9, where some that ended ok have more.
    failures = [e for e in log.evaluations() if not e.ok]
    assert {(e.validation_error, e.test_error) for e in failures} == {(1.0, 1.0)}


def test_some_columns_of_one_run_are_read_alone(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    for i in range(4):
        log.append([evaluation(f"r{i % 2}/{i}", budget=3.0, provenance=Provenance(run=f"r{i % 2}"))])
    assert log.table(["budget"], run="r1").to_pydict() == {"budget": [3.0, 3.0]}
    assert [e.key for e in log.evaluations(run="r0")] == ["r0/0", "r0/2"]


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_truncated_part_is_named(tmp_path: Path, kept: int) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    for part in log.path.glob("*.parquet"):
        part.write_bytes(part.read_bytes()[:kept])
    with pytest.raises(LogError, match="readable Parquet"):
        EvaluationLog.open(log.path).table()


@pytest.mark.parametrize("damage", [lambda whole: whole[:200], lambda whole: b"", lambda whole: whole[:-9] + b"?" * 9])
def test_a_damaged_part_is_set_aside_when_the_log_is_written_to_again(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    log.append([evaluation("b")])
    part = next(p for p in log.path.glob("*.parquet") if pq.read_table(p)["key"].to_pylist() == ["a"])
    part.write_bytes(damage(part.read_bytes()))
    again = new_log(tmp_path)
    assert [e.key for e in again.evaluations()] == ["b"]
    assert [p.name for p in log.path.glob("*.damaged")] == [part.name + ".damaged"]


def test_a_log_of_damaged_parts_alone_can_be_begun_again(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    for part in log.path.glob("*.parquet"):
        part.write_bytes(b"")
    assert new_log(tmp_path).table().num_rows == 0


def test_merging_does_not_end_at_a_damaged_part(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    (log.path / "0-damaged.parquet").write_bytes(b"PAR1")
    log.compact()
    assert len(list(log.path.glob("*.parquet"))) == 2
    assert [e.key for e in new_log(tmp_path).evaluations()] == ["a"]


def test_foreign_parquet_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(LogError, match="written by JointBench"):
        EvaluationLog.open(tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_no_log_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(LogError, match="log"):
        EvaluationLog.open(tmp_path / name)


def _changed(metadata: dict[bytes, bytes], **changes: Any) -> dict[bytes, bytes]:
    return {b"jointbench": json.dumps({**json.loads(metadata[b"jointbench"]), **changes}).encode()}


def test_another_schema_version_or_an_unknown_space_is_refused(tmp_path: Path) -> None:
    table = to_table([evaluation("a")], FACTS)
    pq.write_table(table.replace_schema_metadata(_changed(table.schema.metadata, schema_version=99)), tmp_path / "v")
    with pytest.raises(LogError, match="schema version: 99"):
        EvaluationLog.open(tmp_path / "v")
    unknown = _changed(table.schema.metadata, space="disjoint", configspace=None)
    pq.write_table(table.replace_schema_metadata(unknown), tmp_path / "s")
    with pytest.raises(InputError, match="disjoint"):
        EvaluationLog.open(tmp_path / "s")


def test_a_part_of_another_log_or_with_other_columns_is_refused(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    stray = log.path / "stray.parquet"
    other = Task(JOINT, Ladder(1, 9), IMAGES)
    pq.write_table(to_table([evaluation("b")], other), stray)
    with pytest.raises(LogError, match="space, ladder, images and metrics"):
        log.table()
    pq.write_table(to_table([evaluation("b")], FACTS).drop_columns(["seed"]), stray)
    with pytest.raises(LogError, match="columns"):
        log.table()


class OtherSpace(JointSpace):
    name = "other"


def test_another_space_ladder_or_data_set_is_refused(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    with pytest.raises(LogError, match="space"):
        EvaluationLog.open_or_create(log.path, OtherSpace(), LADDER, IMAGES)
    with pytest.raises(LogError, match="ladder"):
        EvaluationLog.open_or_create(log.path, JOINT, Ladder(1, 9), IMAGES)
    with pytest.raises(LogError, match="images"):
        EvaluationLog.open_or_create(log.path, JOINT, LADDER, replace(IMAGES, name="fashion-mnist"))


def test_a_folder_with_something_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear diary", encoding="utf-8")
    with pytest.raises(LogError, match="empty"):
        EvaluationLog.open_or_create(tmp_path, JOINT, LADDER, IMAGES)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_compaction_keeps_everything_and_may_be_repeated(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    for i in range(6):
        log.append([evaluation(f"run/{i}", finished_at=float(i))])
    before = list(log.evaluations())
    log.compact()
    log.compact()
    assert list(log.evaluations()) == before
    assert len(list(log.path.glob("*.parquet"))) == 1


def test_tidying_keeps_the_parts_few_and_every_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointbench.data.log.FAN_IN", 4)
    log = new_log(tmp_path)
    most = 0
    for i in range(100):
        log.append([evaluation(f"run/{i}", finished_at=float(i))])
        log.tidy()
        most = max(most, len(list(log.path.glob("*.parquet"))))
    # At most three of each of the tiers 0 to 3, since 101 parts of tier 0 are 1 of 64, 2 of 16, ...
    assert most <= 12
    assert [e.key for e in log.evaluations()] == [f"run/{i}" for i in range(100)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1), st.sampled_from([2, 3]))
def test_whatever_is_appended_tidied_and_merged_the_keys_are_the_same(keys: list[str], fan_in: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("jointbench.data.log.FAN_IN", fan_in)
        log = new_log(Path(folder))
        for at, key in enumerate(keys):
            log.append([evaluation(key, finished_at=float(at))])
            log.tidy()
        assert [e.key for e in log.evaluations()] == list(dict.fromkeys(keys))
        log.compact()
        assert [e.key for e in log.evaluations()] == list(dict.fromkeys(keys))


def test_a_crash_between_merging_and_deleting_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = new_log(tmp_path)
    for i in range(3):
        log.append([evaluation(f"run/{i}")])

    def dies(self: Path, missing_ok: bool = False) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            log.compact()
    assert sorted(e.key for e in log.evaluations()) == ["run/0", "run/1", "run/2"]


def test_one_file_is_a_log_that_can_be_read_but_not_written(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    log.save(tmp_path / "released.parquet")
    released = EvaluationLog.open(tmp_path / "released.parquet")
    assert list(released.evaluations()) == list(log.evaluations())
    with pytest.raises(LogError, match="folder"):
        EvaluationLog.open_or_create(tmp_path / "released.parquet", JOINT, LADDER, IMAGES)


def _write(path: Path, writer: int) -> None:
    log = EvaluationLog.open(path)
    for i in range(20):
        log.append([evaluation(f"run-{writer}/{i}")])
        if writer < 2 and i % 5 == 4:
            log.compact()


def test_many_processes_write_at_once_and_two_of_them_merge(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(log.path, writer)) for writer in range(3)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
        assert process.exitcode == 0
    assert sorted(e.key for e in log.evaluations()) == sorted(f"run-{w}/{i}" for w in range(3) for i in range(20))


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = new_log(tmp_path)
    log.append([evaluation("a")])
    before = sorted(path.name for path in log.path.iterdir())

    def full(table: Any, file: Any, **options: Any) -> None:
        file.write(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(LogError, match="No space"):
        log.append([evaluation("b")])
    assert sorted(path.name for path in log.path.iterdir()) == before


def test_a_file_size_limit_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    before = sorted(path.name for path in log.path.iterdir())
    code = f"""
import resource
from jointbench.data.errors import LogError
from jointbench.data.log import EvaluationLog
import test_log
log = EvaluationLog.open({str(log.path)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
try:
    log.append([test_log.evaluation("a")])
except LogError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "can be written to (File too large)" in done.stdout
    assert sorted(path.name for path in log.path.iterdir()) == before


def test_a_curve_of_any_metric_is_kept(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    curve = Curve((0.5, 1.0), (1.0, 2.0), metrics={"accuracy": (0.25, 0.5), "loss": (2.0, float("nan"))})
    log.append([evaluation("a", curve=curve)])
    [read] = log.evaluations()
    assert read.curve.of("accuracy") == (0.25, 0.5)
    assert np.isnan(read.curve.of("loss")[1])
    assert read.curve.of("validation_error") == ()
    assert from_record(json.loads(json.dumps(as_record(read)))).curve.of("accuracy") == (0.25, 0.5)
