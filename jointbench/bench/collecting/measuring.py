"""Measuring a device for a reference clock: the seconds of training steps, and the law that fits them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import torch

from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.registry import network
from jointbench.bench.training.step import Step
from jointbench.data.arrays import FloatArray
from jointbench.data.evaluation import Configuration
from jointbench.data.reference_clock import TERMS, work
from jointbench.data.spaces.space import Space

#: Steps of a network that are timed in a round, and seconds after which no further one is begun.
STEPS, SECONDS = 40, 0.25
#: Each network is timed so many times, in another order each time, since a machine is not equally quick for minutes.
ROUNDS = 3
#: Parts of the held-out check.
FOLDS = 10
#: Of the reweighting that makes squares count as absolute relative errors: rounds, and the error below which all
#: count the same.
REWEIGHTINGS, ALIKE = 8, 0.02


@dataclass(frozen=True)
class Measured:
    """Networks (n), the seconds that a step of each takes (n,), and the amounts of TERMS in it (n, terms)."""

    configurations: Sequence[Configuration]
    seconds: FloatArray
    amounts: FloatArray


def measure(
    space: Space,
    images: DeviceImages,
    hardware: Hardware,
    *,
    networks: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Measured:
    """Time the training steps of so many random networks, to be called on an idle device.

    The first of them is timed beside each of the others: how quick the machine is at the moment divides out.
    A network that does not fit into memory is left out. `progress` hears how many timings of how many are done.
    """
    rng = np.random.default_rng(seed)
    chosen = space.sample(rng, networks)
    shape, classes = images.facts.shape, images.facts.classes
    timed: list[list[float]] = [[] for _ in chosen]
    probes: list[float] = []
    done = 0
    for _ in range(ROUNDS):
        for index in rng.permutation(networks).tolist():
            probe = _seconds_a_step(space, chosen[0], images, hardware)
            seconds = _seconds_a_step(space, chosen[index], images, hardware)
            done += 1
            progress(done, ROUNDS * networks)
            if probe is not None and seconds is not None:
                probes.append(probe)
                timed[index].append(seconds / probe)
    kept = [index for index, ratios in enumerate(timed) if ratios]
    usual = float(np.median(probes))
    amounts = [work(space, chosen[index], shape, classes) for index in kept]
    return Measured(
        [chosen[index] for index in kept],
        np.array([usual * float(np.median(timed[index])) for index in kept]),
        np.array([[amount[term] for term in TERMS] for amount in amounts], dtype=np.float64),
    )


def _seconds_a_step(
    space: Space, configuration: Configuration, images: DeviceImages, hardware: Hardware
) -> float | None:
    """Median over some steps after the first two; None where memory runs out."""
    try:
        recipe = space.recipe(configuration)
        memory = images.on.memory(hardware.memory)
        with images.device:
            model = network(space, configuration, images.facts.shape, images.facts.classes)
        step = Step(model, recipe, hardware, memory)
        batches = Batches(images, recipe.batch_size, 0, 0.0, np.random.default_rng(0))
        for _ in range(2):
            step.take(batches.next())
        seconds: list[float] = []
        while len(seconds) < 3 or (len(seconds) < STEPS and sum(seconds) < SECONDS):
            batch, clock = batches.next(), images.on.clock()
            with clock.lap():
                clock.keep(step.take(batch))
            clock.finish()
            seconds.append(clock.elapsed)
        return float(np.median(seconds))
    except (MemoryError, RuntimeError) as error:
        if not images.on.out_of_memory(error):
            raise
        images.on.release()
        return None


def fit_law(measured: Measured) -> dict[str, float]:
    """Seconds of one unit of each of TERMS, none negative, that make the relative errors small.

    Least absolute relative errors, by least squares that are weighted anew (so that a few odd timings do not bend
    the law). A step costs something by itself.
    """
    from scipy.optimize import nnls

    ratios = measured.amounts / measured.seconds[:, None]
    scale = np.where(ratios.max(axis=0) > 0, ratios.max(axis=0), 1.0)
    weights = np.ones(len(ratios))
    for _ in range(REWEIGHTINGS):
        found, _ = nnls(ratios / scale * weights[:, None], weights)
        weights = 1 / np.sqrt(np.maximum(np.abs(ratios / scale @ found - 1), ALIKE))
    law = dict(zip(TERMS, (found / scale).tolist(), strict=True))
    law["step"] = max(law["step"], 1e-6)
    return law


def held_out_errors(measured: Measured, seed: int) -> FloatArray:
    """Relative errors (n,) of laws that were fitted without the network that they are asked for."""
    count = len(measured.seconds)
    parts = np.random.default_rng(seed).permutation(count) % FOLDS
    errors = np.empty(count)
    for part in range(FOLDS):
        rest = parts != part
        law = fit_law(
            Measured(
                [c for c, kept in zip(measured.configurations, rest, strict=True) if kept],
                measured.seconds[rest],
                measured.amounts[rest],
            )
        )
        foretold = measured.amounts[~rest] @ np.array([law[term] for term in TERMS])
        errors[~rest] = foretold / measured.seconds[~rest] - 1
    return errors


def clock_file(
    measured: Measured, name: str, space: Space, images: DeviceImages, hardware: Hardware, seed: int
) -> dict[str, Any]:
    """What a reference clock's JSON file says: its law, how good it is, and what it was measured on."""
    errors = np.abs(held_out_errors(measured, seed))
    return {
        "name": name,
        "device": hardware.description,
        "precision": hardware.precision,
        "space": space.name,
        "images": images.facts.name,
        "networks": len(measured.seconds),
        "seed": seed,
        "torch": torch.__version__,
        "measured": date.today().isoformat(),
        "held_out_error": {"median": float(np.median(errors)), "90th percentile": float(np.quantile(errors, 0.9))},
        "seconds": fit_law(measured),
    }
