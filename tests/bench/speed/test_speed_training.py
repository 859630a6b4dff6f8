"""The speed program for training: who takes part in it, and what it prints."""

import json
import math
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
from test_trainer import SMALL

from jointbench.bench.speed import training as program
from jointbench.bench.speed.subjects import median_configuration, speed_images, subjects
from jointbench.bench.speed.training_contenders import LEARNING_RATE, Limit, Ours, Plain, training_of
from jointbench.bench.training.augmentation import DeviceImages
from jointbench.bench.training.hardware import Hardware
from jointbench.data.images.facts import PHOTOGRAPHS
from jointbench.data.images.image_data import ImageData
from jointbench.data.images.registry import load_images
from jointbench.data.spaces.joint import JOINT

CONFIGURATION = {**SMALL, "learning_rate": LEARNING_RATE}


@pytest.fixture(scope="module")
def digits() -> ImageData:
    torch.set_num_threads(1)
    return load_images("digits")


@pytest.fixture(scope="module")
def images(digits: ImageData) -> DeviceImages:
    return DeviceImages(digits, torch.device("cpu"))


def test_the_networks_are_those_of_table_3_shake_shake_and_the_median_of_a_sample() -> None:
    found = subjects()
    parameters = [JOINT.facts(JOINT.check(c)).parameters / 1e6 for c in found.values()]
    # Table 2 of the paper, and the median that 5,000 others have, to a tenth.
    assert parameters == pytest.approx([27.59, 2.92, 26.19, 4.1], rel=0.1)
    assert found["median of a sample"] == median_configuration()


def test_synthetic_images_have_the_shape_of_cifar_10() -> None:
    facts = speed_images("synthetic").facts
    assert (facts.shape, facts.classes) == ((3, 32, 32), 10)
    assert (facts.training, facts.validation, facts.test) == (45_000, 5_000, 10_000)


def test_ours_is_the_trainers_own_loop(images: DeviceImages) -> None:
    training = training_of(CONFIGURATION, images, Hardware())
    Ours(training).steps(3)
    assert (training.progress.steps, training.progress.images) == (3, 3 * 64)
    assert training.clock.elapsed == training.schedule.position > 0
    assert len(training.progress.losses) == 3


def test_the_limit_trains_the_same_network_on_one_batch_that_lies_ready(
    images: DeviceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = training_of(CONFIGURATION, images, Hardware())
    limit, before = Limit(training), [p.clone() for p in training.model.parameters()]
    monkeypatch.setattr(type(training.batches), "next", lambda self: pytest.fail("a batch was made"))
    limit.steps(2)
    assert all(p.grad is not None for p in training.model.parameters())
    assert any(not torch.equal(p, b) for p, b in zip(training.model.parameters(), before, strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_plain_one_is_fed_by_a_loader_with_torchvisions_transforms(
    digits: ImageData, images: DeviceImages, workers: int
) -> None:
    plain = Plain(CONFIGURATION, digits.training, images, workers)
    # Digits are neither cropped nor flipped.
    assert [type(t).__name__ for t in plain.loader.dataset.transform.transforms] == ["ToTensor", "Normalize", "CutOut"]
    photographs = DeviceImages(replace(digits, augmentation=PHOTOGRAPHS), images.device)
    whole = Plain(CONFIGURATION, digits.training, photographs, workers).loader.dataset.transform.transforms
    assert [type(t).__name__ for t in whole[:2]] == ["RandomCrop", "RandomHorizontalFlip"]
    # More than the 21 batches of an epoch: the loader begins anew.
    plain.steps(22)
    plain.use_up_the_store()
    assert math.isfinite(plain.total_loss)
    assert plain.stored == 2 * workers
    batch, labels = next(plain.batches)
    assert (batch.shape, labels.shape) == ((64, 1, 8, 8), (64,))
    # Clean pixels are of mean 0 and variance 1; padding and squares leave them near it.
    assert abs(batch.mean()) < 0.5
    assert 0.5 < batch.std() < 1.5


def test_it_prints_one_flat_object_with_a_rate_for_each_contender(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "subjects", lambda: {"small": SMALL})
    words = "program --quick --json --device cpu --images digits --precision fp32 bf16"
    monkeypatch.setattr(sys, "argv", words.split())
    program.main()
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    for precision in ("fp32", "bf16"):
        for figure in ("images_per_second", "plain_images_per_second", "limit_images_per_second", "ratio_to_plain"):
            assert figures[f"small_{precision}_{figure}"] > 0
        assert figures[f"small_{precision}_utilisation"] == pytest.approx(
            figures[f"small_{precision}_flops_per_second"] / figures[f"small_{precision}_matmul_flops_per_second"]
        )
        flops = 3 * JOINT.facts(SMALL, (1, 8, 8), 10).flops
        assert figures[f"small_{precision}_flops_per_second"] == pytest.approx(
            flops * figures[f"small_{precision}_images_per_second"]
        )
