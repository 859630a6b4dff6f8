"""Speed of training: images a second of our trainer, of the plain formulation, and of the limit.

(a) The plain formulation computes branch after branch in fp32 and is fed by a torchvision DataLoader, as such papers'
code is written. (b) The limit is our network on one batch that lies ready on the device. All take turns in one
process. On a CPU each has one thread, time is CPU time, and batches are small (--quick leaves out the largest
network); on a GPU batches have the configuration's size, and the plain formulation's loader has processes of its own.
"""

import argparse
import math
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch

from jointbench.bench.speed.measure import interleave, parser, present, progress, ratio
from jointbench.bench.speed.outside import beside_the_budget
from jointbench.bench.speed.subjects import PASSES, SPACE, speed_images, subjects, with_batch_of
from jointbench.bench.speed.training_contenders import (
    LEARNING_RATE,
    Contender,
    Limit,
    Ours,
    Plain,
    device_time,
    training_of,
)
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.devices.device import Device
from jointbench.bench.training.devices.registry import device_of, kinds_here
from jointbench.bench.training.hardware import Hardware, Precision
from jointbench.data.evaluation import Configuration
from jointbench.data.images.image_data import ImageData

#: On a CPU a batch has as many images as need about so many FLOPs for a step.
CPU_STEP, QUICK_CPU_STEP = 120e9, 10e9
#: Seconds of a contender's turn on a GPU.
GPU_TURN = 0.5
#: Processes of the plain formulation's loader on a GPU.
LOADERS = 8


def main() -> None:
    program = parser(__doc__ or "")
    add = program.add_argument
    add("--device", default=kinds_here()[0], help="cpu, cuda or cuda:1")
    add("--precision", nargs="+", choices=["fp32", "bf16"], help="of ours; default bf16, and fp32 too on a CPU")
    add("--compile", action="store_true", help="ours and the limit through torch.compile")
    add("--images", default="synthetic", help="a data set's name; default noise of CIFAR-10's shape")
    add("--data", metavar="DIR", help="folder of the image files")
    add("--evaluate", type=float, metavar="SECONDS", help="also train Table 3's network for so long, as it is done")
    arguments = program.parse_args()
    on_gpu = device_of(arguments.device).accelerator
    precisions: list[Precision] = arguments.precision or _precisions(on_gpu, arguments.quick)
    Hardware(arguments.device).prepare()
    data = speed_images(arguments.images, arguments.data)
    images = DeviceImages(data, torch.device(arguments.device))
    chosen = subjects()
    table_3 = next(iter(chosen.values()))
    if arguments.quick and not on_gpu:
        chosen.pop("Shake-Shake 26 2x96d", None)
    figures: dict[str, float | int | str] = {}
    rows = []
    for name, configuration in chosen.items():
        progress(name)
        measured = measure(configuration, data, images, precisions, arguments)
        for precision in precisions:
            rows.append(_row(name, precision, measured[precision]))
            key = f"{name}_{precision}".lower().replace(" ", "_").replace("-", "_")
            figures |= {f"{key}_{figure}": value for figure, value in measured[precision].items()}
    progress("what is outside the budget")
    hardware = Hardware(arguments.device, precisions[-1], compile=arguments.compile)
    step = QUICK_CPU_STEP if arguments.quick else CPU_STEP
    shown = table_3 if on_gpu else with_batch_of(step, table_3, data.facts.shape)
    beside, notes = beside_the_budget(table_3, int(shown["batch_size"]), images, hardware, arguments.evaluate)
    present(
        "training: images a second" + (" of CPU time, one thread" if not on_gpu else ""),
        ("network", "ours in", "batch", "ours", "(a) plain", "(b) limit", "ours / (a)", "ours / (b)", "of a matmul's"),
        rows,
        figures | beside,
        as_json=arguments.json,
        libraries=("torch", "torchvision"),
        notes=[f"device: {Hardware(arguments.device).description}", *notes],
    )


