"""Where worker processes live: on this machine's processors or GPUs, or in a Slurm allocation."""

import os
import shlex
import signal
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from jointbench.bench.running.credentials import local_folder, new_credentials, shared_folder
from jointbench.data.errors import InputError

#: A CPU training uses one thread (its clock is that thread's CPU time); torch reads these when it is imported.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

#: What cannot be reached from another machine.
LOOPBACK = "127.0.0.1"

#: Where Dask's web servers listen: on any free port, since two collections may run on one machine.
_WEB = f"{LOOPBACK}:0"

#: Environment of a worker whose web server has no pages.
_NO_PAGES = {"DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]"}

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
    """A number of worker processes, and how a Dask cluster of them is made; `dashboard`: with Dask's own pages."""

    @property
    def workers(self) -> int: ...

    @property
    def dashboard(self) -> bool: ...

    def open(self, log: Path) -> AbstractContextManager[Any]:
        """A Dask cluster for as long as the context lasts, which none but holders of its credentials may talk to.

        `log`: the folder of the log that the workers write to.
        """
        ...


@dataclass(frozen=True)
class ThisMachine:
    """One worker process for each environment (variables that are set before torch is imported in it)."""

    environments: Sequence[Mapping[str, str]]
    dashboard: bool = False

    @classmethod
    def processors(cls, workers: int) -> Self:
        return cls([ENVIRONMENT] * workers)

    @classmethod
    def gpus(cls, devices: Sequence[str], workers: int, visible_by: str | None) -> Self:
        """Workers that see one of `devices` each, dealt out by turns; `visible_by`: the environment variable that takes
        such names (`Device.visible_by`), without which all see all."""
        turns = [devices[worker % len(devices)] for worker in range(workers)]
        return cls([ENVIRONMENT | ({visible_by: device} if visible_by else {}) for device in turns])

    @property
    def workers(self) -> int:
        return len(self.environments)

    @contextmanager
    def open(self, log: Path) -> Iterator[Any]:
        """Nothing of it listens on another interface than loopback."""
        from distributed import Scheduler, SpecCluster

        from jointbench.bench.running.local_workers import LocalWorkers

        with local_folder() as folder, _web_pages(self.dashboard):
            security = new_credentials(folder)
            common = {"host": LOOPBACK, "security": security, "dashboard_address": _WEB}
            scheduler = {**common, "protocol": "tls://", "port": 0, "dashboard": self.dashboard}
            worker = {
                **common,
                "nthreads": 1,
                "memory_limit": 0,
                "local_directory": str(folder),
                "silence_logs": "CRITICAL",
            }
            made = {"cls": Scheduler, "options": scheduler}
            with closing(SpecCluster(scheduler=made, security=security, silence_logs="CRITICAL")) as cluster:
                options = [{**worker, "env": dict(environment)} for environment in self.environments]
                workers = LocalWorkers(cluster.scheduler_address, options)
                try:
                    cluster.sync(workers.start)
                    yield cluster
                finally:
                    cluster.sync(workers.end)


@dataclass(frozen=True)
class Slurm:
    """Worker processes in jobs of a Slurm allocation (dask-jobqueue); a job that ends is submitted again."""

    options: Mapping[str, Any]
    workers: int
    dashboard: bool = False

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

    @contextmanager
    def open(self, log: Path) -> Iterator[Any]:
        jobs = self.workers // self.processes
        with (
            shared_folder(log) as folder,
            _web_pages(self.dashboard),
            closing(self.cluster(new_credentials(folder))) as cluster,
        ):
            cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)
            yield cluster

    def cluster(self, security: Any) -> Any:
        """The SLURMCluster, before any job is submitted; its `job_script()` is what `sbatch` will get.

        `security`: a `distributed.Security` of files that the jobs can read.
        """
        on_interrupt = signal.getsignal(signal.SIGINT)
        from dask_jobqueue.slurm import SLURMCluster

        from jointbench.bench.running.slurm_job import Job

        # Importing dask-jobqueue makes Ctrl-C an exit without a word.
        if signal.getsignal(signal.SIGINT) is not on_interrupt:
            signal.signal(signal.SIGINT, on_interrupt)
        environment = ENVIRONMENT | _NO_PAGES
        exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        return SLURMCluster(
            **{
                "job_cls": Job,
                "security": security,
                "memory": "16 GiB",
                "local_directory": tempfile.gettempdir(),
                "job_name": "jointbench",
                "scheduler_options": {"dashboard_address": _WEB, "dashboard": self.dashboard},
                **self.options,
                "processes": self.processes,
                # One training at a time in a worker; `job_cpu` says what Slurm is asked for.
                "cores": self.processes,
                "job_script_prologue": [*exports, *self.options.get("job_script_prologue", [])],
                # Slurm enforces the job's memory.
                "worker_extra_args": ["--memory-limit", "0", "--no-dashboard", "--dashboard-address", _WEB],
            },
        )


def _web_pages(wanted: bool) -> AbstractContextManager[Any]:
    """Dask always starts its web servers; let the scheduler's have pages where they are wanted, and no other."""
    import dask

    routes: dict[str, list[str]] = {"distributed.worker.http.routes": []}
    if not wanted:
        routes["distributed.scheduler.http.routes"] = []
    made: AbstractContextManager[Any] = dask.config.set(routes)
    return made


def visible_gpus(count: int, visible_by: str | None) -> list[str]:
    """Names of the GPUs that this process may use, as `ThisMachine.gpus` takes them; `count` is how many it sees."""
    named = os.environ.get(visible_by) if visible_by else None
    return [name.strip() for name in named.split(",")][:count] if named else [str(number) for number in range(count)]
