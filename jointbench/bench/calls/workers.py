"""On how many workers, and where, a call trains: what a person asks for, and what this machine has."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from jointbench.bench.calls.given import above_zero, the_path, whole
from jointbench.bench.running.workplaces import Slurm, ThisMachine, Workplace, visible_gpus
from jointbench.data.errors import InputError, MissingExtraError, UnknownNameError
from jointbench.data.option_words import option
from jointbench.data.quantities import counted

if TYPE_CHECKING:
    from jointbench.bench.training.hardware import Hardware


class TrainingOptions(TypedDict, total=False):
    """Keywords of every call that trains: on what.

    `device`: cpu, cuda or cuda:1, by default the first GPU, else the CPU. `precision`: fp32 unless said. `clock` of
    the budget's seconds: measured (default), calibrated, or reference:NAME. `compile`: through torch.compile.
    `memory`: GiB of the device's that a training may take, by default all.
    """

    device: str | None
    precision: Literal["fp32", "bf16"]
    clock: str
    compile: bool
    memory: float | None


class PlaceOptions(TrainingOptions, total=False):
    """Also where.

    `workers_per_gpu`: trainings that share a GPU, with the calibrated clock. `cluster`: local (default), or slurm with
    `config`, a TOML file. `dashboard`: let Dask show its pages, to every user of this computer.
    """

    workers_per_gpu: int | None
    cluster: Literal["local", "slurm"]
    config: str | Path | None
    dashboard: bool


class WorkerOptions(PlaceOptions, total=False):
    """Also on how many `workers`: processes, by default one a GPU, or 1 on the CPU."""

    workers: int | None


@dataclass(frozen=True)
class Workers:
    """`device`: cpu, cuda or cuda:1, by default the first GPU, else the CPU; `memory` in bytes, by default all there
    is; `workers`: processes, by default one a GPU, or 1 on the CPU; `per_gpu`: trainings that share a GPU; `config`:
    of a Slurm cluster; `dashboard`: let Dask show its pages, to every user of this computer. The other
    words as `Hardware` has them.
    """

    device: str | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    clock: str = "measured"
    compile: bool = False
    memory: int | None = None
    workers: int | None = None
    per_gpu: int | None = None
    cluster: Literal["local", "slurm"] = "local"
    config: Path | None = None
    dashboard: bool = False

    @classmethod
    def of(
        cls,
        device: str | None = None,
        precision: Literal["fp32", "bf16"] = "fp32",
        clock: str = "measured",
        compile: bool = False,  # noqa: A002
        memory: float | None = None,
        workers: int | None = None,
        workers_per_gpu: int | None = None,
        cluster: Literal["local", "slurm"] = "local",
        config: str | Path | None = None,
        dashboard: bool = False,
    ) -> "Workers":
        """Of a call's `WorkerOptions`, memory in GiB. Raises InputError for a number that is none."""
        return cls(
            device,
            precision,
            clock,
            compile,
            None if memory is None else int(above_zero("memory", memory) * 2**30),
            None if workers is None else whole("workers", workers, 1),
            None if workers_per_gpu is None else whole("workers per GPU", workers_per_gpu, 1),
            cluster,
            None if config is None else the_path("config", config),
            dashboard,
        )

    def hardware(self) -> "Hardware":
        """What each trains on. Raises MissingExtraError without torch, InputError for a device that is not there."""
        try:
            import torch  # noqa: F401 - whether it is there
        except ImportError:
            raise MissingExtraError("torch is needed to train: pip install 'jointbench[train]'") from None
        from jointbench.bench.training.devices.registry import DEVICES, device_of, kinds_here
        from jointbench.bench.training.hardware import Hardware

        # Where jobs are submitted there is often no GPU: what the nodes have is the user's to say.
        elsewhere = self.cluster == "slurm"
        kinds = [*DEVICES] if elsewhere else kinds_here()
        device = self.device or ("cuda" if elsewhere else kinds[0])
        try:
            device_of(device)
            usable = device.partition(":")[0] in kinds
        except (RuntimeError, UnknownNameError):
            usable = False
        if not usable:
            said = " or ".join(sorted(kinds)) if len(kinds) > 1 else "cpu, since there is no GPU"
            raise InputError("device", device, said)
        return Hardware(device, self.precision, self.memory, self.clock, self.compile)

    def workplace(self) -> "tuple[Workplace, Hardware]":
        """Where the workers are and what each trains on.

        Raises InputError where the words do not go together, MissingExtraError where there is nothing to show pages
        with.
        """
        self._check_pages()
        place, device = self._place()
        return replace(place, dashboard=self.dashboard), device

    def for_function(self) -> Workplace:
        """Where workers are that call a person's own function, which needs no torch of ours: on the CPU, unless GPUs
        are asked for, of which each worker sees one then.

        Raises InputError for what only trainings of ours have, MissingExtraError as `workplace` does.
        """
        for field, value, usual in (
            ("precision", self.precision, "fp32"),
            ("clock", self.clock, "measured"),
            ("compile", self.compile, False),
        ):
            if value != usual:
                raise InputError(field, value, f"{usual} with an objective of your own, which sees to that itself")
        if self.device not in (None, "cpu"):
            # How trainings that share a GPU disturb each other's seconds is the function's to know.
            return replace(self, clock="calibrated").workplace()[0]
        self._check_pages()
        if self.per_gpu is not None:
            raise InputError("workers per GPU", self.per_gpu, f"{option('device', 'cuda')} with it")
        self._check_config()
        workers = self.workers or 1
        if self.cluster == "slurm":
            assert self.config is not None
            return replace(Slurm.read(self.config, workers), dashboard=self.dashboard)
        return replace(ThisMachine.processors(workers), dashboard=self.dashboard)

    def _check_pages(self) -> None:
        if self.dashboard and find_spec("bokeh") is None:
            raise MissingExtraError(f"bokeh is needed for {option('dashboard')}: pip install 'jointbench[dashboard]'")

    def _check_config(self) -> None:
        if self.config is not None and self.cluster != "slurm":
            raise InputError("config", str(self.config), f"{option('cluster', 'slurm')} with it")
        if self.config is None and self.cluster == "slurm":
            raise InputError("cluster", "slurm", f"{option('config', 'FILE.toml')} with it")

    def _place(self) -> "tuple[ThisMachine | Slurm, Hardware]":
        device, share = self.hardware(), self.per_gpu
        on_gpu = device.on.accelerator
        self._check_config()
        if share is not None and not on_gpu:
            raise InputError("workers per GPU", share, "a GPU to train on, not the CPU")
        share = 1 if share is None else share
        if self.cluster == "slurm":
            assert self.config is not None
            place = Slurm.read(self.config, self.workers or 1)
            # The workers of a job share its GPU.
            return place, _shared(device, place.processes if on_gpu else 1)
        if not on_gpu:
            return ThisMachine.processors(self.workers or 1), device
        visible_by = device.on.visible_by()
        gpus = visible_gpus(device.on.count(), visible_by)
        if device.on.torch.index is not None:
            gpus = [gpus[device.on.torch.index]]
        elif visible_by is None:
            # Workers could not tell which is theirs.
            gpus = gpus[:1]
        workers = self.workers or len(gpus) * share
        if workers > len(gpus) * share:
            there = counted(len(gpus), "GPU")
            raise InputError("workers", workers, f"at most {len(gpus) * share}: {share} a GPU on {there}")
        if device.memory is None and share > 1:
            device = replace(device, memory=device.on.total_memory // share)
        if visible_by is not None:
            # A worker sees its own GPU alone.
            device = replace(device, device=device.on.kind)
        return ThisMachine.gpus(gpus, workers, visible_by), _shared(device, share)


def _shared(device: "Hardware", trainings: int) -> "Hardware":
    if trainings > 1 and device.clock == "measured":
        raise InputError(
            "clock",
            device.clock,
            f"calibrated, since {trainings} trainings share a GPU and disturb each other's seconds",
        )
    return device
