"""Real processes that die, disks that fill up, files that break: every finished evaluation is there, once."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jointbench.bench.collecting.doctor import examine
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.log import EvaluationLog

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
COMMON = "--images digits --device cpu --memory 0.05 --checkpoint-every 0.1"
SEARCH = f"{COMMON} --ladder 0.1,0.3 --optimizer hyperband --full-budgets 5 --workers 2"

#: One small network for 1.5 s, on the calibrated clock, so that it can be told whether anything was lost.
ONE_TRAINING = """
import sys
from pathlib import Path
from jointbench.bench.collecting.collection import collect
from jointbench.bench.collecting.collection_progress import CollectionProgress
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.running.training_objective import TrainingObjective
from jointbench.bench.running.workplaces import ThisMachine
from jointbench.data.images.registry import load_images
from jointbench.data.spaces.joint import JOINT
from jointbench.data.ladder import Ladder
from jointbench.data.log import EvaluationLog
from jointbench.optimizers.fixed_list import FixedList
from jointbench.optimizers.optimizer import Trial
from test_calibrated_training import SMALL

if __name__ == "__main__":
    folder, ladder = Path(sys.argv[1]), Ladder(0.5, 1.5)
    log = EvaluationLog.open_or_create(folder, JOINT, ladder, load_images("digits").facts)
    trials = [Trial(SMALL, 1.5, seed=7)]
    optimizer = FixedList(JOINT, ladder, seed=0, full_budgets=1, name="one", trials=trials)
    objective = TrainingObjective(
        JOINT, ladder, "digits", Hardware(clock="calibrated"), folder=folder, checkpoint_every=0.2
    )
    place = ThisMachine.processors(1)
    told = CollectionProgress(ladder, 1)
    collect(log, objective, optimizer, run_name="one", full_budgets=1, workplace=place, seed=0, watcher=told)
"""


def started(words: list[str], **options: object) -> "subprocess.Popen[str]":
    process: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, *words],
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )
    return process


def collect(log: Path, words: str = SEARCH, **options: object) -> "subprocess.Popen[str]":
    return started(["-m", "jointbench", "collect", str(log), *words.split()], **options)


def ended_well(process: "subprocess.Popen[str]") -> None:
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said


def until(
    condition: Callable[[], object], process: "subprocess.Popen[str] | None" = None, seconds: float = 120
) -> None:
    """Wait for something that happens while `process` runs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"nothing happened for {seconds:g} seconds"
        time.sleep(0.01)


def workers(driver: int) -> list[psutil.Process]:
    """The processes that train."""
    try:
        children = psutil.Process(driver).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    found = []
    for child in children:
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def wait_for_workers(driver: "subprocess.Popen[str]") -> None:
    while not workers(driver.pid) and driver.poll() is None:
        time.sleep(0.01)


def outcomes(log: Path) -> dict[str, Evaluation]:
    return {e.key: e for e in EvaluationLog.open(log).evaluations()}


