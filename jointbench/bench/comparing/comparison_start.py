"""Beginning a comparison, or going on with one: what was computed is kept, and never mixed with something else."""

import os
import platform
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

import jointbench
from jointbench.bench.comparing.comparison_folder import (
    RETRAININGS,
    RUNS,
    SETTINGS,
    TRAININGS,
    Settings,
    read_content,
    run_files,
    workers_folders,
)
from jointbench.bench.comparing.failures import failure_file
from jointbench.bench.comparing.judged import JUDGED, judged_now
from jointbench.bench.comparing.run_table import written_by
from jointbench.bench.running.run_code import library_versions, optimizer_code
from jointbench.data.errors import WouldOverwriteError
from jointbench.data.files import check_writable, make_folder
from jointbench.data.option_words import option
from jointbench.data.visible import visible


def check_start(folder: Path, settings: Settings, optimizers: Iterable[str], force: bool) -> None:
    """Whether `start` can begin the comparison in this folder, or go on with it, and its runs can be kept there.

    Raises WouldOverwriteError when the folder holds another comparison (or something else) and `force` is not set,
    UnwritableError where it cannot be written to.
    """
    if _there(folder):
        changed = [] if force else _changed(folder, settings)
        if changed:
            expected = f"one with the same {', '.join(changed)}, another {option('out')}, or {option('force', True)}"
            raise WouldOverwriteError("comparison folder", str(folder), expected)
    elif os.path.lexists(folder) and (not folder.is_dir() or not all(map(_just_begun, visible(folder)))):
        if _there(folder):
            # Somebody else has begun it meanwhile: look again.
            check_start(folder, settings, optimizers, force)
            return
        raise WouldOverwriteError("comparison folder", str(folder), "a comparison, or a folder that is empty or new")
    check_writable(folder, folder=True)
    for optimizer in optimizers:
        # The longest name that a run gives to a file.
        check_writable(failure_file(folder, optimizer, 0), "run file")


def start(
    folder: Path,
    settings: Settings,
    optimizers: Iterable[str],
    command: str,
    force: bool,
    looks: Sequence[int] = (),
) -> None:
    """Write the settings, with the commands that made the comparison and the versions that reproduce it.

    `looks`: the numbers of seeds at which it may be looked at, beside those that were planned before. Raises as
    `check_start` does. Several processes may start the same comparison at the same moment.
    """
    check_start(folder, settings, optimizers, force)
    versions = {"jointbench": jointbench.__version__, "python": platform.python_version(), **library_versions()}
    commands, planned = [command], set(looks)
    if _there(folder):
        if force:
            _clear(folder)
        else:
            # Together the commands that extended a comparison made it.
            there = read_content(folder)
            commands = list(dict.fromkeys([*there["commands"], command]))
            versions = {**there["versions"], **versions}
            planned |= set(there.get("looks", ()))
    make_folder(folder / RUNS)
    known = judged_now(settings)
    more = {} if known is None else {JUDGED: known.as_dict()}
    settings.write(folder, commands=commands, versions=versions, looks=sorted(planned), **more)


def _there(folder: Path) -> bool:
    return os.path.exists(folder / SETTINGS)


def _just_begun(entry: Path) -> bool:
    """Whether somebody who has not come to write the settings yet, or who died before, has put this there."""
    return entry.name == RUNS and entry.is_dir() and not visible(entry)


def _changed(folder: Path, settings: Settings) -> list[str]:
    there, versions = Settings.read(folder), read_content(folder)["versions"]
    names = [field.name for field in fields(Settings)]
    changed = [name.replace("_", " ") for name in names if getattr(there, name) != getattr(settings, name)]
    now = library_versions()
    return changed + [f"version of {name}" for name in now if versions.get(name, now[name]) != now[name]]


def _clear(folder: Path) -> None:
    for part in (RUNS, TRAININGS, RETRAININGS):
        shutil.rmtree(folder / part, ignore_errors=True)
    for other in workers_folders(folder):
        shutil.rmtree(other)


def outdated(folder: Path, optimizers: Sequence[str]) -> dict[str, list[Path]]:
    """The runs of those of the optimizers whose own code has changed since they were made."""
    found: dict[str, list[Path]] = {}
    for optimizer, _, path in run_files(folder):
        if optimizer in optimizers and written_by(path) != optimizer_code(optimizer):
            found.setdefault(optimizer, []).append(path)
    return found
