"""The examination of a log's folder: what is in it, and what is wrong with it."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from jointbench.data.errors import DamagedPartError, InputError, LogError
from jointbench.data.evaluation import REFERENCE_CLOCK, Status
from jointbench.data.files import UNFINISHED
from jointbench.data.log import CALIBRATIONS, CHECKPOINTS, CREDENTIALS, EvaluationLog
from jointbench.data.log_check import faults
from jointbench.data.parts import DAMAGED, PART, parts, read_part, task_of_part
from jointbench.data.quantities import counted
from jointbench.data.task import Task
from jointbench.data.visible import visible
from jointbench.surrogate.rungs import at_fitted_rungs
from jointbench.surrogate.table import training_table


@dataclass
class Findings:
    """What was found: `facts` are as they should be, `notes` explain what a run left and will clear up itself,
    `problems` say what is wrong and what to do. `evaluations`: rung to status to number. `fit` says what a surrogate
    of this log can not be, and what to collect for it."""

    facts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    evaluations: dict[str, dict[str, int]] = field(default_factory=dict)
    fit: list[str] = field(default_factory=list)


def examine(path: Path) -> Findings:
    """Look through the log at `path` (a folder or a released file); changes nothing.

    Raises LogError when there is no log at all.
    """
    if not path.exists():
        raise LogError("log", str(path), "an existing log folder or Parquet file")
    if not parts(path):
        raise LogError("log", str(path), "at least one Parquet part")
    found = Findings()
    task, tables = _parts(path, found)
    if task is None or not tables:
        return found
    table = pa.concat_tables(tables)
    log = EvaluationLog(path, task)
    _rows(table, task, found)
    if not found.problems:
        _fit(log, found)
    if path.is_dir():
        _left_behind(path, found)
        _journals(log, set(table["key"].to_pylist()), found)
    return found


def _parts(path: Path, found: Findings) -> tuple[Task | None, list[pa.Table]]:
    task, tables = None, []
    # Only a folder has others beside it, and a run that could restore it.
    move = "; move it out of the folder" if path.is_dir() else ""
    for part in parts(path):
        try:
            task = task_of_part(part) if task is None else task
            table = read_part(part, task)
        except FileNotFoundError:
            # A run that is going on has merged it.
            continue
        except DamagedPartError:
            restores = (
                "; the next `jointbench collect` sets it aside and restores from its journal what the run had heard of"
            )
            found.problems.append(f"{part.name} cannot be read{restores if path.is_dir() else ''}")
        except InputError as error:
            found.problems.append(f"{part.name}: {error}{move}")
        else:
            found.problems += [f"{part.name}: {fault}" for fault in faults(table, task)]
            tables.append(table)
    found.facts.append(f"{counted(len(tables), 'part')} that can be read")
    return task, tables


def _rows(table: pa.Table, task: Task, found: Findings) -> None:
    keys = table["key"].to_pylist()
    different = len(set(keys))
    found.facts.append(f"{counted(different, 'evaluation')}")
    if different < len(keys):
        twice = counted(len(keys) - different, "row stands", "rows stand")
        found.notes.append(f"{twice} twice (a merger was interrupted); each counts once")
    _, first = np.unique(np.array(keys, dtype=str), return_index=True)
    table = table.take(first)
    found.facts.append(task.ladder.in_words())
    budgets, statuses = table["budget"].to_numpy(), table["status"].to_numpy()
    for rung in task.ladder.rungs:
        ended = Counter(statuses[task.ladder.at(budgets, rung)])
        found.evaluations[f"{rung:g}"] = {s.value: ended[s.value] for s in Status}
    clocks = Counter(table["clock"].to_pylist())
    if len(clocks) > 1 and task.ladder.unit == "seconds":
        shares = "; ".join(f"{clock or 'unknown'} ({number:,})" for clock, number in clocks.most_common())
        found.problems.append(f"seconds of {len(clocks)} clocks, which are not the same: {shares}; part the log")
    # A reference clock's seconds are the same on every device.
    referred = all((clock or "").startswith(REFERENCE_CLOCK) for clock in clocks)
    devices = Counter(table["device"].to_pylist())
    if len(devices) > 1 and task.ladder.unit == "seconds" and not referred:
        shares = "; ".join(f"{device or 'unknown'} ({number:,})" for device, number in devices.most_common())
        found.notes.append(f"trainings of {len(devices)} devices, whose seconds buy different work: {shares}")


def _fit(log: EvaluationLog, found: Findings) -> None:
    try:
        fitted, rungs = at_fitted_rungs(log)
        found.fit = rungs.words(training_table(fitted).optimizer.tolist())
    except LogError as error:
        found.fit.append(str(error))


def _left_behind(path: Path, found: Findings) -> None:
    unfinished = [entry for folder in (path, path / CHECKPOINTS) for entry in folder.glob(f".*{UNFINISHED}")]
    if unfinished:
        files = counted(len(unfinished), "file")
        found.notes.append(f"ignored: {files} that a writer is writing or died with")
    aside = [entry for entry in path.iterdir() if entry.name.endswith(PART + DAMAGED)]
    if aside:
        parts = counted(len(aside), "damaged part was", "damaged parts were")
        found.notes.append(f"{parts} set aside; delete them when you like")
    credentials = [entry for entry in path.iterdir() if entry.name.startswith(CREDENTIALS)]
    if credentials:
        found.notes.append(
            f"{counted(len(credentials), 'folder')} of the credentials of runs that are going on or were killed; the "
            "next start on this log removes those of killed ones"
        )
    checkpoints = visible(path / CHECKPOINTS, "*.checkpoint")
    if checkpoints:
        on_their_way = counted(len(checkpoints), "training")
        found.notes.append(f"{on_their_way} on the way, which the same `jointbench collect` resumes")
    broken = 0
    for calibration in visible(path / CALIBRATIONS, "*.json"):
        try:
            broken += not float(json.loads(calibration.read_text(encoding="utf-8"))["seconds_a_step"]) > 0
        except (ValueError, KeyError, TypeError):
            broken += 1
    if broken:
        hold = counted(broken, "calibration that holds", "calibrations that hold")
        found.problems.append(f"{hold} no seconds a step; delete them")


def _journals(log: EvaluationLog, keys: set[str], found: Findings) -> None:
    for path in visible(log.journals, "*.journal"):
        asked, told, lost = 0, 0, 0
        for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):
                found.notes.append(f"{path.name} ends in half a line, which the next run cuts off")
                break
            try:
                entry = json.loads(line)
                kind, trial = entry["kind"], entry["number"]
            except (ValueError, KeyError, TypeError):
                found.problems.append(f"{path.name} is damaged in line {number}: that run cannot go on; start another")
                break
            asked += kind == "ask"
            told += kind == "tell"
            if kind == "tell" and f"{path.stem}/{trial}" not in keys:
                lost += 1
                if entry.get("evaluation") is None:
                    found.problems.append(f"{path.name}: trial {trial} ended, but the log has no evaluation of it")
        found.facts.append(f"run {path.stem}: {counted(asked, 'trial')} begun, {told} ended")
        if lost:
            missing = counted(lost, "ended trial is", "ended trials are")
            found.notes.append(f"{path.name}: {missing} missing in the log; the same run restores them")