def measure(
    configuration: Configuration,
    data: ImageData,
    images: DeviceImages,
    precisions: list[Precision],
    arguments: argparse.Namespace,
) -> dict[Precision, dict[str, float]]:
    """Figures of one configuration, for each precision of ours."""
    on_gpu = images.on.accelerator
    flops = PASSES * SPACE.facts(configuration, data.facts.shape, data.facts.classes).flops
    changed: Configuration = {**configuration, "learning_rate": LEARNING_RATE}
    if not on_gpu:
        changed = with_batch_of(QUICK_CPU_STEP if arguments.quick else CPU_STEP, changed, data.facts.shape)
    plain = Plain(changed, data.training, images, min(LOADERS, os.cpu_count() or 1) if on_gpu else 0)
    contenders: dict[str, Contender] = {"plain": plain}
    for precision in precisions:
        training = training_of(changed, images, Hardware(arguments.device, precision, compile=arguments.compile))
        contenders |= {f"ours {precision}": Ours(training), f"limit {precision}": Limit(training)}
    clock = device_time(images.on)
    count = steps_a_turn(plain, clock) if on_gpu else 1
    peaks = {precision: Matmul(images.on, precision) for precision in precisions}
    timings = interleave(
        {name: partial(contender.steps, count) for name, contender in contenders.items()}
        | {f"matmul {precision}": peak.multiply for precision, peak in peaks.items()},
        seconds=2 if arguments.quick else 30,
        least=1 if arguments.quick else 3,
        clock=clock,
        before=lambda name: plain.use_up_the_store() if name == "plain" else None,
    )
    batch = training.batches.batch_size
    found: dict[Precision, dict[str, float]] = {}
    for precision, peak in peaks.items():
        ours, limit = timings[f"ours {precision}"], timings[f"limit {precision}"]
        done = flops * count * batch / ours.median
        possible = peak.flops / min(timings[f"matmul {precision}"].seconds)
        found[precision] = {
            "batch": batch,
            "images_per_second": count * batch / ours.median,
            "plain_images_per_second": count * batch / timings["plain"].median,
            "limit_images_per_second": count * batch / limit.median,
            "ratio_to_plain": ratio(timings["plain"], ours),
            "ratio_to_limit": ratio(limit, ours),
            "flops_per_second": done,
            "matmul_flops_per_second": possible,
            "utilisation": done / possible,
        }
    return found


def _precisions(on_gpu: bool, quick: bool) -> list[Precision]:
    """bf16, and on a CPU fp32 beside it, or instead of it where the processor has no bf16."""
    if on_gpu:
        return ["bf16"]
    try:
        has_bf16 = "bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        has_bf16 = False
    if not has_bf16:
        return ["fp32"]
    return ["bf16"] if quick else ["fp32", "bf16"]


def steps_a_turn(contender: Contender, clock: Callable[[], float]) -> int:
    """Of the steps that take this contender about GPU_TURN."""
    contender.steps(3)
    start = clock()
    contender.steps(3)
    return max(3, math.ceil(3 * GPU_TURN / (clock() - start)))


class Matmul:
    """What the device can do at most: square matrices, multiplied."""

    def __init__(self, device: Device, precision: Precision) -> None:
        side, self.times = (8192, 10) if device.accelerator else (1024, 2)
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        self.matrix = torch.randn(side, side, device=device.torch, dtype=kind)
        self.flops = 2 * side**3 * self.times

    def multiply(self) -> None:
        for _ in range(self.times):
            torch.mm(self.matrix, self.matrix)


def _row(name: str, precision: str, of: Mapping[str, float]) -> tuple[str, ...]:
    return (
        name,
        precision,
        f"{of['batch']:.0f}",
        *(f"{of[who]:,.1f}" for who in ("images_per_second", "plain_images_per_second", "limit_images_per_second")),
        f"{of['ratio_to_plain']:.2f}x",
        f"{of['ratio_to_limit']:.3f}",
        f"{of['utilisation']:.0%} of {of['matmul_flops_per_second'] / 1e12:,.2f} TFLOP/s",
    )


if __name__ == "__main__":
    main()
