"""What comes before a training's clock starts: its first steps, which cost more, and the timing of its others."""

import math
from statistics import median

from jointbench.bench.training.augmentation import Batches
from jointbench.bench.training.step import Step

#: The device is timed in rounds of so many seconds, or so many steps, whichever is less, until the median round moves
#: by less than a share of itself for as many rounds in a row as are waited for, or there are too many.
ROUND_SECONDS, ROUND_STEPS = 0.05, 20
STABLE, STABLE_ROUNDS, MOST_ROUNDS = 0.02, 3, 25


def warm_up(step: Step, batches: Batches) -> float:
    """Take the first steps and return the seconds of the last. The network is another one afterwards: draw it anew."""
    for _ in range(batches.images.on.warm_up_steps):
        clock, batch = batches.images.on.clock(), batches.next()
        with clock.lap():
            clock.keep(step.take(batch))
        clock.finish()
    return clock.elapsed


def time_steps(step: Step, batches: Batches) -> float:
    """Seconds that a step takes on the device, as the measured clock would count them; to be called alone on it.

    Single timings scatter by a sixth, so rounds are timed until their median is stable.
    """

    def seconds(steps: int) -> float:
        clock = batches.images.on.clock()
        for _ in range(steps):
            batch = batches.next()
            with clock.lap():
                clock.keep(step.take(batch))
        clock.finish()
        return clock.elapsed / steps

    steps = min(ROUND_STEPS, math.ceil(ROUND_SECONDS / seconds(1)))
    rounds = [seconds(steps)]
    middle, quiet = rounds[0], 0
    while quiet < STABLE_ROUNDS and len(rounds) < MOST_ROUNDS:
        rounds.append(seconds(steps))
        before, middle = middle, median(rounds)
        quiet = quiet + 1 if abs(middle - before) <= STABLE * middle else 0
    return middle
