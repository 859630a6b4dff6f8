"""Where worker processes live: on this machine's processors or GPUs, or in a Slurm allocation."""

import os
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from jointbench.data.errors import InputError

#: A CPU training uses one thread (its clock is that thread's CPU time); torch reads these when it is imported.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

#: What a Slurm file may say, passed on to dask-jobqueue's SLURMCluster; `processes` are workers a job.
SLURM_OPTIONS = {
    "account": str,
    "death_timeout": int,
    "interface": str,
    "job_cpu": int,
    "job_extra_directives": list,
    "job_mem": str,
    "job_script_prologue": list,
    "local_directory": str,
    "log_directory": str,
    "memory": str,
    "processes": int,
    "python": str,
    "queue": str,
    "walltime": str,
}


class Workplace(Protocol):
    """A number of worker processes, and how a Dask cluster of them is made."""

    @property
    def workers(self) -> int: ...

    def open(self, folder: Path) -> Any:
        """A started Dask cluster, to be closed by the caller; `folder` is for its temporary files."""
        ...


@dataclass(frozen=True)
class ThisMachine:
    """One worker process for each environment (variables that are set before torch is imported in it)."""

    environments: Sequence[Mapping[str, str]]

    @classmethod
    def processors(cls, workers: int) -> Self:
        return cls([ENVIRONMENT] * workers)

    @classmethod
    def gpus(cls, devices: Sequence[str], workers: int) -> Self:
        """Workers that see one of `devices` (as CUDA_VISIBLE_DEVICES names them) each, dealt out by turns."""
        turns = [devices[worker % len(devices)] for worker in range(workers)]
        return cls([ENVIRONMENT | {"CUDA_VISIBLE_DEVICES": device} for device in turns])

    @property
    def workers(self) -> int:
        return len(self.environments)

    def open(self, folder: Path) -> Any:
        from distributed import Nanny, Scheduler, SpecCluster

        # Any free port: two collections may run on one machine.
        common = {"host": "127.0.0.1", "dashboard_address": ":0"}
        return SpecCluster(
            scheduler={"cls": Scheduler, "options": {**common, "port": 0}},
            workers={
                number: {
                    "cls": Nanny,
                    "options": {
                        **common,
                        "nthreads": 1,
                        "memory_limit": 0,
                        "local_directory": str(folder),
                        "env": dict(environment),
                        "silence_logs": "CRITICAL",
                    },
                }
                for number, environment in enumerate(self.environments)
            },
            silence_logs="CRITICAL",
        )


@dataclass(frozen=True)
class Slurm:
    """Worker processes in jobs of a Slurm allocation (dask-jobqueue); a job that ends is submitted again."""

    options: Mapping[str, Any]
    workers: int

    @classmethod
    def read(cls, path: Path, workers: int) -> Self:
        """From a TOML file of SLURM_OPTIONS. Raises InputError that names what is wrong in it."""
        try:
            options = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError("Slurm file", str(path), f"a file that can be read ({error.strerror})") from None
        except ValueError as error:
            raise InputError("Slurm file", str(path), f"TOML ({error})") from None
        for name, value in options.items():
            if name not in SLURM_OPTIONS:
                raise InputError(f"option of {path}", name, "one of " + ", ".join(SLURM_OPTIONS))
            if not isinstance(value, SLURM_OPTIONS[name]):
                raise InputError(f"{name} in {path}", value, f"a {SLURM_OPTIONS[name].__name__}")
        made = cls(options, workers)
        if workers % made.processes:
            raise InputError("workers", workers, f"a multiple of the {made.processes} processes a job of {path}")
        return made

    @property
    def processes(self) -> int:
        """Workers a job."""
        return int(self.options.get("processes", 1))

    def open(self, folder: Path) -> Any:
        cluster = self.cluster()
        jobs = self.workers // self.processes
        cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)
        return cluster

    def cluster(self) -> Any:
        """The SLURMCluster, before any job is submitted; its `job_script()` is what `sbatch` will get."""
        from dask_jobqueue.slurm import SLURMCluster

        exports = [f"export {name}={value}" for name, value in ENVIRONMENT.items()]
        return SLURMCluster(
            **{
                "memory": "16 GiB",
                "local_directory": tempfile.gettempdir(),
                "job_name": "jointbench",
                "scheduler_options": {"dashboard_address": ":0"},
                **self.options,
                "processes": self.processes,
                # One training at a time in a worker; `job_cpu` says what Slurm is asked for.
                "cores": self.processes,
                "job_script_prologue": [*exports, *self.options.get("job_script_prologue", [])],
                # Slurm enforces the job's memory.
                "worker_extra_args": ["--memory-limit", "0"],
            },
        )


def visible_gpus(count: int) -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them; `count` is how many it sees."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [name.strip() for name in named.split(",")][:count] if named else [str(number) for number in range(count)]
