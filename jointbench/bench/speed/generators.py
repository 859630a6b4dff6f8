"""Speed of generators' networks: a training step node by node, as the trainer does, against layer by layer.

Layer by layer all mid nodes of one depth, and in them all operations of one depth, are one grouped convolution
(`layered_cell.py`). Forward, backward and SGD on one batch that lies ready; both take turns in one process. On a CPU
with one thread, in CPU time.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own documentation calls it so

from jointbench.bench.speed.layered_cell import layer
from jointbench.bench.speed.measure import interleave, parser, present, progress, ratio
from jointbench.bench.speed.training_contenders import LEARNING_RATE, device_time
from jointbench.bench.training.devices.registry import kinds_here
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.generator import GeneratedNetwork
from jointbench.bench.training.networks.registry import network
from jointbench.data.spaces.generators import GeneratorSpace
from jointbench.data.spaces.registry import get_space

#: Space, configuration, image shape: chains of few operations, the middle of the small space, many mid nodes.
SUBJECTS = {
    "hnag-small, 12 operations": ("hnag-small", (4, 2, 0.5, 1, 0.5, 3, 2, 0.5), (1, 8, 8)),
    "hnag-small, 45 operations": ("hnag-small", (5, 2, 0.5, 3, 0.5, 3, 2, 0.5), (1, 8, 8)),
    "hnag, 30 mid nodes": ("hnag", (3, 2, 0.5, 10, 0.3, 3, 2, 0.5), (3, 32, 32)),
}


def main() -> None:
    program = parser(__doc__ or "")
    program.add_argument("--device", default=kinds_here()[0], help="cpu, cuda or cuda:1")
    program.add_argument("--batch", type=int, default=0, help="default 96; on a CPU 8 for the largest")
    arguments = program.parse_args()
    hardware = Hardware(arguments.device)
    hardware.prepare()
    figures: dict[str, float | int | str] = {}
    rows = []
    for name, (space_name, values, shape) in SUBJECTS.items():
        progress(name)
        space = get_space(space_name)
        assert isinstance(space, GeneratorSpace)
        at = dict(zip(space.names, values, strict=True))
        batch = arguments.batch or (96 if shape[1] == 8 or hardware.on.accelerator else 8)
        images = torch.randn(batch, *shape, device=hardware.on.torch).contiguous(memory_format=torch.channels_last)
        labels = torch.randint(0, 10, (batch,), device=hardware.on.torch)
        with hardware.on.torch:
            plain, other = (network(space, at, shape, 10, 1) for _ in range(2))
        assert isinstance(other, GeneratedNetwork)
        layer(other, space.drawn(at, 1), space.multiplier(at, shape, 10, 1))
        other.to(memory_format=torch.channels_last)
        timings = interleave(
            {"plain": _step(plain, images, labels), "layered": _step(other, images, labels)},
            seconds=3 if arguments.quick else 20,
            clock=device_time(hardware.on),
        )
        how = ratio(timings["plain"], timings["layered"])
        key = name.replace(", ", "_").replace(" ", "_").replace("-", "_")
        figures |= {
            f"{key}_plain_seconds": timings["plain"].median,
            f"{key}_layered_seconds": timings["layered"].median,
            f"{key}_plain_over_layered": how,
        }
        rows.append((name, str(batch), *(f"{1e3 * one.median:.1f}" for one in timings.values()), f"{how:.2f}x"))
    present(
        "generators: milliseconds of a training step" + ("" if hardware.on.accelerator else ", CPU time, one thread"),
        ("network", "batch", "node by node", "layer by layer", "ratio"),
        rows,
        figures,
        as_json=arguments.json,
        libraries=("torch",),
        notes=[f"device: {hardware.description}"],
    )


def _step(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], object]:
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
