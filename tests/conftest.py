"""What all tests share."""

import os
import signal
from pathlib import Path
from typing import Any

# Tests run beside each other, and so do the threads of OpenMP's pools, which wait by spinning: with two processes on
# two cores they take several times the processor's time of one thread each. Before NumPy or torch are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from allowed_skips import refusal
from hypothesis import settings

# A shell's background jobs do not hear Ctrl-C, nor do processes that they start; those of tests do.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Machines differ in speed and tests run beside each other: how long an example takes is no fact about the code.
settings.register_profile("jointbench", deadline=None)
settings.load_profile("jointbench")

#: Files whose tests kill processes, fill disks, or run a Slurm: one after the other, so that they disturb no others.
ROUGH = ("test_faults", "test_reality", "test_stopping", "test_workplaces")

#: Files that take a minute and more: they begin first, so that no process is left alone with one at the end.
SLOW = (
    "test_whole_path",
    "test_own_training_example",
    "test_collection",
    "test_replay_of_collections",
    "test_rungs",
    "test_command_calls",
    "test_optimizers",
    "test_optimizers_objectives",
    "test_smac",
    "test_publish",
    "test_teacher",
    "test_analysis_page",
    "test_cli",
)


def file_of(nodeid: str) -> str:
    return Path(nodeid.split("::")[0]).stem


def turn(nodeid: str) -> int:
    """The rough ones together take longest, whatever else there is comes in the order of its place."""
    files = [*ROUGH, *SLOW]
    return files.index(file_of(nodeid)) if file_of(nodeid) in files else len(files)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A process takes whole files, so that what a file's tests share is made once. By files rather than by the mark
    xdist_group: pytest-xdist 3.8 writes marks into names of tests, which pytest 9.2 keeps elsewhere, and then scatters
    a group over all workers."""
    from xdist.scheduler import LoadScopeScheduling

    # The order is ours, not that of how many tests a file has.
    config.option.loadscopereorder = False

    class ByFile(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return "rough" if file_of(nodeid) in ROUGH else nodeid.split("::")[0]

    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):  # type: ignore[no-untyped-def]
    return with_allowed_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):  # type: ignore[no-untyped-def]
    return with_allowed_skips((yield))


def with_allowed_skips(
    report: pytest.TestReport | pytest.CollectReport,
) -> pytest.TestReport | pytest.CollectReport:
    """The report; of a skip that is not allowed, a failure that says so. An expected failure is none."""
    if report.skipped and not hasattr(report, "wasxfail"):
        assert isinstance(report.longrepr, tuple)
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if (why := refusal(reason)) is not None:
            report.outcome = "failed"
            report.longrepr = f"{Path(report.longrepr[0]).name}:{report.longrepr[1]}: {why}"
    return report
