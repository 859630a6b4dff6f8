"""What comes before a training's clock starts: its first steps, which cost more, and the timing of its others."""

import math

from jointbench.bench.training.augmentation import Batches
from jointbench.bench.training.clock import device_clock
from jointbench.bench.training.step import Step

#: Steps that pay what is paid once: kernel search, compilation, memory of the gradients and the momentum.
WARM_UP = 2
#: The device is timed in rounds of so many seconds, or so many steps, whichever is less; the median round counts.
ROUND_SECONDS, ROUND_STEPS, ROUNDS = 0.05, 20, 3


def warm_up(step: Step, batches: Batches) -> None:
    """Take the first steps. The network is another one afterwards: draw it anew."""
    for _ in range(WARM_UP if batches.images.device.type == "cuda" else 1):
        step.take(batches.next())


def time_steps(step: Step, batches: Batches) -> float:
    """Seconds that a step takes on the device, as the measured clock would count them; to be called alone on it."""

    def seconds(steps: int) -> float:
        clock = device_clock(batches.images.device)
        for _ in range(steps):
            batch = batches.next()
            with clock.lap():
                clock.keep(step.take(batch))
        clock.finish()
        return clock.elapsed / steps

    steps = min(ROUND_STEPS, math.ceil(ROUND_SECONDS / seconds(1)))
    return sorted(seconds(steps) for _ in range(ROUNDS))[ROUNDS // 2]