def check_whole(log: Path) -> None:
    """Each trial of the run is there exactly once, in the order of its number, and the log is healthy."""
    evaluations = list(EvaluationLog.open(log).evaluations())
    trials = Counter(e.trial for e in evaluations)
    assert trials == Counter(range(len(trials)))
    assert 4.7 * 0.3 <= sum(e.budget for e in evaluations) <= 5 * 0.3 + 1e-9
    assert all(e.ok or (e.status and e.reason) for e in evaluations)
    assert examine(log).problems == []
    assert not list((log / "checkpoints").glob("*"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = tmp_path_factory.mktemp("undisturbed") / "log"
    ended_well(started(["-c", ONE_TRAINING, str(log)]))
    return log


@pytest.fixture
def calibrated(undisturbed: Path, tmp_path: Path) -> Path:
    """A log without evaluations that counts seconds as the undisturbed one does."""
    there = EvaluationLog.open(undisturbed)
    log = EvaluationLog.open_or_create(tmp_path / "log", there.space, there.ladder, there.images).path
    shutil.copytree(undisturbed / "calibrations", log / "calibrations")
    return log


def same(a: Path, b: Path) -> bool:
    """Whether two logs hold the same evaluation, to the bit."""
    (first,), (second,) = outcomes(a).values(), outcomes(b).values()
    assert first.status is Status.OK, first.reason
    pairs = [(e.steps, e.training_seconds, e.validation_error, e.test_error, e.curve) for e in (first, second)]
    return pairs[0] == pairs[1]


class TestOneTraining:
    def test_goes_on_from_its_checkpoint_when_its_worker_is_killed(self, calibrated: Path, undisturbed: Path) -> None:
        driver = started(["-c", ONE_TRAINING, str(calibrated)])
        until(lambda: list((calibrated / "checkpoints").glob("*.checkpoint")), driver)
        for worker in workers(driver.pid):
            worker.kill()
        ended_well(driver)
        assert same(calibrated, undisturbed)
        assert not list((calibrated / "checkpoints").glob("*"))

    def test_goes_on_from_its_checkpoint_when_its_driver_is_killed(self, calibrated: Path, undisturbed: Path) -> None:
        driver = started(["-c", ONE_TRAINING, str(calibrated)])
        until(lambda: list((calibrated / "checkpoints").glob("*.checkpoint")), driver)
        orphans = workers(driver.pid)
        driver.kill()
        driver.communicate()
        # Nobody is left behind to go on with what nobody waits for.
        _, alive = psutil.wait_procs(orphans, timeout=20)
        assert not alive
        ended_well(started(["-c", ONE_TRAINING, str(calibrated)]))
        assert same(calibrated, undisturbed)


def test_ten_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    log, moments = tmp_path / "log", random.Random(0)
    driver = collect(log)
    survived: dict[str, Evaluation] = {}
    for kill in range(10):
        if driver.poll() is not None:
            driver = collect(log)
        # The first part is the empty one that begins the log.
        wait_for_workers(driver)
        time.sleep(moments.uniform(0, 4))
        victims = workers(driver.pid)
        if kill % 3 == 2 or not victims:
            driver.kill()
            driver.communicate()
        else:
            moments.choice(victims).kill()
        if log.exists() and list(log.glob("*.parquet")):
            now = outcomes(log)
            assert all(now[key] == evaluation for key, evaluation in survived.items())
            survived = now
    if driver.poll() is None:
        driver.kill()
        driver.communicate()
    ended_well(collect(log))
    check_whole(log)
    now = outcomes(log)
    assert all(now[key] == evaluation for key, evaluation in survived.items())


def test_whoever_ends_a_collection_ends_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Any collection that begins clears away what dead ones left: those of other tests do not look here.
    monkeypatch.setitem(ENVIRONMENT, "TMPDIR", str(tmp_path))
    log, words = tmp_path / "log", SEARCH.replace("--workers 2", "--workers 1")
    journal = log / "runs" / "hyperband-0.journal"

    def trained() -> bool:
        return journal.exists() and '"tell"' in journal.read_text(encoding="utf-8")

    # In the middle of the trainings once, else as soon as there are workers.
    driver = collect(log, words)
    until(lambda: workers(driver.pid), driver, seconds=300)
    (abandoned,) = private_folders(driver.pid)
    ends(driver, signal.SIGKILL)
    assert abandoned.exists()

    driver = collect(log, words)
    until(lambda: workers(driver.pid) and trained(), driver, seconds=300)
    assert not abandoned.exists()
    assert ends(driver, signal.SIGINT) == 130

    driver = collect(log, words)
    until(lambda: workers(driver.pid), driver, seconds=300)
    assert ends(driver, signal.SIGTERM) == 143


def ends(driver: "subprocess.Popen[str]", number: signal.Signals) -> int:
    """The exit code after a signal; no worker is left, and no private folder if the driver could do anything."""
    (private,), trainings = private_folders(driver.pid), workers(driver.pid)
    driver.send_signal(number)
    _, said = driver.communicate(timeout=120)
    if number == signal.SIGKILL:
        psutil.wait_procs(trainings, timeout=20)
    else:
        assert not private.exists()
        assert said.splitlines()[-1].startswith("jointbench: stopped"), said
        assert "Traceback" not in said
    assert not any(worker.is_running() for worker in trainings)
    return driver.returncode


def private_folders(driver: int) -> list[Path]:
    """Those whose lock it holds."""
    return [Path(file.path).parent for file in psutil.Process(driver).open_files() if Path(file.path).name == "lock"]


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log whose driver was killed when its optimizer had been told of three trainings."""
    log = tmp_path_factory.mktemp("half") / "log"
    driver = collect(log)
    told = log / "runs" / "hyperband-0.journal"
    until(lambda: told.exists() and told.read_text(encoding="utf-8").count('"tell"') >= 3, driver, seconds=300)
    trainers = workers(driver.pid)
    driver.kill()
    driver.communicate()
    psutil.wait_procs(trainers, timeout=20)
    return log


def test_parts_that_break_are_restored_from_the_journal(half_done: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shutil.copytree(half_done, log)
    before = outcomes(log)
    heard = {
        f"hyperband-0/{e['number']}"
        for e in map(json.loads, (log / "runs" / "hyperband-0.journal").read_text(encoding="utf-8").splitlines())
        if e["kind"] == "tell"
    }
    assert len(heard) >= 3
    # The empty one that begins the log, and one for each training: torn, truncated and emptied by turns.
    parts = sorted(log.glob("*.parquet"))
    assert len(parts) >= 4
    for number, part in enumerate(parts):
        whole = part.read_bytes()
        middle = len(whole) // 3
        part.write_bytes((whole[:middle] + bytes(middle) + whole[2 * middle :], whole[:middle], b"")[number % 3])
    ended_well(collect(log))
    check_whole(log)
    after = outcomes(log)
    assert all(after[key] == before[key] for key in heard)


def test_two_collectors_on_one_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    both = [collect(log, f"{SEARCH} --seed {seed}".replace("--workers 2", "--workers 1")) for seed in (0, 1)]
    until(lambda: (log / "runs" / "hyperband-0.journal").exists(), both[0])
    twin = collect(log)
    _, said = twin.communicate(timeout=120)
    assert twin.returncode == 2
    assert "no other process" in said
    for process in both:
        ended_well(process)
    runs = Counter(e.provenance.run for e in outcomes(log).values())
    assert set(runs) == {"hyperband-0", "hyperband-1"}
    assert len(set(outcomes(log))) == sum(runs.values())
    assert examine(log).problems == []


def test_a_full_disk_ends_a_worker_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """A limit to the size of files stands for it: a worker cannot write what it found."""
    log = tmp_path / "log"
    driver = collect(log)
    until(lambda: workers(driver.pid), driver)
    for worker in workers(driver.pid):
        worker.rlimit(psutil.RLIMIT_FSIZE, (4_000, 4_000))
    stopped_for_lack_of_room(driver)
    goes_on(log)


def test_a_full_disk_ends_the_driver_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """Here it is the journal that cannot be written to."""
    log = tmp_path / "log"
    driver = collect(log)
    journal = log / "runs" / "hyperband-0.journal"
    until(lambda: journal.exists() and '"tell"' in journal.read_text(encoding="utf-8"), driver)
    limit = journal.stat().st_size + 100
    psutil.Process(driver.pid).rlimit(psutil.RLIMIT_FSIZE, (limit, limit))
    stopped_for_lack_of_room(driver)
    goes_on(log)


def stopped_for_lack_of_room(driver: "subprocess.Popen[str]") -> None:
    _, said = driver.communicate(timeout=300)
    assert driver.returncode == 2, said
    assert "can be written to" in said.splitlines()[-1]


def goes_on(log: Path) -> None:
    before = outcomes(log)
    assert not list(log.glob("*.writing"))
    ended_well(collect(log))
    check_whole(log)
    after = outcomes(log)
    assert all(after[key] == evaluation for key, evaluation in before.items())


def test_what_needs_more_memory_than_there_is_is_recorded(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = collect(log, SEARCH.replace("--memory 0.05", "--memory 0.01"))
    _, said = process.communicate(timeout=300)
    check_whole(log)
    failures = Counter(e.status for e in outcomes(log).values())
    assert failures[Status.OUT_OF_MEMORY] > 0
    # It is said where that leaves nothing.
    assert process.returncode == (0 if failures[Status.OK] else 1), said
    assert ("none of which ended ok" in said) == (not failures[Status.OK])
    assert set(failures) <= {Status.OK, Status.OUT_OF_MEMORY}
