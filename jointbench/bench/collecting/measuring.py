"""Measuring a device for a reference clock: the seconds of training steps, and the law that fits them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch

from jointbench.bench.training.augmentation import Batches, DeviceImages
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.networks.registry import network
from jointbench.bench.training.recorded_step import step_on
from jointbench.data.arrays import FloatArray
from jointbench.data.errors import InputError
from jointbench.data.evaluation import Configuration
from jointbench.data.reference_clock import TERMS, work
from jointbench.data.spaces.space import Space

#: Steps of a network that are timed in a round, and seconds after which no further one is begun.
STEPS, SECONDS = 40, 0.25
#: Parts of the held-out check.
FOLDS = 10
#: Of the reweighting that makes squares count as absolute relative errors: rounds, and the error below which all
#: count the same.
REWEIGHTINGS, ALIKE = 8, 0.02

#: Takes a step and returns the seconds that it took.
Stepping = Callable[[], float]
T = TypeVar("T")


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
    rounds: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Measured:
    """Time the training steps of so many random networks, to be called on an idle device.

    Each is timed in every round, in another order each time, with the first of them beside it: how quick the machine is
    at the moment divides out. A network that does not fit into memory is left out. `progress` hears how many timings
    of how many are done. Raises InputError where the first does not fit.
    """
    rng = np.random.default_rng(seed)
    chosen = space.sample(rng, networks)
    shape, classes = images.facts.shape, images.facts.classes
    timed: list[list[float]] = [[] for _ in chosen]
    probes: list[float] = []
    done = 0
    # As in a training that such a clock counts.
    with images.on.first_kernels():
        probe = _stepping(space, chosen[0], images, hardware)
        if probe is None:
            raise InputError("memory", hardware.request, "enough for the first network, beside which all are timed")
        for _ in range(rounds):
            for index in rng.permutation(networks).tolist():
                beside = _seconds_a_step(probe)
                stepping = _stepping(space, chosen[index], images, hardware)
                seconds = None if stepping is None else _within_memory(images, partial(_seconds_a_step, stepping))
                done += 1
                progress(done, rounds * networks)
                if seconds is not None:
                    probes.append(beside)
                    timed[index].append(seconds / beside)
    kept = [index for index, ratios in enumerate(timed) if ratios]
    usual = float(np.median(probes))
    amounts = [work(space, chosen[index], shape, classes) for index in kept]
    return Measured(
        [chosen[index] for index in kept],
        np.array([usual * float(np.median(timed[index])) for index in kept]),
        np.array([[amount[term] for term in TERMS] for amount in amounts], dtype=np.float64),
    )


def _stepping(space: Space, configuration: Configuration, images: DeviceImages, hardware: Hardware) -> Stepping | None:
    """Of a network whose first two steps, which cost more, are taken; None where memory runs out."""

    def made() -> Stepping:
        recipe = space.recipe(configuration)
        memory = images.on.memory(hardware.memory)
        with images.device:
            model = network(space, configuration, images.facts.shape, images.facts.classes)
        step = step_on(model, recipe, hardware, memory)
        batches = Batches(images, recipe.batch_size, 0, 0.0, np.random.default_rng(0))

        def stepping() -> float:
            batch, clock = batches.next(), images.on.clock()
            with clock.lap():
                clock.keep(step.take(batch))
            clock.finish()
            return clock.elapsed

        for _ in range(2):
            stepping()
        return stepping

    return _within_memory(images, made)


def _seconds_a_step(stepping: Stepping) -> float:
    """Median over some steps."""
    seconds: list[float] = []
    while len(seconds) < 3 or (len(seconds) < STEPS and sum(seconds) < SECONDS):
        seconds.append(stepping())
    return float(np.median(seconds))


def _within_memory(images: DeviceImages, do: Callable[[], T]) -> T | None:
    """None where memory runs out."""
    try:
        return do()
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
