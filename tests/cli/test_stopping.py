"""Commands that are stopped: no process is left behind, what was finished is kept, and what is said of it is true."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
from comparing import small
from test_cli import COMMANDS

from jointbench.bench.comparing.comparison_folder import run_file
from jointbench.bench.running.child_process import signals_held
from jointbench.cli import main
from jointbench.cli.termination import Terminated, terminated_in_order

SLOW = """
import time
from jointbench import Optimizer, Trial

class Slow(Optimizer):
    def ask(self):
        time.sleep(0.1)
        return Trial(self.space.sample(self.rng)[0], 1)
    def tell(self, trial, evaluation): pass
"""

#: A command line of each, and what is said when it is stopped.
STOPPED = {
    "describe": ("describe", "nothing was written; run the same command again to start over"),
    "plan": ("plan --images digits --ladder 1,3 --full-budgets 3", "nothing was written"),
    "doctor": ("doctor runs/log", "nothing was written"),
    "query": ("query digits-cpu zela-2018", "nothing was written"),
    "report": ("report runs/log", "nothing was written"),
    "fit": ("fit runs/log --out runs/benchmark", "nothing was written; run the same command again to start over"),
    "publish": (
        "publish digits-cpu --out runs/published",
        "nothing was written; run the same command again to start over",
    ),
    "merge": ("merge a b --out runs/log", "the logs are unchanged, and runs/log may hold a part of them"),
    "train": (
        "train zela-2018 --images digits --budget 60",
        "nothing was logged; run the same command again to resume",
    ),
    "collect": (
        "collect runs/log --images digits --ladder 1,3 --full-budgets 3 --checkpoint-every 20",
        "every finished training is in runs/log; run the same command again to continue: one that was under way "
        "resumes from its last checkpoint, of which there is one every 20 s",
    ),
    "compare": (
        "compare digits-cpu --optimizers smac,random --seeds 2 --workers 4,1 --out runs/c",
        "0 of 8 runs finished and kept in runs/c; run the same command again to make the others; those that were under "
        "way start over",
    ),
    "list": ("list", "nothing was written"),
    "check": ("check mine.py:Mine", "nothing was written"),
    "export": ("export runs/c --out runs/figures", "nothing was written"),
    "retrain": (
        "retrain runs/c",
        "every finished training is kept in runs/c; run the same command again to make those",
    ),
}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for two minutes"
        time.sleep(0.02)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_is_kept(
    command: str, stop: type[KeyboardInterrupt], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(arguments: object) -> None:
        raise stop

    module = {"list": "listing"}.get(command, command)
    monkeypatch.setattr(importlib.import_module(f"jointbench.cli.{module}"), "run", stopped)
    words, said = STOPPED[command]
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == (143 if stop is Terminated else 130)
    shown = capsys.readouterr()
    assert shown.err.startswith(f"jointbench: stopped; {said}")
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_of_a_comparison_that_replaces_another_it_is_said_how_to_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    small(out, names=("random",), seeds=1, full_budgets=1.0)

    def stopped(*always: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jointbench.bench.calls.comparison_runs.make_runs", stopped)
    with pytest.raises(SystemExit):
        main(f"compare digits-cpu --optimizers random --seeds 3 --force --out {out}".split())
    assert (
        f"1 of 3 runs finished and kept in {out}; run the same command without --force again to make"
        in capsys.readouterr().err
    )


def test_of_a_comparison_that_is_stopped_while_its_page_is_drawn_nothing_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*always: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    monkeypatch.setattr("jointbench.bench.calls.comparing.write_report", stopped)
    with pytest.raises(SystemExit):
        main(f"compare digits-cpu --optimizers random --seeds 2 --full-budgets 1 --jobs 1 --out {out} -q".split())
    said = f"jointbench: stopped; all 2 runs are finished and kept in {out}; run the same command again for its page\n"
    assert capsys.readouterr().err == said


def test_runs_of_optimizers_that_a_comparison_is_without_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Nothing of a generator's hyperparameters is training alone, so that two-stage is left out of the five.
    out, words = tmp_path / "out", f"compare hnag-digits --seeds 2 --full-budgets 1 --out {tmp_path / 'out'}"

    def stopped(*always: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    for place, said in (
        ("calls.comparison_runs.make_runs", "no run had begun; run the same command again to make them"),
        (
            "comparing.comparison.outdated",
            f"0 of 8 runs finished and kept in {out}; run the same command again to make the",
        ),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"jointbench.bench.{place}", stopped)
            with pytest.raises(SystemExit):
                main(words.split())
        assert f"jointbench: stopped; {said}" in capsys.readouterr().err


@pytest.mark.parametrize("stop", ["SIGTERM", "SIGKILL", "SIGINT of a terminal"])
def test_a_comparison_that_is_stopped_leaves_no_process_and_keeps_what_was_finished(stop: str, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    out = tmp_path / "out"
    words = "compare digits-cpu --optimizers random,slow.py:Slow --seeds 1 --full-budgets 50 --workers 4 --jobs 2"
    process = subprocess.Popen(
        [sys.executable, "-m", "jointbench", *words.split(), "--out", str(out)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: run_file(out, "random", 0).exists())
    # Those that run, and Python's tracker of their resources.
    others = psutil.Process(process.pid).children(recursive=True)
    assert len(others) >= 2
    number = signal.Signals[stop.split()[0]]
    # Ctrl-C reaches all that are in the foreground.
    (os.killpg if "terminal" in stop else os.kill)(process.pid, number)
    _, said = process.communicate()
    _, alive = psutil.wait_procs(others, timeout=20)
    assert not alive
    assert process.returncode == (-number if stop == "SIGKILL" else 128 + number)
    assert "Traceback" not in said
    if stop != "SIGKILL":
        kept = f"1 of 2 runs finished and kept in {out}; run the same command again to make the others"
        assert f"jointbench: stopped; {kept}; those that were under way start over" in said
    assert [path.name for path in (out / "runs").iterdir()] == ["random-0.parquet"]
    assert pq.read_table(run_file(out, "random", 0)).num_rows == 50


def test_a_signal_while_a_process_is_started_is_heard_of_afterwards() -> None:
    # The child reads what its parent writes to it; half of that would be a traceback.
    done = []

    def start() -> None:
        with signals_held():
            os.kill(os.getpid(), signal.SIGINT)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            done.append("inside")
        done.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done == ["inside"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_raises_inside_alone_and_in_no_other_thread() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), terminated_in_order():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    seen: list[object] = []

    def elsewhere() -> None:
        with terminated_in_order():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]
