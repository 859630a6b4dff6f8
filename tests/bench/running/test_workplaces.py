"""Worker processes where they should be: on the CPU, pinned to GPUs, in Slurm jobs."""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, Security
from slurm import asked, jobs, needs_slurm, slurm
from test_credentials import gets_in
from test_faults import outcomes, until
from toy_device import FakeAccelerator

from jointbench.bench.running.credentials import new_credentials
from jointbench.bench.running.workplaces import ENVIRONMENT, Slurm, ThisMachine, visible_gpus
from jointbench.bench.training.devices.cuda import Cuda
from jointbench.cli import main
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Status
from jointbench.data.log import CREDENTIALS, EvaluationLog
from jointbench.data.spaces.configspace import PlainSpace
from jointbench.data.spaces.hyperparameters import Number

COLLECT = "collect {log} --images digits --ladder 0.02,0.06 --full-budgets 3 --memory 0.15 --device cpu"


def seen_by_workers(place: ThisMachine, folder: Path, *names: str) -> list[tuple[str | None, ...]]:
    with place.open(folder) as cluster, Client(cluster) as client:
        client.wait_for_workers(place.workers)
        found: dict[str, Any] = client.run(lambda: tuple(os.environ.get(name) for name in names))
    return sorted(found.values())


def test_each_worker_sees_the_gpu_it_is_pinned_to_alone(tmp_path: Path) -> None:
    place = ThisMachine.gpus(["GPU-a", "GPU-b"], 4, Cuda.visible_by())
    seen = seen_by_workers(place, tmp_path, "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
    assert seen == [("GPU-a", "1"), ("GPU-a", "1"), ("GPU-b", "1"), ("GPU-b", "1")]


def test_gpus_are_dealt_out_by_turns() -> None:
    place = ThisMachine.gpus(["0", "1", "2"], 5, "CUDA_VISIBLE_DEVICES")
    assert [e["CUDA_VISIBLE_DEVICES"] for e in place.environments] == ["0", "1", "2", "0", "1"]


def test_devices_of_another_type_are_told_apart_by_its_own_variable_or_by_none() -> None:
    assert ThisMachine.gpus(["1"], 1, "ZE_AFFINITY_MASK").environments == [ENVIRONMENT | {"ZE_AFFINITY_MASK": "1"}]
    assert ThisMachine.gpus(["0"], 2, FakeAccelerator.visible_by()).environments == [ENVIRONMENT] * 2


def test_a_processor_worker_has_one_thread() -> None:
    assert ThisMachine.processors(3).environments == [ENVIRONMENT] * 3
    assert ENVIRONMENT["OMP_NUM_THREADS"] == "1"


def test_gpus_that_were_hidden_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-7")
    assert visible_gpus(2, Cuda.visible_by()) == ["3", "GPU-7"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible_gpus(2, Cuda.visible_by()) == ["0", "1"]


#: It also says in which process it trained.
OWN = """
import os
from pathlib import Path

def train(configuration, budget, seed, report):
    with open(Path(__file__).parent / "pids", "a") as file:
        print(os.getpid(), file=file)
    return {"loss": budget + configuration["x"]}
"""


def own_collect(folder: Path) -> str:
    """As COLLECT, by a function of a person's own in `folder`."""
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    space = PlainSpace("own", (Number("x", 0.0, 1.0),))
    (folder / "space.json").write_text(json.dumps(space.as_dict()), encoding="utf-8")
    objective = f"--objective {folder}/own.py:train --space {folder}/space.json --metrics loss:0.."
    return f"collect {{log}} {objective} --ladder 1,3epochs --full-budgets 3"


SLURM = """
queue = "gpu"
account = "automl"
walltime = "24:00:00"
memory = "32 GB"
job_cpu = 8
job_extra_directives = ["--gres=gpu:1"]
job_script_prologue = ["module load cuda"]
"""


def written(folder: Path, text: str) -> Path:
    (folder / "slurm.toml").write_text(text, encoding="utf-8")
    return folder / "slurm.toml"


def job_script(place: Slurm, folder: Path) -> str:
    with closing(place.cluster(new_credentials(folder))) as cluster:
        script: str = cluster.job_script()
    return script


class TestSlurm:
    def test_the_job_script_says_what_the_file_says(self, tmp_path: Path) -> None:
        script = job_script(Slurm.read(written(tmp_path, SLURM), 4), tmp_path)
        for directive in ("-J jointbench", "-p gpu", "-A automl", "-t 24:00:00", "--mem=30G", "--cpus-per-task=8"):
            assert f"#SBATCH {directive}" in script
        assert "#SBATCH --gres=gpu:1" in script
        assert script.index("export OMP_NUM_THREADS=1") < script.index("module load cuda") < script.index("dask_worker")
        # One training at a time in each worker, whose memory Slurm watches.
        assert "--nthreads 1" in script
        assert re.findall(r"--memory-limit (\S+)", script)[-1] == "0"
        assert "--nworkers" not in script

    def test_ctrl_c_means_what_it_did_before_a_cluster_was_asked_for(self) -> None:
        code = """
import signal, tempfile
from contextlib import closing
from pathlib import Path
from jointbench.bench.running.credentials import new_credentials
from jointbench.bench.running.workplaces import Slurm
with closing(Slurm({}, 1).cluster(new_credentials(Path(tempfile.mkdtemp())))):
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_workers_of_a_job_may_share_its_gpu(self, tmp_path: Path) -> None:
        place = Slurm.read(written(tmp_path, SLURM + "processes = 4\n"), 8)
        script = job_script(place, tmp_path)
        assert "--nworkers 4" in script
        assert "--nthreads 1" in script

    def test_a_job_has_the_credentials_wherever_they_lie_and_shows_no_pages(self, tmp_path: Path) -> None:
        folder = tmp_path / "two words; 'and more'"
        folder.mkdir()
        script = job_script(Slurm.read(written(tmp_path, SLURM), 4), folder)
        words = shlex.split(script.splitlines()[-1])
        shown = {option: words[words.index(option) + 1] for option in ("--tls-ca-file", "--tls-cert", "--tls-key")}
        assert set(shown.values()) == {str(folder / "certificate.pem"), str(folder / "key.pem")}
        assert "PRIVATE" not in script
        assert "--protocol tls" in script
        assert "--no-dashboard --dashboard-address 127.0.0.1:0" in script
        assert "export DASK_DISTRIBUTED__WORKER__HTTP__ROUTES='[]'" in script

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('quue = "gpu"', "quue"),
            ("queue = 3", "queue"),
            ("queue", "TOML"),
            ("processes = 3", "multiple of the 3"),
        ],
    )
    def test_a_file_that_makes_no_sense_is_refused(self, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            Slurm.read(written(tmp_path, text), 4)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"nowhere\.toml"):
            Slurm.read(tmp_path / "nowhere.toml", 1)

    @pytest.mark.parametrize("trained", ["networks", "own function"])
    def test_jobs_that_slurm_runs_train_for_real(self, tmp_path: Path, trained: str) -> None:
        """`sbatch` and `scancel` as Slurm has them, but for the queue: a job is a process of this machine."""
        commands, log = tmp_path / "bin", tmp_path / "log"
        commands.mkdir()
        job = f"{tmp_path}/$$"
        sbatch = f'#!/bin/sh\ncp "$1" {job}.sh\nsetsid sh {job}.sh >{job}.out 2>&1 &\necho "job $!"\n'
        (commands / "sbatch").write_text(sbatch, encoding="utf-8")
        (commands / "scancel").write_text(
            f'#!/bin/sh\nkill -TERM -- "-$1"\necho "$1" >>{tmp_path}/cancelled\n', encoding="utf-8"
        )
        for command in commands.iterdir():
            command.chmod(0o755)
        config = written(tmp_path, f'memory = "1 GB"\npython = "{sys.executable}"\ninterface = "lo"\n')
        about = COLLECT if trained == "networks" else own_collect(tmp_path)
        words = [*about.format(log=log).split(), "--workers", "2", "--cluster", "slurm", "--config", str(config)]
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-m", "jointbench", *words], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        evaluations = list(EvaluationLog.open(log).evaluations())
        assert sorted(e.trial for e in evaluations) == [0, 1, 2]
        if trained == "own function":
            assert [e.metrics["loss"] for e in evaluations] == [3 + e.configuration["x"] for e in evaluations]
            trained_in = set(map(int, (tmp_path / "pids").read_text(encoding="utf-8").split()))
            # A job that is cancelled ends in its own time.
            left = [process for process in psutil.process_iter() if process.pid in trained_in]
            assert not psutil.wait_procs(left, timeout=60)[1]
        assert len(list(tmp_path.glob("*.out"))) == 2
        assert not list(log.glob(f"{CREDENTIALS}*"))


@needs_slurm
def test_a_real_slurm_goes_on_when_the_collector_is_killed_and_when_jobs_are_cancelled(tmp_path: Path) -> None:
    log, place = tmp_path / "log", tmp_path / "slurm"
    place.mkdir()
    options = {"memory": "1 GB", "python": sys.executable, "interface": "lo", "log_directory": str(tmp_path / "jobs")}
    config = written(tmp_path, "".join(f'{name} = "{value}"\n' for name, value in options.items()))
    words = f"collect {log} --images digits --device cpu --memory 0.15 --ladder 0.3,0.9 --full-budgets 6 --workers 2"
    journal = log / "runs" / "random-0.journal"

    def trials(kind: str) -> set[int]:
        """Those that were begun ("ask"), or that have ended ("tell")."""
        lines = journal.read_text(encoding="utf-8").splitlines(keepends=True) if journal.exists() else []
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
        return {entry["number"] for entry in entries if entry["kind"] == kind}

    with slurm(place) as environment, ExitStack() as started:
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)

        def collector() -> "subprocess.Popen[str]":
            command = ["-m", "jointbench", *words.split(), "--cluster", "slurm", "--config", str(config)]
            made = subprocess.Popen([sys.executable, *command], env=environment, text=True, stderr=subprocess.PIPE)
            started.callback(made.kill)
            return made

        killed = collector()
        until(lambda: trials("tell"), killed, seconds=300)
        (left,) = log.glob(f"{CREDENTIALS}*")
        assert left.stat().st_mode & 0o777 == 0o700
        killed.kill()
        killed.communicate()
        # Nobody is left behind to go on with what nobody waits for.
        until(lambda: not jobs(environment))
        assert (left / "key.pem").exists()

        before = outcomes(log)
        driver = collector()
        until(lambda: len(trials("tell")) > len(before), driver, seconds=300)
        on_their_way, cancelled = trials("ask") - trials("tell"), jobs(environment)
        asked(environment, "scancel", *cancelled)
        assert on_their_way
        assert cancelled
        # Nothing can end before there are new jobs.
        (folder,) = log.glob(f"{CREDENTIALS}*")
        assert folder != left
        refuses_strangers(driver.pid, folder)
        _, said = driver.communicate(timeout=300)
        assert driver.returncode == 0, said
        assert not jobs(environment)
        later = asked(environment, "squeue", "-h", "-t", "all", "-o", "%i").split()
        assert max(map(int, later)) > max(map(int, cancelled)), "no new job took a cancelled one's place"
    after = outcomes(log)
    assert {f"random-0/{number}" for number in range(6)} == set(after)
    assert all(after[key] == evaluation for key, evaluation in before.items())
    assert {Status.OK} <= {evaluation.status for evaluation in after.values()} <= {Status.OK, Status.OUT_OF_MEMORY}
    assert not list(log.glob(f"{CREDENTIALS}*"))


def refuses_strangers(collector: int, credentials: Path) -> None:
    """One of the collector's ports is that of a scheduler, and who has other credentials or none does not get in."""
    ports = {c.laddr.port for c in psutil.Process(collector).net_connections() if c.status == psutil.CONN_LISTEN}
    certificate, key = (str(credentials / name) for name in ("certificate.pem", "key.pem"))
    own = Security(require_encryption=True, tls_ca_file=certificate, tls_client_cert=certificate, tls_client_key=key)
    assert sum(gets_in(f"tls://127.0.0.1:{port}", own) for port in ports) == 1
    assert not any(gets_in(f"tls://127.0.0.1:{port}", Security.temporary()) for port in ports)
    assert not any(gets_in(f"tcp://127.0.0.1:{port}", None) for port in ports)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--workers-per-gpu 2", "workers per GPU"),
        ("--cluster slurm", "--config"),
        ("--config x.toml", "--cluster slurm"),
        ("--workers 0", "workers"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*COLLECT.format(log=tmp_path / "log").split(), *words.split()])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "log").exists()


def test_trainings_that_share_a_gpu_count_in_calibrated_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, "processes = 2")
    words = COLLECT.format(log=tmp_path / "log").replace("--device cpu", "--device cuda")
    with pytest.raises(SystemExit):
        main(f"{words} --cluster slurm --config {config} --workers 2".split())
    assert "calibrated" in capsys.readouterr().err
