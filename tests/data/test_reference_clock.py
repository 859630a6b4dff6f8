"""The reference clock: seconds by arithmetic, the same everywhere, never less for more work."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jointbench.bench.collecting.measuring import Measured, fit_law, held_out_errors, measure
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.hardware import Hardware
from jointbench.bench.training.trainer import train
from jointbench.data.errors import InputError, UnknownNameError
from jointbench.data.evaluation import Evaluation, Status
from jointbench.data.images.registry import load_images
from jointbench.data.ladder import Ladder
from jointbench.data.reference_clock import (
    FEWEST_STEPS,
    TERMS,
    ReferenceClock,
    reference_clock,
    reference_clock_names,
    steps_within,
    work,
)
from jointbench.data.spaces.joint import JOINT, JOINT_SMALL, JointSpace
from jointbench.data.spaces.reference_networks import PREACT_RESNET_18

SHAPE, CLASSES = (1, 8, 8), 10
CLOCK = "reference:epyc-thread-v1"


@pytest.mark.parametrize("space", [JOINT, JOINT_SMALL])
@given(seed=st.integers(0, 2**32))
def test_convolutions_make_up_the_flops_and_no_more_than_the_weights(space: JointSpace, seed: int) -> None:
    configuration = space.sample(np.random.default_rng(seed))[0]
    facts = space.facts(configuration, SHAPE, CLASSES)
    convolutions = space.convolutions(configuration, SHAPE, CLASSES)
    multiply_adds = sum(c.count * c.weights * c.pixels for c in convolutions)
    assert 2 * (multiply_adds + facts.widths[-1] * CLASSES) == facts.flops
    norms = 2 * sum(c.count * c.after for c in convolutions if c.side == 3)
    shortcuts = {c.pixels: 0 for c in convolutions if c.side == 1}
    for c in convolutions:
        if c.side == 1:
            shortcuts[c.pixels] += 2 * c.after
    weights = sum(c.count * c.weights for c in convolutions)
    linear = facts.widths[-1] * CLASSES + CLASSES
    assert weights + norms + sum(shortcuts.values()) + linear == facts.parameters


@given(
    seed=st.integers(0, 2**32),
    name=st.sampled_from([n for n in JOINT_SMALL.names if n.startswith(("res_", "filters", "batch", "widen"))]),
)
def test_more_work_never_takes_less_time(seed: int, name: str) -> None:
    clock = reference_clock(CLOCK)
    small = JOINT_SMALL.sample(np.random.default_rng(seed))[0]
    # A wider block narrows no other one; rounding may leave it as it is.
    large = {**small, name: JOINT_SMALL.by_name[name].high}
    seconds = [clock.seconds_a_step(JOINT_SMALL, c, SHAPE, CLASSES) for c in (small, JOINT_SMALL.check(large))]
    if name.startswith("widen"):
        amounts = [work(JOINT_SMALL, c, SHAPE, CLASSES) for c in (small, JOINT_SMALL.check(large))]
        if any(amounts[1][term] < amounts[0][term] for term in TERMS):
            return  # a shortcut that was needed before is not needed now
    assert seconds[0] <= seconds[1]


@given(steps=st.integers(1, 100_000), seconds=st.floats(1e-4, 10.0))
def test_the_first_step_that_reaches_the_budget_is_the_last(steps: int, seconds: float) -> None:
    for budget in (steps * seconds, (steps - 0.5) * seconds):
        found = steps_within(budget, seconds)
        assert found * seconds >= budget
        assert found == 1 or (found - 1) * seconds < budget


def test_seconds_are_the_same_bits_in_a_process_with_other_processor_features() -> None:
    configurations = JOINT_SMALL.sample(np.random.default_rng(3), 20)
    clock = reference_clock(CLOCK)
    here = [clock.seconds_a_step(JOINT_SMALL, c, SHAPE, CLASSES).hex() for c in configurations]
    code = f"""
import numpy as np
from jointbench.data.spaces.joint import JOINT_SMALL
from jointbench.data.reference_clock import reference_clock
for c in JOINT_SMALL.sample(np.random.default_rng(3), 20):
    print(reference_clock({CLOCK!r}).seconds_a_step(JOINT_SMALL, c, {SHAPE}, {CLASSES}).hex())
