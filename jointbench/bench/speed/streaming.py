"""Speed of images that do not fit on the device: batches of 224 pixels from images there, and streamed to it.

Streamed from an array of the host's, and from a file that is mapped into its memory and lies in the system's cache.
Crops, flips, colours and normalisation are the same work each time; all take turns in one process, a few batches a
turn. On a CPU, where the reader is a thread beside the training's, in CPU time of both, so that nothing is hidden.
"""

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from jointbench.bench.speed.measure import interleave, parser, present, progress, ratio
from jointbench.bench.speed.training_contenders import device_time
from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.devices.registry import kinds_here
from jointbench.bench.training.hardware import Hardware
from jointbench.data.images.facts import LARGE_PHOTOGRAPHS
from jointbench.data.images.image_data import ImageData, Part
from jointbench.data.images.kept_photographs import KEPT_SIDE, SIDE
from jointbench.data.quantities import counted

#: Batches a turn: the first of them has been expected since the last turn.
BATCHES = 4


def main() -> None:
    program = parser(__doc__ or "")
    program.add_argument("--device", default=kinds_here()[0], help="cpu, cuda or cuda:1")
    program.add_argument("--batch", type=int, default=0, help="default 96; on a CPU 16")
    program.add_argument("--images", type=int, default=0, help="default 4,000; with --quick 500")
    arguments = program.parse_args()
    hardware = Hardware(arguments.device)
    hardware.prepare()
    size = arguments.batch or (96 if hardware.on.accelerator else 16)
    count = arguments.images or (500 if arguments.quick else 4000)
    progress(f"{count} images")
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, KEPT_SIDE, KEPT_SIDE), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        np.save(path, pixels)
        data = _data(pixels)
        mapped = replace(data, training=Part(np.load(path, mmap_mode="c"), data.training.labels))
        sources = {
            "on the device": DeviceImages(data, hardware.on, streamed=False),
            "streamed from memory": DeviceImages(data, hardware.on, streamed=True),
            "streamed from a file": DeviceImages(mapped, hardware.on, streamed=True),
        }
        made = {name: Batches(images, size, 16, 0.0, np.random.default_rng(0)) for name, images in sources.items()}
        timings = interleave(
            {name: partial(_turn, batches) for name, batches in made.items()},
            seconds=15 if arguments.quick else 60,
            clock=device_time(hardware.on),
        )
    figures: dict[str, float | int | str] = {"batch": size, "images": count}
    rows = []
    for name, timing in timings.items():
        each = timing.median / BATCHES / size
        over = ratio(timing, timings["on the device"])
        key = name.replace(" ", "_")
        figures |= {f"{key}_seconds_an_image": each, f"{key}_over_on_the_device": over}
        rows.append((name, f"{1e3 * each:.2f}", f"{over:.2f}x"))
    present(
        f"streaming: milliseconds an image of a batch of {size}" + ("" if hardware.on.accelerator else ", CPU time"),
        ("images", "ms", "over on the device"),
        rows,
        figures,
        as_json=arguments.json,
        libraries=("numpy", "torch"),
        notes=[
            f"device: {hardware.description}, {counted(torch.get_num_threads(), 'thread')} of torch; {count} images"
        ],
    )


def _turn(batches: Batches) -> None:
    for _ in range(BATCHES):
        batches.next()


def _data(pixels: np.ndarray) -> ImageData:
    part = Part(pixels, np.arange(len(pixels)) % 10)
    few = Part(pixels[:1], part.labels[:1])
    return ImageData("noise", 10, part, few, few, LARGE_PHOTOGRAPHS, SIDE)


if __name__ == "__main__":
    main()
