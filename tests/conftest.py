"""What all tests share."""

import os
from pathlib import Path

# Tests run beside each other, and so do the threads of OpenMP's pools, which wait by spinning: with two processes on
# two cores they take several times the processor's time of one thread each. Before NumPy or torch are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from allowed_skips import refusal
from hypothesis import settings

# Machines differ in speed and tests run beside each other: how long an example takes is no fact about the code.
settings.register_profile("jointbench", deadline=None)
settings.load_profile("jointbench")

#: Files whose tests kill processes, fill disks, or run a Slurm: one after the other, so that they disturb no others.
ROUGH = ("test_faults", "test_reality", "test_stopping", "test_workplaces")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Before pytest-xdist reads the marks.
    for item in items:
        if item.path.stem in ROUGH:
            item.add_marker(pytest.mark.xdist_group("rough"))


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