"""
    environment = {
        "PYTHONPATH": ":".join(sys.path),
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
        "OPENBLAS_CORETYPE": "Prescott",
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == here


def test_every_clock_that_ships_says_what_it_was_measured_on() -> None:
    assert reference_clock_names()
    for name in reference_clock_names():
        clock = reference_clock(name)
        assert (clock.name, bool(clock.device)) == (name, True)
        path = Path(sys.modules[ReferenceClock.__module__].__file__ or "").parent / "reference_clocks" / f"{name}.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        assert 0 < content["held_out_error"]["median"] < content["held_out_error"]["90th percentile"]


class TestRefusals:
    def test_an_unknown_name_lists_the_known_ones(self) -> None:
        with pytest.raises(UnknownNameError, match="epyc-thread-v1"):
            Hardware(clock="reference:sundial")
        with pytest.raises(InputError, match="reference:NAME"):
            Hardware(clock="sundial")

    @pytest.mark.parametrize("weight", [-1.0, float("nan"), "1", None])
    def test_a_law_with_a_weight_that_is_no_time_is_refused(self, weight: object) -> None:
        seconds = {**dict.fromkeys(TERMS, 1e-9), "images": weight}
        with pytest.raises(InputError, match="images"):
            ReferenceClock.from_dict({"name": "x", "device": "y", "seconds": seconds}, "x.json")

    def test_a_space_that_does_not_say_what_it_computes_has_no_reference_seconds(self) -> None:
        with pytest.raises(InputError, match="preact-resnet-18"):
            reference_clock(CLOCK).seconds_a_step(
                PREACT_RESNET_18, PREACT_RESNET_18.named["preact-resnet-18"], SHAPE, CLASSES
            )


class TestFit:
    def test_it_finds_the_law_that_made_the_seconds(self) -> None:
        rng = np.random.default_rng(0)
        configurations = JOINT_SMALL.sample(rng, 120)
        amounts = np.array(
            [[work(JOINT_SMALL, c, SHAPE, CLASSES)[t] for t in TERMS] for c in configurations], dtype=np.float64
        )
        truth = dict.fromkeys(TERMS, 0.0) | {"step": 2e-3, "dense layers": 5e-4, "dense multiply-adds": 1e-10}
        seconds = amounts @ np.array([truth[term] for term in TERMS])
        law = fit_law(Measured(configurations, seconds, amounts))
        assert amounts @ np.array([law[t] for t in TERMS]) == pytest.approx(seconds, rel=1e-3)
        assert min(law.values()) >= 0
        noisy = Measured(configurations, seconds * np.exp(0.1 * rng.normal(size=120)), amounts)
        # A tenth of noise at the median of its absolute value, .067, and what 19 weights fit of it.
        assert 0.04 < np.median(np.abs(held_out_errors(noisy, 0))) < 0.12


class TestMeasure:
    def test_each_network_is_timed_in_every_round_and_all_count_once(self, images: DeviceImages) -> None:
        heard: list[tuple[int, int]] = []

        def hear(done: int, of: int) -> None:
            heard.append((done, of))

        measured = measure(JOINT_SMALL, images, Hardware(), networks=3, rounds=2, seed=0, progress=hear)
        assert heard == [(number, 6) for number in range(1, 7)]
        assert measured.seconds.shape == (3,)
        assert (measured.seconds > 0).all()
        of = [work(JOINT_SMALL, c, images.facts.shape, images.facts.classes) for c in measured.configurations]
        assert measured.amounts.tolist() == [[float(amounts[term]) for term in TERMS] for amounts in of]

    def test_memory_that_does_not_hold_the_first_network_is_refused(self, images: DeviceImages) -> None:
        with pytest.raises(InputError, match="memory"):
            measure(JOINT_SMALL, images, Hardware(memory=1), networks=3, rounds=1, seed=0)


@pytest.fixture(scope="module")
def images() -> DeviceImages:
    Hardware().prepare()
    return DeviceImages(load_images("digits"), torch.device("cpu"))


SMALL = {
    **JOINT.named["zela-2018"],
    "batch_size": 64,
    "cutout_length": 5,
    "filters": 4,
    **{f"res_blocks_{i}": 1 for i in (1, 2, 3)},
    **{f"res_branches_{i}": 1 for i in (1, 2, 3)},
    **{f"widen_factor_{i}": 1.0 for i in (1, 2, 3)},
}


def trained(images: DeviceImages, budget: float, ladder: Ladder, **changed: float) -> Evaluation:
    return train(
        JOINT_SMALL, {**SMALL, **changed}, budget, 3, ladder=ladder, images=images, hardware=Hardware(clock=CLOCK)
    )


class TestTraining:
    def test_a_budget_is_a_number_of_steps_by_arithmetic(self, images: DeviceImages) -> None:
        a_step = reference_clock(CLOCK).seconds_a_step(JOINT_SMALL, SMALL, SHAPE, CLASSES)
        evaluation = trained(images, 0.2, Ladder(0.2, 0.6))
        assert evaluation.status is Status.OK, evaluation.reason
        assert evaluation.steps == steps_within(0.2, a_step)
        assert evaluation.training_seconds == evaluation.steps * a_step
        assert evaluation.provenance.clock == CLOCK
        assert 0 < evaluation.measured_seconds != evaluation.training_seconds
        assert min(evaluation.batch_seconds, evaluation.validation_seconds, evaluation.test_seconds) > 0

    def test_one_seed_has_one_result(self, images: DeviceImages) -> None:
        first, again = (trained(images, 0.2, Ladder(0.2, 0.6)) for _ in range(2))
        assert (first.curve, first.test_error) == (again.curve, again.test_error)

    def test_fewer_than_ten_steps_are_too_slow_which_is_known_before_anything_is_trained(
        self, images: DeviceImages
    ) -> None:
        a_step = reference_clock(CLOCK).seconds_a_step(JOINT_SMALL, SMALL, SHAPE, CLASSES)
        for steps, status in ((FEWEST_STEPS, Status.OK), (FEWEST_STEPS - 1, Status.TOO_SLOW)):
            least = steps * a_step * (1 + 1e-9)
            evaluation = trained(images, least, Ladder(least, 3 * least))
            assert evaluation.status is status
        assert (evaluation.steps, evaluation.validation_error, evaluation.test_error) == (0, 1.0, 1.0)
        assert evaluation.reason.startswith("a step takes")
