"""Worker processes where they should be: on the CPU, pinned to GPUs, in Slurm jobs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from jointbench.bench.running.workplaces import ENVIRONMENT, Slurm, ThisMachine, visible_gpus
from jointbench.cli import main
from jointbench.data.errors import InputError
from jointbench.data.log import EvaluationLog

COLLECT = "collect {log} --images digits --ladder 0.02,0.06 --full-budgets 3 --memory 0.15 --device cpu"


def seen_by_workers(place: ThisMachine, folder: Path, *names: str) -> list[tuple[str | None, ...]]:
    with place.open(folder) as cluster, Client(cluster) as client:
        client.wait_for_workers(place.workers)
        found: dict[str, Any] = client.run(lambda: tuple(os.environ.get(name) for name in names))
    return sorted(found.values())


def test_each_worker_sees_the_gpu_it_is_pinned_to_alone(tmp_path: Path) -> None:
    place = ThisMachine.gpus(["GPU-a", "GPU-b"], 4)
    seen = seen_by_workers(place, tmp_path, "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
    assert seen == [("GPU-a", "1"), ("GPU-a", "1"), ("GPU-b", "1"), ("GPU-b", "1")]


def test_gpus_are_dealt_out_by_turns() -> None:
    place = ThisMachine.gpus(["0", "1", "2"], 5)
    assert [e["CUDA_VISIBLE_DEVICES"] for e in place.environments] == ["0", "1", "2", "0", "1"]


def test_a_processor_worker_has_one_thread() -> None:
    assert ThisMachine.processors(3).environments == [ENVIRONMENT] * 3
    assert ENVIRONMENT["OMP_NUM_THREADS"] == "1"


def test_gpus_that_were_hidden_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-7")
    assert visible_gpus(2) == ["3", "GPU-7"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible_gpus(2) == ["0", "1"]


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
    (folder / "slurm.toml").write_text(text)
    return folder / "slurm.toml"


class TestSlurm:
    def test_the_job_script_says_what_the_file_says(self, tmp_path: Path) -> None:
        with Slurm.read(written(tmp_path, SLURM), 4).cluster() as cluster:
            script = cluster.job_script()
        for directive in ("-J jointbench", "-p gpu", "-A automl", "-t 24:00:00", "--mem=30G", "--cpus-per-task=8"):
            assert f"#SBATCH {directive}" in script
        assert "#SBATCH --gres=gpu:1" in script
        assert script.index("export OMP_NUM_THREADS=1") < script.index("module load cuda") < script.index("dask_worker")
        # One training at a time in each worker, whose memory Slurm watches.
        assert "--nthreads 1" in script
        assert script.rstrip().endswith("--memory-limit 0")
        assert "--nworkers" not in script

    def test_workers_of_a_job_may_share_its_gpu(self, tmp_path: Path) -> None:
        place = Slurm.read(written(tmp_path, SLURM + "processes = 4\n"), 8)
        with place.cluster() as cluster:
            script = cluster.job_script()
        assert "--nworkers 4" in script
        assert "--nthreads 1" in script

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

    def test_jobs_that_slurm_runs_train_for_real(self, tmp_path: Path) -> None:
        """`sbatch` and `scancel` as Slurm has them, but for the queue: a job is a process of this machine."""
        commands, log = tmp_path / "bin", tmp_path / "log"
        commands.mkdir()
        job = f"{tmp_path}/$$"
        sbatch = f'#!/bin/sh\ncp "$1" {job}.sh\nsetsid sh {job}.sh >{job}.out 2>&1 &\necho "job $!"\n'
        (commands / "sbatch").write_text(sbatch)
        (commands / "scancel").write_text(f'#!/bin/sh\nkill -TERM -- "-$1"\necho "$1" >>{tmp_path}/cancelled\n')
        for command in commands.iterdir():
            command.chmod(0o755)
        config = written(tmp_path, f'memory = "1 GB"\npython = "{sys.executable}"\ninterface = "lo"\n')
        words = [*COLLECT.format(log=log).split(), "--workers", "2", "--cluster", "slurm", "--config", str(config)]
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-m", "jointbench", *words], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        evaluations = list(EvaluationLog.open(log).evaluations())
        assert sorted(e.trial for e in evaluations) == [0, 1, 2]
        assert len(list(tmp_path.glob("*.out"))) == 2


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
